//! Taking over from Python's Supervisor (`install --replace`).
//!
//! ```text
//! look (files, packages, units, processes) ─► Findings ─► adjust + weave (pure) ─► the plan of an installation,
//!                                                         with the old one stopped just before the files go live
//! ```
//!
//! What is decided here, and why:
//!
//! * The configuration stays where it is. When that is not `/etc/supervisord.conf`, a drop-in beside our unit names it: the
//!   unit file stays the one of the bundle, `%(here)s` and relative includes keep their meaning, and no second
//!   configuration is made that `supervisorctl` would find first.
//! * Python's modules stay: event listeners import them. Only programs and units are moved aside, into the generation
//!   of this change, from where a roll-back brings them back.
//! * With `--live` the old daemon is only halted; our own takes the programs from it and then ends it (`live`).
//! * On Debian the programs are diverted, so that an update of the package does not put Python's back over ours. rpm has
//!   nothing like it, so that is told.

mod adapt;
mod deed;
pub mod live;
mod look;
mod parse;
mod weave;

pub use adapt::{adapt, add};
pub use deed::{Scene, perform};
pub use live::Live;
pub use look::look;
pub use parse::{config_option, lost_settings, processes, running_programs};
pub use weave::{adjust, drop_in, weave};

use crate::daemon::takeover::Obstacle;

/// The programs of the suite, by name.
pub const PROGRAMS: [&str; 4] = ["supervisord", "supervisorctl", "pidproxy", "echo_supervisord_conf"];
/// The drop-in that names a configuration elsewhere.
pub const DROP_IN: &str = "/etc/systemd/system/supervisord.service.d/10-supervisor-kit-config.conf";

/// How an old Supervisor came to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// A deb package of this name.
    Deb(String),
    /// An rpm package of this name.
    Rpm(String),
    /// pip, for the system or in an environment of its own.
    Pip,
    /// Files copied by hand.
    Copied,
}

impl Layout {
    /// In a word, as the tools call it.
    pub fn word(&self) -> String {
        match self {
            Layout::Deb(package) => format!("deb {package}"),
            Layout::Rpm(package) => format!("rpm {package}"),
            Layout::Pip => "pip".to_owned(),
            Layout::Copied => "-".to_owned(),
        }
    }
}

/// One old Supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Old {
    /// How it came.
    pub layout: Layout,
    /// Its daemon's script.
    pub program: String,
    /// Its scripts, those beside the daemon included.
    pub scripts: Vec<String>,
}

/// A unit that starts an old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldUnit {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: String,
    /// Whether it runs.
    pub is_active: bool,
    /// Whether it starts with the machine.
    pub is_enabled: bool,
    /// Settings of it that our unit does not have, as in the file.
    pub lost: Vec<String>,
}

/// A daemon of an old one that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// Its process.
    pub pid: u32,
    /// Its command line.
    pub command: Vec<String>,
    /// Its working directory.
    pub cwd: String,
    /// The unit that it belongs to; `None` when somebody, or a script like rc.local, started it.
    pub unit: Option<String>,
    /// Its configuration.
    pub config: String,
    /// The programs that run under it; `None` when its client does not answer.
    pub programs: Option<Vec<String>>,
}

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Installed.
    pub olds: Vec<Old>,
    /// Units.
    pub units: Vec<OldUnit>,
    /// Running.
    pub daemons: Vec<Daemon>,
    /// Configuration files that are there, in the order in which Supervisor looks for them.
    pub configs: Vec<String>,
    /// How its programs are taken over while they run, if that is wanted.
    pub live: Option<Live>,
}

impl Findings {
    /// Whether there is nothing to take over.
    pub fn is_empty(&self) -> bool {
        self.olds.is_empty() && self.daemons.is_empty()
    }

