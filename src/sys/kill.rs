//! Sending signals.

use nix::errno::Errno;

use super::errno::errno_text;
use crate::core::{SignalError, Target};

/// Sends signal number `signal` to a process or its group. Signal 0 only asks whether it exists.
///
/// # Errors
/// [`SignalError::NoSuchProcess`] when it is gone; otherwise the reason, such as `[Errno 1] Operation not permitted`.
/// A pid of 1 or less is refused: `kill(2)` would take the negative of it for "everybody".
pub fn send(target: Target, signal: i32) -> Result<(), SignalError> {
    let (pid, address) = match target {
        Target::Process(pid) => (pid, pid),
        Target::Group(pid) => (pid, pid.wrapping_neg()),
    };
    if pid <= 1 {
        return Err(SignalError::Other(format!("refusing to signal pid {pid}: it is not a child")));
    }
    // SAFETY: kill takes two integers and touches no memory of ours.
    if unsafe { libc::kill(address, signal) } == 0 {
        return Ok(());
    }
    match Errno::last() {
        Errno::ESRCH => Err(SignalError::NoSuchProcess),
        errno => Err(SignalError::Other(errno_text(errno))),
    }
}
