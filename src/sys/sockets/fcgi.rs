//! Sockets that FastCGI programs get as their standard input.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use thiserror::Error;

use super::{BindError, inet, unix};
use crate::sys::errno::errno_text;

/// Connections that may wait where the configuration does not say; the kernel takes its own limit if that is lower
/// (SOMAXCONN of Linux 5.4 and later).
const BACKLOG_DEFAULT: u16 = 4096;

/// A socket that cannot be made. The text follows `Could not create FastCGI socket <url>: `.
#[derive(Debug, Error)]
pub enum FcgiError {
    /// The operating system refuses.
    #[error("{}", .0.raw_os_error().map_or_else(|| .0.to_string(), |number| errno_text(Errno::from_raw(number))))]
    System(#[from] std::io::Error),
    /// The owner asked for cannot be set.
    #[error("Could not change ownership of socket file: [Errno 1] Operation not permitted")]
    Owner,
    /// Something that is not a socket is in the way.
    #[error("the path exists and is not a socket.  Move it away, or set another \"socket\"")]
    NotASocket,
    /// The path does not fit into a socket's address.
    #[error("the path is {bytes} bytes long, but the kernel allows {bytes_max}")]
    PathTooLong {
        /// Its length.
        bytes: usize,
        /// The greatest length that works.
        bytes_max: usize,
    },
    /// The network is not asked for addresses, because that may hang where there is none.
    #[error("the host name is not in /etc/hosts.  Set an IP address")]
    UnknownHost,
}

impl From<BindError> for FcgiError {
    fn from(error: BindError) -> Self {
        match error {
            BindError::InUse => FcgiError::System(Errno::EADDRINUSE.into()),
            BindError::System(error) => FcgiError::System(error),
            BindError::PathTooLong { bytes, bytes_max, .. } => FcgiError::PathTooLong { bytes, bytes_max },
            BindError::NotASocket { .. } => FcgiError::NotASocket,
            BindError::Chown { .. } => FcgiError::Owner,
            BindError::UnknownHost { .. } => FcgiError::UnknownHost,
        }
    }
}

/// Listens at a path, blocking as programs expect, and says whether somebody else listened there: a socket that is in
/// the way is replaced in any case, because after a crash of the daemon its old children still hold it
/// (`Supervisor: socket_manager.py`).
///
/// # Errors
/// [`FcgiError`]; the path is as it was then.
pub fn listen_fcgi_unix(
    path: &Path,
    mode: u32,
    uid: Option<u32>,
    gid: Option<u32>,
    backlog: Option<u16>,
) -> Result<(OwnedFd, bool), FcgiError> {
    let was_live = unix::is_live(path).unwrap_or(false);
    let bound = unix::replace(path, mode, uid, gid)?;
    bound.listener.set_nonblocking(false)?;
    Ok((with_backlog(bound.listener.into(), backlog)?, was_live))
}

/// Listens at a TCP port, blocking as programs expect.
///
/// # Errors
/// [`FcgiError`].
pub fn listen_fcgi_inet(host: &str, port: u16, backlog: Option<u16>) -> Result<OwnedFd, FcgiError> {
    let listener = inet::listen_one(host, port)?;
    listener.set_nonblocking(false)?;
    with_backlog(listener.into(), backlog)
}

/// A second `listen` changes the length of the queue. nix refuses what exceeds the C library's constant.
fn with_backlog(socket: OwnedFd, backlog: Option<u16>) -> Result<OwnedFd, FcgiError> {
    // SAFETY: plain integers; the descriptor is open.
    Errno::result(unsafe { libc::listen(socket.as_raw_fd(), backlog.unwrap_or(BACKLOG_DEFAULT).into()) })
        .map_err(std::io::Error::from)?;
    Ok(socket)
}
