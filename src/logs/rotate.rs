//! A log file that is renamed away when it is full.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::sys::exec_self::{ObjectId, object_of_file};

/// When a log file is full, and how many full ones are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Size in bytes at which the file is full; 0 never.
    pub bytes_max: u64,
    /// Full files kept as `.1`, the newest, to `.<backups>`; 0 empties the file instead.
    pub backups: u32,
}

impl Rotation {
    /// From `*_maxbytes` and `*_backups`; what is negative counts as 0.
    pub fn new(maxbytes: i64, backups: i64) -> Self {
        Self {
            bytes_max: u64::try_from(maxbytes).unwrap_or(0),
            backups: u32::try_from(backups.max(0)).unwrap_or(u32::MAX),
        }
    }
}

/// A file that records are appended to, and that is rolled after the record that fills it: a record is never split
/// (`Supervisor: loggers.py RotatingFileHandler`).
///
/// A rolled file keeps its mode and owner. What is not a regular file (a terminal, a pipe) is never rolled nor emptied. No error
/// makes it unusable: the next write tries again.
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    file: File,
    object: ObjectId,
    rotation: Rotation,
    regular: bool,
    position_bytes: u64,
    roll_at_bytes: u64,
    lost_bytes: u64,
    begun_files: u64,
}

impl RotatingFile {
    /// Opens `path` to append, and makes it if it is not there. What it holds already counts towards its size.
    ///
    /// # Errors
    /// It cannot be opened; ENXIO for a named pipe that nobody reads.
    pub fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        let file = open_to_append(path)?;
        let metadata = file.metadata()?;
        Ok(Self {
            path: path.to_owned(),
            file,
            object: object_of_file(&metadata),
            rotation,
            regular: is_log_file(path, &metadata),
            position_bytes: metadata.len(),
            roll_at_bytes: rotation.bytes_max,
            lost_bytes: 0,
            begun_files: 0,
        })
    }

    /// Goes on with a file that an earlier image of the daemon had open as `path`.
    ///
    /// # Errors
    /// Its size cannot be told.
    pub fn resume(path: &Path, file: File, rotation: Rotation) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            path: path.to_owned(),
            object: object_of_file(&metadata),
            regular: is_log_file(path, &metadata),
            position_bytes: metadata.len(),
            file,
            rotation,
            roll_at_bytes: rotation.bytes_max,
            lost_bytes: 0,
            begun_files: 0,
        })
    }

    /// Appends one record, then rolls the file if it is full.
    ///
    /// # Errors
    /// The record, or a part of it, is lost (a full disk, a directory that is gone) and counted in
    /// [`RotatingFile::lost_bytes`], or the file could not be rolled. The next write tries again.
    pub fn write(&mut self, record: &[u8]) -> io::Result<()> {
        if let Err(error) = self.make_again_if_deleted() {
            self.lost_bytes += record.len() as u64;
            return Err(error);
        }
        self.append(record)?;
        if self.is_full() { self.roll() } else { Ok(()) }
    }

    /// From now on it is full at another size, or fewer or more full ones are kept. The next write looks at the size.
    pub fn set_rotation(&mut self, rotation: Rotation) {
        self.rotation = rotation;
        self.roll_at_bytes = rotation.bytes_max;
    }

    /// Closes the file and opens what its path names now: for an outside program that has renamed it.
    ///
    /// # Errors
    /// The path cannot be opened; the old file stays in use.
    pub fn reopen(&mut self) -> io::Result<()> {
        let (lost_bytes, begun_files) = (self.lost_bytes, self.begun_files + 1);
        *self = Self { lost_bytes, begun_files, ..Self::open(&self.path, self.rotation)? };
        Ok(())
    }

    /// Empties the file, making it again if it has vanished. Rolled files stay.
    ///
    /// # Errors
    /// It is not a regular file, or cannot be opened.
    pub fn clear(&mut self) -> io::Result<()> {
        self.reopen()?;
        if !self.regular {
            return Err(not_regular(&self.path));
        }
        self.file.set_len(0)?;
        self.position_bytes = 0;
        Ok(())
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a regular file: one that can be rolled, emptied and read back.
    pub fn is_regular(&self) -> bool {
        self.regular
    }

    /// What is written to now, and its size in bytes.
    pub fn place(&self) -> (ObjectId, u64) {
        (self.object, self.position_bytes)
    }

    /// How many bytes it takes before it is due to be rolled.
    pub fn room_bytes(&self) -> u64 {
        let is_rolled = self.regular && self.rotation.bytes_max > 0;
        if is_rolled { self.roll_at_bytes.saturating_sub(self.position_bytes) } else { u64::MAX }
    }

    /// How many bytes could not be written.
    pub fn lost_bytes(&self) -> u64 {
        self.lost_bytes
    }

    /// How many times it went on with another file, or opened its own again: for those who read along.
    pub fn begun_files(&self) -> u64 {
        self.begun_files
    }

    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let mut rest = record;
        while !rest.is_empty() {
            let error = match self.file.write(rest) {
                Ok(0) => ErrorKind::WriteZero.into(),
                Ok(count) => {
                    self.position_bytes += count as u64;
                    rest = &rest[count..];
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            self.lost_bytes += rest.len() as u64;
            return Err(error);
        }
        Ok(())
    }

    /// What is written to a deleted file nobody will ever read. One that was only renamed is still somebody's.
    fn make_again_if_deleted(&mut self) -> io::Result<()> {
        if !self.regular {
            return Ok(());
        }
        let before = self.file.metadata()?;
        if before.nlink() > 0 {
            return Ok(());
        }
        self.take_over(open_like(&self.path, &before)?)
    }

    /// Goes on with the file that the path names now.
    fn take_over(&mut self, file: File) -> io::Result<()> {
        let metadata = file.metadata()?;
        self.file = file;
        self.object = object_of_file(&metadata);
        self.begun_files += 1;
        self.regular = is_log_file(&self.path, &metadata);
        self.position_bytes = metadata.len();
        self.roll_at_bytes = self.rotation.bytes_max;
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.regular && self.rotation.bytes_max > 0 && self.position_bytes >= self.roll_at_bytes
    }

    fn roll(&mut self) -> io::Result<()> {
        // If rolling fails, the file grows by another `bytes_max` before it is tried again, not by one record.
        self.roll_at_bytes = self.position_bytes.saturating_add(self.rotation.bytes_max);
        let before = self.file.metadata()?;
        if self.rotation.backups == 0 {
            let file = open_to_append(&self.path)?;
            file.set_len(0)?;
            return self.take_over(file);
        }
        for index in (1..self.rotation.backups).rev() {
            rename_if_there(&self.backup(index), &self.backup(index + 1))?;
        }
        rename_if_there(&self.path, &self.backup(1))?;
        self.take_over(open_like(&self.path, &before)?)
    }

    fn backup(&self, index: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{index}"));
        name.into()
    }
}

/// Empties the log file of a process that is not running; nothing to do when it is not there.
///
/// # Errors
/// It is not a regular file, or may not be written.
pub fn clear(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if !is_log_file(path, &metadata) => Err(not_regular(path)),
        Ok(_) => File::options().write(true).open(path)?.set_len(0),
    }
}

