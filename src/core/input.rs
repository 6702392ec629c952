//! What can happen to the supervisor, and what clients are told.

use super::{ExitStatus, Pid};
use crate::config::{GroupConfig, ProcessConfig};

/// Names a client that waits for an answer.
pub type Ticket = u64;

/// One happening.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A child was reaped; its pipes are drained already.
    Exited(Pid, ExitStatus),
    /// A child could not become its program, and why; its end follows.
    NotSpawned(Pid, String),
    /// The listener that runs as this pid wrote something on its standard output.
    ListenerOutput(Pid, Vec<u8>),
    /// A client asks for something that changes state.
    Request(Ticket, Request),
    /// The configuration that `Tell::ReadConfig` asked for, or why it cannot be read.
    ConfigRead(Ticket, Result<Vec<GroupConfig>, String>),
    /// SIGTERM, SIGINT or SIGQUIT, by name.
    ExitSignal(String),
    /// SIGHUP, with the new configuration already found valid by the shell.
    RestartSignal,
}

/// A request that changes state, or waits for one to change. Names are namespecs: `name`, `group:name`, `group:*`.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Start a process, or a group if the name is one's.
    Start {
        /// Namespec.
        name: String,
        /// Answer when it runs, not before.
        wait: bool,
    },
    /// Start every process of a group that is not running.
    StartGroup {
        /// Group name.
        group: String,
        /// Answer when all run.
        wait: bool,
    },
    /// Start everything that is not running.
    StartAll {
        /// Answer when all run.
        wait: bool,
    },
    /// Stop a process, or a group if the name is one's.
    Stop {
        /// Namespec.
        name: String,
        /// Answer when it is gone.
        wait: bool,
    },
    /// Stop every running process of a group.
    StopGroup {
        /// Group name.
        group: String,
        /// Answer when all are gone.
        wait: bool,
    },
    /// Stop everything.
    StopAll {
        /// Answer when all are gone.
        wait: bool,
    },
    /// Send a signal to a process, or to a group if the name is one's.
    Signal {
        /// Namespec.
        name: String,
        /// Name or number.
        signal: String,
    },
    /// Send a signal to every running process of a group.
    SignalGroup {
        /// Group name.
        group: String,
        /// Name or number.
        signal: String,
    },
    /// Send a signal to every running process.
    SignalAll {
        /// Name or number.
        signal: String,
    },
    /// Read the configuration again and say what differs.
    Reread,
    /// Add a group of the configuration last read.
    AddGroup(String),
    /// Remove a group whose processes are all stopped.
    RemoveGroup(String),
    /// Bring a group that runs to the configuration last read, touching only what differs.
    UpdateGroup(String),
    /// Give a group that runs another number of processes than the configuration says.
    Scale {
        /// The group as the configuration has it now, with as many processes as it has running.
        same: Box<GroupConfig>,
        /// The same with as many processes as are wanted.
        wanted: Box<GroupConfig>,
    },
    /// Add processes to a group that runs.
    AddProcesses {
        /// Group name.
        group: String,
        /// Their settings.
        processes: Vec<ProcessConfig>,
    },
    /// Remove a stopped process from its group.
    RemoveProcess {
        /// Group name.
        group: String,
        /// Process name.
        name: String,
    },
    /// Stop everything and end.
    Shutdown,
    /// Stop everything and start over.
    Restart,
    /// Pass a message to the event listeners.
    RemoteCommunication {
        /// Type named by the sender.
        kind: String,
        /// The message.
        data: String,
    },
}

/// An answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is done.
    Done,
    /// It is not, and why.
    Refused(Refusal),
    /// One line for each process that was touched, in order of completion.
    Statuses(Vec<Status>),
    /// What a new configuration adds, changes and removes, as group names.
    Reread {
        /// In the new configuration only.
        added: Vec<String>,
        /// In both, but different.
        changed: Vec<String>,
        /// In the running one only.
        removed: Vec<String>,
    },
}

/// Outcome for one process of a request that touches many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Process name.
    pub name: String,
    /// Group name.
    pub group: String,
    /// `Ok`, or why not.
    pub outcome: Result<(), Refusal>,
}

/// Why a request was not carried out. The text inside is what a fault adds after its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No such process or group.
    BadName(String),
    /// No such signal.
    BadSignal(String),
    /// The program's file does not exist.
    NoFile(String),
    /// The program's file cannot be executed.
    NotExecutable(String),
    /// Anything else that went wrong.
    Failed(String),
    /// It left STARTING for something other than RUNNING.
    AbnormalTermination(String),
    /// It could not be started, or exited too quickly.
    SpawnError(String),
    /// It is running, or about to.
    AlreadyStarted(String),
    /// It is not running.
    NotRunning(String),
    /// The group is there already.
    AlreadyAdded(String),
    /// A process of the group has not stopped.
    StillRunning(String),
    /// The configuration has an error.
    CantReread(String),
    /// The supervisor is about to end.
    ShuttingDown,
}
