//! Starting a child: pipes, fork, exec.
//!
//! Everything is allocated before `fork`; the child makes system calls only ([`child`]), so it cannot meet a lock or a heap
//! that the fork left half-changed.
//!
//! A fork copies the daemon's page tables and the table of its descriptors, and the child closes all of these: with three for
//! each program that runs, the thousandth start would cost several times the first. So a child borrows both until it has become
//! its program ([`seats`]). The daemon stands still for that long, so one that has to enter a directory is forked: a file server
//! that is gone may keep it for hours.

mod child;
mod clone3;
mod seats;

use std::ffi::{CString, NulError, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::{ForkResult, fork, pipe2};
use thiserror::Error;

use self::child::Ends;
pub use self::seats::Seats;
use super::errno::io_error_name;
use super::privileges::Identity;
use crate::core::{Pid, SpawnError};

/// What a child shall be.
#[derive(Debug, Clone, Copy)]
pub struct Exec<'a> {
    /// The file to execute, from [`super::command::find`]. A relative one is resolved after `directory` is entered.
    pub path: &'a Path,
    /// The words of the command, the first as written.
    pub argv: &'a [String],
    /// The whole environment; of two entries with one name programs see the first.
    pub env: &'a [(OsString, OsString)],
    /// Working directory; `None` inherits.
    pub directory: Option<&'a Path>,
    /// Umask; `None` inherits.
    pub umask: Option<u32>,
    /// Account; `None` stays the daemon's.
    pub identity: Option<&'a Identity>,
    /// Descriptor 2 is the stdout pipe; there is no stderr pipe.
    pub redirect_stderr: bool,
    /// Descriptor 0, a listening socket; `None` makes a pipe.
    pub stdin: Option<BorrowedFd<'a>>,
    /// The directory of its control group; `None` stays in the daemon's.
    pub cgroup: Option<BorrowedFd<'a>>,
}

/// A child that was forked, with our ends of its pipes: non-blocking and closed on exec.
#[derive(Debug)]
pub struct Child {
    /// Its process id, which is also its process group.
    pub pid: Pid,
    /// Its descriptor 0, to write to, if that is a pipe. Keep it open: a child that reads sees the end when it closes.
    pub stdin: Option<OwnedFd>,
    /// Its descriptor 1, to read from.
    pub stdout: OwnedFd,
    /// Its descriptor 2; `None` with `redirect_stderr`.
    pub stderr: Option<OwnedFd>,
    /// Ends without a byte when the child has become its program, else with the reason why it could not.
    pub status: OwnedFd,
}

/// How far a start came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Turning words into C strings: one holds a zero byte.
    Words,
    /// Making the pipes.
    Pipes,
    /// `fork(2)`
    Fork,
}

/// A start that made no process. What goes wrong after `fork` is written to the child's stderr and to [`Child::status`], and
/// the child exits with [`NOT_SPAWNED_CODE`].
#[derive(Debug, Error)]
#[error("{stage:?}: {source}")]
pub struct SpawnFailure {
    /// How far it came.
    pub stage: Stage,
    /// The reason.
    pub source: io::Error,
}

impl SpawnFailure {
    /// The failure in the words of `spawnerr`, for the process called `name`.
    pub fn into_spawn_error(self, name: &str) -> SpawnError {
        let name = name.to_owned();
        let errno = io_error_name(&self.source);
        match (self.stage, self.source.raw_os_error()) {
            (Stage::Pipes, Some(libc::EMFILE)) => SpawnError::TooManyFiles { name },
            (Stage::Fork, Some(libc::EAGAIN)) => SpawnError::TooManyProcesses { name },
            (Stage::Fork, _) => SpawnError::Fork { name, errno },
            (Stage::Pipes | Stage::Words, _) => SpawnError::Dispatchers { name, errno },
        }
    }
}

/// Exit code of a child that could not become its program (`Supervisor: process.py _spawn_as_child()`).
pub const NOT_SPAWNED_CODE: i32 = 127;

