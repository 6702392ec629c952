//! Starting one process at a client's request (`Supervisor: rpcinterface.py startProcess`).

use super::act::{Progress, Turn};
use super::{CommandError, Core, Now, ProcId, Refusal, SpawnPlan, State};

impl Core {
    /// `name` is the process as the client named it.
    pub(super) fn start(&mut self, turn: &mut Turn, id: ProcId, name: &str) -> Result<Progress, Refusal> {
        let process = self.process(id).ok_or_else(|| Refusal::BadName(name.to_owned()))?;
        if process.is_barred() {
            return Err(Refusal::SpawnError(name.to_owned()));
        }
        // Looked up before anything changes: a start that is bound to fail leaves the process as it is.
        let plan = SpawnPlan { id, group: &process.group, config: &process.config, mark: None };
        turn.kernel.check_command(&plan).map_err(|error| match error {
            CommandError::NotFound(_) => Refusal::NoFile(error.to_string()),
            CommandError::IsDirectory(_)
            | CommandError::NotExecutable(_)
            | CommandError::NoPermission(_)
            | CommandError::Empty
            | CommandError::Unparsable { .. } => Refusal::NotExecutable(error.to_string()),
        })?;
        match process.state() {
            State::Starting | State::Running | State::Backoff => return Err(Refusal::AlreadyStarted(name.to_owned())),
            State::Unknown => return Err(Refusal::Failed(format!("{name} is in an unknown process state"))),
            // Supervisor answers yes and does nothing (3.3.8); the client is better told.
            State::Stopping => {
                return Err(Refusal::Failed(format!("{name} is still stopping, start it again when it has stopped")));
            }
            State::Stopped | State::Exited | State::Fatal => {}
        }
        let (now, mood) = (turn.now, self.mood());
        self.with_process(id, turn.out, |process, out| {
            process.spawn(now, turn.kernel, out);
            if process.spawn_error().is_some() {
                return Err(Refusal::SpawnError(name.to_owned()));
            }
            // With startsecs=0 it counts as running from here on.
            if process.config.startsecs <= 0 {
                process.transition(Now { mono: now.mono.next(), ..now }, mood, turn.kernel, out);
            }
            Ok(if process.state() == State::Running { Progress::Done } else { Progress::NotYet })
        })
        .unwrap_or_else(|| Err(Refusal::BadName(name.to_owned())))
    }
}
