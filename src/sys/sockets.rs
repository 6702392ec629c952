//! Listening sockets.

mod fcgi;
mod hosts;
mod inet;
mod unix;

use std::io;

use thiserror::Error;

use super::errno::io_error_name;

pub use fcgi::{FcgiError, listen_fcgi_inet, listen_fcgi_unix};
pub use inet::listen_inet;
pub use unix::{SocketFile, UnixServer, is_live, listen_unix};

/// Connections that wait to be accepted (`Supervisor: http.py`).
/// Not more: nix refuses what exceeds the C library's SOMAXCONN, and musl's, which release binaries are made with, is 128.
const BACKLOG_CONNECTIONS: i32 = 128;

/// A server that cannot listen. The text is a whole message for the operator.
#[derive(Debug, Error)]
pub enum BindError {
    /// Something answers at the address already.
    #[error(
        "Another program is already listening on a port that one of our HTTP servers is configured to use.  Shut this \
         program down first before starting supervisord."
    )]
    InUse,
    /// The operating system refuses.
    #[error("Cannot open an HTTP server: socket.error reported errno.{} ({})", io_error_name(.0), .0.raw_os_error().unwrap_or(0))]
    System(#[source] io::Error),
    /// The path of a Unix socket does not fit into its address.
    #[error(
        "Cannot open an HTTP server: the path of the Unix socket is {bytes} bytes long, but the kernel allows {bytes_max}: \
         {path}.  Set a shorter \"file\" in [unix_http_server]."
    )]
    PathTooLong {
        /// The path.
        path: String,
        /// Its length.
        bytes: usize,
        /// The greatest length that works.
        bytes_max: usize,
    },
    /// Something that is not a socket is in the way.
    #[error(
        "Cannot open an HTTP server: {path} exists and is not a socket.  Move it away, or set another \"file\" in \
         [unix_http_server]."
    )]
    NotASocket {
        /// The path.
        path: String,
    },
    /// `sockchown` names an owner that we may not give files to.
    #[error(
        "Not permitted to chown {path} to uid/gid ({uid}, {gid}); adjust \"sockchown\" value in config file or on command \
         line to values that the current user ({current}) can successfully chown"
    )]
    Chown {
        /// The socket.
        path: String,
        /// User asked for, -1 for none.
        uid: i64,
        /// Group asked for, -1 for none.
        gid: i64,
        /// Who we are.
        current: String,
    },
    /// A host name; the network is not asked for addresses, because that may hang where there is none.
    #[error(
        "Could not determine IP address for hostname {host}, please try setting an explicit IP address in the \"port\" \
         setting of your [inet_http_server] section.  For example, instead of \"port = 9001\", try \"port = 127.0.0.1:9001.\""
    )]
    UnknownHost {
        /// The name, which is not in `/etc/hosts`.
        host: String,
    },
}

impl From<io::Error> for BindError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse,
            _ => BindError::System(error),
        }
    }
}
