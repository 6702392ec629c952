//! Talking to the service manager that started the daemon.

use std::io;

use sd_notify::NotifyState;

use super::exec_self::DOCUMENT_VARIABLE;

/// Variables by which a service manager talks to the daemon itself. A child that inherited them could speak in the daemon's
/// name, so they are taken out of every child's environment.
pub const PRIVATE_VARIABLES: [&str; 7] =
    ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", DOCUMENT_VARIABLE];

/// Tells the service manager that the daemon is up, with a line for `systemctl status`. Does nothing without a manager.
///
/// # Errors
/// The manager's socket cannot be reached; worth a log line, no more.
pub fn ready(status: &str) -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(status)])
}

/// Tells the service manager that the daemon is going down.
///
/// # Errors
/// As [`ready`].
pub fn stopping(status: &str) -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Stopping, NotifyState::Status(status)])
}

/// Changes the line that `systemctl status` shows.
///
/// # Errors
/// As [`ready`].
pub fn status(text: &str) -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Status(text)])
}
