//! The states of a process and of the supervisor, with the codes that clients see.

/// State of a process (`Supervisor: states.py ProcessStates`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Not running, by request or because it was never started.
    Stopped,
    /// Running for less than `startsecs`.
    Starting,
    /// Running.
    Running,
    /// Failed to start; waits for its next try.
    Backoff,
    /// Asked to stop, not gone yet.
    Stopping,
    /// Ran, and ended by itself.
    Exited,
    /// Given up after too many failed starts.
    Fatal,
    /// Kept for clients that know the code; nothing here enters it (ARCHITECTURE.md, divergence D20).
    Unknown,
}

impl State {
    /// Every state.
    pub const ALL: [State; 8] = [
        State::Stopped,
        State::Starting,
        State::Running,
        State::Backoff,
        State::Stopping,
        State::Exited,
        State::Fatal,
        State::Unknown,
    ];

    /// The number clients see.
    pub fn code(self) -> i64 {
        match self {
            State::Stopped => 0,
            State::Starting => 10,
            State::Running => 20,
            State::Backoff => 30,
            State::Stopping => 40,
            State::Exited => 100,
            State::Fatal => 200,
            State::Unknown => 1000,
        }
    }

    /// The name clients see.
    pub fn name(self) -> &'static str {
        match self {
            State::Stopped => "STOPPED",
            State::Starting => "STARTING",
            State::Running => "RUNNING",
            State::Backoff => "BACKOFF",
            State::Stopping => "STOPPING",
            State::Exited => "EXITED",
            State::Fatal => "FATAL",
            State::Unknown => "UNKNOWN",
        }
    }

    /// Nothing is left to stop (`Supervisor: STOPPED_STATES`).
    pub fn is_stopped(self) -> bool {
        matches!(self, State::Stopped | State::Exited | State::Fatal | State::Unknown)
    }

    /// It runs or is going to (`Supervisor: RUNNING_STATES`, which counts BACKOFF in).
    pub fn is_active(self) -> bool {
        matches!(self, State::Running | State::Backoff | State::Starting)
    }

    /// A signal can reach it (`Supervisor: SIGNALLABLE_STATES`).
    pub fn is_signallable(self) -> bool {
        matches!(self, State::Running | State::Starting | State::Stopping)
    }
}

/// State of the supervisor (`Supervisor: states.py SupervisorStates`; its FATAL, 2, is never set there either).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    /// Everything is being stopped, for good.
    Shutdown,
    /// Everything is being stopped, to start over with a new configuration.
    Restarting,
    /// Normal operation.
    Running,
}

impl Mood {
    /// The number clients see.
    pub fn code(self) -> i64 {
        match self {
            Mood::Shutdown => -1,
            Mood::Restarting => 0,
            Mood::Running => 1,
        }
    }

    /// The name clients see.
    pub fn name(self) -> &'static str {
        match self {
            Mood::Shutdown => "SHUTDOWN",
            Mood::Restarting => "RESTARTING",
            Mood::Running => "RUNNING",
        }
    }
}
