//! What a Python supervisord has: what it says of its programs, and which end of which pipe it holds for each.

use std::sync::mpsc;
use std::time::Duration;

use thiserror::Error;

use crate::config::{self, Address, Config, GroupKind, LogFile, OnCrash, ProcessConfig, ServerConfig};
use crate::core::{Pid, Report, State};
use crate::ctl::answer::{ProcessInfo, processes};
use crate::ctl::client::{CallError, Client};
use crate::password;
use crate::sys::exec_self::ObjectId;
use crate::sys::host::Machine;
use crate::sys::proc::{self, PipeEnd};
use crate::sys::tree::{self, Member};

/// How long it may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// How often it is halted, in the hope to meet it while it waits.
const HALTS_MAX: u32 = 400;
/// How long a stop may take to be seen, and how long it runs on between two tries.
const PAUSE: Duration = Duration::from_millis(5);
/// How often a stop is looked for.
const LOOKS_MAX: u32 = 200;

/// Why its programs cannot be taken over while they run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Obstacle {
    /// It does not answer.
    #[error("supervisord (pid {pid}) does not say what it runs: {reason}")]
    Unanswered {
        /// Its process.
        pid: Pid,
        /// Why.
        reason: String,
    },
    /// The configuration has other programs than it has.
    #[error("the configuration was changed since supervisord read it: {}", programs.join(" "))]
    ConfigChanged {
        /// What only one of them has.
        programs: Vec<String>,
    },
    /// FastCGI programs share a socket that only it holds.
    #[error("FastCGI programs share a socket that ends with the old supervisord: {}", programs.join(" "))]
    SharedSocket {
        /// Their names.
        programs: Vec<String>,
    },
    /// A pipe cannot be had.
    #[error("the pipes of {program} cannot be had: {reason}")]
    Pipes {
        /// Whose.
        program: String,
        /// Why.
        reason: String,
    },
    /// It is never met while it waits, or the kernel does not show it.
    #[error("supervisord (pid {pid}) never stood still while it was waiting")]
    Busy {
        /// Its process.
        pid: Pid,
    },
    /// `on_crash` says that nobody is taken back.
    #[error("the configuration says on_crash={0}, so no programs are taken back")]
    NotAdopted(String),
}

/// One of its processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Name of its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// What it says of it.
    pub report: Report,
    /// When the kernel started it, if it runs.
    pub born: Option<u64>,
    /// It is an event listener, which is started anew.
    pub is_listener: bool,
    /// The files of its output.
    pub logs: [Option<String>; 2],
    /// The pipes to it and from it.
    pub pipes: Pipes,
}

impl Program {
    /// `name` when the group is called the same, else `group:name`.
    pub fn namespec(&self) -> String {
        if self.group == self.name { self.name.clone() } else { format!("{}:{}", self.group, self.name) }
    }
}

/// The ends that the old daemon holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pipes {
    /// Of its standard input.
    pub stdin: Option<PipeEnd>,
    /// Of its standard output.
    pub stdout: Option<PipeEnd>,
    /// Of its standard error, unless that goes where the output goes.
    pub stderr: Option<PipeEnd>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The old daemon.
    pub pid: Pid,
    /// When the kernel started it.
    pub born: u64,
    /// Its processes.
    pub programs: Vec<Program>,
}

/// Looks, and changes nothing.
///
/// # Errors
/// What stands in the way.
pub fn look(pid: Pid, config: &Config) -> Result<Survey, Obstacle> {
    let infos = ask(pid, config)?;
    survey(pid, config, infos)
}

/// Looks, and leaves it halted with nothing half done in its hands.
///
/// # Errors
/// What stands in the way; then it runs on.
pub fn halt(pid: Pid, config: &Config) -> Result<Survey, Obstacle> {
    let mut last = Obstacle::Busy { pid };
    // What it says may be old by the time that it stands still: then it is asked again.
    for _ in 0..3 {
        let infos = ask(pid, config)?;
        let known = tree::member(pid).ok_or(Obstacle::Busy { pid })?;
        stand_still(known)?;
        match survey(pid, config, infos) {
            Ok(survey) if survey.born == known.start_ticks => return Ok(survey),
            Ok(_) => {}
            Err(obstacle) => last = obstacle,
        }
        tree::signal(known, libc::SIGCONT);
    }
    Err(last)
}

