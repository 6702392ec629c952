//! The system log, spoken directly: a static binary has no need of the C library's `syslog`.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::poll::{PollFd, PollFlags, poll};

use crate::sys::local_time::local_time;

/// Where the system log listens.
const SOCKET_PATH: &str = "/dev/log";

/// Facility LOG_USER (1), severity LOG_INFO (6): what Python's `syslog.syslog()` uses.
const PRIORITY: u32 = 1 << 3 | 6;

/// How long a full queue of the system log may hold the daemon up, in milliseconds.
const PATIENCE_MS: u8 = 100;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A line to the system log. It connects when it is first used, and again when the log was restarted.
#[derive(Debug)]
pub struct Syslog {
    ident: String,
    path: PathBuf,
    socket: Option<UnixDatagram>,
    /// Its queue stayed full: lines are dropped without waiting until one gets through again.
    stuck: bool,
}

impl Syslog {
    /// A connection that names its lines `ident`.
    pub fn new(ident: &str) -> Self {
        Self::at(Path::new(SOCKET_PATH), ident)
    }

    /// The same at another socket.
    pub fn at(path: &Path, ident: &str) -> Self {
        Self { ident: ident.to_owned(), path: path.to_owned(), socket: None, stuck: false }
    }

    /// Sends each line of `text`. A queue that is full, as after many lines at once, is waited for, but no longer than
    /// [`PATIENCE_MS`] once.
    ///
    /// # Errors
    /// There is no system log, or it is too busy; the lines are lost.
    pub fn send(&mut self, wall: SystemTime, text: &str) -> io::Result<()> {
        text.trim_end_matches('\n').split('\n').try_for_each(|line| self.send_line(wall, line))
    }

    fn send_line(&mut self, wall: SystemTime, line: &str) -> io::Result<()> {
        let unix_secs = wall.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        let at = local_time(unix_secs);
        let month = MONTHS.get(at.month as usize - 1).copied().unwrap_or("Jan");
        let packet = format!(
            "<{PRIORITY}>{month} {:2} {:02}:{:02}:{:02} {}: {line}",
            at.day, at.hour, at.minute, at.second, self.ident
        );
        let sent = match &self.socket {
            Some(socket) => send(socket, packet.as_bytes(), &mut self.stuck),
            None => Err(ErrorKind::NotConnected.into()),
        };
        match sent {
            Err(error) if error.kind() != ErrorKind::WouldBlock => {}
            other => return other,
        }
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(&self.path)?;
        let sent = send(&socket, packet.as_bytes(), &mut self.stuck);
        self.socket = Some(socket);
        sent
    }
}

fn send(socket: &UnixDatagram, packet: &[u8], stuck: &mut bool) -> io::Result<()> {
    let mut sent = socket.send(packet);
    if !*stuck && sent.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
        let _ = poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)], PATIENCE_MS);
        sent = socket.send(packet);
    }
    *stuck = sent.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    sent.map(drop)
}
