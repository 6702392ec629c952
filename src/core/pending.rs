//! Replies that wait: a start until the process runs, a stop until it is gone. A state change resolves them; nobody polls.

use super::{Core, Mono, Now, Outbox, ProcId, Process, Refusal, Reply, State, Status, Tell, Ticket};
use crate::config::Level;

/// Seconds between two `waiting for <name> to stop` lines (`Supervisor: process.py stop_report`).
const STOP_REPORT_SECS: i64 = 2;

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    Started,
    Stopped,
}

/// One client that waits, for one process or for many.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) ticket: Ticket,
    /// Answer with a list of statuses, not with a plain `Done`.
    pub(super) many: bool,
    pub(super) goal: Goal,
    /// What is still awaited, with the name the client used.
    pub(super) waiting: Vec<(ProcId, String)>,
    /// Outcomes so far, in order of completion.
    pub(super) statuses: Vec<Status>,
    /// When the next `waiting for` line is due.
    pub(super) next_report: Option<Mono>,
}

impl Pending {
    pub(super) fn one(ticket: Ticket, goal: Goal, id: ProcId, name: &str) -> Self {
        Pending {
            ticket,
            many: false,
            goal,
            waiting: vec![(id, name.to_owned())],
            statuses: Vec::new(),
            next_report: None,
        }
    }

    pub(super) fn many(ticket: Ticket, goal: Goal) -> Self {
        Pending { ticket, many: true, goal, waiting: Vec::new(), statuses: Vec::new(), next_report: None }
    }

    /// Notes that one of many is settled.
    pub(super) fn settle(&mut self, process: &Process, outcome: Result<(), Refusal>) {
        self.statuses.push(Status { name: process.config.name.clone(), group: process.group.clone(), outcome });
    }

    /// Notes that one of many has to be waited for.
    pub(super) fn wait_for(&mut self, id: ProcId, name: String) {
        self.waiting.push((id, name));
    }

    pub(super) fn next_report(&self) -> Option<Mono> {
        self.next_report
    }

    /// The answer, if nothing is awaited any more.
    fn answer(&mut self) -> Option<Reply> {
        if !self.waiting.is_empty() {
            return None;
        }
        if self.many {
            return Some(Reply::Statuses(std::mem::take(&mut self.statuses)));
        }
        Some(match self.statuses.pop().map(|status| status.outcome) {
            Some(Err(refusal)) => Reply::Refused(refusal),
            Some(Ok(())) | None => Reply::Done,
        })
    }

    /// Whether `process` has reached the goal, or never will. `None` is not yet.
    fn outcome(&self, process: &Process, name: &str) -> Option<Result<(), Refusal>> {
        match (self.goal, process.state()) {
            (Goal::Started, _) if process.spawn_error().is_some() => Some(Err(Refusal::SpawnError(name.to_owned()))),
            (Goal::Started, State::Running) => Some(Ok(())),
            (Goal::Started, State::Starting) => None,
            (Goal::Started, _) => Some(Err(Refusal::AbnormalTermination(name.to_owned()))),
            (Goal::Stopped, state) => state.is_stopped().then_some(Ok(())),
        }
    }
}

impl Core {
    /// Answers at once if there is nothing to wait for, else when there is not.
    pub(super) fn wait(&mut self, now: Now, mut pending: Pending, out: &mut Outbox) {
        if let Some(reply) = pending.answer() {
            return out.push(Tell::Reply(pending.ticket, reply));
        }
        if pending.goal == Goal::Stopped {
            pending.next_report = Some(now.mono);
        }
        self.pending.push(pending);
        self.report_waiting(now, out);
    }

    /// A process changed its state: whoever waited for that is answered.
    pub(super) fn resolve_pending(&mut self, id: ProcId, out: &mut Outbox) {
        let mut index = 0;
        while index < self.pending.len() {
            let Some(process) = self.table[id.slot as usize].as_ref() else { return };
            let pending = &mut self.pending[index];
            if let Some(place) = pending.waiting.iter().position(|(waiting, _)| *waiting == id)
                && let Some(outcome) = pending.outcome(process, &pending.waiting[place].1)
            {
                pending.waiting.swap_remove(place);
                pending.settle(process, outcome);
            }
            match pending.answer() {
                Some(reply) => {
                    out.push(Tell::Reply(pending.ticket, reply));
                    self.pending.remove(index);
                }
                None => index += 1,
            }
        }
    }

    /// Writes the `waiting for` lines that are due.
    pub(super) fn report_waiting(&mut self, now: Now, out: &mut Outbox) {
        for pending in &mut self.pending {
            if pending.next_report.is_none_or(|due| due > now.mono) {
                continue;
            }
            for (id, _) in &pending.waiting {
                if let Some(process) = self.table[id.slot as usize].as_ref() {
                    out.log(Level::Info, format!("waiting for {} to stop", process.config.name));
                }
            }
            pending.next_report = Some(now.mono.plus_secs(STOP_REPORT_SECS));
        }
    }
}
