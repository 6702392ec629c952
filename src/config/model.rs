//! What a configuration says, once every default, expansion and include is resolved: plain data, nothing lazy.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::Place;

/// A whole configuration: the main file with its includes.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Absolute path of the main file, pinned at the first load so that a reload after `chdir` finds it again.
    pub path: PathBuf,
    /// `[supervisord]`.
    pub supervisord: Supervisord,
    /// Every group, event listener pools included, sorted by (priority, name).
    pub groups: Vec<GroupConfig>,
    /// TCP servers in file order, then Unix ones (`Supervisor: options.py server_configs_from_parser`).
    pub servers: Vec<ServerConfig>,
    /// Whether `[rpcinterface:supervisor]` is there; without it the `supervisor.*` methods do not exist.
    pub has_supervisor_rpc: bool,
    /// `[rpcinterface:twiddler]`: the methods that may be called, all when none is named; `None` without the section.
    pub twiddler: Option<Vec<String>>,
    /// `[user:name]`: who else may enter the servers that ask for a password.
    pub users: Vec<Account>,
    /// What to write to the activity log once it is open: critical lines, then warnings, then info.
    pub notices: Vec<Notice>,
}

/// One line that parsing wants in the activity log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its level.
    pub level: Level,
    /// Its text.
    pub text: String,
    /// What in the configuration it is about, for `supervisord -t`.
    pub place: Option<Box<Place>>,
}

impl Notice {
    fn new(level: Level, text: impl Into<String>) -> Notice {
        Notice { level, text: text.into(), place: None }
    }

    /// The same line with its place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Notice {
        self.place = Some(Box::new(place));
        self
    }

    /// A line that names something left out.
    pub fn critical(text: impl Into<String>) -> Notice {
        Notice::new(Level::Critical, text)
    }

    /// A line that names something to look at.
    pub fn warn(text: impl Into<String>) -> Notice {
        Notice::new(Level::Warn, text)
    }

    /// A line for the record.
    pub fn info(text: impl Into<String>) -> Notice {
        Notice::new(Level::Info, text)
    }
}

/// Severity of an activity-log line (`Supervisor: loggers.py LevelsByName`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `BLAT`, 3
    Blather = 3,
    /// `TRAC`, 5
    Trace = 5,
    /// `DEBG`, 10
    Debug = 10,
    /// `INFO`, 20
    Info = 20,
    /// `WARN`, 30
    Warn = 30,
    /// `ERRO`, 40
    Error = 40,
    /// `CRIT`, 50
    Critical = 50,
}

impl Level {
    /// Every level, the least severe first.
    pub const ALL: [Level; 7] =
        [Level::Blather, Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Critical];

    /// The four letters written into a log line.
    pub fn tag(self) -> &'static str {
        match self {
            Level::Blather => "BLAT",
            Level::Trace => "TRAC",
            Level::Debug => "DEBG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERRO",
            Level::Critical => "CRIT",
        }
    }
}

/// `[supervisord]`, with its paths made absolute against the working directory at start.
#[derive(Debug, Clone, PartialEq)]
pub struct Supervisord {
    /// Activity log; [`MainLog::Syslog`] for the literal `syslog`.
    pub logfile: MainLog,
    /// Rotation size in bytes; 0 or less never rotates.
    pub logfile_maxbytes: i64,
    /// Rotated files kept; 0 truncates.
    pub logfile_backups: i64,
    /// Least severe level written.
    pub loglevel: Level,
    /// Where the daemon's pid is written.
    pub pidfile: PathBuf,
    /// Applied only when daemonising.
    pub umask: u32,
    /// Stay in the foreground.
    pub nodaemon: bool,
    /// In the foreground, do not echo the log on stdout.
    pub silent: bool,
    /// Least acceptable RLIMIT_NOFILE.
    pub minfds: i64,
    /// Least acceptable RLIMIT_NPROC.
    pub minprocs: i64,
    /// Leave AUTO child logs of an earlier run in place.
    pub nocleanup: bool,
    /// Directory of AUTO child logs.
    pub childlogdir: PathBuf,
    /// Account the daemon switches to.
    pub user: Option<User>,
    /// Working directory, applied only when daemonising.
    pub directory: Option<PathBuf>,
    /// Drop ANSI escape sequences from child logs.
    pub strip_ansi: bool,
    /// For children only, in file order. Already merged into every [`ProcessConfig::environment`].
    pub environment: Vec<(String, String)>,
    /// Instance name shown to clients and put into AUTO log names.
    pub identifier: String,
    /// What becomes of the programs of a daemon that was killed.
    pub on_crash: OnCrash,
}