/// Whether it is ours to roll and to empty. `/dev/stdout` may lead to a regular file, but that belongs to whoever started us,
/// and the link is everybody's.
fn is_log_file(path: &Path, metadata: &Metadata) -> bool {
    let is_device = path.starts_with("/dev") && !path.starts_with("/dev/shm");
    metadata.is_file() && !is_device && !path.starts_with("/proc")
}

fn not_regular(path: &Path) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, format!("{} is not a regular file", path.display()))
}

/// Opens without waiting, but for writing that waits: a named pipe without a reader must not stop the daemon.
fn open_to_append(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = match File::options().append(true).create(true).custom_flags(flags.bits()).open(path) {
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => return standard_stream(path).unwrap_or(Err(error)),
        other => other?,
    };
    fcntl(&file, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
    Ok(file)
}

/// `/dev/stdout` cannot be opened when it is a socket, as under systemd; a copy of the descriptor does the same.
fn standard_stream(path: &Path) -> Option<io::Result<File>> {
    let copy = match path.to_str()? {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => io::stdout().as_fd().try_clone_to_owned(),
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => io::stderr().as_fd().try_clone_to_owned(),
        _ => return None,
    };
    Some(copy.map(File::from))
}

/// Makes the successor of a file with its mode and, where we may, its owner. It is private until that is done. One that
/// somebody else has made meanwhile is taken as it is.
fn open_like(path: &Path, before: &Metadata) -> io::Result<File> {
    let file = match File::options().append(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return open_to_append(path),
        other => other?,
    };
    // Only root may give a file away; then it stays ours.
    let _ = fchown(&file, Some(before.uid()), Some(before.gid()));
    file.set_permissions(Permissions::from_mode(before.mode() & 0o7777))?;
    Ok(file)
}

impl AsFd for RotatingFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
