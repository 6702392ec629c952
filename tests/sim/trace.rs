//! The trace format of `tests/oracle/record.py`, which documents it.

use supervisor_kit::config::{Autorestart, ChannelConfig, LogFile, ProcessConfig};
use supervisor_kit::core::{CommandError, ExitStatus, Pid, SignalError, SpawnError};

/// The command that the recorder gives every program.
const COMMAND: &str = "/opt/app/bin/serve --now";
/// Its file.
const PROGRAM: &str = "/opt/app/bin/serve";

/// One line.
pub enum Line<'a> {
    /// A new program, and the name of its group.
    Program(Box<ProcessConfig>, &'a str),
    /// One thing done with it.
    Step(Step<'a>),
}

/// What was done, what the system answered, and what came of it.
#[derive(Debug)]
pub struct Step<'a> {
    /// Milliseconds since the life began.
    pub at_ms: u64,
    pub action: Action,
    /// Why a start in this step fails, if there is one and it does.
    pub spawn_failure: &'a str,
    /// Why a signal in this step fails, if there is one and it does.
    pub kill_failure: &'a str,
    pub after: Snapshot<'a>,
    /// Events and log lines, as in the trace.
    pub tells: Vec<String>,
    /// Signals sent: pid (negative for a group) and number.
    pub kills: Vec<(Pid, i32)>,
    /// Which intended divergence this step is about.
    pub divergence: Option<&'a str>,
}

/// What is visible of a process after a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot<'a> {
    pub state: &'a str,
    pub backoff: u32,
    pub pid: Pid,
    pub exit_status: Option<i32>,
    pub start_wall_secs: i64,
    pub stop_wall_secs: i64,
    pub spawn_error: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Transition,
    Spawn,
    Stop,
    Signal(i32),
    GiveUp,
    Finish(ExitStatus),
    Mood(i32),
}

/// Reads one line.
pub fn parse(line: &str) -> Line<'_> {
    let mut fields = line.split('\t');
    match fields.next() {
        Some("P") => parse_program(fields),
        Some("S") => Line::Step(parse_step(fields)),
        _ => panic!("not a line of a trace: {line}"),
    }
}

fn parse_program<'a>(fields: impl Iterator<Item = &'a str>) -> Line<'a> {
    let mut config = Box::new(blank_program());
    let mut group = "";
    for field in fields {
        let (key, value) = field.split_once('=').unwrap();
        match key {
            "name" => config.name = value.to_owned(),
            "group" => group = value,
            "startsecs" => config.startsecs = value.parse().unwrap(),
            "startretries" => config.startretries = value.parse().unwrap(),
            "autostart" => config.autostart = value == "1",
            "autorestart" => {
                config.autorestart = match value {
                    "never" => Autorestart::Never,
                    "unexpected" => Autorestart::Unexpected,
                    "always" => Autorestart::Always,
                    _ => panic!("autorestart={value}"),
                }
            }
            "exitcodes" => {
                config.exitcodes =
                    value.split(',').filter(|code| !code.is_empty()).map(|code| code.parse().unwrap()).collect();
            }
            "stopsignal" => config.stopsignal = value.parse().unwrap(),
            "stopwaitsecs" => config.stopwaitsecs = value.parse().unwrap(),
            "stopasgroup" => config.stopasgroup = value == "1",
            "killasgroup" => config.killasgroup = value == "1",
            "priority" => config.priority = value.parse().unwrap(),
            _ => panic!("unknown setting {key}"),
        }
    }
    Line::Program(config, group)
}

/// A program with nothing said about it but its command.
pub fn blank_program() -> ProcessConfig {
    let blank = ProcessConfig::blank();
    let silent = ChannelConfig { file: LogFile::None, ..blank.stdout.clone() };
    ProcessConfig { command: COMMAND.to_owned(), exitcodes: vec![0], stdout: silent.clone(), stderr: silent, ..blank }
}

