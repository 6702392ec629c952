//! One event listener pool: what it subscribes to, the events that wait, and which listener gets which
//! (`Supervisor: process.py EventListenerPool`).
//!
//! An event goes to the first member, in the order of their names, that is RUNNING and READY, and to that one only. What is
//! not processed, because the listener rejects it, breaks the protocol or ends, goes back to the head of its own pool. The
//! first time it is sent again at once; after that only when a while has passed ([`REDELIVERY_SECS_MAX`]), and the events
//! behind it go first meanwhile: one that nobody can process holds up no other, and no loop is ever hot.

use std::collections::VecDeque;
use std::rc::Rc;

use super::event::{Event, EventKind, EventSet};
use super::listener::{Heard, Listener, ListenerState};
use super::{Kernel, Mono, Outbox, ProcId};
use crate::config::{LengthUnit, Level, repr};

/// Longest wait, in seconds, before a rejected event is sent again. It begins with one second at the second rejection
/// and doubles with each.
pub const REDELIVERY_SECS_MAX: i64 = 60;

/// Bytes of payloads that a pool keeps, whatever its `buffer_size`, until its listeners have caught up with the start: the
/// states of a thousand programs that start together (ARCHITECTURE.md, divergence D14).
pub const START_BURST_BYTES_MAX: usize = 256 * 1024;

/// Discarded events between two lines that say what helps.
pub const DROPS_PER_ADVICE: u64 = 1000;

/// Largest serial (`Supervisor: process.py new_serial`, where it is the largest Python `ssize_t`); 0 follows.
const SERIAL_MAX: u64 = i64::MAX as u64;

/// Numbers things from 0.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Serials {
    pub(super) next: u64,
}

impl Serials {
    pub(super) fn take(&mut self) -> u64 {
        let serial = self.next;
        self.next = if serial >= SERIAL_MAX { 0 } else { serial + 1 };
        serial
    }
}

/// An event that some pool accepted. Pools share it.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) serial: u64,
    pub(super) kind: EventKind,
    pub(super) payload: String,
}

impl Accepted {
    pub(super) fn new(serial: u64, event: &Event) -> Self {
        Accepted { serial, kind: event.kind(), payload: event.payload() }
    }
}

/// An event in one pool.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) event: Rc<Accepted>,
    pub(super) pool_serial: u64,
    /// How often it came back.
    pub(super) rejections: u32,
    /// Not sent before.
    pub(super) due: Mono,
}

impl Waiting {
    /// It came back: when it may be sent again.
    fn put_off(&mut self, now: Mono) {
        let doublings = self.rejections.saturating_sub(1).min(REDELIVERY_SECS_MAX.ilog2() + 1);
        let secs = if self.rejections == 0 { 0 } else { (1 << doublings).min(REDELIVERY_SECS_MAX) };
        self.due = now.plus_secs(secs);
        self.rejections = self.rejections.saturating_add(1);
    }
}

/// One listener of the pool.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: ProcId,
    pub(super) name: String,
    pub(super) listener: Listener,
    /// The event that it owes a result for.
    pub(super) in_hand: Option<Waiting>,
    /// It has closed its standard input: nothing can be sent before its next start.
    pub(super) is_deaf: bool,
}

impl Member {
    fn is_ready(&self) -> bool {
        self.listener.state() == ListenerState::Ready && !self.is_deaf
    }
}

/// What can be seen of a pool from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolView {
    /// Serials of the events that wait, the next one first.
    pub waiting: Vec<u64>,
    /// State of each listener, and the serial of the event that it has.
    pub members: Vec<(ListenerState, Option<u64>)>,
}

/// One pool.
#[derive(Debug)]
pub(super) struct Pool {
    name: String,
    pub(super) subscription: EventSet,
    /// Events that may wait.
    buffer_size: usize,
    length_unit: LengthUnit,
    pub(super) serials: Serials,
    pub(super) buffer: VecDeque<Waiting>,
    pub(super) members: Vec<Member>,
    /// Bytes of the payloads of the first burst, until it is over.
    pub(super) burst_bytes: Option<usize>,
    pub(super) discarded: u64,
}

