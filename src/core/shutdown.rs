//! The order in which everything stops: highest priority number first, one priority after the other, and all groups of
//! one priority at the same time (Supervisor takes one group after the other; ARCHITECTURE.md, divergence D12).

use std::fmt;

use super::{Core, Event, EventKind, Group, Kernel, Mono, Mood, Now, Outbox, ProcId, Process, State, Tell};
use crate::config::Level;

/// Seconds between two `waiting for ... to die` lines (`Supervisor: supervisord.py shutdown_report`).
const SHUTDOWN_REPORT_SECS: i64 = 3;

/// How far the way down is.
pub(super) struct Shutdown {
    pub(super) mood: Mood,
    pub(super) begun: bool,
    pub(super) halted: bool,
    pub(super) next_report: Option<Mono>,
    /// Of the priority that stops now, and has been asked to as a whole: whoever may not have stopped yet. Nobody starts
    /// any more, so it is enough to ask after the last of them: a thousand ends take a thousand looks, not a million.
    pub(super) remaining: Vec<ProcId>,
}

/// Without what follows from the rest, and is found anew after an upgrade.
impl fmt::Debug for Shutdown {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shutdown { mood, begun, halted, next_report, remaining: _ } = self;
        to.debug_tuple("Shutdown").field(mood).field(begun).field(halted).field(next_report).finish()
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Shutdown { mood: Mood::Running, begun: false, halted: false, next_report: None, remaining: Vec::new() }
    }
}

impl Shutdown {
    pub(super) fn next_report(&self) -> Option<Mono> {
        self.next_report
    }
}

impl Core {
    /// Everything has stopped and nothing happens any more.
    pub(super) fn has_halted(&self) -> bool {
        self.shutdown.halted
    }

    /// Takes the way down as far as it goes now: called every turn.
    pub(super) fn continue_shutdown(&mut self, now: Now, kernel: &mut dyn Kernel, out: &mut Outbox) {
        if self.shutdown.mood == Mood::Running || self.shutdown.halted {
            return;
        }
        if !self.shutdown.begun {
            self.shutdown.begun = true;
            self.shutdown.next_report = Some(now.mono);
            out.event(EventKind::SupervisorStopping, || Event::SupervisorStopping);
        }
        if !self.waits_for_remaining() {
            self.stop_next_priority(now, kernel, out);
        }
        if self.shutdown.next_report.is_some_and(|due| due <= now.mono) {
            self.report_unstopped(&self.unstopped(|_| true), out);
            self.shutdown.next_report = Some(now.mono.plus_secs(SHUTDOWN_REPORT_SECS));
        }
    }

    fn waits_for_remaining(&mut self) -> bool {
        while let Some(id) = self.shutdown.remaining.last() {
            if self.is_unstopped(*id) {
                return true;
            }
            self.shutdown.remaining.pop();
        }
        false
    }

    /// Asks the next priority to stop, or says that there is none.
    fn stop_next_priority(&mut self, now: Now, kernel: &mut dyn Kernel, out: &mut Outbox) {
        // Stopping may finish a whole priority on the spot (BACKOFF gives up at once): then the next one follows.
        while let Some((priority, true)) = self.last_unstopped_priority() {
            self.stop_priority(now, priority, kernel, out);
            if self.last_unstopped_priority() == Some((priority, true)) {
                return;
            }
        }
        if let Some((priority, _)) = self.last_unstopped_priority() {
            self.shutdown.remaining = self.unstopped(|group| group.priority == priority);
        } else {
            self.shutdown.halted = true;
            self.shutdown.next_report = None;
            out.push(Tell::Halt(self.shutdown.mood));
        }
    }

    fn report_unstopped(&self, unstopped: &[ProcId], out: &mut Outbox) {
        let processes: Vec<_> = unstopped.iter().filter_map(|id| self.process(*id)).collect();
        let names: Vec<&str> = processes.iter().map(|process| process.config.name.as_str()).collect();
        out.log(Level::Info, format!("waiting for {} to die", names.join(", ")));
        for process in processes {
            out.log(Level::Blather, format!("{} state: {}", process.config.name, process.state().name()));
        }
    }

    /// Whether it runs, or is on the way to or from there.
    pub(super) fn is_unstopped(&self, id: ProcId) -> bool {
        self.process(id).is_some_and(|process| !process.state().is_stopped())
    }

    /// Everything in these groups that still has to stop, in the order groups were added.
    fn unstopped(&self, is_meant: impl Fn(&Group) -> bool) -> Vec<ProcId> {
        let members = self.groups().iter().filter(|group| is_meant(group)).flat_map(|group| &group.members);
        members.copied().filter(|id| self.is_unstopped(*id)).collect()
    }

    /// The highest priority number of a group that still has something to stop, and whether some of it has not been asked to.
    fn last_unstopped_priority(&self) -> Option<(i64, bool)> {
        let states = |group: &Group| {
            let members = group.members.iter().filter_map(|id| self.process(*id));
            let states = members.map(Process::state).filter(|state| !state.is_stopped());
            states.fold(None, |any, state| Some(any == Some(true) || state.is_active()))
        };
        let unstopped = self.groups().iter().filter_map(|group| Some((group.priority, states(group)?)));
        unstopped.max()
    }

    fn stop_priority(&mut self, now: Now, priority: i64, kernel: &mut dyn Kernel, out: &mut Outbox) {
        let groups: Vec<_> = self.groups().iter().filter(|group| group.priority == priority).cloned().collect();
        for group in groups.iter().rev() {
            for id in self.members_by_priority(group).into_iter().rev() {
                self.with_process(id, out, |process, out| match process.state() {
                    // A refusal is in the log, and SIGKILL follows when stopwaitsecs are over.
                    State::Running | State::Starting => drop(process.stop(now, kernel, out)),
                    State::Backoff => process.give_up(out),
                    State::Stopped | State::Stopping | State::Exited | State::Fatal | State::Unknown => {}
                });
            }
        }
    }
}
