//! The record: beside the pidfile, readable for its owner only. Never a whole document for a single change: what changes is
//! appended, one write for a turn, and torn ends are noticed by their sums. Room for what will be appended, and for the next
//! document, is reserved beforehand, so that a disk that fills up later takes nothing from it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{FallocateFlags, fallocate};

use crate::config::Level;
use crate::core::snapshot::SnapshotError;
use crate::core::snapshot::text::{FORMAT, Section, Writer};
use crate::core::{Core, Mono, Mood, ProcId};
use crate::daemon::handover::{Kept, Purpose, compose};
use crate::daemon::programs::Programs;
use crate::daemon::run::Daemon;
use crate::sys::exec_self::ObjectId;

/// Least bytes behind a document before it is written anew; a larger one is when as much stands behind it.
const BEHIND_BYTES_MIN: u64 = 64 * 1024;

/// Keeps what another daemon would go on from.
#[derive(Debug, Default)]
pub struct Record {
    /// `None` when none is kept.
    path: Option<PathBuf>,
    /// Goes with it.
    in_flight: Option<PathBuf>,
    file: Option<File>,
    /// Empty, with room for the next document.
    spare: Option<File>,
    /// When the document was written: the changes behind it count from there.
    clock: Mono,
    document_bytes: u64,
    behind_bytes: u64,
    changed: Vec<ProcId>,
    is_stale: bool,
    has_failed: bool,
    mood: Option<Mood>,
}

/// How far a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    clock: Mono,
    document_bytes: u64,
    behind_bytes: u64,
}

impl Extent {
    const KEY: &str = "record";

    /// Writes it.
    pub fn write(self, to: &mut Writer) {
        to.put(Self::KEY, &[&FORMAT, &self.clock.0, &self.document_bytes, &self.behind_bytes]);
    }

    /// Reads one whose record is of the format that is written here.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(from: &Section<'_>) -> Result<Option<Self>, SnapshotError> {
        let row: Option<(u32, u64, u64, u64)> = from.maybe(Self::KEY)?;
        let of_ours = row.filter(|(format, ..)| *format == FORMAT);
        Ok(of_ours.map(|(_, clock, document_bytes, behind_bytes)| Extent {
            clock: Mono(clock),
            document_bytes,
            behind_bytes,
        }))
    }
}

/// Ends the name of the file that the next document is written to.
const SPARE: &str = ".new";

/// Where the record of the daemon with this pidfile is.
pub fn path(pidfile: &Path) -> PathBuf {
    beside(pidfile, ".state")
}

/// Where the bytes on their way into a log are.
pub fn in_flight_path(pidfile: &Path) -> PathBuf {
    beside(pidfile, ".inflight")
}