impl Pool {
    pub(super) fn new(name: &str, events: &[String], buffer_size: i64, length_unit: LengthUnit) -> Self {
        let subscription = events.iter().map(|name| EventSet::named(name)).fold(EventSet::default(), EventSet::or);
        Pool {
            name: name.to_owned(),
            subscription,
            buffer_size: usize::try_from(buffer_size).unwrap_or(1).max(1),
            length_unit,
            serials: Serials::default(),
            buffer: VecDeque::new(),
            members: Vec::new(),
            burst_bytes: Some(0),
            discarded: 0,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn add_member(&mut self, id: ProcId, name: &str) {
        let (name, listener) = (name.to_owned(), Listener::default());
        self.members.push(Member { id, name, listener, in_hand: None, is_deaf: false });
    }

    /// Makes these the members, in this order.
    pub(super) fn set_members<'a>(&mut self, wanted: impl Iterator<Item = (ProcId, &'a str)>) {
        let mut old = std::mem::take(&mut self.members);
        for (id, name) in wanted {
            match old.iter().position(|member| member.id == id) {
                Some(index) => self.members.push(old.swap_remove(index)),
                None => self.add_member(id, name),
            }
        }
    }

    pub(super) fn has_member(&self, id: ProcId) -> bool {
        self.members.iter().any(|member| member.id == id)
    }

    pub(super) fn look(&self) -> PoolView {
        let serial = |waiting: &Waiting| waiting.event.serial;
        let look_at = |member: &Member| (member.listener.state(), member.in_hand.as_ref().map(serial));
        let waiting = self.buffer.iter().map(serial).collect();
        PoolView { waiting, members: self.members.iter().map(look_at).collect() }
    }

    /// Takes an event in.
    pub(super) fn accept(&mut self, event: &Rc<Accepted>, out: &mut Outbox) {
        let pool_serial = self.serials.take();
        self.make_room(event.payload.len(), out);
        let waiting = Waiting { event: Rc::clone(event), pool_serial, rejections: 0, due: Mono(0) };
        self.buffer.push_back(waiting);
    }

    /// Discards the oldest event when there is no room for one more.
    fn make_room(&mut self, payload_bytes: usize, out: &mut Outbox) {
        if let Some(bytes) = &mut self.burst_bytes {
            *bytes = bytes.saturating_add(payload_bytes);
            if *bytes <= START_BURST_BYTES_MAX {
                return;
            }
        }
        if self.buffer.len() < self.buffer_size {
            return;
        }
        let Some(oldest) = self.buffer.pop_front() else { return };
        let (name, serial) = (&self.name, oldest.event.serial);
        out.log(Level::Error, format!("pool {name} event buffer overflowed, discarding event {serial}"));
        if self.discarded.is_multiple_of(DROPS_PER_ADVICE) {
            let (count, size) = (self.discarded + 1, self.buffer_size);
            let text = format!(
                "pool {name} has discarded {count} event{} by now: raise buffer_size={size} of [eventlistener:{name}], or \
                 give it more processes with numprocs",
                if count == 1 { "" } else { "s" }
            );
            out.log(Level::Warn, text);
        }
        self.discarded += 1;
    }

    /// Takes an event back to the head.
    fn take_back(&mut self, mut waiting: Waiting, now: Mono, out: &mut Outbox) {
        waiting.put_off(now);
        self.log_rebuffering(&waiting, out);
        self.make_room(0, out);
        self.buffer.push_front(waiting);
    }

    fn log_rebuffering(&self, waiting: &Waiting, out: &mut Outbox) {
        let (serial, name, len, max) = (waiting.event.serial, &self.name, self.buffer.len(), self.buffer_size);
        let text = format!("rebuffering event {serial} for pool {name} (buf size={len}, max={max})");
        out.log(Level::Debug, text);
    }

    /// A listener wrote something.
    pub(super) fn hear(&mut self, id: ProcId, bytes: &[u8], now: Mono, out: &mut Outbox) {
        let Some(index) = self.members.iter().position(|member| member.id == id) else { return };
        // A greeting, a result and a breach at most: no event is sent meanwhile.
        let mut all = Vec::new();
        self.members[index].listener.feed(bytes, &mut |heard| all.push(heard));
        for heard in all {
            let member = &mut self.members[index];
            let waiting = member.in_hand.take();
            if report(&member.name, &heard, out)
                && let Some(waiting) = waiting
            {
                self.take_back(waiting, now, out);
            }
        }
    }

    /// A listener has ended: what it had in hand goes back, and its next run begins from the beginning.
    pub(super) fn ended(&mut self, id: ProcId, now: Mono, out: &mut Outbox) {
        let Some(member) = self.members.iter_mut().find(|member| member.id == id) else { return };
        member.listener = Listener::default();
        member.is_deaf = false;
        if let Some(waiting) = member.in_hand.take() {
            self.take_back(waiting, now, out);
        }
    }

