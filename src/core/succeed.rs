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