/// What the next daemon does with the programs of one that ended without shutting down. Supervisor has no such choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCrash {
    /// Takes them back: they run on.
    Adopt,
    /// Takes them back, stops them in order, and starts anew.
    Kill,
    /// Leaves them alone and starts its own, as Supervisor does.
    Leave,
}

impl OnCrash {
    /// Every choice.
    pub const ALL: [OnCrash; 3] = [OnCrash::Adopt, OnCrash::Kill, OnCrash::Leave];

    /// As the configuration has it.
    pub fn name(self) -> &'static str {
        match self {
            OnCrash::Adopt => "adopt",
            OnCrash::Kill => "kill",
            OnCrash::Leave => "leave",
        }
    }
}

/// Where the activity log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MainLog {
    /// A file, absolute.
    File(PathBuf),
    /// The system log.
    Syslog,
}

/// A resolved account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
}

/// A group of processes that is added, removed and reported as one.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupConfig {
    /// Group name.
    pub name: String,
    /// Lower starts first and stops last.
    pub priority: i64,
    /// What made the group.
    pub kind: GroupKind,
    /// In start order: by (priority, name) for a program section, in `programs=` order for a `[group:x]`.
    /// Shared by everybody who knows them: there may be thousands.
    pub processes: Vec<Arc<ProcessConfig>>,
    /// The section that each process comes from, in the same order.
    pub sections: Vec<String>,
}

/// Which section a group comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupKind {
    /// A `[program:x]` or `[fcgi-program:x]` outside any group.
    Program,
    /// A `[group:x]`.
    Group,
    /// An `[eventlistener:x]`.
    EventListener {
        /// Names of the event types asked for, in upper case, each once, in file order.
        events: Vec<String>,
        /// Events that may wait for a listener, 1 or more.
        buffer_size: i64,
        /// What `len:` in front of an event counts.
        length_unit: LengthUnit,
        /// Python entry point that judges what a listener answers; only [`DEFAULT_RESULT_HANDLER`] is known here.
        result_handler: String,
    },
}

/// What the length of an event's payload is counted in (decision Q1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthUnit {
    /// Unicode code points, for listeners that read text, as those in Python do.
    Characters,
    /// Bytes, for all others.
    Bytes,
}

/// The result handler of every listener that names none.
pub const DEFAULT_RESULT_HANDLER: &str = "supervisor.dispatchers:default_handler";

/// The listening socket of an `[fcgi-program:x]`: one for all processes of the section, each of which has it as
/// descriptor 0. Clients of Supervisor expect a change of owner, mode or backlog alone not to count as one.
#[derive(Debug, Clone)]
pub struct FcgiSocket {
    /// Section that owns it, without brackets: processes of one section share one socket.
    pub section: String,
    /// Where it listens. Owner and group are those to set, `None` leaves them.
    pub address: Address,
    /// Connections that may wait, 1 to 65535; `None` is the system's limit (SOMAXCONN).
    pub backlog: Option<u16>,
}

impl PartialEq for FcgiSocket {
    /// By what clients connect to (`Supervisor: datatypes.py SocketConfig.__eq__`).
    fn eq(&self, other: &FcgiSocket) -> bool {
        self.url() == other.url()
    }
}

impl FcgiSocket {
    /// `unix:///path` or `tcp://host:port`.
    pub fn url(&self) -> String {
        match &self.address {
            Address::Unix { path, .. } => format!("unix://{}", path.display()),
            Address::Inet { host, port } => format!("tcp://{host}:{port}"),
        }
    }
}

/// When an exited process is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autorestart {
    /// Never.
    Never,
    /// When the exit code is not among `exitcodes`.
    Unexpected,
    /// Always.
    Always,
}

/// What a stop ends beside the process itself (not in Supervisor).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillMode {
    /// Nothing, or its process group where `stopasgroup` and `killasgroup` say so, as with Supervisor.
    Default,
    /// Everything that it has started, and what that has started, even if it has become a daemon.
    Tree,
}

