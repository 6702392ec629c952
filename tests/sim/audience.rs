//! Event listeners made up for the simulation, and what must hold of the events: each pool has one of every event that it
//! subscribes to, in order, in one place only, until it is processed, discarded, or the pool is gone.

use std::collections::{BTreeMap, BTreeSet};

use supervisor_kit::config::{GroupConfig, GroupKind, LengthUnit};
use supervisor_kit::core::listener::ListenerState;
use supervisor_kit::core::pool::PoolView;
use supervisor_kit::core::{Closed, Core, Event, EventSet, Mono, Pid, ProcId};

use crate::chance::Chance;

const NANOS_PER_MS: u64 = 1_000_000;

/// What the listeners of one machine say, and what they were sent.
#[derive(Default)]
pub struct Audience {
    members: BTreeMap<Pid, Member>,
    /// Serial of each event that a listener has processed, with its pool.
    processed: Vec<(String, u64)>,
    /// First deliveries: pool and poolserial.
    first: Vec<(String, u64)>,
    pub deliveries: u64,
    pub rejections: u64,
}

struct Member {
    id: ProcId,
    pool: String,
    is_deaf: bool,
    /// What it says next, and when.
    next: Option<(Mono, Words)>,
    /// It said READY and was sent nothing since.
    is_ready: bool,
    in_hand: Option<u64>,
    /// It has broken the protocol.
    is_out: bool,
}

#[derive(Clone, Copy)]
enum Words {
    Ready,
    Processed,
    Rejected,
    Junk,
}

impl Audience {
    /// A listener is started.
    pub fn join(&mut self, pid: Pid, id: ProcId, pool: &str, ready_at: Mono) {
        let next = Some((ready_at, Words::Ready));
        let pool = pool.to_owned();
        self.members
            .insert(pid, Member { id, pool, is_deaf: false, next, is_ready: false, in_hand: None, is_out: false });
    }

    /// A process has ended.
    pub fn leave(&mut self, pid: Pid) {
        self.members.remove(&pid);
    }

    /// When somebody speaks next.
    pub fn next_words(&self) -> Option<Mono> {
        self.members.values().filter_map(|member| member.next).map(|(at, _)| at).min()
    }

    /// What somebody says by now, in one piece or two.
    pub fn speak(&mut self, now: Mono, chance: &mut Chance) -> Option<(Pid, Vec<Vec<u8>>)> {
        let due = |member: &Member| member.next.is_some_and(|(at, _)| at <= now);
        let (pid, member) = self.members.iter_mut().find(|(_, member)| due(member))?;
        let (_, words) = member.next.take()?;
        let text: &[u8] = match words {
            Words::Ready => b"READY\n",
            Words::Processed => b"RESULT 2\nOK",
            Words::Rejected => b"RESULT 4\nFAIL",
            Words::Junk => b"Traceback (most recent call last):\n",
        };
        match words {
            Words::Ready => member.is_ready = true,
            Words::Processed | Words::Rejected => {
                let serial = member.in_hand.take().unwrap();
                match words {
                    Words::Processed => self.processed.push((member.pool.clone(), serial)),
                    _ => self.rejections += 1,
                }
                member.next = Some((Mono(now.0 + chance.below(2_000) * NANOS_PER_MS), Words::Ready));
            }
            Words::Junk => (member.is_out, member.is_ready, member.in_hand) = (true, false, None),
        }
        let cut = chance.below(text.len() as u64 + 1) as usize;
        Some((*pid, vec![text[..cut].to_vec(), text[cut..].to_vec()]))
    }

    /// The core sends an event.
    pub fn deliver(
        &mut self,
        id: ProcId,
        event: &[u8],
        now: Mono,
        chance: &mut Chance,
        is_faulty: bool,
    ) -> Result<(), Closed> {
        let member = self.members.values_mut().find(|member| member.id == id).expect("an event for nobody");
        assert!(member.is_ready && !member.is_out && member.in_hand.is_none(), "{id:?} did not ask for an event");
        if is_faulty || member.is_deaf {
            assert!(!member.is_deaf, "tried again although nobody reads");
            member.is_deaf = true;
            return Err(Closed);
        }
        let header = std::str::from_utf8(event).unwrap().lines().next().unwrap();
        let field = |name: &str| header.split(' ').find_map(|pair| pair.strip_prefix(name)).unwrap();
        assert_eq!(field("pool:"), member.pool);
        self.first.push((member.pool.clone(), field("poolserial:").parse().unwrap()));
        (member.is_ready, member.in_hand) = (false, Some(field("serial:").parse().unwrap()));
        self.deliveries += 1;
        let answer = match chance.below(20) {
            0 => Some(Words::Junk),
            1 => None,
            2..=5 => Some(Words::Rejected),
            _ => Some(Words::Processed),
        };
        member.next = answer.map(|words| (Mono(now.0 + chance.below(3_000) * NANOS_PER_MS), words));
        Ok(())
    }
}

