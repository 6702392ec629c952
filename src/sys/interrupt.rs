//! Ctrl-C as something to wait for.

use std::io;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use tokio::io::unix::AsyncFd;

/// While it lives, SIGINT does not kill the program but wakes up [`pressed`](Self::pressed).
pub struct Interrupt {
    descriptor: AsyncFd<SignalFd>,
}

impl Interrupt {
    /// Starts to catch SIGINT. Needs a tokio runtime.
    pub fn catch() -> io::Result<Self> {
        let mask = SigSet::from(Signal::SIGINT);
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        // SAFETY: `SignalFd` owns its descriptor, always answers with the same one, and closes it only when dropped,
        // which the `AsyncFd` that owns it does after deregistering.
        let descriptor = unsafe { AsyncFd::register(signals) }.map_err(|error| error.into_parts().1)?;
        mask.thread_block()?;
        Ok(Interrupt { descriptor })
    }

    /// Returns when Ctrl-C is pressed.
    pub async fn pressed(&self) {
        loop {
            let Ok(mut ready) = self.descriptor.readable().await else { return };
            match ready.get_inner().read_signal() {
                Ok(None) => ready.clear_ready(),
                Ok(Some(_)) | Err(_) => return,
            }
        }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        // Cannot fail for a valid mask; and if it did, there is nothing to undo it with.
        let _ = SigSet::from(Signal::SIGINT).thread_unblock();
    }
}
