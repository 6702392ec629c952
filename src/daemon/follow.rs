//! A log streamed as it grows: the last kilobyte first, then every new byte, through rotation and truncation
//! (`Supervisor: http.py tail_f_producer`, which looks ten times a second; here the writer rings a bell).
//!
//! Everybody who follows one log shares a [`Feed`]: the open files from where the slowest of them reads to the newest. The
//! writer adds a file whenever it begins one, so no rotation is missed, however far behind a client is; and what one has
//! read the others do not read again.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use bytes::Bytes;
use tokio::sync::Notify;

use crate::core::Channel;
use crate::sys::exec_self::{ObjectId, object_of_file};

/// How much of what is there already is sent first.
const HEAD_BYTES: u64 = 1024;

/// Most bytes of one chunk.
const CHUNK_BYTES_MAX: usize = 32 * 1024;

/// Most files of one log that are kept open for those who are behind. Who is further behind is told how much was skipped.
pub const FILES_MAX: usize = 32;

/// What is said when the file has shrunk.
const TRUNCATED: &str = "==> File truncated <==\n";

/// One log as all its followers see it.
#[derive(Debug)]
pub struct Feed {
    path: PathBuf,
    grown: Notify,
    files: RefCell<Files>,
}

/// How far one who follows is, for another image of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The process as the client named it; `None` is the activity log.
    pub name: Option<String>,
    /// Its output.
    pub channel: Channel,
    /// The file that is being read.
    pub file: ObjectId,
    /// Up to where it was sent.
    pub position_bytes: u64,
}

/// The same, kept up to date.
#[derive(Debug)]
pub struct Place {
    name: Option<String>,
    channel: Channel,
    at: Cell<(ObjectId, u64)>,
}

impl Place {
    /// How far it is now.
    pub fn reading(&self) -> Reading {
        let (file, position_bytes) = self.at.get();
        Reading { name: self.name.clone(), channel: self.channel, file, position_bytes }
    }
}

/// The files that somebody still reads, oldest first; the last is the one that grows.
#[derive(Debug, Default)]
struct Files {
    open: VecDeque<Part>,
    /// Number of the first of them; they are counted from 0.
    first: u64,
}

/// One file of the log.
#[derive(Debug)]
struct Part {
    file: File,
    identity: ObjectId,
    /// Bytes of all files before it.
    base_bytes: u64,
    readers: usize,
    /// What was read last, and from where.
    chunk: (u64, Bytes),
}

impl Feed {
    /// Of the log at `path`; nobody follows it yet.
    pub fn new(path: PathBuf) -> Self {
        Feed { path, grown: Notify::new(), files: RefCell::default() }
    }

    /// The writer has written, and begun `begun` files since it last said so.
    pub fn ring(&self, begun: u64) {
        if begun > 0 && self.is_followed() {
            // All but the newest have been renamed since.
            for index in (1..begun.min(FILES_MAX as u64)).rev() {
                self.add(&numbered(&self.path, index));
            }
            self.add(&self.path);
        }
        self.grown.notify_waiters();
    }

    /// Begins to follow it near its end, for a client who called it so.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is not a regular file.
    pub fn follow(self: &Rc<Self>, name: Option<&str>, channel: Channel) -> io::Result<Follower> {
        if !self.is_followed() {
            *self.files.borrow_mut() = Files { open: [Part::open(&self.path, 0)?].into(), first: 0 };
        }
        let mut files = self.files.borrow_mut();
        let number = files.first + files.open.len() as u64 - 1;
        let part = files.open.back_mut().ok_or(io::ErrorKind::NotFound)?;
        part.readers += 1;
        let position_bytes = part.len()?.saturating_sub(HEAD_BYTES);
        let at = Cell::new((part.identity, position_bytes));
        let place = Rc::new(Place { name: name.map(str::to_owned), channel, at });
        Ok(Follower { feed: Rc::clone(self), number, base_bytes: part.base_bytes, position_bytes, place })
    }

