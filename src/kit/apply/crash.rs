//! Dying on purpose. Only in debug builds: tests kill the installer at every checkpoint and then run it again.

use std::time::Duration;

/// How long to wait before looking at a fresh service again: `wanted`, or `SUPERVISOR_KIT_SETTLE_MILLIS` where hundreds
/// of installations are tested.
pub(super) fn settle(wanted: Duration) -> Duration {
    #[cfg(debug_assertions)]
    if let Some(millis) = std::env::var("SUPERVISOR_KIT_SETTLE_MILLIS").ok().and_then(|millis| millis.parse().ok()) {
        return Duration::from_millis(millis);
    }
    wanted
}

/// Counts checkpoints.
pub(super) struct Crash {
    #[cfg(debug_assertions)]
    left: Option<u32>,
}

impl Crash {
    /// `SUPERVISOR_KIT_CRASH_AT=n` dies at the n-th checkpoint, counted from 1.
    pub(super) fn from_environment() -> Crash {
        Crash {
            #[cfg(debug_assertions)]
            left: std::env::var("SUPERVISOR_KIT_CRASH_AT").ok().and_then(|at| at.parse().ok()),
        }
    }

    /// A point where a power cut or `kill -9` must do no harm.
    pub(super) fn checkpoint(&mut self) {
        #[cfg(debug_assertions)]
        if let Some(left) = self.left.as_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                let _ = nix::sys::signal::kill(nix::unistd::getpid(), nix::sys::signal::SIGKILL);
            }
        }
    }
}