fn parse_step<'a>(mut fields: impl Iterator<Item = &'a str>) -> Step<'a> {
    let at_ms = fields.next().unwrap().parse().unwrap();
    let action = parse_action(fields.next().unwrap());
    let (spawn_failure, kill_failure) = fields.next().unwrap().split_once(' ').unwrap();
    let after = parse_snapshot(fields.next().unwrap(), fields.next().unwrap());
    let mut step = Step {
        at_ms,
        action,
        spawn_failure,
        kill_failure,
        after,
        tells: Vec::new(),
        kills: Vec::new(),
        divergence: None,
    };
    for effect in fields {
        match effect.split_once(' ').unwrap() {
            ("#", divergence) => step.divergence = Some(divergence),
            ("K", kill) => {
                let (pid, signal) = kill.split_once(' ').unwrap();
                step.kills.push((pid.parse().unwrap(), signal.parse().unwrap()));
            }
            _ => step.tells.push(effect.to_owned()),
        }
    }
    step
}

fn parse_action(field: &str) -> Action {
    let (name, argument) = field.split_once(' ').unwrap_or((field, "0"));
    let argument = argument.parse().unwrap();
    match name {
        "transition" => Action::Transition,
        "spawn" => Action::Spawn,
        "stop" => Action::Stop,
        "signal" => Action::Signal(argument),
        "give_up" => Action::GiveUp,
        "finish" => Action::Finish(decode_wait_status(argument)),
        "mood" => Action::Mood(argument),
        _ => panic!("unknown action {name}"),
    }
}

/// What Linux means by a wait status.
pub fn decode_wait_status(status: i32) -> ExitStatus {
    match status & 0x7f {
        0 => ExitStatus::Code((status >> 8) & 0xff),
        0x7f => ExitStatus::Unknown(status),
        number => ExitStatus::Signal { number, core_dumped: status & 0x80 != 0 },
    }
}

fn parse_snapshot<'a>(numbers: &'a str, spawn_error: &'a str) -> Snapshot<'a> {
    let mut words = numbers.split(' ');
    let mut word = || words.next().unwrap();
    Snapshot {
        state: word(),
        backoff: word().parse().unwrap(),
        pid: word().parse().unwrap(),
        exit_status: Some(word()).filter(|code| *code != "-").map(|code| code.parse().unwrap()),
        start_wall_secs: word().parse().unwrap(),
        stop_wall_secs: word().parse().unwrap(),
        spawn_error: Some(spawn_error).filter(|text| *text != "-"),
    }
}

impl Step<'_> {
    /// How the kernel answers a start of the process called `name`.
    pub fn spawn_answer(&self, name: &str) -> Result<Pid, SpawnError> {
        let name = name.to_owned();
        let program = PROGRAM.to_owned();
        let unparsable = |command: &str, reason: &str| CommandError::Unparsable {
            command: command.to_owned(),
            reason: reason.to_owned(),
        };
        Err(match self.spawn_failure {
            "ok" => return Ok(self.after.pid),
            "command:NotFound" => CommandError::NotFound(program).into(),
            "command:IsDirectory" => CommandError::IsDirectory(program).into(),
            "command:NotExecutable" => CommandError::NotExecutable(program).into(),
            "command:NoPermission" => CommandError::NoPermission(program).into(),
            "command:Empty" => CommandError::Empty.into(),
            "command:NoClosingQuotation" => unparsable("\"/opt/app/bin/serve 'now\"", "No closing quotation").into(),
            "command:NoEscapedCharacter" => unparsable(r"'/opt/app/bin/serve now\\'", "No escaped character").into(),
            "pipes:EMFILE" => SpawnError::TooManyFiles { name },
            "fork:EAGAIN" => SpawnError::TooManyProcesses { name },
            failure => match failure.split_once(':').unwrap() {
                ("pipes", errno) => SpawnError::Dispatchers { name, errno: errno.to_owned() },
                ("fork", errno) => SpawnError::Fork { name, errno: errno.to_owned() },
                _ => panic!("unknown answer {failure}"),
            },
        })
    }

    /// How the kernel answers a signal.
    pub fn kill_answer(&self) -> Result<(), SignalError> {
        match self.kill_failure {
            "ok" => Ok(()),
            "ESRCH" => Err(SignalError::NoSuchProcess),
            "EPERM" => Err(SignalError::Other(NOT_PERMITTED.to_owned())),
            failure => panic!("unknown answer {failure}"),
        }
    }
}

/// The text of the only error, besides "no such process", that a signal meets.
pub const NOT_PERMITTED: &str = "[Errno 1] Operation not permitted";
