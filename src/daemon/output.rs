//! One output pipe of one run of a program.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, fcntl};

use crate::core::{Channel, Pid, ProcId};
use crate::logs::Filter;
use crate::sys::exec_self::{ObjectId, object_of};
use crate::sys::poller::Poller;

/// Most bytes of one read, and so of one record in a log: what a pipe holds by default.
pub const READ_BYTES: usize = 64 * 1024;

/// The same of a program that floods (`Supervisor: options.py readfd()` reads so much from each).
pub const FLOOD_BYTES_MAX: usize = 128 * 1024;

/// What the pipe of a program that floods may hold: while we read, it need not wait.
const FLOOD_PIPE_BYTES: i32 = 1024 * 1024;

/// So many reads in a row that bring half a pipe or more are a flood.
const FLOOD_READS: u8 = 4;

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
    /// Reads in a row that brought half a pipe or more, as far as [`FLOOD_READS`]: then it stays a flood.
    large_reads: u8,
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
        Output { id, pid, channel, filter, object, reader: reader.into(), large_reads: 0 }
    }

    /// Reads once.
    pub fn read(&mut self, buffer: &mut [u8]) -> Chunk {
        loop {
            return match self.reader.read(buffer) {
                Ok(0) => Chunk::End,
                Ok(count) => {
                    self.note(count);
                    Chunk::Bytes(count)
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Chunk::Empty,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => Chunk::End,
            };
        }
    }

    /// Most bytes that the next read shall bring, when a log has so much room before it is rolled: a flood overfills it by no more
    /// than others do.
    pub fn bytes_max(&self, room_bytes: u64) -> usize {
        let is_flood = self.large_reads == FLOOD_READS;
        let room = usize::try_from(room_bytes).unwrap_or(usize::MAX);
        if is_flood { room.clamp(READ_BYTES, FLOOD_BYTES_MAX) } else { READ_BYTES }
    }

    /// The first flood makes the pipe larger. Where that is not allowed, it stays as it is.
    fn note(&mut self, count: usize) {
        if self.large_reads == FLOOD_READS {
            return;
        }
        self.large_reads = if count >= READ_BYTES / 2 { self.large_reads + 1 } else { 0 };
        if self.large_reads == FLOOD_READS {
            let _ = fcntl(&self.reader, FcntlArg::F_SETPIPE_SZ(FLOOD_PIPE_BYTES));
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
