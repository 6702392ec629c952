//! What event listeners are told (`Supervisor: events.py`). Listeners themselves are a later layer.

use std::borrow::Cow;

use super::{Pid, State};
use crate::config::repr;

/// An output of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Standard output, and standard error too with `redirect_stderr`.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Channel {
    /// As messages and payloads name it.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Stdout => "stdout",
            Channel::Stderr => "stderr",
        }
    }
}

/// Something that a program wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Process name.
    pub process: String,
    /// Group name.
    pub group: String,
    /// The process that was started; a grandchild may have written it.
    pub pid: Pid,
    /// Where.
    pub channel: Channel,
    /// What.
    pub data: Vec<u8>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A process entered a state.
    ProcessState {
        /// Process name.
        process: String,
        /// Group name.
        group: String,
        /// State it left.
        from: State,
        /// State it entered.
        to: State,
        /// What the payload adds, by the state entered.
        detail: StateDetail,
    },
    /// The daemon is up.
    SupervisorRunning,
    /// The daemon began to stop everything.
    SupervisorStopping,
    /// A group was added.
    GroupAdded(String),
    /// A group was removed.
    GroupRemoved(String),
    /// A client's own message.
    RemoteCommunication {
        /// Type named by the sender.
        kind: String,
        /// The message.
        data: String,
    },
    /// A program wrote something, and `*_events_enabled` is set.
    ProcessLog(Written),
    /// A program wrote a message between the tokens of capture mode.
    ProcessCommunication(Written),
}

/// The tail of a PROCESS_STATE payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateDetail {
    /// STARTING and BACKOFF: failed tries so far.
    Tries(u32),
    /// RUNNING, STOPPING and STOPPED.
    Pid(Pid),
    /// EXITED: whether the exit code was expected.
    Exit {
        /// The exit code is among `exitcodes`.
        expected: bool,
        /// The process that ended.
        pid: Pid,
    },
    /// FATAL and UNKNOWN.
    None,
}

impl Event {
    /// The name listeners subscribe to.
    pub fn name(&self) -> String {
        match self {
            Event::ProcessState { to, .. } => format!("PROCESS_STATE_{}", to.name()),
            Event::SupervisorRunning => "SUPERVISOR_STATE_CHANGE_RUNNING".to_owned(),
            Event::SupervisorStopping => "SUPERVISOR_STATE_CHANGE_STOPPING".to_owned(),
            Event::GroupAdded(_) => "PROCESS_GROUP_ADDED".to_owned(),
            Event::GroupRemoved(_) => "PROCESS_GROUP_REMOVED".to_owned(),
            Event::RemoteCommunication { .. } => "REMOTE_COMMUNICATION".to_owned(),
            Event::ProcessLog(written) => format!("PROCESS_LOG_{}", written.channel.name().to_uppercase()),
            Event::ProcessCommunication(written) => {
                format!("PROCESS_COMMUNICATION_{}", written.channel.name().to_uppercase())
            }
        }
    }

    /// The payload listeners read.
    pub fn payload(&self) -> String {
        match self {
            Event::ProcessState { process, group, from, detail, .. } => {
                let head = format!("processname:{process} groupname:{group} from_state:{}", from.name());
                match detail {
                    StateDetail::Tries(tries) => format!("{head} tries:{tries}"),
                    StateDetail::Pid(pid) => format!("{head} pid:{pid}"),
                    StateDetail::Exit { expected, pid } => format!("{head} expected:{} pid:{pid}", u8::from(*expected)),
                    StateDetail::None => head,
                }
            }
            Event::SupervisorRunning | Event::SupervisorStopping => String::new(),
            Event::GroupAdded(group) | Event::GroupRemoved(group) => format!("groupname:{group}\n"),
            Event::RemoteCommunication { kind, data } => format!("type:{kind}\n{data}"),
            Event::ProcessLog(Written { process, group, pid, channel, data }) => {
                let (channel, data) = (channel.name(), shown(data));
                format!("processname:{process} groupname:{group} pid:{pid} channel:{channel}\n{data}")
            }
            Event::ProcessCommunication(Written { process, group, pid, data, .. }) => {
                format!("processname:{process} groupname:{group} pid:{pid}\n{}", shown(data))
            }
        }
    }
}

/// What a program wrote, as text: as it is, or as Python prints bytes that are none.
pub fn shown(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => format!("Undecodable: {}", repr::bytes(bytes)).into(),
    }
}
