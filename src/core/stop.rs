//! Stopping one process at a client's request (`Supervisor: rpcinterface.py stopProcess`).

use super::act::{Progress, Turn};
use super::{Core, ProcId, Refusal};

impl Core {
    /// `name` is the process as the client named it.
    pub(super) fn stop(&mut self, turn: &mut Turn, id: ProcId, name: &str) -> Result<Progress, Refusal> {
        let now = turn.now;
        self.with_process(id, turn.out, |process, out| {
            if process.stays_stopped_after_rest() {
                return Ok(Progress::NotYet);
            }
            if !process.state().is_active() {
                return Err(Refusal::NotRunning(name.to_owned()));
            }
            process.stop(now, turn.kernel, out).map_err(Refusal::Failed)?;
            Ok(if process.state().is_stopped() { Progress::Done } else { Progress::NotYet })
        })
        .unwrap_or_else(|| Err(Refusal::BadName(name.to_owned())))
    }
}
