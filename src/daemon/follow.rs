//! A log streamed as it grows: the last kilobyte first, then every new byte, through rotation and truncation
//! (`Supervisor: http.py tail_f_producer`, which looks ten times a second; here the writer rings a bell).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bytes::Bytes;
use tokio::sync::Notify;

use super::rpc_call::Followed;

/// How much of what is there already is sent first.
const HEAD_BYTES: u64 = 1024;

/// Most bytes of one chunk.
const CHUNK_BYTES_MAX: usize = 32 * 1024;

/// What is said when the file has shrunk.
const TRUNCATED: &str = "==> File truncated <==\n";

/// A log being followed.
pub struct Follower {
    path: PathBuf,
    bell: Rc<Notify>,
    file: File,
    position_bytes: u64,
}

impl Follower {
    /// Opens the file near its end.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is not a regular file.
    pub fn open(followed: Followed) -> io::Result<Self> {
        let mut file = open_regular(&followed.path)?;
        let size = file.metadata()?.len();
        let position_bytes = file.seek(SeekFrom::Start(size.saturating_sub(HEAD_BYTES)))?;
        Ok(Follower { path: followed.path, bell: followed.bell, file, position_bytes })
    }

    /// The next bytes, as soon as there are any. Only ever ends with an error.
    pub async fn next(&mut self) -> io::Result<Bytes> {
        loop {
            // Listening starts before looking: a write in between is not missed.
            let bell = Rc::clone(&self.bell);
            let rung = bell.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            if let Some(bytes) = self.read()? {
                return Ok(bytes);
            }
            rung.await;
        }
    }

    /// What there is to send now.
    fn read(&mut self) -> io::Result<Option<Bytes>> {
        if self.file.metadata()?.len() < self.position_bytes {
            self.position_bytes = self.file.seek(SeekFrom::Start(0))?;
            return Ok(Some(Bytes::from_static(TRUNCATED.as_bytes())));
        }
        let mut chunk = vec![0; CHUNK_BYTES_MAX];
        let mut count = self.file.read(&mut chunk)?;
        // The old file is read to its end before the one that took its name is opened: rotation loses nothing.
        if count == 0 && self.reopen_if_replaced()? {
            count = self.file.read(&mut chunk)?;
        }
        self.position_bytes += count as u64;
        chunk.truncate(count);
        Ok((count > 0).then(|| chunk.into()))
    }

    /// Opens what the path names now, if that is another file. A path that names nothing is waited for.
    fn reopen_if_replaced(&mut self) -> io::Result<bool> {
        let (Ok(named), open) = (std::fs::metadata(&self.path), self.file.metadata()?) else { return Ok(false) };
        if (named.dev(), named.ino()) == (open.dev(), open.ino()) {
            return Ok(false);
        }
        let Ok(file) = open_regular(&self.path) else { return Ok(false) };
        self.file = file;
        self.position_bytes = 0;
        Ok(true)
    }
}

/// Opens a regular file only, and without waiting: a named pipe would hold the whole daemon until somebody writes to it.
fn open_regular(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}
