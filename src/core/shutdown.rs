//! The order in which everything stops: highest priority number first, one priority after the other, and all groups of
//! one priority at the same time (Supervisor takes one group after the other; ARCHITECTURE.md, divergence D12).

use super::{Core, Event, EventKind, Group, Kernel, Mono, Mood, Now, Outbox, ProcId, Process, State, Tell};
use crate::config::Level;

/// Seconds between two `waiting for ... to die` lines (`Supervisor: supervisord.py shutdown_report`).
const SHUTDOWN_REPORT_SECS: i64 = 3;

/// How far the way down is.
#[derive(Debug)]
pub(super) struct Shutdown {
    pub(super) mood: Mood,
    pub(super) begun: bool,
    pub(super) halted: bool,
    pub(super) next_report: Option<Mono>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Shutdown { mood: Mood::Running, begun: false, halted: false, next_report: None }
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
        // Stopping may finish a whole priority on the spot (BACKOFF gives up at once): then the next one follows.
        while let Some((priority, true)) = self.last_unstopped_priority() {
            self.stop_priority(now, priority, kernel, out);
            if self.last_unstopped_priority() == Some((priority, true)) {
                break;
            }
        }
        if self.last_unstopped_priority().is_none() {
            self.shutdown.halted = true;
            self.shutdown.next_report = None;
            return out.push(Tell::Halt(self.shutdown.mood));
        }
        if self.shutdown.next_report.is_some_and(|due| due <= now.mono) {
            self.report_unstopped(&self.unstopped(), out);
            self.shutdown.next_report = Some(now.mono.plus_secs(SHUTDOWN_REPORT_SECS));
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

    /// Everything that still has to stop, in the order groups were added.
    fn unstopped(&self) -> Vec<ProcId> {
        let members = self.groups().iter().flat_map(|group| &group.members);
        members.copied().filter(|id| self.process(*id).is_some_and(|process| !process.state().is_stopped())).collect()
    }

    /// The highest priority number of a group that still has something to stop, and whether some of it has not been asked to.
    /// Called for each program that ends, so it makes nothing.
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