    /// The configuration to go on with: that of the running daemon, else the first that Supervisor would find.
    ///
    /// # Errors
    /// Several daemons run with different ones.
    pub fn config(&self) -> Result<Option<&str>, Refusal> {
        let mut running: Vec<&str> = self.daemons.iter().map(|daemon| daemon.config.as_str()).collect();
        running.sort_unstable();
        running.dedup();
        match running[..] {
            [] => Ok(self.configs.first().map(String::as_str)),
            [config] => Ok(Some(config)),
            _ => Err(Refusal::Several {
                daemons: self.daemons.iter().map(|daemon| (daemon.pid, daemon.config.clone())).collect(),
            }),
        }
    }

    /// The programs that run now, of all daemons.
    pub fn programs(&self) -> Vec<String> {
        let mut programs: Vec<String> = Vec::new();
        // One daemon may be two processes (PyInstaller).
        for program in self.daemons.iter().flat_map(|daemon| daemon.programs.iter().flatten()) {
            if !programs.contains(program) {
                programs.push(program.clone());
            }
        }
        programs
    }
}

/// One thing that only a takeover does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Let the new program judge the configuration and tell what will be different.
    Judge {
        /// Whether the program is still beside its place.
        is_program_staged: bool,
    },
    /// Stop a daemon that no unit started.
    StopProcess {
        /// Its process.
        pid: u32,
        /// What started it.
        command: Vec<String>,
        /// Where.
        cwd: String,
    },
    /// Halt the old daemon for our own, which takes the programs from it.
    Halt {
        /// What it has.
        live: Box<Live>,
        /// Whether the program is still beside its place.
        is_program_staged: bool,
    },
    /// Make dpkg put its own file elsewhere from now on.
    Divert {
        /// The file.
        path: String,
    },
    /// Give a place back to dpkg.
    Undivert {
        /// The file.
        path: String,
    },
    /// Compare the programs that run with those that ran before.
    Compare {
        /// Those that ran before.
        programs: Vec<String>,
    },
    /// Look whether programs are the same processes as before.
    CompareProcesses {
        /// Name and process of each.
        programs: Vec<(String, u32)>,
    },
}

impl Deed {
    /// Whether it changes anything on the host.
    pub fn is_change(&self) -> bool {
        !matches!(self, Deed::Judge { .. } | Deed::Compare { .. } | Deed::CompareProcesses { .. })
    }
}

/// Why not to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is an old one, and nobody said that it may be replaced.
    Found(Box<Findings>),
    /// Several run, with different configurations.
    Several {
        /// Process and configuration of each.
        daemons: Vec<(u32, String)>,
    },
    /// A daemon did not end.
    StillRuns {
        /// Its process.
        pid: u32,
    },
    /// Its programs cannot be taken over while they run.
    NotLive(Obstacle),
    /// It could not be halted; it runs on.
    NotHalted {
        /// Its process.
        pid: u32,
        /// Why.
        reason: String,
    },
}

/// What to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// This will be replaced.
    Found(Box<Findings>),
    /// A finding of `supervisord -t`: it will be different.
    Differs {
        /// Where.
        place: String,
        /// What.
        message: String,
        /// Whether it is a plug-in, which will be missing.
        is_plug_in: bool,
    },
    /// This is how the programs will be taken over while they run.
    Live(Box<Live>),
    /// The old daemon was let go on.
    GoesOn {
        /// Its process.
        pid: u32,
        /// Units that do not count it as theirs any more.
        units: Vec<String>,
    },
    /// No old daemon runs, so none can be taken over live.
    NothingLive,
    /// Programs are the same processes as before.
    SameProcesses {
        /// How many.
        count: usize,
    },
    /// These ran before as other processes than now.
    OtherProcesses {
        /// Their names.
        programs: Vec<String>,
    },
    /// The same programs run as before.
    Same {
        /// How many.
        count: usize,
    },
    /// These ran before and do not run now.
    Missing {
        /// Name and state of each.
        programs: Vec<(String, String)>,
    },
    /// These did not run before and run now.
    New {
        /// Their names.
        programs: Vec<String>,
    },
}
