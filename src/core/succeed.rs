//! Taking the place of another supervisor: its processes go on as it says they are.

use super::{Core, Now, Outbox, Pid, ProcId, Process, State};

/// What another supervisor says of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its state.
    pub state: State,
    /// Its pid, 0 when there is none.
    pub pid: Pid,
    /// When it was started last, in seconds since 1970; 0 for never.
    pub start_wall_secs: i64,
    /// When it ended last, in seconds since 1970; 0 for never.
    pub stop_wall_secs: i64,
    /// The exit status of the last run.
    pub exit_status: i32,
    /// Why it could not be started; empty when it could.
    pub spawn_error: String,
}

impl Core {
    /// Has a process go on from what another supervisor says of it. Deadlines begin anew where nobody says how far they are.
    pub fn succeed(&mut self, now: Now, id: ProcId, report: &Report, out: &mut Outbox) {
        self.with_process(id, out, |process, _| process.succeed(now, report));
    }
}

impl Process {
    fn succeed(&mut self, now: Now, report: &Report) {
        let ago_secs = now.wall_secs.saturating_sub(report.start_wall_secs).max(0);
        let start = Now { mono: now.mono.plus_secs(-ago_secs), wall_secs: report.start_wall_secs, wall_nanos: 0 };
        self.last_start = (report.start_wall_secs != 0).then_some(start);
        self.last_stop_wall_secs = report.stop_wall_secs;
        self.spawn_error = Some(report.spawn_error.clone()).filter(|text| !text.is_empty());
        let has_pid = report.state.is_signallable();
        self.state = report.state;
        self.pid = if has_pid { report.pid } else { 0 };
        let has_ended = report.stop_wall_secs != 0 && !has_pid;
        self.exit_status = has_ended.then_some(report.exit_status);
        (self.backoff, self.deadline) = match report.state {
            State::Starting => (0, Some(start.mono.plus_secs(self.config.startsecs).next())),
            State::Stopping => (0, Some(now.mono.plus_secs(self.config.stopwaitsecs))),
            // How many tries there were is not said.
            State::Backoff => (1, Some(now.mono.plus_secs(1))),
            State::Exited if self.wants_restart() => (0, Some(self.restart_at(now))),
            State::Stopped | State::Running | State::Exited | State::Fatal | State::Unknown => (0, None),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Mono;

    const NOW: Now = Now { mono: Mono(1_000_000_000_000), wall_secs: 5_000, wall_nanos: 0 };

    fn succeeded(state: State, pid: Pid, exit_status: i32) -> Process {
        let config = crate::config::ProcessConfig { startsecs: 30, stopwaitsecs: 7, ..Default::default() };
        let mut process = Process::new(ProcId { slot: 0, generation: 0 }, "g", config);
        let (start_wall_secs, stop_wall_secs) = (4_990, 4_000);
        process.succeed(
            NOW,
            &Report { state, pid, start_wall_secs, stop_wall_secs, exit_status, spawn_error: String::new() },
        );
        process
    }

    #[test]
    fn deadlines_go_by_what_is_known() {
        let due = |state, pid| succeeded(state, pid, 0).deadline();
        assert_eq!(due(State::Starting, 9), Some(NOW.mono.plus_secs(20).next()), "ten of thirty seconds are over");
        assert_eq!(due(State::Stopping, 9), Some(NOW.mono.plus_secs(7)));
        assert_eq!(due(State::Running, 9), None);
        assert_eq!(due(State::Stopped, 0), None, "nobody starts what somebody stopped");
        assert_eq!(due(State::Fatal, 0), None);
        assert_eq!(due(State::Backoff, 0), Some(NOW.mono.plus_secs(1)));
    }

    #[test]
    fn what_has_ended_has_no_pid_and_an_exit_status() {
        assert_eq!((succeeded(State::Running, 9, 3).pid(), succeeded(State::Running, 9, 3).exit_status()), (9, None));
        assert_eq!((succeeded(State::Exited, 9, 3).pid(), succeeded(State::Exited, 9, 3).exit_status()), (0, Some(3)));
    }
}
