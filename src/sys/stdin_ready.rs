//! The standard input as something to wait for.

use std::io::{self, stdin};
use std::os::fd::{AsFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Wakes up when there is something to read. The descriptor stays as blocking as it was, because programs may share it.
pub struct StdinReady {
    descriptor: AsyncFd<OwnedFd>,
}

impl StdinReady {
    /// Starts to watch. Needs a tokio runtime.
    ///
    /// # Errors
    /// EPERM for a regular file, which is always ready.
    pub fn watch() -> io::Result<Self> {
        let copy = stdin().as_fd().try_clone_to_owned()?;
        // SAFETY: `OwnedFd` owns its descriptor, always answers with the same one, and closes it only when dropped,
        // which the `AsyncFd` that owns it does after deregistering.
        let descriptor = unsafe { AsyncFd::register_with_interest(copy, Interest::READABLE) };
        Ok(StdinReady { descriptor: descriptor.map_err(|error| error.into_parts().1)? })
    }

    /// Returns when one read would not wait; also at the end of the input.
    pub async fn ready(&self) {
        loop {
            let Ok(mut ready) = self.descriptor.readable().await else { return };
            let mut asked = [PollFd::new(self.descriptor.get_ref().as_fd(), PollFlags::POLLIN)];
            if poll(&mut asked, PollTimeout::ZERO) != Ok(0) {
                return;
            }
            ready.clear_ready();
        }
    }
}
