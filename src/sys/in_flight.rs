//! The bytes between a pipe and a log, in memory that outlives this process: after `kill -9` between the read and the write
//! the next daemon still has them.
//!
//! Only one record is ever on its way. The page before the buffer says whose it is and how far. How many bytes a read has
//! brought is known to the kernel before we can note it, so the buffer is filled with a byte that no text has: what is
//! something else has been read.

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::atomic::{Ordering, compiler_fence};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::exec_self::ObjectId;

/// A byte that is in no UTF-8 text.
const BLANK: u8 = 0xff;

/// Bytes before the buffer.
const HEAD_BYTES: usize = 4096;

/// How far a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C)]
struct Head {
    /// 0 when nothing is on its way.
    is_reading: u64,
    pipe_device: u64,
    pipe_inode: u64,
    log_device: u64,
    log_inode: u64,
    /// Size of the log before the record.
    log_bytes: u64,
}

/// A record that a daemon was about to write when it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The pipe that it was read from.
    pub pipe: ObjectId,
    /// The log that it was written to, unless it goes to none.
    pub log: ObjectId,
    /// The size of that log before.
    pub log_bytes: u64,
    /// The record.
    pub bytes: Vec<u8>,
}

/// The buffer.
#[derive(Debug)]
pub struct InFlight {
    memory: NonNull<u8>,
    buffer_bytes: usize,
    /// So many bytes at its beginning are not blank.
    used_bytes: usize,
    /// Where the file is to be found, and where it is until it is published, if there was room for it.
    unpublished: Option<(PathBuf, Option<PathBuf>)>,
}

impl InFlight {
    /// A buffer in a file that is to be at `path`, see [`InFlight::publish`]. Without a path, or where no file can be made, one
    /// that ends with us.
    ///
    /// # Errors
    /// No memory.
    pub fn open(path: Option<&Path>, buffer_bytes: usize) -> io::Result<Self> {
        let bytes = HEAD_BYTES + buffer_bytes;
        let beside = path.map(|path| {
            let mut beside = path.as_os_str().to_owned();
            beside.push(".new");
            PathBuf::from(beside)
        });
        let file = beside.as_deref().and_then(|path| make(path, bytes).ok());
        let beside = beside.filter(|_| file.is_some());
        let unpublished = path.map(|path| (path.to_owned(), beside));
        Ok(InFlight { memory: map(file.as_ref(), bytes)?, buffer_bytes, used_bytes: 0, unpublished })
    }

    /// Puts the file in the place of an earlier one. Until then nothing is read, and what an earlier one holds is not lost.
    pub fn publish(&mut self) {
        // Without a file a record may be lost with us, as ever.
        match self.unpublished.take() {
            Some((path, Some(beside))) => drop(std::fs::rename(beside, path)),
            Some((path, None)) => {
                // On a full disk the earlier one has the room that ours lacked.
                let bytes = HEAD_BYTES + self.buffer_bytes;
                if let Ok(memory) = make(&path, bytes).and_then(|file| map(Some(&file), bytes)) {
                    // SAFETY: the mapping that is replaced is as long, and nothing of it is lent out.
                    let _ = unsafe { munmap(std::mem::replace(&mut self.memory, memory).cast(), bytes) };
                    self.used_bytes = 0;
                }
            }
            None => {}
        }
    }

    /// Makes it ready for a read of at most so many bytes from `pipe`, and hands it out.
    pub fn begin(&mut self, bytes_max: usize, pipe: ObjectId, log: Option<(ObjectId, u64)>) -> &mut [u8] {
        self.blank();
        let (log, log_bytes) = log.unwrap_or((ObjectId { device: 0, inode: 0 }, 0));
        self.set(Head {
            is_reading: 1,
            pipe_device: pipe.device,
            pipe_inode: pipe.inode,
            log_device: log.device,
            log_inode: log.inode,
            log_bytes,
        });
        self.used_bytes = bytes_max.min(self.buffer_bytes);
        // SAFETY: the mapping is at least as long as that, and lent out to one at a time.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_ptr().add(HEAD_BYTES), self.used_bytes) }
    }

    /// The read brought so many bytes.
    pub fn filled(&mut self, count: usize) {
        self.used_bytes = count.min(self.buffer_bytes);
    }

    /// What the read brought.
    pub fn record(&self) -> &[u8] {
        // SAFETY: as in `begin`; `used_bytes` is not more than the buffer holds.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().add(HEAD_BYTES), self.used_bytes) }
    }

    /// The record is where it belongs.
    pub fn end(&mut self) {
        self.set(Head::default());
    }

    fn set(&mut self, head: Head) {
        // Whoever looks after our death sees the stores in the order they are made.
        compiler_fence(Ordering::SeqCst);
        // SAFETY: the page is ours, aligned, and larger than a head.
        unsafe { self.memory.as_ptr().cast::<Head>().write_volatile(head) };
        compiler_fence(Ordering::SeqCst);
    }

    fn blank(&mut self) {
        // SAFETY: as in `record`.
        unsafe { self.memory.as_ptr().add(HEAD_BYTES).write_bytes(BLANK, self.used_bytes) };
        self.used_bytes = 0;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        // SAFETY: nothing is lent out any more.
        let _ = unsafe { munmap(self.memory.cast(), HEAD_BYTES + self.buffer_bytes) };
    }
}

/// Every block of it is there from the beginning: on a disk that is full later, a store into one that is missing would be the
/// end of us (SIGBUS).
fn make(path: &Path, bytes: usize) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    let blank = [vec![0; HEAD_BYTES], vec![BLANK; bytes - HEAD_BYTES]].concat();
    file.write_all(&blank).inspect_err(|_| drop(std::fs::remove_file(path)))?;
    Ok(file)
}

/// Memory that is the file's, or nobody's.
fn map(file: Option<&File>, bytes: usize) -> io::Result<NonNull<u8>> {
    let bytes = NonZeroUsize::new(bytes).ok_or(io::ErrorKind::InvalidInput)?;
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let memory = match file {
        // SAFETY: a new mapping of a file that nobody shortens: it is private to us, and replaced by renaming only.
        Some(file) => unsafe { mmap(None, bytes, protection, MapFlags::MAP_SHARED, file, 0) }?,
        // SAFETY: a new mapping of nothing.
        None => unsafe { nix::sys::mman::mmap_anonymous(None, bytes, protection, MapFlags::MAP_PRIVATE) }?,
    };
    Ok(memory.cast())
}

/// The record that was on its way when the last user of the file at `path` ended, if there was one.
pub fn left_behind(path: &Path) -> Option<Record> {
    let bytes = std::fs::read(path).ok()?;
    let word = |index: usize| Some(u64::from_ne_bytes(bytes.get(index * 8..index * 8 + 8)?.try_into().ok()?));
    let buffer = bytes.get(HEAD_BYTES..)?;
    if word(0)? != 1 {
        return None;
    }
    let count = buffer.iter().rposition(|byte| *byte != BLANK).map_or(0, |last| last + 1);
    Some(Record {
        pipe: ObjectId { device: word(1)?, inode: word(2)? },
        log: ObjectId { device: word(3)?, inode: word(4)? },
        log_bytes: word(5)?,
        bytes: buffer[..count].to_vec(),
    })
}
