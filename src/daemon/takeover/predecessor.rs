//! The daemon whose place we take: it stands still, and ends when we have what it held.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use crate::core::snapshot::SnapshotError;
use crate::core::snapshot::text::Document;
use crate::core::{Mono, Pid};
use crate::daemon::handover::Seat;
use crate::daemon::programs::park::park;
use crate::daemon::recovery::{self, Whole};
use crate::sys::cgroup::programs::ProgramGroup;
use crate::sys::exec_self::ObjectId;
use crate::sys::fd_store::FdStore;
use crate::sys::proc;
use crate::sys::tree::{self, Member};

/// The section of a record that names it.
pub(super) const SECTION: &str = "predecessor";

/// How often its end is looked at, and how often at most.
const LOOK: Duration = Duration::from_millis(5);
const LOOKS_MAX: u32 = 2000;

/// It, as long as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Predecessor {
    known: Member,
}

impl Predecessor {
    /// The one that a record speaks of, unless it has ended.
    ///
    /// # Errors
    /// The record is none that we could go on from.
    pub fn of(record: &str) -> Result<Option<Self>, SnapshotError> {
        let (document, _) = Document::read_with_records(record, Mono(0))?;
        let Some(from) = document.named(SECTION).next() else { return Ok(None) };
        let (pid, start_ticks): (Pid, u64) = from.get("process")?;
        // Better refused while it could still go on.
        Whole::read(record)?;
        let known = Member { pid, start_ticks };
        Ok((tree::member(pid) == Some(known)).then_some(Predecessor { known }))
    }

    /// Opens what it holds for its programs, has it kept for the case that we are killed, and moves the programs to where the
    /// service manager counts them to us.
    ///
    /// # Errors
    /// A pipe cannot be had: then it had better go on.
    pub fn inherit(self, record: &str) -> io::Result<HashMap<ObjectId, OwnedFd>> {
        let (document, _) = Document::read_with_records(record, Mono(0)).map_err(io::Error::other)?;
        let (mut had, store) = (HashMap::new(), FdStore::open());
        for Seat { number, object } in Seat::all(&document) {
            match proc::open_pipe(self.known.pid, number, object) {
                Ok(pipe) => {
                    store.iter().for_each(|store| park(store, pipe.as_fd()));
                    had.insert(object, pipe);
                }
                // Nobody is at the other end of a standard input: its program has ended since.
                Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {}
                Err(error) => return Err(error),
            }
        }
        let group = ProgramGroup::find();
        tree::descendants_of(self.known.pid).iter().for_each(|member| group.take_in(member.pid));
        Ok(had)
    }

    /// Ends it, without a chance to stop anything, and removes its pidfile. Its children become those of init.
    pub fn end(self, pidfile: &Path) {
        tree::signal(self.known, libc::SIGKILL);
        for _ in 0..LOOKS_MAX {
            if tree::member(self.known.pid) != Some(self.known) {
                break;
            }
            std::thread::sleep(LOOK);
        }
        // Else it would be told as one that somebody left behind. Where it cannot be removed, it is written in place.
        let _ = std::fs::remove_file(pidfile);
    }
}

/// What became of a daemon that was to be let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetGo {
    /// It had been halted, and goes on.
    GoesOn,
    /// It was not halted.
    NeverHalted,
    /// It has ended.
    Ended,
}

/// Has a halted daemon go on, and forgets the record of it.
pub fn let_go(pid: Pid, start_ticks: u64, pidfile: &Path) -> LetGo {
    let known = Member { pid, start_ticks };
    if tree::member(pid) != Some(known) {
        return LetGo::Ended;
    }
    let was_halted = tree::is_stopped(pid);
    let path = recovery::record_path(pidfile);
    let section = format!("\n[{SECTION}]\n");
    if std::fs::read_to_string(&path).is_ok_and(|text| text.contains(&section)) {
        // Our daemon would take its programs from it otherwise.
        let _ = std::fs::remove_file(path);
    }
    tree::signal(known, libc::SIGCONT);
    if was_halted { LetGo::GoesOn } else { LetGo::NeverHalted }
}