/// What every pool still has to be told.
#[derive(Default)]
pub struct Ledger {
    pools: BTreeMap<String, Account>,
    next_serial: u64,
}

struct Account {
    subscription: EventSet,
    buffer_size: usize,
    owed: BTreeSet<u64>,
    /// Largest poolserial that was delivered, and every one that was.
    newest: Option<u64>,
    delivered: BTreeSet<u64>,
    /// The pool has caught up with its start: `buffer_size` counts.
    is_settled: bool,
}

impl Ledger {
    /// A group was added; it may be a pool.
    pub fn added(&mut self, name: &str, kind: &GroupKind) {
        let GroupKind::EventListener { events, buffer_size, .. } = kind else { return };
        let subscription = events.iter().map(|name| EventSet::named(name)).fold(EventSet::default(), EventSet::or);
        let account = Account {
            subscription,
            buffer_size: *buffer_size as usize,
            owed: BTreeSet::new(),
            newest: None,
            delivered: BTreeSet::new(),
            is_settled: false,
        };
        self.pools.insert(name.to_owned(), account);
    }

    pub fn removed(&mut self, name: &str) {
        self.pools.remove(name);
    }

    /// Something happened: whoever subscribes to it is owed it.
    pub fn event(&mut self, event: &Event) {
        let kind = event.kind();
        let mut is_wanted = false;
        for account in self.pools.values_mut().filter(|account| account.subscription.has(kind)) {
            is_wanted = true;
            account.owed.insert(self.next_serial);
        }
        self.next_serial += u64::from(is_wanted);
    }

    /// A line of the activity log, which tells of discarded events.
    pub fn logged(&mut self, text: &str) {
        let Some((head, serial)) = text.split_once(" event buffer overflowed, discarding event ") else { return };
        let account = self.pools.get_mut(head.strip_prefix("pool ").unwrap()).unwrap();
        assert!(account.owed.remove(&serial.parse().unwrap()), "{text}: it was not there");
    }

    /// After a whole turn.
    pub fn check(&mut self, core: &Core, audience: &mut Audience) {
        for (pool, serial) in audience.processed.drain(..) {
            if let Some(account) = self.pools.get_mut(&pool) {
                assert!(account.owed.remove(&serial), "{pool} processed {serial}, which it was not owed");
            }
        }
        for (pool, pool_serial) in audience.first.drain(..) {
            let Some(account) = self.pools.get_mut(&pool) else { continue };
            let is_first = account.delivered.insert(pool_serial);
            let is_in_order = account.newest.is_none_or(|newest| newest < pool_serial);
            assert!(!is_first || is_in_order, "{pool}: {pool_serial} overtakes {:?}", account.newest);
            account.newest = account.newest.max(Some(pool_serial));
        }
        for (name, account) in &mut self.pools {
            let PoolView { waiting, members } = core.look_into_pool(name).unwrap();
            let in_hand = members.iter().filter_map(|(_, serial)| *serial);
            let all: Vec<u64> = waiting.iter().copied().chain(in_hand).collect();
            let once: BTreeSet<u64> = all.iter().copied().collect();
            assert_eq!(once.len(), all.len(), "{name} has an event twice: {all:?}");
            assert_eq!(once, account.owed, "{name} lost or invented events");
            let is_busy =
                |(state, serial): &(ListenerState, Option<u64>)| (*state == ListenerState::Busy) == serial.is_some();
            assert!(members.iter().all(is_busy), "{name}: {members:?}");
            assert!(!account.is_settled || waiting.len() <= account.buffer_size, "{name} keeps too much");
            account.is_settled |= !account.delivered.is_empty() && waiting.len() < account.buffer_size;
        }
    }
}

/// Turns a group into a pool.
pub fn make_pool(chance: &mut Chance, group: &mut GroupConfig) {
    let words: [&[&str]; 4] = [
        &["PROCESS_STATE"],
        &["EVENT"],
        &["REMOTE_COMMUNICATION", "PROCESS_STATE_EXITED"],
        &["TICK_60", "PROCESS_GROUP"],
    ];
    group.kind = GroupKind::EventListener {
        events: chance.pick(&words).iter().map(|word| (*word).to_owned()).collect(),
        buffer_size: *chance.pick(&[1, 3, 10, 100]),
        length_unit: *chance.pick(&[LengthUnit::Characters, LengthUnit::Bytes]),
        result_handler: supervisor_kit::config::DEFAULT_RESULT_HANDLER.to_owned(),
    };
}
