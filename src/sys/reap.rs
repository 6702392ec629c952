//! Collecting dead children: the only place that waits for one.

use nix::errno::Errno;

use crate::core::{ExitStatus, Pid};

/// Takes the next dead child, ours or one that was handed to us as process 1; `None` when there is none. Never waits.
pub fn next() -> Option<(Pid, ExitStatus)> {
    loop {
        let mut raw = 0;
        // SAFETY: `raw` is a valid place for the status for the whole call.
        match unsafe { libc::waitpid(-1, &raw mut raw, libc::WNOHANG) } {
            pid if pid > 0 => return Some((pid, decode(raw))),
            -1 if Errno::last() == Errno::EINTR => {}
            _ => return None,
        }
    }
}

/// Reads a raw wait status.
pub fn decode(raw: i32) -> ExitStatus {
    if libc::WIFEXITED(raw) {
        ExitStatus::Code(libc::WEXITSTATUS(raw))
    } else if libc::WIFSIGNALED(raw) {
        ExitStatus::Signal { number: libc::WTERMSIG(raw), core_dumped: libc::WCOREDUMP(raw) }
    } else {
        ExitStatus::Unknown(raw)
    }
}
