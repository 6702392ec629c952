//! One process.
//!
//! # The states, and who may cause each arrow
//!
//! ```text
//!            spawn                    up for > startsecs
//!  STOPPED ─────────► STARTING ───────────────────────────► RUNNING
//!  EXITED             │  │  ▲                                │  │
//!  FATAL    spawn     │  │  │ next try is due                │  │ exit
//!    ▲      failed or │  │  │                                │  ▼
//!    │      exit too  │  └──┼──────────── stop ──────┐       │ EXITED ──► autorestart: spawn
//!    │      quick     ▼     │                        ▼       │
//!    └──────────────BACKOFF─┘                     STOPPING ◄─┘ stop
//!     retries used up (FATAL) or stop (STOPPED)      │
//!                                                    └─ exit ──► STOPPED; SIGKILL each stopwaitsecs until then
//! ```
//!
//! * **spawn** is asked for by a client, by `autostart` (STOPPED and never started), by `autorestart` (EXITED) or by a
//!   retry that is due (BACKOFF). The last three happen in [`Process::transition`] and only while the supervisor is
//!   in its normal mood.
//! * **exit** comes from reaping ([`Process::finish`]), always after the child's pipes were drained and before any
//!   transition of the same turn: a program that ends at once is never taken for RUNNING.
//! * **stop** ([`Process::stop`]) sends `stopsignal`; once `stopwaitsecs` have passed, `transition` sends SIGKILL.
//!
//! With `killmode=tree` there is one more way into STOPPING: **exit** while the tree of the process has more members leads there
//! from each state with a pid, and out of it, to where exit would have led at once, when none is left (`rest`).
//!
//! Deadlines are monotonic and the wall clock is only reported. One deadline suffices for all states: when the state
//! changes, the old one means nothing any more.

use std::sync::Arc;

use super::event::StateDetail;
use super::rest::{End, Rest};
use super::{
    Event, EventKind, ExitStatus, Kernel, Mono, Mood, Now, Outbox, Pid, ProcId, SignalError, SpawnPlan, State, Target,
    Tree,
};
use crate::config::{Autorestart, KillMode, Level, ProcessConfig, signal};

/// Least seconds between two starts of a program that `autorestart` brings back: with `startsecs=0` a program that fails at
/// once would otherwise be started as fast as the machine can fork (ARCHITECTURE.md, divergence D21).
pub const RESTART_INTERVAL_SECS: i64 = 1;

/// Least seconds between two SIGKILLs to one process, whatever `stopwaitsecs` says (divergence D21).
pub const KILL_INTERVAL_SECS: i64 = 1;

/// A process and everything that is known of it.
#[derive(Debug, Clone)]
pub struct Process {
    /// Who it is.
    pub id: ProcId,
    /// Name of its group.
    pub group: String,
    /// Its settings.
    pub config: Arc<ProcessConfig>,
    pub(super) state: State,
    pub(super) pid: Pid,
    /// Failed tries in a row.
    pub(super) backoff: u32,
    pub(super) spawn_error: Option<String>,
    pub(super) exit_status: Option<i32>,
    pub(super) last_start: Option<Now>,
    pub(super) last_stop_wall_secs: i64,
    /// When the state changes by itself, if nothing happens before.
    pub(super) deadline: Option<Mono>,
    pub(super) is_barred: bool,
    /// It has ended, and what it has started has not.
    pub(super) rest: Option<Rest>,
}

impl Process {
    /// A process that was never started. It is due at once if it is to start by itself.
    pub fn new(id: ProcId, group: &str, config: impl Into<Arc<ProcessConfig>>) -> Self {
        let config = config.into();
        Process {
            id,
            group: group.to_owned(),
            deadline: config.autostart.then_some(Mono(0)),
            config,
            state: State::Stopped,
            pid: 0,
            backoff: 0,
            spawn_error: None,
            exit_status: None,
            last_start: None,
            last_stop_wall_secs: 0,
            is_barred: false,
            rest: None,
        }
    }

