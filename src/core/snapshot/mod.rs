//! The whole core as text, and back: what another image of the daemon goes on from.
//!
//! ```text
//! supervisor-kit snapshot format=1 reader=1
//! [core]
//! mood=RUNNING
//! [process]
//! state=RUNNING
//! started=-12000000000<tab>1764000000<tab>0
//! end=9f86d081884c7d65
//! ```
//!
//! A line is a key and its columns, with a tab between them; a key that stands more than once is a list. Readers skip sections,
//! keys and further columns that they do not know, so an old image reads what a new one writes and the other way round, unless
//! the first line asks for a newer reader. Times are nanoseconds from the moment of writing. A snapshot is taken whole or not
//! at all: the sum in the last line shows a damaged one, and what contradicts itself is refused.

mod change;
mod events;
mod process;
pub mod settings;
pub mod text;
mod waiting;

use std::collections::BTreeSet;

use thiserror::Error;

use self::settings::one;
use self::text::{Document, Section, Writer};
use super::{Core, Group, Mono, Mood, ProcId, Process, State};

/// Why a snapshot is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// The first line is another one.
    #[error("this is not a snapshot of a supervisor")]
    NotASnapshot,
    /// Its writer says that we would misread it.
    #[error("the snapshot needs a reader of format {reader}, and this program reads up to format {}", text::FORMAT)]
    TooNew {
        /// The oldest format that will do.
        reader: u32,
    },
    /// The last line is missing, or its sum is another one.
    #[error("the snapshot is cut off or damaged")]
    Damaged,
    /// Neither a section nor `key=value`.
    #[error("line {line} of the snapshot is no key with a value")]
    BadLine {
        /// Counted from 1.
        line: usize,
    },
    /// A key is missing, or its value cannot be.
    #[error("the section [{section}] in line {line} of the snapshot has no valid \"{key}\"")]
    BadField {
        /// Where the section begins, counted from 1.
        line: usize,
        /// The section.
        section: String,
        /// The key.
        key: String,
    },
    /// A section is missing.
    #[error("the snapshot has no section [{what}]")]
    Missing {
        /// The section.
        what: &'static str,
    },
    /// Its parts contradict each other.
    #[error("the snapshot contradicts itself: {what}")]
    Contradiction {
        /// In what.
        what: &'static str,
    },
}

/// Refuses what contradicts itself.
fn ensure(is_so: bool, what: &'static str) -> Result<(), SnapshotError> {
    if is_so { Ok(()) } else { Err(SnapshotError::Contradiction { what }) }
}

const MOODS: [Mood; 3] = [Mood::Shutdown, Mood::Restarting, Mood::Running];

impl Core {
    /// Everything that the core knows, as seen at `now`. Take it between two turns, when the outbox is empty.
    pub fn snapshot(&self, now: Mono) -> String {
        let mut to = Writer::new(now);
        self.write_snapshot(&mut to);
        to.seal()
    }

    /// Writes the core's sections.
    pub fn write_snapshot(&self, to: &mut Writer) {
        // No `..`: what is new must be written too, or follow from what is written.
        let Core { table, generations, groups, pids: _, due: _, scheduled: _, pending, pools, shutdown, updates } =
            self;
        to.section("core");
        to.put("mood", &[&shutdown.mood.name()]);
        to.put("stopping", &[&shutdown.begun, &shutdown.halted]);
        to.put_some("next_report", shutdown.next_report.map(|due| to.time(due)).as_ref().map(|due| due as _));
        generations.iter().for_each(|generation| to.put("generation", &[generation]));
        table.iter().flatten().for_each(|process| process.write_snapshot(to));
        for Group { name, priority, kind, members, is_scaled } in &groups.active {
            to.section("group");
            to.put("name", &[name]);
            to.put("priority", &[priority]);
            to.put_some("scaled", is_scaled.then_some(is_scaled as _));
            settings::write_kind(kind, to);
            members.iter().for_each(|id| to.put("member", &[id]));
        }
        pools.write_snapshot(to);
        pending.iter().for_each(|pending| pending.write_snapshot(to));
        updates.iter().for_each(|update| update.write_snapshot(to));
        settings::write_groups(settings::TARGETS, updates.iter().map(|update| &update.target), to);
        settings::write_groups(settings::CONFIGURED, &groups.configured, to);
    }

