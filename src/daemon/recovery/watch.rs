//! Programs that are not our children: the daemon that had started them is gone.

use std::collections::HashMap;

use crate::core::snapshot::text::Writer;
use crate::core::{Pid, ProcId, SignalError, Target};
use crate::sys::kill;
use crate::sys::poller::{Interest, Poller};
use crate::sys::proc::{PidFd, start_time};

/// All of them.
#[derive(Debug, Default)]
pub struct Adopted {
    known: HashMap<Pid, One>,
}

#[derive(Debug)]
struct One {
    id: ProcId,
    /// When the kernel started it.
    start_time: u64,
    /// Readable once it has ended; `None` where the kernel has no such handle, or has run out of descriptors.
    handle: Option<PidFd>,
}

impl One {
    fn has_ended(&self, pid: Pid) -> bool {
        match &self.handle {
            Some(handle) => handle.has_ended(),
            None => start_time(pid) != Some(self.start_time),
        }
    }
}

impl Adopted {
    /// Takes a process in if it is still the one that was started then; false if it is gone.
    pub fn take(&mut self, id: ProcId, pid: Pid, started: u64, token: u64, poller: &Poller) -> bool {
        let handle = PidFd::open(pid).ok();
        // Looked at after the handle was made: the handle is of this very process, or it is gone.
        if start_time(pid) != Some(started) {
            return false;
        }
        let handle = handle.filter(|handle| poller.add(handle, token, Interest::Read).is_ok());
        self.known.insert(pid, One { id, start_time: started, handle });
        true
    }

    /// Writes them for another image, whose children they are no more than ours.
    pub fn write_snapshot(&self, to: &mut Writer) {
        for (pid, One { id, start_time, .. }) in &self.known {
            to.section("adopted");
            to.put("process", &[id, pid, start_time]);
        }
    }

    /// Whether some of them have to be looked for from time to time.
    pub fn has_unwatched(&self) -> bool {
        self.known.values().any(|one| one.handle.is_none())
    }

    /// Those that have ended since, once each. With `id`, only the one of that process is looked at.
    pub fn ended(&mut self, slot: Option<u32>, poller: &Poller) -> Vec<Pid> {
        let is_meant = |one: &One| slot.is_none_or(|slot| one.id.slot == slot);
        let ended = self.known.iter().filter(|(pid, one)| is_meant(one) && one.has_ended(**pid));
        let ended: Vec<Pid> = ended.map(|(pid, _)| *pid).collect();
        for pid in &ended {
            if let Some(One { handle: Some(handle), .. }) = self.known.remove(pid) {
                let _ = poller.remove(&handle);
            }
        }
        ended
    }

    /// Sends a signal, but never to somebody else who has been given the pid since.
    ///
    /// # Errors
    /// As [`kill::send`].
    pub fn signal(&self, target: Target, signal: i32) -> Result<(), SignalError> {
        let (Target::Process(pid) | Target::Group(pid)) = target;
        match self.known.get(&pid) {
            Some(one) if one.has_ended(pid) => Err(SignalError::NoSuchProcess),
            Some(_) | None => kill::send(target, signal),
        }
    }
}
