//! The method table of `/RPC2`. Pure: a call goes in; out comes a value, a fault, a request for the core, or a job for
//! the shell (which alone can read log files and write to pipes).
//!
//! `methods` is the table with signatures and help; `status`, `settings`, `control`, `logs`, `update`, `system` and `twiddler` are its rooms.

mod control;
mod logs;
mod methods;
mod params;
mod settings;
mod status;
mod system;
mod twiddler;
mod update;

use crate::config::{Level, LogFile};
use crate::core::{Core, Mood, ProcId, Refusal, Reply, Request, Status};
use crate::xmlrpc::{Call, Fault, Value, code};

pub use crate::core::Channel;
pub use methods::{METHODS, Method};
pub use status::{LocalTime, uptime};

/// Whose log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSource {
    /// The daemon's own.
    Main,
    /// A program's.
    Process(ProcId, Channel),
}

/// Something only the shell can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Bytes of a log by offset (`conformance: read`).
    ReadLog(LogSource, i64, i64),
    /// The last bytes of a log (`conformance: tail`).
    TailLog(LogSource, i64, i64),
    /// Empty the daemon's own log.
    ClearMainLog,
    /// Empty the logs of one program, named as the client did.
    ClearLogs(ProcId, String),
    /// Empty the logs of every program.
    ClearAllLogs(Vec<ProcId>),
    /// Add a program with these keys and values to a group.
    AddProgram {
        /// Group name.
        group: String,
        /// Program name.
        name: String,
        /// Keys and values of its section.
        settings: Vec<(String, String)>,
    },
    /// Make room for a newer program at the path of this one.
    Upgrade,
    /// Give a program another number of processes than its section says.
    Scale {
        /// Group name.
        group: String,
        /// The number, 0 or more.
        numprocs: i64,
    },
    /// Write a line to the activity log.
    Log(Level, String),
    /// Write to a program's standard input.
    WriteStdin(ProcId, String, Vec<u8>),
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The answer is known.
    Value(Value),
    /// The core decides, now or later.
    Request(Request),
    /// The shell has to do something.
    Job(Job),
    /// `system.multicall`: run these one after the other; an `Err` stands in for a call that cannot be run at all.
    Multicall(Vec<Result<Call, Fault>>),
}

/// What a method may know beside the core.
pub trait Surroundings {
    /// Seconds since 1970.
    fn wall_secs(&self) -> i64;
    /// A moment in local time.
    fn local_time(&self, wall_secs: i64) -> LocalTime;
    /// Pid of the daemon.
    fn pid(&self) -> i32;
    /// `identifier` of the configuration.
    fn identifier(&self) -> &str;
    /// Where a program's log is now; AUTO ones have a name only the shell knows.
    fn log_path(&self, id: ProcId, channel: Channel) -> Option<String>;
    /// Whether `[rpcinterface:supervisor]` is configured: without it `supervisor.*` does not exist.
    fn has_supervisor_rpc(&self) -> bool;
    /// The methods that `[rpcinterface:twiddler]` allows, all if empty; `None`: `twiddler.*` does not exist.
    fn twiddler(&self) -> Option<&[String]>;
}

/// Finds the method and runs it as far as it goes without touching anything.
///
/// # Errors
/// The fault to answer with: unknown method, wrong parameters, shutting down, or the method's own.
pub fn dispatch(call: &Call, core: &Core, around: &dyn Surroundings) -> Result<Outcome, Fault> {
    let method =
        methods(around).find(|method| method.name == call.method).ok_or_else(|| Fault::new(code::UNKNOWN_METHOD))?;
    if method.name.starts_with("twiddler.") {
        twiddler::admit(method.name, core, around)?;
    }
    if method.name.starts_with("supervisor.") && core.mood() < Mood::Running && !method.works_in_shutdown {
        return Err(Fault::new(code::SHUTDOWN_STATE));
    }
    (method.run)(&params::Params(&call.params), core, around)
}

/// Whether a method changes nothing: what a user with the role `readonly` may call. One that is new is not among them by itself.
pub fn only_looks(method: &str) -> bool {
    match method.split_once('.') {
        Some(("supervisor", name)) => ["get", "read", "tail", "plan"].iter().any(|verb| name.starts_with(verb)),
        Some(("system", name)) => name != "multicall",
        _ => matches!(method, "twiddler.getAPIVersion" | "twiddler.getGroupNames"),
    }
}

/// The methods that exist here.
fn methods(around: &dyn Surroundings) -> impl Iterator<Item = &'static Method> {
    let (has_supervisor, has_twiddler) = (around.has_supervisor_rpc(), around.twiddler().is_some());
    let main = METHODS.iter().filter(move |method| has_supervisor || !method.name.starts_with("supervisor."));
    main.chain(twiddler::METHODS.iter().filter(move |_| has_twiddler))
}

/// The answer of the core as a value or fault.
///
/// # Errors
/// The fault that stands for a refusal.
pub fn encode(reply: Reply) -> Result<Value, Fault> {
    match reply {
        Reply::Done => Ok(Value::Bool(true)),
        Reply::Refused(refusal) => Err(fault_of(refusal)),
        Reply::Statuses(statuses) => Ok(Value::Array(statuses.into_iter().map(status_struct).collect())),
        Reply::Reread { added, changed, removed } => {
            let names = |names: Vec<String>| Value::Array(names.into_iter().map(Value::Str).collect());
            Ok(Value::Array(vec![Value::Array(vec![names(added), names(changed), names(removed)])]))
        }
    }
}

/// One line of a status list (`Supervisor: rpcinterface.py make_allfunc`).
pub fn status_struct(status: Status) -> Value {
    let (number, text) = match status.outcome {
        Ok(()) => (code::SUCCESS, "OK".to_owned()),
        Err(refusal) => {
            let fault = fault_of(refusal);
            (fault.code, fault.text)
        }
    };
    Value::Struct(vec![
        ("name".into(), Value::Str(status.name)),
        ("group".into(), Value::Str(status.group)),
        ("status".into(), Value::Int(i64::from(number))),
        ("description".into(), Value::Str(text)),
    ])
}

/// The fault of a refusal.
pub fn fault_of(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::BadName(name) => Fault::with(code::BAD_NAME, name),
        Refusal::BadSignal(signal) => Fault::with(code::BAD_SIGNAL, signal),
        Refusal::NoFile(text) => Fault::with(code::NO_FILE, text),
        Refusal::NotExecutable(text) => Fault::with(code::NOT_EXECUTABLE, text),
        Refusal::Failed(text) => Fault::with(code::FAILED, text),
        Refusal::AbnormalTermination(name) => Fault::with(code::ABNORMAL_TERMINATION, name),
        Refusal::SpawnError(name) => Fault::with(code::SPAWN_ERROR, name),
        Refusal::AlreadyStarted(name) => Fault::with(code::ALREADY_STARTED, name),
        Refusal::NotRunning(name) => Fault::with(code::NOT_RUNNING, name),
        Refusal::AlreadyAdded(name) => Fault::with(code::ALREADY_ADDED, name),
        Refusal::StillRunning(name) => Fault::with(code::STILL_RUNNING, name),
        Refusal::CantReread(text) => Fault::with(code::CANT_REREAD, text),
        Refusal::ShuttingDown => Fault::new(code::SHUTDOWN_STATE),
    }
}

/// How a log file setting is shown to clients that ask for the configuration.
fn log_setting(file: &LogFile) -> String {
    match file {
        LogFile::None => "none".to_owned(),
        LogFile::Auto => "auto".to_owned(),
        LogFile::Path(path) => path.display().to_string(),
    }
}