/// Starts a child in its own process group, with an empty signal mask and, but for SIGPIPE and SIGXFSZ, default dispositions.
///
/// `before_fork` sees our ends of the pipes when nobody else has them yet. `seats` are for a start without a fork.
///
/// # Errors
/// [`SpawnFailure`]; nothing is left open then.
pub fn spawn(
    exec: &Exec<'_>,
    seats: Option<&mut Seats>,
    before_fork: &mut dyn FnMut(&Ours),
) -> Result<Child, SpawnFailure> {
    let image = child::Image::new(exec)
        .map_err(|error| SpawnFailure { stage: Stage::Words, source: io::Error::from(error) })?;
    let pipes = Pipes::open(exec).map_err(|errno| SpawnFailure { stage: Stage::Pipes, source: errno.into() })?;
    before_fork(&pipes.ours);
    let started = match seats.filter(|_| exec.directory.is_none()) {
        // An emulator of another processor (qemu-user) knows no process that shares this much.
        Some(seats) => match seats.start(&image, &pipes.theirs) {
            Err(Errno::EINVAL) => start_by_fork(&image, &pipes.theirs),
            started => started,
        },
        None => start_by_fork(&image, &pipes.theirs),
    };
    let pid = started.map_err(|errno| SpawnFailure { stage: Stage::Fork, source: errno.into() })?;
    let Ours { stdin, stdout, stderr, status } = pipes.ours;
    Ok(Child { pid, stdin, stdout, stderr, status })
}

fn start_by_fork(image: &child::Image<'_>, theirs: &Theirs<'_>) -> Result<Pid, Errno> {
    // SAFETY: the child runs `become_program` only, which makes nothing but async-signal-safe calls and never returns.
    match unsafe { fork() }? {
        ForkResult::Child => child::become_program(image, &theirs.ends(), false),
        ForkResult::Parent { child } => Ok(child.as_raw()),
    }
}

/// Both ends of the pipes. There is none for stdin when that is a socket, and none for stderr when it goes where stdout
/// goes.
struct Pipes<'a> {
    ours: Ours,
    theirs: Theirs<'a>,
}

/// Our ends of the pipes of a child that is about to be made.
#[derive(Debug)]
pub struct Ours {
    /// As [`Child::stdin`].
    pub stdin: Option<OwnedFd>,
    /// As [`Child::stdout`].
    pub stdout: OwnedFd,
    /// As [`Child::stderr`].
    pub stderr: Option<OwnedFd>,
    status: OwnedFd,
}

/// The child's ends, blocking as programs expect.
struct Theirs<'a> {
    stdin: Stdin<'a>,
    stdout: OwnedFd,
    stderr: Option<OwnedFd>,
    status: OwnedFd,
}

impl Theirs<'_> {
    fn ends(&self) -> Ends {
        let stdout = self.stdout.as_raw_fd();
        let stderr = self.stderr.as_ref().map_or(stdout, AsRawFd::as_raw_fd);
        let (stdin, status) = (self.stdin.as_fd().as_raw_fd(), self.status.as_raw_fd());
        Ends { stdin, stdout, stderr, status, last_shared: None }
    }
}

enum Stdin<'a> {
    Pipe(OwnedFd),
    Socket(BorrowedFd<'a>),
}

impl<'a> Pipes<'a> {
    fn open(exec: &Exec<'a>) -> Result<Self, Errno> {
        let (stdin, stdin_writer) = match exec.stdin {
            Some(socket) => (Stdin::Socket(socket), None),
            None => pipe2(OFlag::O_CLOEXEC).map(|(reader, writer)| (Stdin::Pipe(reader), Some(writer)))?,
        };
        let (stdout_reader, stdout_writer) = pipe2(OFlag::O_CLOEXEC)?;
        let (stderr_reader, stderr_writer) =
            if exec.redirect_stderr { None } else { Some(pipe2(OFlag::O_CLOEXEC)?) }.unzip();
        let (status_reader, status_writer) = pipe2(OFlag::O_CLOEXEC)?;
        let ours = [stdin_writer.as_ref(), Some(&stdout_reader), stderr_reader.as_ref(), Some(&status_reader)];
        for end in ours.into_iter().flatten() {
            fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Self {
            ours: Ours { stdin: stdin_writer, stdout: stdout_reader, stderr: stderr_reader, status: status_reader },
            theirs: Theirs { stdin, stdout: stdout_writer, stderr: stderr_writer, status: status_writer },
        })
    }
}

impl AsFd for Stdin<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stdin::Pipe(pipe) => pipe.as_fd(),
            Stdin::Socket(socket) => *socket,
        }
    }
}

/// `NAME=value` as C wants it.
fn assignment((name, value): &(OsString, OsString)) -> Result<CString, NulError> {
    let mut bytes = Vec::with_capacity(name.len() + value.len() + 2);
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(b'=');
    bytes.extend_from_slice(value.as_bytes());
    CString::new(bytes)
}
