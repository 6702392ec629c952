//! What a program leaves behind when its process ends: with `killmode=tree` that has to end too before it counts as stopped.
//!
//! The rest gets the program's stopsignal when the process has ended, and SIGKILL when `stopwaitsecs` are over: counted from the stop
//! if somebody asked for it, else from the end of the process. Meanwhile the program is STOPPING, without a pid. When nothing is left
//! it goes where its end would have led at once: STOPPED, EXITED or BACKOFF. So `autorestart` never starts a program beside its own past.
//!
//! Whether anything is left only the system can say. It is asked when a process that nobody knows was reaped, which the last one of a
//! tree always is while the daemon adopts orphans, and every second: after a crash of the daemon its orphans are another's.

use super::event::StateDetail;
use super::process::KILL_INTERVAL_SECS;
use super::{Core, ExitStatus, Kernel, Mono, Now, Outbox, Pid, ProcId, Process, State, Tree};
use crate::config::{Level, signal};

/// Seconds between two looks at what is left.
const LOOK_SECS: i64 = 1;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Its pid.
    pub(super) pid: Pid,
    /// What it left to who waits for it.
    pub(super) status: ExitStatus,
    /// The state that it ended in.
    pub(super) from: State,
    /// It had run for less than `startsecs`.
    pub(super) is_too_quick: bool,
}

/// A process that has ended before what it has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) end: End,
    /// When SIGKILL is due.
    pub(super) kill_at: Mono,
}

impl Process {
    /// What all processes of its present run inherit, and no others.
    pub(super) fn mark(&self) -> String {
        let (secs, nanos) = self.last_start.map_or((0, 0), |start| (start.wall_secs, start.wall_nanos));
        format!("{}:{}@{secs}.{nanos:09}", self.group, self.config.name)
    }

    /// Its process has ended, and others of its tree have not.
    pub fn has_rest(&self) -> bool {
        self.rest.is_some()
    }

    /// It has ended by itself, and what it has started has not.
    pub(super) fn lingers(&self) -> bool {
        self.rest.is_some_and(|rest| rest.end.from != State::Stopping)
    }

    /// Somebody wants it stopped while it lingers: then it becomes STOPPED. False if it does not linger.
    pub(super) fn stays_stopped_after_rest(&mut self) -> bool {
        let lingers = self.lingers();
        if let Some(rest) = self.rest.as_mut().filter(|_| lingers) {
            rest.end.from = State::Stopping;
        }
        lingers
    }

    /// It has ended: sends its stopsignal to what it has started. False if nothing is left.
    pub(super) fn leaves_rest(&mut self, now: Now, end: End, kernel: &mut dyn Kernel, out: &mut Outbox) -> bool {
        if !matches!(end.from, State::Starting | State::Running | State::Stopping) {
            return false;
        }
        let (mark, number) = (self.mark(), self.config.stopsignal);
        let left = kernel.signal_tree(&Tree { mark: &mark, main: end.pid, is_orphaned: true }, number);
        if left == 0 {
            return false;
        }
        let (name, status, number) = (&self.config.name, end.status, signal::name(number));
        let text = format!("{name} has ended ({status}) and left {left} processes, which are sent {number}");
        out.log(Level::Info, text);
        self.pid = 0;
        let mut end = end;
        if end.from == State::Starting && !end.is_too_quick {
            self.backoff = 0;
            self.enter(State::Running, StateDetail::Pid(end.pid), out);
            end.from = State::Running;
        }
        let wait_over = now.mono.plus_secs(self.config.stopwaitsecs);
        let kill_at = if end.from == State::Stopping { self.deadline.unwrap_or(wait_over) } else { wait_over };
        if self.state != State::Stopping {
            self.enter(State::Stopping, StateDetail::Pid(end.pid), out);
        }
        self.rest = Some(Rest { end, kill_at });
        self.deadline = Some(kill_at.min(now.mono.plus_secs(LOOK_SECS)));
        true
    }

    /// Sees whether anything is left, with SIGKILL when it is time.
    pub(super) fn look_after_rest(&mut self, now: Now, kernel: &mut dyn Kernel, out: &mut Outbox) {
        let Some(Rest { end, kill_at }) = self.rest else { return };
        let (mark, is_due) = (self.mark(), kill_at <= now.mono);
        let number = if is_due { signal::KILL } else { 0 };
        let left = kernel.signal_tree(&Tree { mark: &mark, main: end.pid, is_orphaned: true }, number);
        if left == 0 {
            self.rest = None;
            self.deadline = None;
            return self.settle(now, end, out);
        }
        let mut kill_at = kill_at;
        if is_due {
            out.log(Level::Warn, format!("killing {left} processes that '{}' left with SIGKILL", self.config.name));
            kill_at = now.mono.plus_secs(self.config.stopwaitsecs.max(KILL_INTERVAL_SECS));
        }
        self.rest = Some(Rest { end, kill_at });
        self.deadline = Some(kill_at.min(now.mono.plus_secs(LOOK_SECS)));
    }
}

impl Core {
    /// A process has ended that may have been the last of a tree: looks are due.
    pub(super) fn look_for_rests(&mut self, now: Now, out: &mut Outbox) {
        let lingering = self.processes().filter(|process| process.rest.is_some());
        let ids: Vec<ProcId> = lingering.map(|process| process.id).collect();
        for id in ids {
            self.with_process(id, out, |process, _| process.deadline = Some(now.mono));
        }
    }
}