    /// Goes on where another image of the daemon was. A file that is gone by now counts as read; what comes after it is not
    /// missed.
    ///
    /// # Errors
    /// As [`Feed::follow`].
    pub fn follow_from(self: &Rc<Self>, reading: &Reading) -> io::Result<Follower> {
        if !self.is_followed() {
            *self.files.borrow_mut() = Files { open: [Part::open(&self.path, 0)?].into(), first: FILES_MAX as u64 };
        }
        let mut files = self.files.borrow_mut();
        files.open_back_to(reading.file, &self.path);
        let found = files.open.iter().position(|part| part.identity == reading.file);
        let index = found.unwrap_or(0);
        let number = files.first + index as u64;
        let position_bytes = if found.is_some() { reading.position_bytes } else { 0 };
        let part = files.open.get_mut(index).ok_or(io::ErrorKind::NotFound)?;
        part.readers += 1;
        let at = Cell::new((part.identity, position_bytes));
        let place = Rc::new(Place { name: reading.name.clone(), channel: reading.channel, at });
        Ok(Follower { feed: Rc::clone(self), number, base_bytes: part.base_bytes, position_bytes, place })
    }

    /// Whether anybody follows it.
    pub fn is_followed(&self) -> bool {
        self.files.borrow().open.iter().any(|part| part.readers > 0)
    }

    fn add(&self, path: &Path) {
        let mut files = self.files.borrow_mut();
        let Some(newest) = files.open.back() else { return };
        let base_bytes = newest.base_bytes + newest.len().unwrap_or(0);
        // A file that cannot be opened is missed; the next one is tried again.
        let Ok(part) = Part::open(path, base_bytes) else { return };
        if files.open.iter().any(|known| known.identity == part.identity) {
            return;
        }
        files.open.push_back(part);
        if files.open.len() > FILES_MAX {
            files.open.pop_front();
            files.first += 1;
        }
    }
}

impl Files {
    /// Opens older files until one is `wanted`, or there is none.
    fn open_back_to(&mut self, wanted: ObjectId, path: &Path) {
        let mut older = VecDeque::new();
        let is_open = self.open.iter().any(|part| part.identity == wanted);
        let oldest = self.open.len() as u64;
        for index in oldest..FILES_MAX as u64 {
            if is_open {
                return;
            }
            let Ok(part) = Part::open(&numbered(path, index), 0) else { return };
            let is_wanted = part.identity == wanted;
            older.push_front(part);
            if is_wanted {
                break;
            }
        }
        if older.front().is_some_and(|part| part.identity == wanted) {
            self.first = self.first.saturating_sub(older.len() as u64);
            older.append(&mut self.open);
            self.open = older;
        }
    }

    fn part(&mut self, number: u64) -> Option<&mut Part> {
        self.open.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Counts a reader out, and closes what nobody will read any more.
    fn leave(&mut self, number: u64) {
        if let Some(part) = self.part(number) {
            part.readers -= 1;
        }
        while self.open.len() > 1 && self.open.front().is_some_and(|part| part.readers == 0) {
            self.open.pop_front();
            self.first += 1;
        }
        // Without any reader it is not kept open at all.
        if self.open.iter().all(|part| part.readers == 0) {
            self.open.clear();
        }
    }
}

impl Part {
    /// Opens a regular file only, and without waiting: a named pipe would hold the whole daemon until somebody writes to it.
    fn open(path: &Path, base_bytes: u64) -> io::Result<Self> {
        let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let identity = object_of_file(&metadata);
        Ok(Part { file, identity, base_bytes, readers: 0, chunk: (0, Bytes::new()) })
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Bytes from `position` on, at most [`CHUNK_BYTES_MAX`]; none at the end.
    fn read(&mut self, position: u64) -> io::Result<Bytes> {
        let (start, chunk) = &self.chunk;
        if let Some(skip) = position.checked_sub(*start)
            && let Ok(skip) = usize::try_from(skip)
            && skip < chunk.len()
        {
            return Ok(chunk.slice(skip..));
        }
        let mut buffer = [0; CHUNK_BYTES_MAX];
        let count = self.file.read_at(&mut buffer, position)?;
        let chunk = Bytes::copy_from_slice(&buffer[..count]);
        self.chunk = (position, chunk.clone());
        Ok(chunk)
    }
}

/// One who follows.
pub struct Follower {
    feed: Rc<Feed>,
    /// Which file it reads.
    number: u64,
    base_bytes: u64,
    position_bytes: u64,
    place: Rc<Place>,
}

impl Follower {
    /// How far it is, also while it waits.
    pub fn place(&self) -> Rc<Place> {
        Rc::clone(&self.place)
    }

