//! The standard input of one program: a pipe, and a bounded queue of what waits for room in it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::core::{Closed, Pid};
use crate::sys::poller::{Interest, Poller};

/// Most bytes that wait to be written to one program's standard input; for a listener an event more.
pub const STDIN_QUEUE_BYTES_MAX: usize = 1024 * 1024;

/// The input pipe. It stays open while the program runs, so that one that reads never sees the end.
#[derive(Debug)]
pub struct Stdin {
    writer: File,
    /// Who reads it.
    pid: Pid,
    queue: VecDeque<u8>,
}

/// Why text could not be written to a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StdinError {
    /// The pipe is closed at its other end, or there is none.
    Closed,
    /// More than [`STDIN_QUEUE_BYTES_MAX`] would wait.
    Full,
}

impl Stdin {
    /// Our end of the pipe of the child `pid`, non-blocking.
    pub fn new(writer: OwnedFd, pid: Pid) -> Self {
        Stdin { writer: writer.into(), pid, queue: VecDeque::new() }
    }

    /// The pipe of an earlier image of the daemon, with what still waited there. Tell the poller with [`Stdin::watch`].
    pub fn resume(writer: OwnedFd, pid: Pid, queue: Vec<u8>) -> Self {
        Stdin { writer: writer.into(), pid, queue: queue.into() }
    }

    /// Has the poller report room as `token`, if anything waits for it.
    ///
    /// # Errors
    /// The poller refuses.
    pub fn watch(&self, token: u64, poller: &Poller) -> std::io::Result<()> {
        if self.queue.is_empty() { Ok(()) } else { poller.add(&self.writer, token, Interest::Write) }
    }

    /// Who reads it.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// What waits for room.
    pub fn queued(&self) -> Vec<u8> {
        self.queue.iter().copied().collect()
    }

    /// Whether it is the input of this child, and not of a later run.
    pub fn is_read_by(&self, pid: Pid) -> bool {
        self.pid == pid
    }

    /// Writes now, or when the poller reports room as `token`.
    ///
    /// # Errors
    /// [`StdinError`]; then nothing of `bytes` is kept.
    pub fn write(&mut self, bytes: &[u8], token: u64, poller: &Poller) -> Result<(), StdinError> {
        if self.queue.len() + bytes.len() > STDIN_QUEUE_BYTES_MAX {
            return Err(StdinError::Full);
        }
        self.enqueue(bytes, token, poller)
    }

    fn enqueue(&mut self, bytes: &[u8], token: u64, poller: &Poller) -> Result<(), StdinError> {
        let was_waiting = !self.queue.is_empty();
        self.queue.extend(bytes);
        if was_waiting {
            return Ok(());
        }
        let is_open = self.flush();
        if is_open && (self.queue.is_empty() || poller.add(&self.writer, token, Interest::Write).is_ok()) {
            return Ok(());
        }
        self.queue.clear();
        Err(StdinError::Closed)
    }

    /// Writes an event, now or when the poller reports room as `token`, whole or not at all. A listener has one event at a
    /// time, so the queue grows by no more than that one, and what a client wrote before does not keep it out.
    ///
    /// # Errors
    /// Nobody reads any more.
    pub fn deliver(&mut self, event: &[u8], token: u64, poller: &Poller) -> Result<(), Closed> {
        self.enqueue(event, token, poller).map_err(|_| Closed)
    }

    /// There is room, or nobody reads any more.
    pub fn go_on(&mut self, poller: &Poller) {
        if !self.flush() {
            self.queue.clear();
        }
        if self.queue.is_empty() {
            // Nothing to be done about a refusal: the descriptor is watched in vain at worst.
            let _ = poller.remove(&self.writer);
        }
    }

    /// Gives up what waits and closes the pipe.
    pub fn close(self, poller: &Poller) {
        if !self.queue.is_empty() {
            // Before closing: a child just forked may still hold a copy.
            let _ = poller.remove(&self.writer);
        }
    }

    /// Writes as much as fits; false when nobody reads.
    fn flush(&mut self) -> bool {
        while !self.queue.is_empty() {
            match self.writer.write(self.queue.as_slices().0) {
                Ok(count) => drop(self.queue.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}

impl AsFd for Stdin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.writer.as_fd()
    }
}
