//! What pages and the API show: plain data, gathered by the shell.

use super::journal::{Change, Entry, Exit};
use super::samples::Usage;
use crate::config::Setting;
use crate::core::{Mood, State};

/// A program as the overview shows it.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its group.
    pub group: String,
    /// Its name in the group.
    pub name: String,
    /// `name`, or `group:name` when they differ.
    pub namespec: String,
    /// Its state.
    pub state: State,
    /// 0 when it does not run.
    pub pid: i32,
    /// When it was started last, in seconds since 1970; 0 for never.
    pub start_secs: i64,
    /// When it ended last; 0 for never.
    pub stop_secs: i64,
    /// How often it was started since the daemon was.
    pub starts: u32,
    /// What is wrong, in English: texts of the kernel and of Supervisor.
    pub trouble: String,
    /// How its last run ended.
    pub last_exit: Option<Exit>,
    /// What it uses; `None` when it does not run, or nobody measures yet.
    pub usage: Option<Usage>,
}

/// Everything the overview shows.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Sorted by group and name.
    pub programs: Vec<Program>,
    /// Number of the last change that is in it.
    pub seq: u64,
    /// The time, in seconds since 1970.
    pub now_secs: i64,
    /// What the daemon is doing.
    pub mood: Mood,
}

/// A process of a program's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its pid.
    pub pid: i32,
    /// How deep below the program's own process.
    pub depth: usize,
    /// Its command line, cut.
    pub command: String,
    /// One letter: R, S, D, Z.
    pub state: char,
    /// Resident memory.
    pub rss_kib: u64,
    /// Processor time used.
    pub cpu_millis: u64,
}

/// Everything its own page shows of a program.
#[derive(Debug, Clone)]
pub struct Detail {
    /// As in the overview.
    pub program: Program,
    /// Settings in effect.
    pub settings: Vec<Setting>,
    /// Why the origins of the settings cannot be told: the files do not read well any more.
    pub settings_trouble: Option<String>,
    /// Keys whose value in the files is another one.
    pub differing: Vec<&'static str>,
    /// What is set in its environment, secrets masked.
    pub environment: Vec<(String, String)>,
    /// Its processes.
    pub tree: Vec<Process>,
    /// Its last changes, newest first.
    pub history: Vec<Change>,
    /// What it used, oldest first.
    pub points: Vec<Usage>,
    /// Its logs: standard output and error.
    pub logs: [Option<String>; 2],
    /// The time, in seconds since 1970.
    pub now_secs: i64,
}

/// What an update would do with one program.
#[derive(Debug, Clone)]
pub struct PlanLine {
    /// Its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// What is done.
    pub action: crate::core::Action,
    /// Keys that differ.
    pub keys: Vec<&'static str>,
    /// Whether it is up afterwards.
    pub is_up: bool,
}

/// What an update would do, or why the configuration cannot be read.
pub type Plan = Result<Vec<PlanLine>, String>;

/// The machine and the daemon.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Name of the machine.
    pub host: String,
    /// `PRETTY_NAME` of os-release.
    pub system: String,
    /// Kernel and its version.
    pub kernel: String,
    /// Processor architecture.
    pub machine: String,
    /// Processors.
    pub processors: usize,
    /// Seconds since boot.
    pub uptime_secs: i64,
    /// Load over 1, 5 and 15 minutes, in hundredths.
    pub load: [u64; 3],
    /// Memory: total, available.
    pub memory_kib: [u64; 2],
    /// The daemon's own log directory, and the file system it is on: size, free for users.
    pub log_dir: String,
    /// Size and room of that file system.
    pub disk_kib: [u64; 2],
    /// The daemon.
    pub daemon: DaemonFacts,
}

/// The daemon itself.
#[derive(Debug, Clone, Default)]
pub struct DaemonFacts {
    /// Its pid.
    pub pid: i32,
    /// `identifier` of its configuration.
    pub identifier: String,
    /// Its configuration file.
    pub config: String,
    /// Its activity log, if that is a file.
    pub log: Option<String>,
    /// When it was started, in seconds since 1970.
    pub start_secs: i64,
    /// Its memory.
    pub rss_kib: u64,
    /// Processor time it used.
    pub cpu_millis: u64,
    /// Descriptors it has open.
    pub descriptors: usize,
}

/// What an action did to one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which, as a namespec.
    pub name: String,
    /// `Ok`, or fault code and text.
    pub result: Result<(), (i32, String)>,
}

/// The feed.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Number of the last change.
    pub seq: u64,
}

/// A piece of a log.
#[derive(Debug, Clone, Default)]
pub struct LogPiece {
    /// Path of the file it is from.
    pub path: String,
    /// Which file that is: device and inode, whatever its name becomes.
    pub file: String,
    /// How many times it was rotated: 0 is the one that grows.
    pub age: usize,
    /// Size of the file.
    pub size: u64,
    /// Where the piece begins in it.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Its lines, without their ends.
    pub lines: Vec<String>,
    /// The file that was written before this one.
    pub older: Option<String>,
    /// The one that was written after it.
    pub newer: Option<String>,
}

/// Where a text was found in a log.
#[derive(Debug, Clone, Default)]
pub struct LogHit {
    /// Which file.
    pub file: String,
    /// Where its line begins.
    pub start: u64,
    /// The line.
    pub line: String,
}

/// Hits, newest first, and where to go on.
#[derive(Debug, Clone, Default)]
pub struct LogSearch {
    /// What was found.
    pub hits: Vec<LogHit>,
    /// File and offset before which nothing was looked at yet; `None` when everything was.
    pub rest: Option<(String, u64)>,
}
