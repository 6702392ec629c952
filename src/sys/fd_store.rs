//! Descriptors that the service manager keeps for us: it holds copies, and gives them to whoever it starts after us
//! (`FDSTORE=1` of `sd_notify(3)`, systemd 219 and later).

use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, connect, sendmsg, socket,
};

use super::exec_self::{ObjectId, object_of};

/// The first descriptor that a service manager passes.
const FIRST: RawFd = 3;

/// Most descriptors that are taken from a service manager, as a bound for what its variables say.
const TAKEN_COUNT_MAX: RawFd = 65_536;

/// How long a service manager that has no room for another message is waited for, in milliseconds.
const PATIENCE_MS: u16 = 200;

/// The way to the service manager.
#[derive(Debug)]
pub struct FdStore {
    socket: OwnedFd,
}

impl FdStore {
    /// To the one that started us; `None` without one.
    pub fn open() -> Option<Self> {
        let path = std::env::var_os("NOTIFY_SOCKET")?;
        let bytes = path.as_encoded_bytes();
        let address = match bytes.strip_prefix(b"@") {
            Some(name) => UnixAddr::new_abstract(name).ok()?,
            None => UnixAddr::new(bytes).ok()?,
        };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::Datagram, flags, None).ok()?;
        connect(socket.as_raw_fd(), &address).ok()?;
        Some(FdStore { socket })
    }

    /// Has it keep copies of these, which are to be found again by what is behind them. It must not drop one because its
    /// other end is closed: what is still in a pipe is wanted (`FDPOLL=0`, systemd 246; older ones drop it).
    ///
    /// # Errors
    /// It cannot be reached, or has no room for a while.
    pub fn keep(&self, name: ObjectId, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let numbers: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        self.send(&format!("FDSTORE=1\nFDPOLL=0\nFDNAME={}\n", shown(name)), &numbers)
    }

    /// Has it close what it keeps under a name (systemd 236; older ones close what has no other end).
    ///
    /// # Errors
    /// As [`FdStore::keep`].
    pub fn forget(&self, name: ObjectId) -> io::Result<()> {
        self.send(&format!("FDSTOREREMOVE=1\nFDNAME={}\n", shown(name)), &[])
    }

    fn send(&self, text: &str, numbers: &[RawFd]) -> io::Result<()> {
        let (bytes, rights) = ([IoSlice::new(text.as_bytes())], [ControlMessage::ScmRights(numbers)]);
        let rights: &[ControlMessage<'_>] = if numbers.is_empty() { &[] } else { &rights };
        for is_last in [false, true] {
            match sendmsg::<UnixAddr>(self.socket.as_raw_fd(), &bytes, rights, MsgFlags::MSG_NOSIGNAL, None) {
                Err(Errno::EAGAIN) if !is_last => {
                    let socket = std::os::fd::AsFd::as_fd(&self.socket);
                    let _ = poll(&mut [PollFd::new(socket, PollFlags::POLLOUT)], PATIENCE_MS);
                }
                Err(errno) => return Err(errno.into()),
                Ok(_) => break,
            }
        }
        Ok(())
    }
}

fn shown(ObjectId { device, inode }: ObjectId) -> String {
    format!("{device:x}-{inode:x}")
}

/// What the service manager kept for us, by what is behind each. Call it once, before anything else is opened, and before the
/// first thread is made.
pub fn take() -> HashMap<ObjectId, OwnedFd> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<RawFd>().ok();
    let ours = number("LISTEN_PID") == Some(std::process::id().cast_signed());
    let count = number("LISTEN_FDS").filter(|_| ours).unwrap_or(0).clamp(0, TAKEN_COUNT_MAX);
    let mut taken = HashMap::new();
    for number in FIRST..FIRST + count {
        // SAFETY: only asked for its flags; one that is not open gives an error.
        if fcntl(unsafe { BorrowedFd::borrow_raw(number) }, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).is_err() {
            continue;
        }
        // SAFETY: the service manager passes it to us, and nobody else has taken it: this runs once.
        let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
        if let Ok(object) = object_of(std::os::fd::AsFd::as_fd(&descriptor)) {
            // A second copy of the same is closed.
            taken.entry(object).or_insert(descriptor);
        }
    }
    taken
}
