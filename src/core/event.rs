//! What event listeners are told (`Supervisor: events.py`), and the sets of it that they subscribe to.

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
    /// A period of the wall clock began.
    Tick {
        /// Which.
        period: Period,
        /// Its beginning, in seconds since 1970.
        when: i64,
    },
}

/// How often a TICK is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// TICK_5
    FiveSeconds,
    /// TICK_60
    Minute,
    /// TICK_3600
    Hour,
}

impl Period {
    /// All of them, the shortest first.
    pub const ALL: [Period; 3] = [Period::FiveSeconds, Period::Minute, Period::Hour];

    /// Its length.
    pub fn secs(self) -> i64 {
        match self {
            Period::FiveSeconds => 5,
            Period::Minute => 60,
            Period::Hour => 3600,
        }
    }

    /// The type of its events.
    pub fn kind(self) -> EventKind {
        match self {
            Period::FiveSeconds => EventKind::Tick5,
            Period::Minute => EventKind::Tick60,
            Period::Hour => EventKind::Tick3600,
        }
    }
}

/// The types of events that are sent (`Supervisor: events.py EventTypes`, without the abstract ones).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum EventKind {
    ProcessStateStopped,
    ProcessStateExited,
    ProcessStateStarting,
    ProcessStateStopping,
    ProcessStateBackoff,
    ProcessStateFatal,
    ProcessStateRunning,
    ProcessStateUnknown,
    ProcessCommunicationStdout,
    ProcessCommunicationStderr,
    ProcessLogStdout,
    ProcessLogStderr,
    RemoteCommunication,
    SupervisorRunning,
    SupervisorStopping,
    Tick5,
    Tick60,
    Tick3600,
    GroupAdded,
    GroupRemoved,
}

impl EventKind {
    /// All of them, in the order of their bits in an [`EventSet`].
    pub const ALL: [EventKind; 20] = [
        EventKind::ProcessStateStopped,
        EventKind::ProcessStateExited,
        EventKind::ProcessStateStarting,
        EventKind::ProcessStateStopping,
        EventKind::ProcessStateBackoff,
        EventKind::ProcessStateFatal,
        EventKind::ProcessStateRunning,
        EventKind::ProcessStateUnknown,
        EventKind::ProcessCommunicationStdout,
        EventKind::ProcessCommunicationStderr,
        EventKind::ProcessLogStdout,
        EventKind::ProcessLogStderr,
        EventKind::RemoteCommunication,
        EventKind::SupervisorRunning,
        EventKind::SupervisorStopping,
        EventKind::Tick5,
        EventKind::Tick60,
        EventKind::Tick3600,
        EventKind::GroupAdded,
        EventKind::GroupRemoved,
    ];

    /// As listeners know it.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::ProcessStateStopped => "PROCESS_STATE_STOPPED",
            EventKind::ProcessStateExited => "PROCESS_STATE_EXITED",
            EventKind::ProcessStateStarting => "PROCESS_STATE_STARTING",
            EventKind::ProcessStateStopping => "PROCESS_STATE_STOPPING",
            EventKind::ProcessStateBackoff => "PROCESS_STATE_BACKOFF",
            EventKind::ProcessStateFatal => "PROCESS_STATE_FATAL",
            EventKind::ProcessStateRunning => "PROCESS_STATE_RUNNING",
            EventKind::ProcessStateUnknown => "PROCESS_STATE_UNKNOWN",
            EventKind::ProcessCommunicationStdout => "PROCESS_COMMUNICATION_STDOUT",
            EventKind::ProcessCommunicationStderr => "PROCESS_COMMUNICATION_STDERR",
            EventKind::ProcessLogStdout => "PROCESS_LOG_STDOUT",
            EventKind::ProcessLogStderr => "PROCESS_LOG_STDERR",
            EventKind::RemoteCommunication => "REMOTE_COMMUNICATION",
            EventKind::SupervisorRunning => "SUPERVISOR_STATE_CHANGE_RUNNING",
            EventKind::SupervisorStopping => "SUPERVISOR_STATE_CHANGE_STOPPING",
            EventKind::Tick5 => "TICK_5",
            EventKind::Tick60 => "TICK_60",
            EventKind::Tick3600 => "TICK_3600",
            EventKind::GroupAdded => "PROCESS_GROUP_ADDED",
            EventKind::GroupRemoved => "PROCESS_GROUP_REMOVED",
        }
    }

    /// A process enters `state`.
    pub fn of_state(state: State) -> EventKind {
        match state {
            State::Stopped => EventKind::ProcessStateStopped,
            State::Exited => EventKind::ProcessStateExited,
            State::Starting => EventKind::ProcessStateStarting,
            State::Stopping => EventKind::ProcessStateStopping,
            State::Backoff => EventKind::ProcessStateBackoff,
            State::Fatal => EventKind::ProcessStateFatal,
            State::Running => EventKind::ProcessStateRunning,
            State::Unknown => EventKind::ProcessStateUnknown,
        }
    }

    /// A program writes to `channel`.
    pub fn of_log(channel: Channel) -> EventKind {
        match channel {
            Channel::Stdout => EventKind::ProcessLogStdout,
            Channel::Stderr => EventKind::ProcessLogStderr,
        }
    }

    /// A program writes a message to `channel`.
    pub fn of_communication(channel: Channel) -> EventKind {
        match channel {
            Channel::Stdout => EventKind::ProcessCommunicationStdout,
            Channel::Stderr => EventKind::ProcessCommunicationStderr,
        }
    }
}

/// Types of events: what a pool subscribes to. However a subscription overlaps, an event is in it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventSet(u32);

impl EventSet {
    /// Every type.
    pub const ALL: EventSet = EventSet(u32::MAX);

    /// What a name of `events=` stands for: one type, or all that begin like it. An unknown name stands for none.
    pub fn named(name: &str) -> EventSet {
        let is_meant = |kind: EventKind| {
            let rest = kind.name().strip_prefix(name);
            name == "EVENT" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        EventKind::ALL.into_iter().filter(|kind| is_meant(*kind)).fold(EventSet::default(), EventSet::with)
    }

    /// With one type more.
    #[must_use]
    pub fn with(self, kind: EventKind) -> EventSet {
        EventSet(self.0 | 1 << kind as u32)
    }

    /// What is in either.
    #[must_use]
    pub fn or(self, other: EventSet) -> EventSet {
        EventSet(self.0 | other.0)
    }

    /// Whether a type is in it.
    pub fn has(self, kind: EventKind) -> bool {
        self.0 & 1 << kind as u32 != 0
    }
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
    /// Which type it is.
    pub fn kind(&self) -> EventKind {
        match self {
            Event::ProcessState { to, .. } => EventKind::of_state(*to),
            Event::SupervisorRunning => EventKind::SupervisorRunning,
            Event::SupervisorStopping => EventKind::SupervisorStopping,
            Event::GroupAdded(_) => EventKind::GroupAdded,
            Event::GroupRemoved(_) => EventKind::GroupRemoved,
            Event::RemoteCommunication { .. } => EventKind::RemoteCommunication,
            Event::ProcessLog(written) => EventKind::of_log(written.channel),
            Event::ProcessCommunication(written) => EventKind::of_communication(written.channel),
            Event::Tick { period, .. } => period.kind(),
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
            Event::Tick { when, .. } => format!("when:{when}"),
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