    /// Hands events out, oldest first, for as long as a listener is READY among those that `runs` says are RUNNING.
    pub(super) fn dispatch(
        &mut self,
        server: &str,
        now: Mono,
        runs: &dyn Fn(ProcId) -> bool,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) {
        if !self.members.iter().any(|member| member.is_ready() && runs(member.id)) {
            return;
        }
        let mut index = 0;
        while let Some(waiting) = self.buffer.get(index) {
            if waiting.due > now {
                index += 1;
                continue;
            }
            let Some(waiting) = self.buffer.remove(index) else { return };
            if let Some(waiting) = self.send(server, waiting, runs, kernel, out) {
                self.log_rebuffering(&waiting, out);
                self.buffer.insert(index, waiting);
                break;
            }
        }
        if self.buffer.len() < self.buffer_size {
            self.burst_bytes = None;
        }
    }

    /// Sends one event; `None` when a listener has it.
    fn send(
        &mut self,
        server: &str,
        waiting: Waiting,
        runs: &dyn Fn(ProcId) -> bool,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) -> Option<Waiting> {
        let mut bytes: Option<Vec<u8>> = None;
        for index in 0..self.members.len() {
            let member = &self.members[index];
            if !member.is_ready() || !runs(member.id) {
                continue;
            }
            let bytes = bytes.get_or_insert_with(|| self.envelope(server, &waiting));
            let outcome = kernel.deliver(member.id, bytes);
            let (serial, member) = (waiting.event.serial, &mut self.members[index]);
            let name = &member.name;
            match outcome {
                Ok(()) => {
                    out.log(Level::Debug, format!("event {serial} sent to listener {name}"));
                    member.listener.sent();
                    member.in_hand = Some(waiting);
                    return None;
                }
                Err(super::Closed) => {
                    let text = format!(
                        "epipe occurred while sending event {serial} to listener {name}, listener state unchanged"
                    );
                    out.log(Level::Debug, text);
                    member.is_deaf = true;
                }
            }
        }
        Some(waiting)
    }

    /// The event as a listener reads it (`Supervisor: process.py _eventEnvelope`).
    fn envelope(&self, server: &str, waiting: &Waiting) -> Vec<u8> {
        let Accepted { serial, kind, payload } = &*waiting.event;
        let len = match self.length_unit {
            LengthUnit::Characters => payload.chars().count(),
            LengthUnit::Bytes => payload.len(),
        };
        let (pool, pool_serial, kind) = (&self.name, waiting.pool_serial, kind.name());
        format!(
            "ver:3.0 server:{server} serial:{serial} pool:{pool} poolserial:{pool_serial} eventname:{kind} len:{len}\n{payload}"
        )
        .into_bytes()
    }

    /// When an event that was put off may be sent again, if there is a listener for it.
    pub(super) fn next_redelivery(&self, runs: &dyn Fn(ProcId) -> bool) -> Option<Mono> {
        let is_free = |member: &Member| member.is_ready() && runs(member.id);
        if self.buffer.is_empty() || !self.members.iter().any(is_free) {
            return None;
        }
        self.buffer.iter().map(|waiting| waiting.due).min()
    }
}

/// Writes the lines about what a listener said; true when its event was not processed.
fn report(name: &str, heard: &Heard, out: &mut Outbox) -> bool {
    use ListenerState::{Acknowledged, Busy, Ready, Unknown};
    let (from, to, is_rejected) = match heard {
        Heard::Ready => (Acknowledged, Ready, false),
        Heard::Processed => {
            out.log(Level::Debug, format!("{name}: event was processed"));
            (Busy, Acknowledged, false)
        }
        Heard::Rejected => {
            out.log(Level::Warn, format!("{name}: event was rejected"));
            (Busy, Acknowledged, true)
        }
        Heard::BadResultLine(line) => {
            let line = match std::str::from_utf8(line) {
                Ok(line) => line.to_owned(),
                Err(_) => format!("Undecodable: {}", repr::bytes(line)),
            };
            out.log(Level::Warn, format!("{name}: bad result line: '{line}'"));
            (Busy, Unknown, true)
        }
        Heard::OutOfTurn(state) => (*state, Unknown, false),
    };
    out.log(Level::Debug, format!("{name}: {} -> {}", from.name(), to.name()));
    if to == Unknown {
        let text = format!(
            "{name}: has entered the UNKNOWN state and will no longer receive events, this usually indicates the process \
             violated the eventlistener protocol"
        );
        out.log(Level::Warn, text);
    }
    is_rejected
}
