//! The tells: everything the core wants done whose outcome decides nothing. The shell carries them out in order.

use super::{Event, Mood, ProcId, Reply, Ticket};
use crate::config::Level;

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Tell {
    /// Write a line to the activity log.
    Log(Level, String),
    /// Hand an event to the listeners.
    Event(Event),
    /// Answer a client.
    Reply(Ticket, Reply),
    /// These processes now exist: make their AUTO logs.
    Added(Vec<ProcId>),
    /// These processes are gone: forget their logs.
    Removed(Vec<ProcId>),
    /// Read the configuration again and hand it back as `Input::ConfigRead`.
    ReadConfig(Ticket),
    /// Everything has stopped: end, or start over.
    Halt(Mood),
}

/// Tells of one turn, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    tells: Vec<Tell>,
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one tell.
    pub fn push(&mut self, tell: Tell) {
        self.tells.push(tell);
    }

    /// Adds a line for the activity log.
    pub fn log(&mut self, level: Level, text: impl Into<String>) {
        self.push(Tell::Log(level, text.into()));
    }

    /// Takes everything out, oldest first; the room stays allocated.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Tell> {
        self.tells.drain(..)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.tells.is_empty()
    }
}