    /// The core of a snapshot, going on at `now`.
    ///
    /// # Errors
    /// The snapshot is none, too new, damaged, or contradicts itself.
    pub fn restore(text: &str, now: Mono) -> Result<Core, SnapshotError> {
        Core::read_snapshot(&Document::read(text, now)?)
    }

    /// The core of a snapshot that has more sections than the core's.
    ///
    /// # Errors
    /// As [`Core::restore`].
    pub fn read_snapshot(document: &Document<'_>) -> Result<Core, SnapshotError> {
        let mut core = Core::default();
        core.read_head(document.one("core")?)?;
        for from in document.named("process") {
            let process = Process::read_snapshot(from)?;
            core.take_process(process)?;
        }
        for from in document.named("group") {
            let members: Vec<(ProcId,)> = from.rows("member")?;
            let group = Group {
                name: one(from, "name")?,
                priority: from.get::<(_,)>("priority")?.0,
                kind: settings::read_kind(from)?,
                members: members.into_iter().map(|(id,)| id).collect(),
                is_scaled: from.maybe::<(_,)>("scaled")?.is_some_and(|(is_scaled,)| is_scaled),
            };
            core.take_group(group)?;
        }
        let members = core.groups.active.iter().map(|group| group.members.len()).sum::<usize>();
        ensure(members == core.processes().count(), "a process is in no group")?;
        core.read_pools(document)?;
        for from in document.named("pending") {
            let pending = core.read_pending(from)?;
            core.pending.push(pending);
        }
        core.read_updates(document)?;
        core.groups.configured = settings::read_groups(settings::CONFIGURED, document.sections())?;
        Ok(core)
    }

    fn read_head(&mut self, from: &Section<'_>) -> Result<(), SnapshotError> {
        let mood = one(from, "mood")?;
        let mood = MOODS.into_iter().find(|known| known.name() == mood).ok_or_else(|| from.bad("mood"))?;
        let (begun, halted) = from.get("stopping")?;
        let next_report = from.maybe::<(_,)>("next_report")?.map(|(due,)| from.time(due));
        self.shutdown = super::shutdown::Shutdown { mood, begun, halted, next_report, remaining: Vec::new() };
        self.generations = from.rows::<(_,)>("generation")?.into_iter().map(|(generation,)| generation).collect();
        self.table.resize_with(self.generations.len(), || None);
        self.scheduled.resize(self.generations.len(), None);
        Ok(())
    }

    fn take_process(&mut self, process: Process) -> Result<(), SnapshotError> {
        let (id, slot) = (process.id, process.id.slot as usize);
        ensure(self.generations.get(slot) == Some(&id.generation), "a process has no slot")?;
        ensure(self.table[slot].is_none(), "two processes in one slot")?;
        let lingers = process.rest.is_some();
        ensure(!lingers || process.state == State::Stopping, "something is left of a process that has not ended")?;
        let runs = matches!(process.state, State::Starting | State::Running | State::Stopping) && !lingers;
        ensure(runs == (process.pid > 0) && process.pid >= 0, "a pid without a process, or a process without one")?;
        if runs {
            match self.pids.binary_search_by_key(&process.pid, |(pid, _)| *pid) {
                Ok(_) => ensure(false, "two processes with one pid")?,
                Err(index) => self.pids.insert(index, (process.pid, id)),
            }
        }
        let deadline = process.deadline;
        self.table[slot] = Some(process);
        self.schedule(id, deadline);
        Ok(())
    }

    fn take_group(&mut self, group: Group) -> Result<(), SnapshotError> {
        ensure(self.groups.active.iter().all(|known| known.name != group.name), "two groups of one name")?;
        let mut seen = BTreeSet::new();
        for id in &group.members {
            let is_its = self.process(*id).is_some_and(|process| process.group == group.name);
            ensure(is_its && seen.insert(*id), "a group has a member that is not its")?;
        }
        self.groups.active.push(group);
        Ok(())
    }
}
