//! Clients that wait for an answer, and the updates of groups that are under way.

use super::text::{Document, Section, Writer};
use super::{SnapshotError, ensure, settings};
use crate::core::pending::{Goal, Pending};
use crate::core::scale::Scale;
use crate::core::update::{Leaving, Update};
use crate::core::{Core, ProcId, Refusal, Status};

impl Pending {
    pub(super) fn write_snapshot(&self, to: &mut Writer) {
        let Pending { ticket, many, goal, waiting, statuses, next_report } = self;
        to.section("pending");
        let goal = match goal {
            Goal::Started => "started",
            Goal::Stopped => "stopped",
        };
        to.put("client", &[ticket, many, &goal]);
        to.put_some("next_report", next_report.map(|due| to.time(due)).as_ref().map(|due| due as _));
        waiting.iter().for_each(|(id, name)| to.put("waiting", &[id, name]));
        for Status { name, group, outcome } in statuses {
            let (word, text) = outcome.as_ref().map_or_else(refusal_columns, |()| ("done", ""));
            to.put("settled", &[name, group, &word, &text]);
        }
    }
}

impl Update {
    /// Without its target: those of all updates follow, in the same order.
    pub(super) fn write_snapshot(&self, to: &mut Writer) {
        let Update { tickets, target: _, leaving, scale } = self;
        to.section("update");
        to.put_some("scale_starts", scale.as_ref().map(|Scale { starts }| starts as _));
        tickets.iter().for_each(|ticket| to.put("client", &[ticket]));
        leaving.iter().for_each(|Leaving { id, name, starts }| to.put("leaving", &[id, name, starts]));
    }
}

impl Core {
    pub(super) fn read_pending(&self, from: &Section<'_>) -> Result<Pending, SnapshotError> {
        let (ticket, many, goal): (_, _, String) = from.get("client")?;
        let goal = match goal.as_str() {
            "started" => Goal::Started,
            "stopped" => Goal::Stopped,
            _ => return Err(from.bad("client")),
        };
        let waiting: Vec<(ProcId, String)> = from.rows("waiting")?;
        ensure(
            waiting.iter().all(|(id, _)| self.process(*id).is_some()),
            "a client waits for a process that is not there",
        )?;
        let settled: Vec<(String, String, String, String)> = from.rows("settled")?;
        let read = |(name, group, word, text): (String, String, String, String)| {
            let outcome = if word == "done" { Some(Ok(())) } else { refusal(&word, text).map(Err) };
            outcome.map(|outcome| Status { name, group, outcome }).ok_or_else(|| from.bad("settled"))
        };
        let statuses = settled.into_iter().map(read).collect::<Result<_, _>>()?;
        let next_report = from.maybe::<(_,)>("next_report")?.map(|(due,)| from.time(due));
        Ok(Pending { ticket, many, goal, waiting, statuses, next_report })
    }
}

impl Core {
    pub(super) fn read_updates(&mut self, document: &Document<'_>) -> Result<(), SnapshotError> {
        let targets = settings::read_groups(settings::TARGETS, document.sections())?;
        ensure(
            document.named("update").count() == targets.len(),
            "an update without its target, or a target without one",
        )?;
        for (from, target) in document.named("update").zip(targets) {
            let tickets: Vec<(_,)> = from.rows("client")?;
            let leaving: Vec<(ProcId, String, bool)> = from.rows("leaving")?;
            let is_there = |id: &ProcId| self.process(*id).is_some_and(|process| process.group == target.name);
            ensure(
                leaving.iter().all(|(id, ..)| is_there(id)),
                "an update waits for a process that is not its group's",
            )?;
            self.updates.push(Update {
                tickets: tickets.into_iter().map(|(ticket,)| ticket).collect(),
                target,
                leaving: leaving.into_iter().map(|(id, name, starts)| Leaving { id, name, starts }).collect(),
                scale: from.maybe("scale_starts")?.map(|(starts,)| Scale { starts }),
            });
        }
        Ok(())
    }
}

fn refusal_columns(refusal: &Refusal) -> (&'static str, &str) {
    match refusal {
        Refusal::BadName(text) => ("bad-name", text),
        Refusal::BadSignal(text) => ("bad-signal", text),
        Refusal::NoFile(text) => ("no-file", text),
        Refusal::NotExecutable(text) => ("not-executable", text),
        Refusal::Failed(text) => ("failed", text),
        Refusal::AbnormalTermination(text) => ("abnormal-termination", text),
        Refusal::SpawnError(text) => ("spawn-error", text),
        Refusal::AlreadyStarted(text) => ("already-started", text),
        Refusal::NotRunning(text) => ("not-running", text),
        Refusal::AlreadyAdded(text) => ("already-added", text),
        Refusal::StillRunning(text) => ("still-running", text),
        Refusal::CantReread(text) => ("cant-reread", text),
        Refusal::ShuttingDown => ("shutting-down", ""),
    }
}

fn refusal(word: &str, text: String) -> Option<Refusal> {
    Some(match word {
        "bad-name" => Refusal::BadName(text),
        "bad-signal" => Refusal::BadSignal(text),
        "no-file" => Refusal::NoFile(text),
        "not-executable" => Refusal::NotExecutable(text),
        "failed" => Refusal::Failed(text),
        "abnormal-termination" => Refusal::AbnormalTermination(text),
        "spawn-error" => Refusal::SpawnError(text),
        "already-started" => Refusal::AlreadyStarted(text),
        "not-running" => Refusal::NotRunning(text),
        "already-added" => Refusal::AlreadyAdded(text),
        "still-running" => Refusal::StillRunning(text),
        "cant-reread" => Refusal::CantReread(text),
        "shutting-down" => Refusal::ShuttingDown,
        _ => return None,
    })
}