    /// When the log was last written to.
    pub fn modified(&self) -> Option<SystemTime> {
        self.feed.files.borrow_mut().part(self.number)?.file.metadata().and_then(|metadata| metadata.modified()).ok()
    }

    /// Which file it reads: device and inode.
    pub fn file_name(&self) -> String {
        let mut files = self.feed.files.borrow_mut();
        files
            .part(self.number)
            .map_or_else(String::new, |part| format!("{:x}-{:x}", part.identity.device, part.identity.inode))
    }

    /// Where in it.
    pub fn position_bytes(&self) -> u64 {
        self.position_bytes
    }

    /// Goes on from somewhere else in the same file.
    pub fn seek(&mut self, position_bytes: u64) {
        self.position_bytes = position_bytes;
    }

    /// The next bytes, as soon as there are any. Only ever ends with an error.
    pub async fn next(&mut self) -> io::Result<Bytes> {
        let feed = Rc::clone(&self.feed);
        loop {
            // Listening starts before looking: a write in between is not missed.
            let mut grown = std::pin::pin!(feed.grown.notified());
            grown.as_mut().enable();
            if let Some(bytes) = self.read()? {
                self.note_place();
                return Ok(bytes);
            }
            grown.await;
        }
    }

    fn note_place(&self) {
        let identity = self.feed.files.borrow_mut().part(self.number).map(|part| part.identity);
        if let Some(identity) = identity {
            self.place.at.set((identity, self.position_bytes));
        }
    }

    /// What there is to send now.
    fn read(&mut self) -> io::Result<Option<Bytes>> {
        let feed = Rc::clone(&self.feed);
        let mut files = feed.files.borrow_mut();
        if self.number < files.first {
            return Ok(Some(self.skip(&mut files)));
        }
        loop {
            let Some(part) = files.part(self.number) else { return Ok(None) };
            if part.len()? < self.position_bytes {
                (self.position_bytes, part.chunk) = (0, (0, Bytes::new()));
                return Ok(Some(Bytes::from_static(TRUNCATED.as_bytes())));
            }
            let bytes = part.read(self.position_bytes)?;
            if !bytes.is_empty() {
                self.position_bytes += bytes.len() as u64;
                return Ok(Some(bytes));
            }
            // The old file is read to its end before the one that took its name: rotation loses nothing.
            if !self.move_to(self.number + 1, &mut files) {
                return Ok(None);
            }
        }
    }

    /// Goes on with the oldest file that is still open, and says how much that leaves out.
    fn skip(&mut self, files: &mut Files) -> Bytes {
        let stopped_at = self.base_bytes + self.position_bytes;
        self.move_to(files.first, files);
        format!("==> {} bytes skipped <==\n", self.base_bytes.saturating_sub(stopped_at)).into()
    }

    fn move_to(&mut self, number: u64, files: &mut Files) -> bool {
        let Some(part) = files.part(number) else { return false };
        part.readers += 1;
        let base_bytes = part.base_bytes;
        files.leave(self.number);
        (self.number, self.base_bytes, self.position_bytes) = (number, base_bytes, 0);
        true
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.feed.files.borrow_mut().leave(self.number);
    }
}

/// `path.1` and so on, as rotation names them.
fn numbered(path: &Path, index: u64) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{index}"));
    name.into()
}
