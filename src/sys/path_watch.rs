//! Tells when a file is removed, replaced or renamed, and when one that is missing can be put back.
//!
//! The kernel says so by itself (`inotify(7)`): what is watched is the file, not its directory, so that a busy directory
//! wakes nobody. Only while the file is missing is the nearest directory above it watched, for what is made in it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use tokio::io::unix::AsyncFd;

/// Watches one path.
#[derive(Debug)]
pub struct PathWatch {
    path: PathBuf,
    inotify: Inotify,
    /// The same descriptor, as tokio's loop knows it.
    readiness: AsyncFd<OwnedFd>,
    /// What is watched now.
    aim: Option<WatchDescriptor>,
}

impl PathWatch {
    /// Watches `path`, inside tokio's loop.
    ///
    /// # Errors
    /// `inotify_init1(2)`, `inotify_add_watch(2)`: no descriptor or no watch is left.
    pub fn open(path: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let copy = inotify.as_fd().try_clone_to_owned()?;
        // SAFETY: an `OwnedFd` names the same open descriptor for as long as it lives.
        let readiness = unsafe { AsyncFd::register_with_interest(copy, tokio::io::Interest::READABLE) }?;
        let mut watch = PathWatch { path: path.to_owned(), inotify, readiness, aim: None };
        watch.aim()?;
        Ok(watch)
    }

    /// Waits until something happens to the path. It may be nothing of consequence: look.
    ///
    /// # Errors
    /// The path cannot be watched any more.
    pub async fn changed(&mut self) -> io::Result<()> {
        let mut guard = self.readiness.readable().await?;
        loop {
            match self.inotify.read_events() {
                Ok(_) => {}
                Err(Errno::EAGAIN) => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        guard.clear_ready();
        Ok(())
    }

    /// Watches what is at the path now, or the nearest directory above it. To be called before looking: what happens in
    /// between is told by [`PathWatch::changed`].
    ///
    /// # Errors
    /// `inotify_add_watch(2)`.
    pub fn aim(&mut self) -> io::Result<()> {
        let gone = AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_MOVE_SELF;
        for path in self.path.ancestors() {
            let Ok(metadata) = path.symlink_metadata() else { continue };
            // A name less is a change of the file's count of links.
            let flags = match metadata.is_dir() {
                true => gone | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_ONLYDIR,
                false => gone | AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_DONT_FOLLOW,
            };
            let descriptor = match self.inotify.add_watch(path, flags) {
                // It went away in this very moment.
                Err(Errno::ENOENT) => continue,
                other => other?,
            };
            // What is watched already has the descriptor it had. Only the kernel knows: a number of an inode does not tell
            // a directory from one that had it before and is gone, with its watch.
            if let Some(old) = self.aim.replace(descriptor).filter(|old| *old != descriptor) {
                // The watch of a file that is gone went with it.
                let _ = self.inotify.rm_watch(old);
            }
            return Ok(());
        }
        Ok(())
    }
}