/// One process, every key expanded for its own `process_num`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessConfig {
    /// Process name (unique within its group).
    pub name: String,
    /// The command line as written; split into words at spawn time.
    pub command: String,
    /// Working directory of the child.
    pub directory: Option<String>,
    /// Umask of the child; `None` inherits.
    pub umask: Option<u32>,
    /// Lower starts first and stops last.
    pub priority: i64,
    /// Start with the daemon.
    pub autostart: bool,
    /// Start again after an exit.
    pub autorestart: Autorestart,
    /// Seconds a process must stay up to count as started.
    pub startsecs: i64,
    /// Failed starts in a row before FATAL.
    pub startretries: i64,
    /// Exit codes that count as expected.
    pub exitcodes: Vec<i32>,
    /// Signal number that asks the process to stop.
    pub stopsignal: i32,
    /// Seconds before SIGKILL follows.
    pub stopwaitsecs: i64,
    /// Send `stopsignal` to the whole process group.
    pub stopasgroup: bool,
    /// Send SIGKILL to the whole process group.
    pub killasgroup: bool,
    /// What else ends with it.
    pub killmode: KillMode,
    /// Account of the child.
    pub user: Option<User>,
    /// `[supervisord]` environment overridden by the program's own, in the order first set.
    pub environment: Vec<(String, String)>,
    /// `SUPERVISOR_SERVER_URL` of the child; `None` is AUTO.
    pub serverurl: Option<String>,
    /// The socket that is the standard input of a FastCGI program.
    pub fcgi: Option<FcgiSocket>,
    /// Send stderr where stdout goes.
    pub redirect_stderr: bool,
    /// The stdout log.
    pub stdout: ChannelConfig,
    /// The stderr log; its file is [`LogFile::None`] when `redirect_stderr` is set.
    pub stderr: ChannelConfig,
}

/// The log of one output channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Where it goes.
    pub file: LogFile,
    /// Rotation size in bytes; 0 or less never rotates.
    pub maxbytes: i64,
    /// Rotated files kept; 0 truncates.
    pub backups: i64,
    /// Capture-mode buffer in bytes; 0 is off.
    pub capture_maxbytes: i64,
    /// Emit PROCESS_LOG events.
    pub events_enabled: bool,
    /// Also write each line to the system log.
    pub syslog: bool,
}

/// A child log target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFile {
    /// No file.
    None,
    /// A file named by the daemon in `childlogdir`.
    Auto,
    /// A path, as written (relative ones resolve when the file is opened).
    Path(PathBuf),
}

/// One HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Section name, for messages.
    pub section: String,
    /// Where it listens.
    pub address: Address,
    /// Basic authentication; `None` lets everybody in.
    pub credentials: Option<Credentials>,
    /// Whether `/metrics` asks for the password too.
    pub metrics_auth: bool,
    /// Seconds without a request after which somebody who signed in at the console is signed out, 1 or more.
    pub session_idle_secs: i64,
}

/// How long somebody stays signed in at the console without doing anything, unless the section says otherwise.
pub const SESSION_IDLE_SECS: i64 = 30 * 60;

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Look.
    Readonly,
    /// Everything.
    Operator,
}

impl Role {
    /// As it stands in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Role::Readonly => "readonly",
            Role::Operator => "operator",
        }
    }
}

/// `[user:name]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Name and password.
    pub credentials: Credentials,
    /// What he may do.
    pub role: Role,
}

/// Where an HTTP server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket.
    Unix {
        /// Absolute path.
        path: PathBuf,
        /// Mode of the socket file.
        mode: u32,
        /// Owner to set; `None` leaves it.
        uid: Option<u32>,
        /// Group to set; `None` leaves it.
        gid: Option<u32>,
    },
    /// A TCP port; an empty host is every interface.
    Inet {
        /// Host or address, lower-cased, maybe empty; an IPv6 address keeps its brackets.
        host: String,
        /// Port, 1 to 65535.
        port: u16,
    },
}

/// User name and password of a server; the password may be `{SHA}` and a hex SHA-1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password or its hash.
    pub password: String,
}

/// `[supervisorctl]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CtlConfig {
    /// `http://host:port` or `unix:///path`.
    pub serverurl: String,
    /// User name sent to the server.
    pub username: Option<String>,
    /// Password sent to the server.
    pub password: Option<String>,
    /// Prompt of the interactive shell.
    pub prompt: String,
    /// History of the interactive shell.
    pub history_file: Option<PathBuf>,
    /// One line for each `[ctlplugin:x]`, all of which are skipped.
    pub skipped_plugins: Vec<String>,
}
