//! The daemon's signals, read from a descriptor instead of being handled at any moment.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, pthread_sigmask, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The signals that the daemon answers. SIGUSR1 is among them only so that it cannot kill the daemon.
const HANDLED: [Signal; 7] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGCHLD,
];

/// Ignored by the daemon and, because children inherit that, by every child too: Python does the same, and programs rely on it.
pub(super) const IGNORED: [Signal; 2] = [Signal::SIGPIPE, Signal::SIGXFSZ];

/// A queue of the signals sent to this process.
#[derive(Debug)]
pub struct Signals {
    descriptor: SignalFd,
}

impl Signals {
    /// Blocks the handled signals and opens the queue, non-blocking and closed on exec. Call it before the first thread.
    ///
    /// A blocked signal stays pending over `fork` in the process it was sent to, so this may come before [`super::daemonize`];
    /// adding the queue to a [`super::poller::Poller`] must come after it, because epoll watches the signals of the process
    /// that added it.
    ///
    /// # Errors
    /// `signalfd(2)`: no descriptor is left.
    pub fn open() -> io::Result<Self> {
        for ignored in IGNORED {
            // SAFETY: ignoring a signal installs no handler that could run.
            unsafe { signal(ignored, SigHandler::SigIgn) }?;
        }
        // A signal that the parent left ignored would never be queued.
        for handled in HANDLED {
            // SAFETY: the default disposition installs no handler; the signal is blocked right after, or kills as it always did.
            unsafe { signal(handled, SigHandler::SigDfl) }?;
        }
        let mask: SigSet = HANDLED.into_iter().collect();
        pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&mask), None)?;
        let descriptor = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { descriptor })
    }

    /// Takes the next signal, or `None` when none is waiting. Equal signals that wait together count as one.
    // Named after what it does; an iterator would promise an end.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&self) -> Option<i32> {
        loop {
            match self.descriptor.read_signal() {
                Ok(Some(info)) => return i32::try_from(info.ssi_signo).ok(),
                Err(nix::errno::Errno::EINTR) => {}
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The symbolic name of a signal, such as `SIGTERM`; `signal` when it has none.
pub fn name(number: i32) -> &'static str {
    crate::config::signal::known_name(number).unwrap_or("signal")
}
