//! All event listener pools: who takes in an event, its number, and the TICKs that somebody wants.

use std::rc::Rc;

use super::event::{Event, EventSet, Period};
use super::pool::{Accepted, Pool, PoolView, Serials};
use super::{Core, Group, Kernel, Mono, Now, Outbox, ProcId, Process, State, Tell};
use crate::config::GroupKind;

/// The pools in the order of subscription.
#[derive(Debug, Default)]
pub(super) struct Pools {
    pub(super) pools: Vec<Pool>,
    /// What any of them subscribes to.
    pub(super) wanted: EventSet,
    pub(super) serials: Serials,
    /// What listeners know this supervisor as.
    pub(super) server: String,
    pub(super) ticks: [Tick; Period::ALL.len()],
}

/// One kind of TICK.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tick {
    /// Beginning of the period that is known to have begun, in seconds since 1970; `None` while nobody subscribes.
    pub(super) current: Option<i64>,
    /// When the next one begins.
    pub(super) next: Option<Mono>,
}

impl Pools {
    /// Makes the pool of a listener group.
    pub(super) fn add(&mut self, group: &Group, table: &[Option<Process>]) {
        let GroupKind::EventListener { events, buffer_size, length_unit, .. } = &group.kind else { return };
        let mut pool = Pool::new(&group.name, events, *buffer_size, *length_unit);
        for id in &group.members {
            if let Some(process) = table[id.slot as usize].as_ref() {
                pool.add_member(*id, &process.config.name);
            }
        }
        self.pools.push(pool);
        self.subscribe();
    }

    /// Gives the pool of a listener group other members; those that stay keep what they have.
    pub(super) fn set_members(&mut self, group: &Group, table: &[Option<Process>]) {
        if let Some(pool) = self.pools.iter_mut().find(|pool| pool.name() == group.name) {
            let named = |id: &ProcId| Some((*id, table[id.slot as usize].as_ref()?.config.name.as_str()));
            pool.set_members(group.members.iter().filter_map(named));
        }
    }

    /// Forgets the pool of a group, with the events that wait in it.
    pub(super) fn remove(&mut self, group: &str) {
        self.pools.retain(|pool| pool.name() != group);
        self.subscribe();
    }

    pub(super) fn subscribe(&mut self) {
        self.wanted = self.pools.iter().map(|pool| pool.subscription).fold(EventSet::default(), EventSet::or);
    }

    /// Hands an event to every pool that subscribes to it. It gets its number with the first.
    fn accept(&mut self, event: &Event, out: &mut Outbox) {
        let kind = event.kind();
        if !self.wanted.has(kind) {
            return;
        }
        let accepted = Rc::new(Accepted::new(self.serials.take(), event));
        for pool in self.pools.iter_mut().filter(|pool| pool.subscription.has(kind)) {
            pool.accept(&accepted, out);
        }
    }
}

impl Core {
    /// What any pool subscribes to: nothing else needs to be told as an event.
    pub fn subscriptions(&self) -> EventSet {
        self.pools.wanted
    }

    /// The number of the next event that a pool takes in.
    pub fn next_serial(&self) -> u64 {
        self.pools.serials.next
    }

    /// How a pool stands.
    pub fn look_into_pool(&self, name: &str) -> Option<PoolView> {
        self.pools.pools.iter().find(|pool| pool.name() == name).map(Pool::look)
    }

    /// Whether a process is an event listener.
    pub fn is_listener(&self, id: ProcId) -> bool {
        self.pools.pools.iter().any(|pool| pool.has_member(id))
    }

    /// Takes in the events that were told since the last time. They stay in the outbox, for whoever watches.
    pub(super) fn take_in_events(&mut self, out: &mut Outbox) {
        for tell in out.take_fresh() {
            if let Tell::Event(event) = &tell {
                self.pools.accept(event, out);
            }
            out.push(tell);
        }
    }

    /// A listener wrote something.
    pub(super) fn hear_listener(&mut self, now: Now, id: ProcId, bytes: &[u8], out: &mut Outbox) {
        if let Some(pool) = self.pools.pools.iter_mut().find(|pool| pool.has_member(id)) {
            pool.hear(id, bytes, now.mono, out);
        }
    }

    /// A process has ended; it may be a listener.
    pub(super) fn listener_ended(&mut self, now: Now, id: ProcId, out: &mut Outbox) {
        if let Some(pool) = self.pools.pools.iter_mut().find(|pool| pool.has_member(id)) {
            pool.ended(id, now.mono, out);
        }
    }

    /// Hands out what can be handed out.
    pub(super) fn dispatch_events(&mut self, now: Now, kernel: &mut dyn Kernel, out: &mut Outbox) {
        let Core { pools, table, .. } = self;
        for pool in &mut pools.pools {
            pool.dispatch(&pools.server, now.mono, &|id| runs(table, id), kernel, out);
        }
    }

    /// Tells the TICKs that are due. A period is left when the wall clock shows another one, in whichever direction it
    /// went; a jump of the clock is noticed when its timer ends or anything else happens, whichever is first.
    pub(super) fn tell_ticks(&mut self, now: Now, out: &mut Outbox) {
        for (period, tick) in Period::ALL.into_iter().zip(&mut self.pools.ticks) {
            if !self.pools.wanted.has(period.kind()) {
                *tick = Tick::default();
                continue;
            }
            let secs = period.secs();
            let when = now.wall_secs - now.wall_secs.rem_euclid(secs);
            if tick.current == Some(when) && tick.next.is_some_and(|next| next > now.mono) {
                continue;
            }
            if tick.current.is_some_and(|current| current != when) {
                out.event(period.kind(), || Event::Tick { period, when });
            }
            let rest = now.mono.plus_secs(when + secs - now.wall_secs);
            let next = Mono(rest.0.saturating_sub(u64::from(now.wall_nanos)));
            *tick = Tick { current: Some(when), next: Some(next.max(now.mono.next())) };
        }
    }

    /// When the next TICK begins or an event may be sent again.
    pub(super) fn next_event_deadline(&self) -> Option<Mono> {
        if self.has_halted() {
            return None;
        }
        let ticks = self.pools.ticks.iter().filter_map(|tick| tick.next);
        let redeliveries = self.pools.pools.iter().filter_map(|pool| pool.next_redelivery(&|id| runs(&self.table, id)));
        ticks.chain(redeliveries).min()
    }
}

fn runs(table: &[Option<Process>], id: ProcId) -> bool {
    let process = table.get(id.slot as usize).and_then(Option::as_ref);
    process.is_some_and(|process| process.id == id && process.state() == State::Running)
}
