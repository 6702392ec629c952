//! Sending a signal to one process at a client's request (`Supervisor: rpcinterface.py signalProcess`).

use super::act::{Progress, Turn};
use super::{Core, ProcId, Refusal};
use crate::config::signal;

impl Core {
    /// `name` is the process as the client named it, `signal` a signal's name or number.
    pub(super) fn signal(
        &mut self,
        turn: &mut Turn,
        id: ProcId,
        name: &str,
        signal: &str,
    ) -> Result<Progress, Refusal> {
        let number = signal::number(signal).map_err(|_| Refusal::BadSignal(signal.to_owned()))?;
        self.with_process(id, turn.out, |process, out| {
            if !process.state().is_signallable() {
                return Err(Refusal::NotRunning(name.to_owned()));
            }
            process.signal(number, turn.kernel, out).map_err(Refusal::Failed)?;
            Ok(Progress::Done)
        })
        .unwrap_or_else(|| Err(Refusal::BadName(name.to_owned())))
    }
}