    /// Makes it one that can never run: it is FATAL from now on, for this reason.
    pub fn bar(&mut self, reason: String) {
        self.state = State::Fatal;
        self.spawn_error = Some(reason);
        self.deadline = None;
        self.is_barred = true;
    }

    /// Whether it can never run, as it is configured.
    pub fn is_barred(&self) -> bool {
        self.is_barred
    }

    /// Has it start by itself at the next turn, or not at all before it is asked to. For one that does not run.
    pub(super) fn set_due(&mut self, is_due: bool) {
        if !self.is_barred {
            self.deadline = is_due.then_some(Mono(0));
        }
    }

    /// Gives it other settings while it runs on. `startsecs` and `startretries` count for a start that is under way,
    /// `autorestart` and `exitcodes` for the last exit; a stop that is under way keeps its time.
    pub(super) fn adopt(&mut self, now: Now, config: ProcessConfig) {
        self.config = Arc::new(config);
        let tries = u32::try_from(self.config.startretries).unwrap_or(0);
        match (self.state, self.last_start) {
            (State::Starting, Some(start)) => {
                self.backoff = self.backoff.min(tries);
                self.deadline = Some(start.mono.plus_secs(self.config.startsecs).next());
            }
            (State::Stopping, _) => self.backoff = self.backoff.min(tries),
            (State::Backoff, _) if self.is_out_of_tries() => {
                self.backoff = tries.saturating_add(1);
                self.deadline = Some(now.mono);
            }
            (State::Exited, _) => self.deadline = self.wants_restart().then(|| self.restart_at(now)),
            _ => {}
        }
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Its pid; 0 when it is not running.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Failed tries in a row.
    pub fn backoff(&self) -> u32 {
        self.backoff
    }

    /// Why the last start failed, or what was wrong with the last exit.
    pub fn spawn_error(&self) -> Option<&str> {
        self.spawn_error.as_deref()
    }

    /// Exit code of the last run; -1 for a death by signal, `None` since the last start.
    pub fn exit_status(&self) -> Option<i32> {
        self.exit_status
    }

    /// When it was last started, in seconds since 1970; 0 for never.
    pub fn start_wall_secs(&self) -> i64 {
        self.last_start.map_or(0, |now| now.wall_secs)
    }

    /// When it last ended, in seconds since 1970; 0 for never.
    pub fn stop_wall_secs(&self) -> i64 {
        self.last_stop_wall_secs
    }

    /// When [`Process::transition`] wants to be called next. Calling it earlier is harmless.
    pub fn deadline(&self) -> Option<Mono> {
        self.deadline
    }

    /// `name` when the group is called the same, else `group:name` (`Supervisor: options.py make_namespec`).
    pub fn namespec(&self) -> String {
        if self.group == self.config.name { self.group.clone() } else { format!("{}:{}", self.group, self.config.name) }
    }

    /// Starts it (`Supervisor: process.py spawn()`). A process that still has a pid is left alone, with a warning.
    pub fn spawn(&mut self, now: Now, kernel: &mut dyn Kernel, out: &mut Outbox) {
        if self.pid != 0 {
            out.log(Level::Warn, format!("process '{}' already running", self.config.name));
            return;
        }
        self.spawn_error = None;
        self.exit_status = None;
        self.last_start = Some(now);
        self.enter(State::Starting, StateDetail::Tries(self.backoff), out);
        let mark = (self.config.killmode == KillMode::Tree).then(|| self.mark());
        let plan = SpawnPlan { id: self.id, group: &self.group, config: &self.config, mark: mark.as_deref() };
        match kernel.spawn(&plan) {
            Ok(pid) => {
                self.pid = pid;
                self.deadline = Some(now.mono.plus_secs(self.config.startsecs).next());
                out.log(Level::Info, format!("spawned: '{}' with pid {pid}", self.config.name));
            }
            Err(error) => {
                let text = error.to_string();
                out.log(Level::Info, format!("spawnerr: {text}"));
                self.spawn_error = Some(text);
                self.enter_backoff(now, out);
            }
        }
    }

    /// Does whatever is due by now (`Supervisor: process.py transition()`).
    pub fn transition(&mut self, now: Now, mood: Mood, kernel: &mut dyn Kernel, out: &mut Outbox) {
        let due = self.deadline.is_some_and(|deadline| deadline <= now.mono);
        match self.state {
            State::Stopped if due && self.last_start.is_none() => {
                if mood == Mood::Running {
                    self.spawn(now, kernel, out);
                } else {
                    self.deadline = None;
                }
            }
            State::Exited if due => {
                if mood == Mood::Running {
                    self.spawn(now, kernel, out);
                } else {
                    self.deadline = None;
                }
            }
            State::Starting if due => self.enter_running(out),
            State::Backoff => {
                if due && !self.is_out_of_tries() {
                    if mood == Mood::Running {
                        self.spawn(now, kernel, out);
                    } else {
                        self.deadline = None;
                    }
                }
                if self.state == State::Backoff && self.is_out_of_tries() {
                    self.give_up(out);
                    let name = &self.config.name;
                    out.log(
                        Level::Info,
                        format!("gave up: {name} entered FATAL state, too many start retries too quickly"),
                    );
                }
            }
            State::Stopping if due && self.rest.is_some() => self.look_after_rest(now, kernel, out),
            State::Stopping if due => {
                out.log(Level::Warn, format!("killing '{}' ({}) with SIGKILL", self.config.name, self.pid));
                // The refusal is in the log; the next try comes with the next deadline.
                let _ = self.kill(now, signal::KILL, kernel, out);
            }
            State::Stopped
            | State::Exited
            | State::Starting
            | State::Stopping
            | State::Running
            | State::Fatal
            | State::Unknown => {}
        }
    }

    /// Every try that `startretries` allows has failed.
    fn is_out_of_tries(&self) -> bool {
        i64::from(self.backoff) > self.config.startretries
    }

    /// Stops it at a client's request or at shutdown (`Supervisor: process.py stop()`).
    /// `Err` is a sentence for the client: the signal could not be sent, or there is nothing to stop.
    pub fn stop(&mut self, now: Now, kernel: &mut dyn Kernel, out: &mut Outbox) -> Result<(), String> {
        self.kill(now, self.config.stopsignal, kernel, out)
    }

    /// Ends the retries at shutdown: BACKOFF to FATAL (`Supervisor: process.py give_up()`).
    pub fn give_up(&mut self, out: &mut Outbox) {
        self.backoff = 0;
        self.deadline = None;
        self.enter(State::Fatal, StateDetail::None, out);
    }

    /// Sends a signal that is not meant to end it (`Supervisor: process.py signal()`).
    pub fn signal(&mut self, number: i32, kernel: &mut dyn Kernel, out: &mut Outbox) -> Result<(), String> {
        let name = &self.config.name;
        if self.pid == 0 {
            let text = format!("attempted to send {name} sig {} but it wasn't running", signal::name(number));
            out.log(Level::Debug, text.clone());
            return Err(text);
        }
        out.log(Level::Debug, format!("sending {name} (pid {}) sig {}", self.pid, signal::name(number)));
        match kernel.signal(Target::Process(self.pid), number) {
            Ok(()) => Ok(()),
            Err(error @ SignalError::NoSuchProcess) => {
                out.log(
                    Level::Debug,
                    format!(
                        "unable to signal {name} (pid {}), it probably just now exited on its own: {error}",
                        self.pid
                    ),
                );
                Ok(())
            }
            Err(SignalError::Other(reason)) => {
                let text = format!("unknown problem sending sig {name} ({}):{reason}", self.pid);
                out.log(Level::Critical, text.clone());
                Err(text)
            }
        }
    }

    /// Its child could not become the program and is about to be reaped. Supervisor writes the reason to the program's
    /// stderr log only (ARCHITECTURE.md).
    pub fn not_spawned(&mut self, reason: &str, out: &mut Outbox) {
        out.log(Level::Info, format!("spawnerr: {reason}"));
        self.spawn_error = Some(reason.to_owned());
    }

    /// It was reaped (`Supervisor: process.py finish()`).
    pub fn finish(&mut self, now: Now, status: ExitStatus, kernel: &mut dyn Kernel, out: &mut Outbox) {
        self.last_stop_wall_secs = now.wall_secs;
        let end = End { pid: self.pid, status, from: self.state, is_too_quick: self.is_too_quick(now) };
        if self.config.killmode == KillMode::Tree && self.leaves_rest(now, end, kernel, out) {
            return;
        }
        self.settle(now, end, out);
        self.pid = 0;
    }

    /// Its end leads to another state.
    pub(super) fn settle(&mut self, now: Now, end: End, out: &mut Outbox) {
        let End { pid, status, from, is_too_quick } = end;
        let expected = self.config.exitcodes.contains(&status.code());
        match from {
            State::Stopping => self.finish_stop(pid, status, expected, out),
            State::Starting if is_too_quick => {
                self.exit_status = None;
                self.explain(|| "Exited too quickly (process log may have details)".to_owned());
                self.enter_backoff(now, out);
                out.log(Level::Warn, format!("exited: {} ({status}; not expected)", self.config.name));
            }
            State::Starting => {
                self.backoff = 0;
                self.enter(State::Running, StateDetail::Pid(pid), out);
                self.finish_run(now, end, expected, out);
            }
            State::Running => self.finish_run(now, end, expected, out),
            // No child to reap in these; a kernel that reports one anyway changes nothing but the pid.
            State::Stopped | State::Backoff | State::Exited | State::Fatal | State::Unknown => {}
        }
    }

    /// A program asked to stop has ended.
    fn finish_stop(&mut self, pid: Pid, status: ExitStatus, expected: bool, out: &mut Outbox) {
        self.exit_status = Some(status.code());
        self.deadline = None;
        // A stop ends the series of failed tries (Supervisor keeps the count; divergence D36).
        self.backoff = 0;
        self.enter(State::Stopped, StateDetail::Pid(pid), out);
        let level = if expected { Level::Info } else { Level::Warn };
        out.log(level, format!("stopped: {} ({status})", self.config.name));
    }

    /// A running program has ended by itself.
    fn finish_run(&mut self, now: Now, end: End, expected: bool, out: &mut Outbox) {
        let End { pid, status, .. } = end;
        self.backoff = 0;
        self.exit_status = Some(status.code());
        if !expected {
            self.explain(|| format!("Bad exit code {}", status.code()));
        }
        self.enter(State::Exited, StateDetail::Exit { expected, pid }, out);
        let (level, verdict) = if expected { (Level::Info, "expected") } else { (Level::Warn, "not expected") };
        out.log(level, format!("exited: {} ({status}; {verdict})", self.config.name));
        self.deadline = self.wants_restart().then(|| self.restart_at(now));
    }

    /// Whether `autorestart` wants it back after its last exit.
    pub(super) fn wants_restart(&self) -> bool {
        match self.config.autorestart {
            Autorestart::Always => true,
            Autorestart::Unexpected => self.exit_status.is_none_or(|code| !self.config.exitcodes.contains(&code)),
            Autorestart::Never => false,
        }
    }

    /// What was wrong with this run, unless it is known better already.
    fn explain(&mut self, text: impl FnOnce() -> String) {
        self.spawn_error.get_or_insert_with(text);
    }

    /// When `autorestart` may start it again: now, but no sooner than the restart interval after its last start.
    pub(super) fn restart_at(&self, now: Now) -> Mono {
        self.last_start.map_or(now.mono, |start| now.mono.max(start.mono.plus_secs(RESTART_INTERVAL_SECS)))
    }

    /// Whether it ran for less than `startsecs`.
    fn is_too_quick(&self, now: Now) -> bool {
        self.last_start.is_some_and(|start| now.mono < start.mono.plus_secs(self.config.startsecs))
    }

    /// Sends the signal of a stop, or SIGKILL when one is under way (`Supervisor: process.py kill()`).
    fn kill(&mut self, now: Now, number: i32, kernel: &mut dyn Kernel, out: &mut Outbox) -> Result<(), String> {
        let name = self.config.name.clone();
        if self.state == State::Backoff {
            out.log(Level::Debug, format!("Attempted to kill {name}, which is in BACKOFF state."));
            self.backoff = 0;
            self.deadline = None;
            self.last_stop_wall_secs = now.wall_secs;
            self.enter(State::Stopped, StateDetail::Pid(0), out);
            return Ok(());
        }
        if self.pid == 0 {
            let text = format!("attempted to kill {name} with sig {} but it wasn't running", signal::name(number));
            out.log(Level::Debug, text.clone());
            return Err(text);
        }
        if self.state == State::Stopping && self.config.killmode == KillMode::Tree {
            out.log(
                Level::Debug,
                format!("killing {name} (pid {}) tree with signal {}", self.pid, signal::name(number)),
            );
            self.deadline = Some(now.mono.plus_secs(self.config.stopwaitsecs.max(KILL_INTERVAL_SECS)));
            let mark = self.mark();
            kernel.signal_tree(&Tree { mark: &mark, main: self.pid, is_orphaned: false }, number);
            return Ok(());
        }
        let as_group = if self.state == State::Stopping { self.config.killasgroup } else { self.config.stopasgroup };
        out.log(
            Level::Debug,
            format!(
                "killing {name} (pid {}) {}with signal {}",
                self.pid,
                if as_group { "process group " } else { "" },
                signal::name(number)
            ),
        );
        let least_secs = if self.state == State::Stopping { KILL_INTERVAL_SECS } else { 0 };
        let wait_secs = self.config.stopwaitsecs.max(least_secs);
        self.deadline = Some(now.mono.plus_secs(wait_secs));
        if self.state != State::Stopping {
            self.enter(State::Stopping, StateDetail::Pid(self.pid), out);
        }
        let target = if as_group { Target::Group(self.pid) } else { Target::Process(self.pid) };
        match kernel.signal(target, number) {
            Ok(()) => Ok(()),
            Err(error @ SignalError::NoSuchProcess) => {
                out.log(
                    Level::Debug,
                    format!("unable to signal {name} (pid {}), it probably just exited on its own: {error}", self.pid),
                );
                Ok(())
            }
            // Supervisor goes to UNKNOWN here and dies when the child ends; we stay STOPPING and try again (divergence D20).
            Err(SignalError::Other(reason)) => {
                let text = format!("unknown problem killing {name} ({}):{reason}", self.pid);
                out.log(Level::Critical, text.clone());
                Err(text)
            }
        }
    }

    /// STARTING to RUNNING: it has stayed up long enough.
    fn enter_running(&mut self, out: &mut Outbox) {
        self.deadline = None;
        self.backoff = 0;
        self.enter(State::Running, StateDetail::Pid(self.pid), out);
        out.log(
            Level::Info,
            format!(
                "success: {} entered RUNNING state, process has stayed up for > than {} seconds (startsecs)",
                self.config.name, self.config.startsecs
            ),
        );
    }

    /// STARTING to BACKOFF: one more failed try. The wait grows by a second with each.
    fn enter_backoff(&mut self, now: Now, out: &mut Outbox) {
        self.backoff = self.backoff.saturating_add(1);
        self.deadline =
            Some(if self.is_out_of_tries() { now.mono } else { now.mono.plus_secs(i64::from(self.backoff)).next() });
        self.enter(State::Backoff, StateDetail::Tries(self.backoff), out);
    }

    /// Changes the state and says so. The event is told before anything else that the change brings.
    pub(super) fn enter(&mut self, to: State, detail: StateDetail, out: &mut Outbox) {
        let from = std::mem::replace(&mut self.state, to);
        out.event(EventKind::of_state(to), || Event::ProcessState {
            process: self.config.name.clone(),
            group: self.group.clone(),
            from,
            to,
            detail,
        });
    }
}
