//! One daemon per pidfile: a lock taken before anything else is touched, so that a second start cannot hurt the first.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};
use thiserror::Error;

use super::pidfile;

/// How often a lock file that vanished under us is made again.
const ATTEMPTS_MAX: u32 = 10;

/// Why the lock was not had.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another daemon holds it.
    #[error(
        "Another supervisord{} is already running with pidfile {path}.  Shut it down first (supervisorctl shutdown), or set \
         another \"pidfile\" in [supervisord].", pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
    )]
    Held {
        /// Its pid, when the pidfile tells.
        pid: Option<i32>,
        /// The pidfile.
        path: String,
    },
    /// The lock file cannot be made, for one because its directory may not be written. Not a reason to give up.
    #[error("could not lock {path}: {source}")]
    Unavailable {
        /// The lock file.
        path: String,
        /// The reason.
        source: io::Error,
    },
}

/// The lock, held until it is dropped or the process ends, however it ends. A `fork` of the holder holds it too.
#[derive(Debug)]
pub struct InstanceLock {
    path: PathBuf,
    file: Flock<File>,
}

impl InstanceLock {
    /// Takes the lock `<pidfile>.lock`, without waiting.
    ///
    /// # Errors
    /// [`LockError::Held`] when another daemon has it.
    pub fn take(pidfile_path: &Path) -> Result<Self, LockError> {
        let path = lock_path(pidfile_path);
        let unavailable = |source| LockError::Unavailable { path: path.display().to_string(), source };
        for _ in 0..ATTEMPTS_MAX {
            let file = open(&path).map_err(unavailable)?;
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                // The last holder removes the file; a lock on what it removed would exclude nobody.
                Ok(file) if is_at(&file, &path) => return Ok(Self { path, file }),
                Ok(_) => {}
                Err((_, Errno::EWOULDBLOCK)) => {
                    let pid = pidfile::read(pidfile_path);
                    return Err(LockError::Held { pid, path: pidfile_path.display().to_string() });
                }
                Err((_, errno)) => return Err(unavailable(errno.into())),
            }
        }
        Err(unavailable(io::Error::other("it keeps vanishing")))
    }

    /// Goes on with the lock that an earlier image of this daemon took.
    ///
    /// # Errors
    /// It is another's by now, or the descriptor is none of a lock.
    pub fn resume(pidfile_path: &Path, descriptor: OwnedFd) -> Result<Self, LockError> {
        let path = lock_path(pidfile_path);
        let unavailable = |source| LockError::Unavailable { path: path.display().to_string(), source };
        let file = Flock::lock(File::from(descriptor), FlockArg::LockExclusiveNonblock)
            .map_err(|(_, errno)| unavailable(errno.into()))?;
        Ok(Self { path, file })
    }

    /// Removes the lock file and lets go.
    pub fn release(self) {
        if is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl AsFd for InstanceLock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn lock_path(pidfile_path: &Path) -> PathBuf {
    let mut path = pidfile_path.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

/// Opens the lock file, but never through a link: the directory may be /tmp.
fn open(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(false).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path)
}

/// Whether the open `file` is what `path` names.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}
