//! Pipes that the service manager keeps for the daemon that comes after us, and the bytes that one before us was about to log.

use std::os::fd::{AsFd, BorrowedFd};

use super::{Programs, slot_mut};
use crate::core::{Channel, ProcId};
use crate::daemon::channel_log::Sinks;
use crate::logs::Piece;
use crate::sys::exec_self::object_of;
use crate::sys::fd_store::FdStore;
use crate::sys::in_flight::Record;
use crate::sys::spawn::Ours;

impl Programs {
    /// Has the pipes of a child that is about to be made kept.
    pub fn park(&self, ours: &Ours) {
        let Some(store) = &self.store else { return };
        let Ours { stdin, stdout, stderr, .. } = ours;
        for pipe in [stdin.as_ref(), Some(stdout), stderr.as_ref()].into_iter().flatten() {
            park(store, pipe.as_fd());
        }
    }

    /// What has ended is not kept any more.
    pub(super) fn unpark(&self, pipe: impl AsFd) {
        if let (Some(store), Ok(object)) = (&self.store, object_of(pipe.as_fd())) {
            // One that is kept in vain costs a descriptor of the service manager, no more.
            let _ = store.forget(object);
        }
    }

    /// From now on what is read outlives us. Nothing may be read before.
    pub fn publish(&mut self) {
        self.buffer.publish();
    }

    /// Logs what a daemon before us had read and may not have written: whatever is not in the file yet.
    pub fn write_left(&mut self, id: ProcId, channel: Channel, record: &Record, sinks: &mut Sinks<'_>) {
        let Programs { slots, syslog, .. } = self;
        let Some(program) = slot_mut(slots, id) else { return };
        let pid = program.pid;
        let (log, writer) = program.log_and_writer(pid, channel);
        let Some((object, bytes)) = log.file().map(crate::logs::RotatingFile::place) else { return };
        // Another file by now: it was rolled, and that is done behind a record that was written whole.
        if object != record.log {
            return;
        }
        let written = usize::try_from(bytes.saturating_sub(record.log_bytes)).unwrap_or(usize::MAX);
        if let Some(rest) = record.bytes.get(written..).filter(|rest| !rest.is_empty()) {
            log.take(Piece::Text(rest), writer, syslog, sinks);
            log.ring();
        }
    }
}

/// Has one descriptor kept. What the service manager does not take is lost with us, as ever.
pub fn park(store: &FdStore, descriptor: BorrowedFd<'_>) {
    if let Ok(object) = object_of(descriptor) {
        let _ = store.keep(object, &[descriptor]);
    }
}
