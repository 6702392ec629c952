//! One output pipe of one run of a program.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::core::{Channel, Pid, ProcId};
use crate::logs::Filter;
use crate::sys::exec_self::{ObjectId, object_of};
use crate::sys::poller::Poller;

/// Our end of the pipe. It outlives its process while a grandchild holds the other end.
#[derive(Debug)]
pub struct Output {
    /// Whose output.
    pub id: ProcId,
    /// Which run.
    pub pid: Pid,
    /// Which of its outputs.
    pub channel: Channel,
    /// Takes messages and colours out.
    pub filter: Filter,
    /// What the pipe is, whatever its descriptor's number.
    pub object: ObjectId,
    reader: File,
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Empty,
    /// Nothing ever: every other end is closed.
    End,
}

impl Output {
    /// A new pipe, non-blocking.
    pub fn new(reader: OwnedFd, id: ProcId, pid: Pid, channel: Channel, filter: Filter) -> Self {
        // A descriptor that is open has something behind it.
        let object = object_of(reader.as_fd()).unwrap_or(ObjectId { device: 0, inode: 0 });
        Output { id, pid, channel, filter, object, reader: reader.into() }
    }

    /// Reads once.
    pub fn read(&mut self, buffer: &mut [u8]) -> Chunk {
        loop {
            return match self.reader.read(buffer) {
                Ok(0) => Chunk::End,
                Ok(count) => Chunk::Bytes(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Chunk::Empty,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => Chunk::End,
            };
        }
    }

    /// Takes the pipe out of the poller. Do it before closing: a child just forked may still hold a copy.
    pub fn forget(&self, poller: &Poller) {
        let _ = poller.remove(&self.reader);
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
