//! Changes of single processes since a snapshot was taken: who keeps one up to date writes these behind it, not all anew.

use super::text::{Section, Writer};
use super::{SnapshotError, ensure};
use crate::core::{Core, Pid, ProcId, State};

impl Core {
    /// Writes the state of one process, as a section that is read with [`Core::take_change`].
    pub fn write_change(&self, id: ProcId, to: &mut Writer) {
        if let Some(process) = self.process(id) {
            process.write_change(to);
        }
    }

    /// Takes on a change that was written behind the snapshot of this core.
    ///
    /// # Errors
    /// It is of no process here, or contradicts what is known of the others.
    pub fn take_change(&mut self, from: &Section<'_>) -> Result<(), SnapshotError> {
        let (id,): (ProcId,) = from.get("id")?;
        ensure(self.process(id).is_some(), "a change is of no process")?;
        let slot = id.slot as usize;
        let Some(process) = self.table[slot].as_mut() else { return Ok(()) };
        let pid_before = process.pid;
        process.read_state(from)?;
        let lingers = process.rest.is_some();
        ensure(!lingers || process.state == State::Stopping, "something is left of a process that has not ended")?;
        let runs = matches!(process.state, State::Starting | State::Running | State::Stopping) && !lingers;
        ensure(runs == (process.pid > 0) && process.pid >= 0, "a pid without a process, or a process without one")?;
        let (pid, deadline) = (process.pid, process.deadline);
        let other = self.pids.binary_search_by_key(&pid, |(pid, _)| *pid).ok().map(|index| self.pids[index].1);
        ensure(pid == 0 || other.is_none_or(|other| other == id), "two processes with one pid")?;
        self.schedule(id, deadline);
        self.move_pid(id, pid_before, pid);
        Ok(())
    }

    /// Goes on without those who waited for answers: their connections ended with the daemon before.
    pub fn forget_clients(&mut self) {
        self.pending.clear();
        self.updates.iter_mut().for_each(|update| update.tickets.clear());
    }

    /// Every process that runs, with its pid.
    pub fn running(&self) -> Vec<(ProcId, Pid)> {
        self.pids.iter().map(|(pid, id)| (*id, *pid)).collect()
    }
}
