//! The asks: the few calls whose answer decides a transition. The shell answers with system calls, simulations from a script.

use thiserror::Error;

use super::ProcId;
use crate::config::ProcessConfig;

/// A process id of the operating system, always positive.
pub type Pid = i32;

/// Everything a start needs to know. The command is still one string: it is split and looked up by the kernel,
/// because a look-up asks the file system.
#[derive(Debug, Clone, Copy)]
pub struct SpawnPlan<'a> {
    /// Which process this is.
    pub id: ProcId,
    /// Name of its group.
    pub group: &'a str,
    /// Its resolved settings.
    pub config: &'a ProcessConfig,
    /// With `killmode=tree`: what marks its tree.
    pub mark: Option<&'a str>,
}

/// The processes that a program has started, with all that they have started, whoever their parents are by now.
#[derive(Debug, Clone, Copy)]
pub struct Tree<'a> {
    /// What they inherited; no other run of a program has the same.
    pub mark: &'a str,
    /// The program's own process, which is one of them while it lives. It leads the process group of those that have not left it.
    pub main: Pid,
    /// Whether that has ended.
    pub is_orphaned: bool,
}

/// Who receives a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One process.
    Process(Pid),
    /// Its whole process group.
    Group(Pid),
}

/// A command that cannot be run (`Supervisor: process.py get_execv_args`, `options.py check_execv_args`).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// No such file, neither as a path nor in PATH. The text is a Python `repr` of the word, as in Supervisor's.
    #[error("can't find command '{0}'")]
    NotFound(String),
    /// The path names a directory.
    #[error("command at '{0}' is a directory")]
    IsDirectory(String),
    /// No execute permission bit is set.
    #[error("command at '{0}' is not executable")]
    NotExecutable(String),
    /// `access(2)` refuses execution.
    #[error("no permission to run command '{0}'")]
    NoPermission(String),
    /// The command has no words.
    #[error("command is empty")]
    Empty,
    /// Unbalanced quotes or a trailing backslash.
    #[error("can't parse command {command}: {reason}")]
    Unparsable {
        /// `repr` of the whole command.
        command: String,
        /// `No closing quotation` or `No escaped character`.
        reason: String,
    },
}

/// A start that did not produce a process. Its text becomes `spawnerr`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpawnError {
    /// The command cannot be run.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// EMFILE while making pipes or opening logs.
    #[error("too many open files to spawn '{name}'")]
    TooManyFiles {
        /// Process name.
        name: String,
    },
    /// Any other error while making pipes or opening logs.
    #[error("unknown error making dispatchers for '{name}': {errno}")]
    Dispatchers {
        /// Process name.
        name: String,
        /// Symbolic errno, such as `EACCES`.
        errno: String,
    },
    /// The listening socket of a FastCGI program cannot be made.
    #[error("Could not create FastCGI socket {url}: {reason}")]
    Socket {
        /// Where it should listen.
        url: String,
        /// Why it cannot.
        reason: String,
    },
    /// EAGAIN from fork.
    #[error("Too many processes in process table to spawn '{name}'")]
    TooManyProcesses {
        /// Process name.
        name: String,
    },
    /// Any other error from fork.
    #[error("unknown error during fork for '{name}': {errno}")]
    Fork {
        /// Process name.
        name: String,
        /// Symbolic errno.
        errno: String,
    },
}

/// A signal that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignalError {
    /// The process is gone (ESRCH).
    #[error("[Errno 3] No such process")]
    NoSuchProcess,
    /// Anything else, EPERM for one. The text names the errno.
    #[error("{0}")]
    Other(String),
}

/// A listener cannot be sent an event: it has closed its standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

/// The asks.
pub trait Kernel {
    /// Checks that the command of `plan` can be found and executed, without running it.
    fn check_command(&mut self, plan: &SpawnPlan<'_>) -> Result<(), CommandError>;
    /// Makes the pipes, opens the logs and starts the child.
    fn spawn(&mut self, plan: &SpawnPlan<'_>) -> Result<Pid, SpawnError>;
    /// Sends a signal by number.
    fn signal(&mut self, target: Target, signal: i32) -> Result<(), SignalError>;
    /// Sends a signal to every process of a tree that lives, 0 to none, and answers how many there were.
    fn signal_tree(&mut self, tree: &Tree<'_>, signal: i32) -> usize;
    /// Puts an event into the standard input of a listener, whole or not at all, without waiting for room in the pipe.
    fn deliver(&mut self, listener: ProcId, event: &[u8]) -> Result<(), Closed>;
}
