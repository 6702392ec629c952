//! The tells: everything the core wants done whose outcome decides nothing. The shell carries them out in order.

use super::{Event, EventKind, EventSet, Mood, ProcId, Reply, Ticket};
use crate::config::Level;

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Tell {
    /// Write a line to the activity log.
    Log(Level, String),
    /// Something that listeners subscribe to. [`super::Core`] takes it in at the end of its turn; the shell has nothing to do.
    Event(Event),
    /// Answer a client.
    Reply(Ticket, Reply),
    /// These processes now exist: make their AUTO logs.
    Added(Vec<ProcId>),
    /// These processes are gone: forget their logs.
    Removed(Vec<ProcId>),
    /// This process has other settings now, and runs on: adapt its logs.
    Adapted(ProcId),
    /// This process is in another state, or will be at another time: for whoever keeps a record.
    Changed(ProcId),
    /// Read the configuration again and hand it back as `Input::ConfigRead`.
    ReadConfig(Ticket),
    /// Everything has stopped: end, or start over.
    Halt(Mood),
}

/// Tells of one turn, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    tells: Vec<Tell>,
    /// The first event that no pool has seen.
    fresh: Option<usize>,
    /// What somebody subscribes to; anything else is not even made.
    wanted: EventSet,
    /// What whoever watches the core itself wants, beside them.
    watched: EventSet,
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that keeps every event, for whoever watches the core itself.
    pub fn watching() -> Self {
        Outbox::watching_for(EventSet::ALL)
    }

    /// One that keeps these events, whoever subscribes.
    pub fn watching_for(watched: EventSet) -> Self {
        Outbox { watched, ..Outbox::default() }
    }

    /// Adds one tell.
    pub fn push(&mut self, tell: Tell) {
        self.tells.push(tell);
    }

    /// Adds a line for the activity log.
    pub fn log(&mut self, level: Level, text: impl Into<String>) {
        self.push(Tell::Log(level, text.into()));
    }

    /// Says what somebody subscribes to.
    pub fn subscribe(&mut self, wanted: EventSet) {
        self.wanted = wanted;
    }

    /// Whether anybody wants to hear of this.
    pub fn wants(&self, kind: EventKind) -> bool {
        self.wanted.or(self.watched).has(kind)
    }

    /// Adds an event. One that nobody subscribes to is not made, so it costs nothing.
    pub fn event(&mut self, kind: EventKind, make: impl FnOnce() -> Event) {
        if self.wants(kind) {
            self.fresh.get_or_insert(self.tells.len());
            self.tells.push(Tell::Event(make()));
        }
    }

    /// Takes out everything from the first event on that no pool has seen; what is pushed from now on counts as seen.
    pub(super) fn take_fresh(&mut self) -> Vec<Tell> {
        self.fresh.take().map(|first| self.tells.split_off(first)).unwrap_or_default()
    }

    /// Moves everything out of another one, events included.
    pub fn append(&mut self, other: &mut Outbox) {
        if let Some(first) = other.fresh.take() {
            self.fresh.get_or_insert(self.tells.len() + first);
        }
        self.tells.append(&mut other.tells);
    }

    /// Takes everything out, oldest first; the room stays allocated.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Tell> {
        self.fresh = None;
        self.tells.drain(..)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.tells.is_empty()
    }
}