/// Halts it at a moment at which it waits for something to do.
fn stand_still(old: Member) -> Result<(), Obstacle> {
    for _ in 0..HALTS_MAX {
        tree::signal(old, libc::SIGSTOP);
        for _ in 0..LOOKS_MAX {
            if tree::is_stopped(old.pid) {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        if proc::is_idle(old.pid) && tree::is_stopped(old.pid) {
            return Ok(());
        }
        tree::signal(old, libc::SIGCONT);
        std::thread::sleep(PAUSE);
    }
    Err(Obstacle::Busy { pid: old.pid })
}

fn survey(pid: Pid, config: &Config, infos: Vec<ProcessInfo>) -> Result<Survey, Obstacle> {
    if config.supervisord.on_crash != OnCrash::Adopt {
        return Err(Obstacle::NotAdopted(config.supervisord.on_crash.name().to_owned()));
    }
    let unanswered = |reason: String| Obstacle::Unanswered { pid, reason };
    let born = proc::start_time(pid).ok_or_else(|| unanswered("it has ended".to_owned()))?;
    let held = proc::pipes_of(pid).map_err(|error| unanswered(error.to_string()))?;
    same_programs(config, &infos)?;
    let children = tree::children_of(pid);
    let mut programs = Vec::with_capacity(infos.len());
    for info in infos {
        programs.push(program(info, config, pid, &children, &held)?);
    }
    // A child that it did not speak of was started after it spoke.
    let is_known = |child: &Member| programs.iter().any(|program| program.report.pid == child.pid);
    if children.iter().any(|child| !is_known(child) && proc::start_time(child.pid).is_some()) {
        return Err(unanswered("programs start and end all the time".to_owned()));
    }
    let shared = |program: &&Program| {
        program.report.pid != 0
            && find(config, &program.group, &program.name).is_some_and(|(one, _)| one.fcgi.is_some())
    };
    let shared: Vec<String> = programs.iter().filter(shared).map(Program::namespec).collect();
    if !shared.is_empty() {
        return Err(Obstacle::SharedSocket { programs: shared });
    }
    Ok(Survey { pid, born, programs })
}

/// What it runs must be what the configuration has: it may have been edited and not read since.
fn same_programs(config: &Config, infos: &[ProcessInfo]) -> Result<(), Obstacle> {
    let named = |info: &ProcessInfo| (info.group.clone(), info.name.clone());
    let theirs: std::collections::BTreeSet<(String, String)> = infos.iter().map(named).collect();
    let of_group = |group: &config::GroupConfig| {
        group.processes.iter().map(|process| (group.name.clone(), process.name.clone())).collect::<Vec<_>>()
    };
    let ours = config.groups.iter().flat_map(of_group).collect();
    let programs: Vec<String> =
        theirs.symmetric_difference(&ours).map(|(group, name)| format!("{group}:{name}")).collect();
    if programs.is_empty() { Ok(()) } else { Err(Obstacle::ConfigChanged { programs }) }
}

fn find<'a>(config: &'a Config, group: &str, name: &str) -> Option<(&'a ProcessConfig, bool)> {
    let group = config.groups.iter().find(|known| known.name == group)?;
    let is_listener = matches!(group.kind, GroupKind::EventListener { .. });
    group.processes.iter().find(|process| process.name == name).map(|process| (&**process, is_listener))
}

fn program(
    info: ProcessInfo,
    config: &Config,
    old: Pid,
    children: &[Member],
    held: &[PipeEnd],
) -> Result<Program, Obstacle> {
    let pid = Pid::try_from(info.pid).unwrap_or(0);
    let state = State::ALL.into_iter().find(|state| state.code() == info.state).unwrap_or(State::Unknown);
    let (settings, is_listener) = find(config, &info.group, &info.name)
        .ok_or_else(|| Obstacle::ConfigChanged { programs: vec![format!("{}:{}", info.group, info.name)] })?;
    let path = |file: &LogFile, auto: String| match file {
        LogFile::None => None,
        // The old daemon has chosen it.
        LogFile::Auto => Some(auto).filter(|path| !path.is_empty()),
        LogFile::Path(path) => Some(path.display().to_string()),
    };
    let mut program = Program {
        is_listener,
        born: None,
        logs: [path(&settings.stdout.file, info.stdout_logfile), path(&settings.stderr.file, info.stderr_logfile)],
        pipes: Pipes::default(),
        report: Report {
            state,
            pid,
            start_wall_secs: info.start,
            stop_wall_secs: info.stop,
            exit_status: i32::try_from(info.exitstatus).unwrap_or(-1),
            spawn_error: info.spawnerr,
        },
        group: info.group,
        name: info.name,
    };
    if pid == 0 {
        return Ok(program);
    }
    if children.iter().all(|child| child.pid != pid) {
        return Err(Obstacle::Unanswered { pid: old, reason: format!("{} is not its child", program.namespec()) });
    }
    // One that has just ended and was not waited for yet has no pipes to look at; that it has ended is found out later.
    program.born = proc::start_time(pid);
    if program.born.is_some() {
        let reason = |reason: String| Obstacle::Pipes { program: program.namespec(), reason };
        let object = |number| proc::object_of(pid, number).ok();
        let pipes = pair([object(0), object(1), object(2)], held);
        for end in [pipes.stdin, pipes.stdout, pipes.stderr].into_iter().flatten() {
            proc::open_pipe(old, end.number, end.object).map_err(|error| reason(error.to_string()))?;
        }
        program.pipes = pipes;
    }
    Ok(program)
}

/// Which of the pipes that a daemon holds lead to descriptors 0, 1 and 2 of a child.
pub fn pair([stdin, stdout, stderr]: [Option<ObjectId>; 3], held: &[PipeEnd]) -> Pipes {
    let end = |object: Option<ObjectId>, is_writer| {
        held.iter().find(|end| Some(end.object) == object && end.is_writer == is_writer).copied()
    };
    Pipes {
        stdin: end(stdin, true),
        stdout: end(stdout, false),
        // `redirect_stderr`: both are one pipe, and what comes from it is output.
        stderr: end(stderr.filter(|object| Some(*object) != stdout), false),
    }
}

/// Asks it what it runs, for at most [`ANSWER_LIMIT`].
fn ask(pid: Pid, config: &Config) -> Result<Vec<ProcessInfo>, Obstacle> {
    let (sender, answers) = mpsc::channel();
    let places = places(config);
    std::thread::spawn(move || {
        // Nobody may be waiting any more.
        let _ = sender.send(ask_all(pid, &places));
    });
    let late = || format!("no answer in {} seconds", ANSWER_LIMIT.as_secs());
    let answer = answers.recv_timeout(ANSWER_LIMIT).unwrap_or_else(|_| Err(late()));
    answer.map_err(|reason| Obstacle::Unanswered { pid, reason })
}

/// Where it may be asked, and who asks.
struct Place {
    url: String,
    username: Option<String>,
    password: Option<String>,
}

/// As its own client would, then at each of its servers.
fn places(config: &Config) -> Vec<Place> {
    let path = config.path.display().to_string();
    let client = config::load_ctl(Some(&path), "supervisorctl", &Machine::new()).ok().flatten();
    let client = client.map(|ctl| Place { url: ctl.serverurl, username: ctl.username, password: ctl.password });
    client.into_iter().chain(config.servers.iter().map(place)).collect()
}

fn place(server: &ServerConfig) -> Place {
    let url = match &server.address {
        Address::Unix { path, .. } => format!("unix://{}", path.display()),
        Address::Inet { host, port } if host.is_empty() => format!("http://localhost:{port}"),
        Address::Inet { host, port } => format!("http://{host}:{port}"),
    };
    // One that is kept as a hash cannot be sent.
    let known = server.credentials.clone().filter(|known| password::kind(&known.password) == password::Kind::Plain);
    let (username, password) = known.map(|known| (known.username, known.password)).unzip();
    Place { url, username, password }
}

fn ask_all(pid: Pid, places: &[Place]) -> Result<Vec<ProcessInfo>, String> {
    let mut reason = "the configuration names no server".to_owned();
    for place in places {
        match ask_one(pid, place) {
            Ok(infos) => return Ok(infos),
            Err(error) => reason = format!("{}: {error}", place.url),
        }
    }
    Err(reason)
}

fn ask_one(pid: Pid, place: &Place) -> Result<Vec<ProcessInfo>, CallError> {
    let other = |error: std::io::Error| CallError::Other(error.to_string());
    let mut client = Client::new(&place.url, place.username.as_deref(), place.password.as_deref()).map_err(other)?;
    let said = client.call("supervisor.getPID", &[])?;
    if said.as_int() != Some(i64::from(pid)) {
        return Err(CallError::Other("another supervisord answers there".to_owned()));
    }
    processes(client.call("supervisor.getAllProcessInfo", &[])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found_by_the_pipe_and_the_direction() {
        let object = |inode| ObjectId { device: 1, inode };
        let end = |number, inode, is_writer| PipeEnd { number, object: object(inode), is_writer };
        let held = [end(3, 10, true), end(4, 11, false), end(5, 12, false), end(6, 13, false), end(7, 13, true)];
        let three = pair([Some(object(10)), Some(object(11)), Some(object(12))], &held);
        assert_eq!(three, Pipes { stdin: Some(held[0]), stdout: Some(held[1]), stderr: Some(held[2]) });
        // `redirect_stderr`, and a standard input that is a file.
        let one = pair([Some(object(99)), Some(object(11)), Some(object(11))], &held);
        assert_eq!(one, Pipes { stdin: None, stdout: Some(held[1]), stderr: None });
        // A pipe of which the daemon has both ends.
        assert_eq!(pair([None, Some(object(13)), None], &held).stdout, Some(held[3]));
        // Closed by the program itself, or something that the daemon does not read.
        assert_eq!(pair([Some(object(11)), Some(object(10)), Some(object(98))], &held), Pipes::default());
    }
}
