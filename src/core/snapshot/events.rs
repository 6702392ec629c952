//! Event listener pools: events that wait or are in hand, how far each listener is, and the TICKs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use super::settings::one;
use super::text::{Document, Section, Writer};
use super::{SnapshotError, ensure};
use crate::config::GroupKind;
use crate::core::event::Period;
use crate::core::listener::{Listener, ListenerState, OK, READY, RESULT_LINE_BYTES_MAX};
use crate::core::pool::{Accepted, Member, Pool, Serials, Waiting};
use crate::core::pools::{Pools, Tick};
use crate::core::{Core, EventKind, Mono, ProcId};

type Events = BTreeMap<u64, Rc<Accepted>>;

const STATES: [ListenerState; 4] =
    [ListenerState::Acknowledged, ListenerState::Ready, ListenerState::Busy, ListenerState::Unknown];

impl Pools {
    pub(super) fn write_snapshot(&self, to: &mut Writer) {
        let Pools { pools, wanted: _, serials, server, ticks } = self;
        to.section("events");
        to.put("server", &[server]);
        to.put("next_serial", &[&serials.next]);
        for (period, Tick { current, next }) in Period::ALL.into_iter().zip(ticks) {
            let next = next.map(|next| to.time(next));
            to.put("tick", &[&period.kind().name(), current, &next]);
        }
        let events: BTreeMap<u64, &Rc<Accepted>> =
            pools.iter().flat_map(Pool::events).map(|event| (event.serial, event)).collect();
        for event in events.into_values() {
            to.put("event", &[&event.serial, &event.kind.name(), &event.payload]);
        }
        pools.iter().for_each(|pool| pool.write_snapshot(to));
    }
}

impl Pool {
    /// Every event that waits or is in hand.
    fn events(&self) -> impl Iterator<Item = &Rc<Accepted>> {
        let in_hand = self.members.iter().filter_map(|member| member.in_hand.as_ref());
        self.buffer.iter().chain(in_hand).map(|waiting| &waiting.event)
    }

    fn write_snapshot(&self, to: &mut Writer) {
        to.section("pool");
        to.put("name", &[&self.name()]);
        to.put("next_serial", &[&self.serials.next]);
        to.put("burst_bytes", &[&self.burst_bytes]);
        to.put("discarded", &[&self.discarded]);
        self.buffer.iter().for_each(|waiting| waiting.write_snapshot("waiting", to));
        for Member { id, name, listener, in_hand, is_deaf } in &self.members {
            let Listener { state, buffer, result } = listener;
            to.section("listener");
            to.put("id", &[id]);
            to.put("name", &[name]);
            to.put("state", &[&state.name()]);
            to.put("said", &[buffer]);
            if let Some((len, rest)) = result {
                to.put("result", &[len, rest]);
            }
            to.put("deaf", &[is_deaf]);
            if let Some(waiting) = in_hand {
                waiting.write_snapshot("in_hand", to);
            }
        }
    }
}

impl Waiting {
    fn write_snapshot(&self, key: &str, to: &mut Writer) {
        let Waiting { event, pool_serial, rejections, due } = self;
        to.put(key, &[&event.serial, pool_serial, rejections, &to.time(*due)]);
    }
}

impl Core {
    pub(super) fn read_pools(&mut self, document: &Document<'_>) -> Result<(), SnapshotError> {
        let head = document.one("events")?;
        self.pools.server = one(head, "server")?;
        self.pools.serials.next = head.get::<(_,)>("next_serial")?.0;
        for (kind, current, next) in head.rows::<(String, Option<i64>, Option<i128>)>("tick")? {
            // A period that we do not know begins when somebody subscribes to it.
            if let Some(index) = Period::ALL.iter().position(|period| period.kind().name() == kind) {
                self.pools.ticks[index] = Tick { current, next: next.map(|next| head.time(next)) };
            }
        }
        let mut events = Events::new();
        for (serial, kind, payload) in head.rows::<(u64, String, String)>("event")? {
            let kind = EventKind::ALL.into_iter().find(|known| known.name() == kind);
            let kind = kind.ok_or_else(|| head.bad("event"))?;
            events.insert(serial, Rc::new(Accepted { serial, kind, payload }));
        }
        let mut listeners = BTreeSet::new();
        for from in document.sections() {
            match from.name {
                "pool" => {
                    let pool = self.read_pool(from, &events)?;
                    self.pools.pools.push(pool);
                }
                "listener" => {
                    let member = self.read_member(from, &events)?;
                    ensure(listeners.insert(member.id), "a listener is in two pools")?;
                    let pool = self.pools.pools.last_mut().ok_or(SnapshotError::Missing { what: "pool" })?;
                    pool.members.push(member);
                }
                _ => {}
            }
        }
        let of_listeners = |kind: &GroupKind| matches!(kind, GroupKind::EventListener { .. });
        let wanted = self.groups.active.iter().filter(|group| of_listeners(&group.kind)).count();
        ensure(self.pools.pools.len() == wanted, "a group of listeners has no pool")?;
        self.pools.subscribe();
        Ok(())
    }

