//! What a daemon that was killed has left.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use super::record::{in_flight_path, path};
use crate::core::snapshot::SnapshotError;
use crate::core::snapshot::text::{Document, Section};
use crate::core::{Core, Mono, Pid, ProcId};
use crate::daemon::handover::resume::Head;
use crate::daemon::takeover::Predecessor;
use crate::sys::exec_self::ObjectId;
use crate::sys::in_flight;
use crate::sys::proc;
use crate::sys::tree::{self, Member};

/// How often it is looked whether programs have ended, and how often at most: ten seconds, the usual `stopwaitsecs`.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS_MAX: u32 = 500;

/// The record of a daemon that ended without shutting down, and the bytes that were on their way into a log.
#[derive(Debug)]
pub struct Left {
    /// The record as text.
    pub text: String,
    /// What was on its way.
    pub in_flight: Option<in_flight::Record>,
}

impl Left {
    /// A supervisord of another make that is still there, halted, and left this for us.
    pub fn predecessor(&self) -> Option<Predecessor> {
        // A record that cannot be read is told by whoever tries in earnest.
        Predecessor::of(&self.text).ok().flatten()
    }
}

/// Looks for what the last daemon with this pidfile has left, in this boot of the machine. Ask with its lock in hand: then it
/// runs no more.
pub fn look(pidfile: &Path) -> Option<Left> {
    let text = std::fs::read_to_string(path(pidfile)).ok()?;
    let head = Document::read_with_records(&text, Mono(0)).and_then(|(document, _)| Head::read(&document));
    // What cannot be read is told by whoever tries in earnest; a machine that has booted since has none of those processes.
    let is_of_this_boot = head.map_or(true, |head| head.boot.is_none() || head.boot == proc::boot_id().ok());
    is_of_this_boot.then(|| Left { text, in_flight: in_flight::left_behind(&in_flight_path(pidfile)) })
}

/// Ends the programs of a daemon that ended without stopping them and that nobody will come after: asks first, and forces after
/// a while. Forgets them then.
pub fn end_programs(pidfile: &Path) {
    let Ok(text) = std::fs::read_to_string(path(pidfile)) else { return };
    let Ok((document, records)) = Document::read_with_records(&text, Mono(0)) else { return };
    let (mut pids, mut births) = (HashMap::new(), HashMap::new());
    for from in document.sections().chain(records.iter().flatten()) {
        let Ok((id,)) = from.get::<(ProcId,)>("id") else { continue };
        match from.name {
            "process" | "change" => drop(from.get::<(Pid,)>("pid").map(|(pid,)| pids.insert(id, pid))),
            "program" => {
                drop(from.maybe::<(Option<u64>,)>("born").map(|born| births.insert(id, born.and_then(|(born,)| born))))
            }
            _ => {}
        }
    }
    // One that has ended meanwhile has another start time, or none.
    let member =
        |(id, pid): (&ProcId, &Pid)| Some(Member { pid: *pid, start_ticks: births.get(id).copied().flatten()? });
    let members: Vec<Member> = pids.iter().filter_map(member).filter(|member| member.pid > 1).collect();
    members.iter().for_each(|member| tree::signal(*member, libc::SIGTERM));
    for _ in 0..LOOKS_MAX {
        if members.iter().all(|member| tree::member(member.pid) != Some(*member)) {
            break;
        }
        std::thread::sleep(LOOK);
    }
    members.iter().for_each(|member| tree::signal(*member, libc::SIGKILL));
    let _ = std::fs::remove_file(path(pidfile));
}

/// A start of which nobody knows how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The process that was to be started.
    pub id: ProcId,
    /// What was to be its standard output.
    pub stdout: ObjectId,
}

/// The record put together: the document with the newest of every process, and the core that goes with it.
pub struct Whole<'a> {
    /// What the daemon said of itself.
    pub head: Head,
    /// What it held.
    pub document: Document<'a>,
    /// What it had decided.
    pub core: Core,
    /// Starts that it had begun.
    pub intents: Vec<Intent>,
}

impl Whole<'_> {
    /// Puts it together.
    ///
    /// # Errors
    /// The record is none, too new, damaged, or contradicts itself.
    pub fn read(text: &str) -> Result<Whole<'_>, SnapshotError> {
        let (mut document, mut records) = Document::read_with_records(text, Mono(0))?;
        let mut head = Head::read(&document)?;
        document.see_from(head.clock);
        records.iter_mut().flatten().for_each(|section| section.see_from(head.clock));
        let mut core = Core::read_snapshot(&document)?;
        let mut intents: Vec<Intent> = Vec::new();
        let mut newest: Vec<(ProcId, Vec<Section<'_>>)> = Vec::new();
        for record in records {
            let Some(first) = record.first() else { continue };
            if first.name == "breakdown" {
                head.breakdowns.push(Mono(first.get::<(u64,)>("clock")?.0));
                continue;
            }
            let (id,): (ProcId,) = first.get("id")?;
            if first.name == "intent" {
                let (device, inode) = first.get("stdout")?;
                intents.push(Intent { id, stdout: ObjectId { device, inode } });
                continue;
            }
            core.take_change(first)?;
            intents.retain(|intent| intent.id != id);
            match newest.binary_search_by_key(&id, |(id, _)| *id) {
                Ok(index) => newest[index].1 = record,
                Err(index) => newest.insert(index, (id, record)),
            }
        }
        let is_newer = |id: ProcId| newest.binary_search_by_key(&id, |(id, _)| *id).is_ok();
        document.retain(|section| match section.name {
            "program" => section.get::<(ProcId,)>("id").is_ok_and(|(id,)| !is_newer(id)),
            "output" => section.get::<(ProcId,)>("of").is_ok_and(|(id,)| !is_newer(id)),
            _ => true,
        });
        newest.into_iter().for_each(|(_, record)| document.extend(record));
        Ok(Whole { head, document, core, intents })
    }
}
