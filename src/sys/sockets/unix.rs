//! Unix sockets.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, listen, socket};

use super::{BACKLOG_CONNECTIONS, BindError};
use crate::sys::exec_self::ObjectId;

/// `sun_path` is 108 bytes, the last one zero.
const PATH_BYTES_MAX: usize = 107;

/// A Unix socket that listens.
#[derive(Debug)]
pub struct UnixServer {
    /// The socket, non-blocking and closed on exec.
    pub listener: UnixListener,
    /// Its file, to remove at the end.
    pub file: SocketFile,
    /// A dead socket was in the way and is gone: worth the line `Unlinking stale socket <path>`.
    pub replaced_stale: bool,
}

/// The file of a socket that we made.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    /// The file that an earlier image of this process made.
    pub fn resume(path: &Path, object: ObjectId) -> Self {
        SocketFile { path: path.to_owned(), device: object.device, inode: object.inode }
    }

    /// What the path named when we made it.
    pub fn object(&self) -> ObjectId {
        ObjectId { device: self.device, inode: self.inode }
    }

    /// Whether the path still names our socket.
    pub fn is_ours(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|now| (now.dev(), now.ino()) == (self.device, self.inode))
    }

    /// Removes the file unless another program has put its own there since.
    ///
    /// # Errors
    /// It is ours and cannot be removed.
    pub fn unlink_if_ours(&self) -> io::Result<()> {
        if self.is_ours() { fs::remove_file(&self.path) } else { Ok(()) }
    }
}

/// Listens at `path`, with `mode` and owner set before anybody can connect: made beside the path, then renamed over it. A dead
/// socket there is replaced; a live one is left alone.
///
/// # Errors
/// [`BindError`]; `path` is as it was then.
pub fn listen_unix(path: &Path, mode: u32, uid: Option<u32>, gid: Option<u32>) -> Result<UnixServer, BindError> {
    check_length(path)?;
    if is_socket(path)? && is_live(path)? {
        return Err(BindError::InUse);
    }
    replace(path, mode, uid, gid)
}

/// The same, whether or not somebody listens there.
pub(super) fn replace(path: &Path, mode: u32, uid: Option<u32>, gid: Option<u32>) -> Result<UnixServer, BindError> {
    check_length(path)?;
    let replaced_stale = is_socket(path)?;
    let beside = beside(path);
    // Left over from a process that had our pid.
    if fs::symlink_metadata(&beside).is_ok_and(|metadata| metadata.file_type().is_socket()) {
        fs::remove_file(&beside)?;
    }
    let socket = open()?;
    bind(socket.as_raw_fd(), &UnixAddr::new(&beside).map_err(io::Error::from)?).map_err(io::Error::from)?;
    match dress(&socket, &beside, path, mode, (uid, gid)) {
        Ok(file) => Ok(UnixServer { listener: socket.into(), file, replaced_stale }),
        Err(error) => {
            let _ = fs::remove_file(&beside);
            Err(error)
        }
    }
}

/// Whether there is a socket; anything else there is an error.
fn is_socket(path: &Path) -> Result<bool, BindError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
        Ok(metadata) if metadata.file_type().is_socket() => Ok(true),
        Ok(_) => Err(BindError::NotASocket { path: path.display().to_string() }),
    }
}

/// Whether a program listens at the socket `path`.
///
/// # Errors
/// It cannot be told, for one because we may not connect.
pub fn is_live(path: &Path) -> io::Result<bool> {
    let socket = open()?;
    match connect(socket.as_raw_fd(), &UnixAddr::new(path)?) {
        // A full backlog: somebody listens, if slowly.
        Ok(()) | Err(Errno::EAGAIN | Errno::EINPROGRESS) => Ok(true),
        Err(Errno::ECONNREFUSED | Errno::ENOENT) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn open() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    Ok(socket(AddressFamily::Unix, SockType::Stream, flags, None)?)
}

fn check_length(path: &Path) -> Result<(), BindError> {
    let bytes = path.as_os_str().len().max(beside(path).as_os_str().len());
    if bytes <= PATH_BYTES_MAX {
        return Ok(());
    }
    Err(BindError::PathTooLong { path: path.display().to_string(), bytes, bytes_max: PATH_BYTES_MAX })
}

/// A short name in the same directory, so that a path which fits is not made too long.
fn beside(path: &Path) -> PathBuf {
    path.with_file_name(format!(".{}", std::process::id()))
}

/// Gives the new socket its mode and owner, opens it for business and moves it into place.
fn dress(
    socket: &OwnedFd,
    beside: &Path,
    path: &Path,
    mode: u32,
    (uid, gid): (Option<u32>, Option<u32>),
) -> Result<SocketFile, BindError> {
    if uid.is_some() || gid.is_some() {
        chown(beside, uid, gid).map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => BindError::Chown {
                path: path.display().to_string(),
                uid: uid.map_or(-1, i64::from),
                gid: gid.map_or(-1, i64::from),
                current: format!("uid {}", nix::unistd::geteuid()),
            },
            _ => error.into(),
        })?;
    }
    fs::set_permissions(beside, Permissions::from_mode(mode))?;
    listen(socket, Backlog::new(BACKLOG_CONNECTIONS).map_err(io::Error::from)?).map_err(io::Error::from)?;
    let metadata = fs::symlink_metadata(beside)?;
    fs::rename(beside, path)?;
    Ok(SocketFile { path: path.to_owned(), device: metadata.dev(), inode: metadata.ino() })
}