fn beside(pidfile: &Path, ending: &str) -> PathBuf {
    let mut path = pidfile.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

impl Record {
    /// One that is kept beside the pidfile.
    pub fn beside(pidfile: &Path) -> Self {
        let in_flight = Some(in_flight_path(pidfile));
        Record { path: Some(path(pidfile)), in_flight, is_stale: true, ..Record::default() }
    }

    /// How far it is, for an image that goes on with it; `None` when it must be written anew.
    pub fn extent(&self) -> Option<Extent> {
        let is_whole = self.file.is_some() && !self.is_stale && !self.has_failed && self.changed.is_empty();
        let Record { clock, document_bytes, behind_bytes, .. } = *self;
        is_whole.then_some(Extent { clock, document_bytes, behind_bytes })
    }

    /// Goes on with the one that another image of a running daemon has kept, instead of writing all anew while nobody is served.
    pub fn go_on(&mut self, extent: Extent) {
        let Some(path) = &self.path else { return };
        let append = |path: &Path| File::options().append(true).open(path);
        let Extent { clock, document_bytes, behind_bytes } = extent;
        let is_it = |file: &File| file.metadata().is_ok_and(|found| found.len() == document_bytes + behind_bytes);
        if let Some(file) = append(path).ok().filter(is_it) {
            self.spare = append(&beside(path, SPARE)).ok();
            (self.file, self.is_stale, self.mood) = (Some(file), false, Some(Mood::Running));
            (self.clock, self.document_bytes, self.behind_bytes) = (clock, document_bytes, behind_bytes);
        }
    }

    /// This process has changed.
    pub fn note(&mut self, id: ProcId) {
        if self.path.is_some() {
            self.changed.push(id);
        }
    }

    /// More than the state of single processes has changed.
    pub fn note_whole(&mut self) {
        self.is_stale = true;
    }

    /// A process is about to be started, with this as its standard output: should we end before its pid is written, it is
    /// found by that.
    pub fn intend(&mut self, id: ProcId, stdout: ObjectId) {
        if self.file.is_none() {
            return;
        }
        let mut to = Writer::behind(self.clock);
        to.section("intent");
        to.put("id", &[&id]);
        to.put("stdout", &[&stdout.device, &stdout.inode]);
        self.append(&to.seal_record());
    }

    /// Nothing is left that another daemon would have to take back.
    pub fn remove(&mut self) {
        // What cannot be removed now is found out by its pids later.
        let spare = self.path.as_deref().map(|path| beside(path, SPARE));
        for path in self.path.take().into_iter().chain(spare).chain(self.in_flight.take()) {
            let _ = std::fs::remove_file(path);
        }
        (self.file, self.spare) = (None, None);
    }

    /// All of it, for an image that goes on from it; a turn that broke down is noted in it.
    ///
    /// # Errors
    /// None is kept, or it cannot be read.
    pub fn read_after_breakdown(&mut self, now: Mono) -> io::Result<String> {
        let path = self.path.clone().ok_or_else(|| io::Error::other("no record is kept"))?;
        let mut to = Writer::behind(self.clock);
        to.section("breakdown");
        to.put("clock", &[&now.0]);
        self.append(&to.seal_record());
        std::fs::read_to_string(path)
    }

    fn append(&mut self, text: &str) {
        let Some(file) = &mut self.file else { return };
        match file.write_all(text.as_bytes()) {
            Ok(()) => self.behind_bytes += text.len() as u64,
            // A torn end makes what would come after it useless: the next turn writes all anew.
            Err(_) => (self.file, self.is_stale) = (None, true),
        }
    }

    fn append_changes(&mut self, core: &Core, programs: &Programs) {
        let mut to = Writer::behind(self.clock);
        self.changed.sort_unstable();
        self.changed.dedup();
        let mut text = String::new();
        for id in std::mem::take(&mut self.changed) {
            core.write_change(id, &mut to);
            programs.write_one(id, &mut to, &mut Kept::default());
            text.push_str(&to.seal_record());
        }
        self.append(&text);
    }

    fn replace(&mut self, path: &Path, text: &str) -> io::Result<()> {
        let new = beside(path, SPARE);
        let room = text.len() as u64 + BEHIND_BYTES_MIN.max(text.len() as u64);
        let mut file = self.spare.take().map_or_else(|| make(&new, room), Ok)?;
        file.write_all(text.as_bytes()).and_then(|()| std::fs::rename(&new, path)).inspect_err(|_| {
            let _ = std::fs::remove_file(&new);
        })?;
        (self.file, self.document_bytes, self.behind_bytes) = (Some(file), text.len() as u64, 0);
        self.spare = make(&new, room).ok();
        Ok(())
    }
}

/// A new file with room for so many bytes, as far as the disk has it and the filesystem can reserve it.
fn make(path: &Path, room_bytes: u64) -> io::Result<File> {
    let _ = std::fs::remove_file(path);
    let file = File::options().append(true).create_new(true).mode(0o600).open(path)?;
    let _ = fallocate(&file, FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, room_bytes.cast_signed());
    Ok(file)
}

impl Daemon<'_> {
    /// Writes down what the turn has changed, before anybody can rely on it.
    pub fn keep_record(&mut self) {
        let mood = self.core.mood();
        let record = &mut self.shell.record;
        let Some(path) = record.path.clone() else { return };
        let is_stale = record.is_stale
            || record.file.is_none()
            || record.mood != Some(mood)
            || record.behind_bytes > record.document_bytes.max(BEHIND_BYTES_MIN);
        if !is_stale {
            if !record.changed.is_empty() {
                record.append_changes(&self.core, &self.shell.programs);
            }
            return;
        }
        if record.has_failed && !record.is_stale && record.changed.is_empty() {
            return;
        }
        let now = self.now().mono;
        let (text, _) = compose(self, now, Purpose::Crash);
        let record = &mut self.shell.record;
        (record.clock, record.mood, record.is_stale) = (now, Some(mood), false);
        record.changed.clear();
        let outcome = record.replace(&path, &text);
        let had_failed = std::mem::replace(&mut record.has_failed, outcome.is_err());
        if let (Err(error), false) = (outcome, had_failed) {
            let shown = path.display();
            let text = format!(
                "cannot keep the record {shown}: {error}; should supervisord be killed, the next one cannot take its programs back"
            );
            self.shell.log(Level::Warn, &text);
        }
    }
}