    fn read_pool(&self, from: &Section<'_>, events: &Events) -> Result<Pool, SnapshotError> {
        let name = one(from, "name")?;
        ensure(self.pools.pools.iter().all(|pool| pool.name() != name), "two pools of one name")?;
        let group = self.groups.active.iter().find(|group| group.name == name);
        let Some(GroupKind::EventListener { events: names, buffer_size, length_unit, .. }) =
            group.map(|group| &group.kind)
        else {
            return Err(SnapshotError::Contradiction { what: "a pool has no group of listeners" });
        };
        let mut pool = Pool::new(&name, names, *buffer_size, *length_unit);
        pool.serials = Serials { next: from.get::<(_,)>("next_serial")?.0 };
        pool.burst_bytes = from.get::<(_,)>("burst_bytes")?.0;
        pool.discarded = from.get::<(_,)>("discarded")?.0;
        let waiting = from.rows("waiting")?.into_iter().map(|row| read_waiting(row, from, events));
        pool.buffer = waiting.collect::<Result<VecDeque<_>, _>>()?;
        Ok(pool)
    }

    fn read_member(&self, from: &Section<'_>, events: &Events) -> Result<Member, SnapshotError> {
        let (id,): (ProcId,) = from.get("id")?;
        let process = self.process(id).ok_or(SnapshotError::Contradiction { what: "a listener is no process" })?;
        let pool = self.pools.pools.last().map(Pool::name);
        ensure(pool == Some(&process.group), "a listener is in the pool of another group")?;
        let state = one(from, "state")?;
        let state = STATES.into_iter().find(|known| known.name() == state).ok_or_else(|| from.bad("state"))?;
        let (buffer,) = from.get("said")?;
        let listener = Listener { state, buffer, result: from.maybe("result")? };
        ensure(is_possible(&listener), "a listener said what leads to another state")?;
        let in_hand = from.maybe("in_hand")?.map(|row| read_waiting(row, from, events)).transpose()?;
        ensure(
            in_hand.is_some() == (state == ListenerState::Busy),
            "a listener is busy without an event, or has one idly",
        )?;
        Ok(Member { id, name: one(from, "name")?, listener, in_hand, is_deaf: from.get::<(_,)>("deaf")?.0 })
    }
}

/// Whether what a listener has said leaves it in its state.
fn is_possible(listener: &Listener) -> bool {
    let said_bytes = listener.buffer.len();
    match (listener.state, listener.result) {
        (ListenerState::Acknowledged, None) => said_bytes < READY.len(),
        (ListenerState::Busy, None) => said_bytes <= RESULT_LINE_BYTES_MAX,
        (ListenerState::Busy, Some((len, rest))) => said_bytes <= OK.len() && 0 < rest && rest <= len,
        (ListenerState::Ready | ListenerState::Unknown, None) => said_bytes == 0,
        (ListenerState::Acknowledged | ListenerState::Ready | ListenerState::Unknown, Some(_)) => false,
    }
}

fn read_waiting(
    (serial, pool_serial, rejections, due): (u64, u64, u32, i128),
    from: &Section<'_>,
    events: &Events,
) -> Result<Waiting, SnapshotError> {
    let event = events.get(&serial).ok_or(SnapshotError::Contradiction { what: "an event is named but not there" })?;
    let due: Mono = from.time(due);
    Ok(Waiting { event: Rc::clone(event), pool_serial, rejections, due })
}
