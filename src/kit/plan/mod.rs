//! What an installation does, as data. Pure: facts about the host, the bundle's manifest and the operator's wishes go
//! in, steps come out. `--dry-run` prints exactly the steps that would be applied.
//!
//! The order makes a crash harmless: directories first, then every new file beside its place, then the new program
//! judges the configuration, and only then do the files go live, each by one rename.

mod build;
mod facts;
mod refuse;

pub use build::{parents, plan};
pub use facts::{Facts, Found, Service};

/// What the operator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wishes {
    /// Start with the machine.
    pub enable: bool,
    /// Start now.
    pub start: bool,
}

/// One thing to do. Paths are absolute paths of the host, whatever the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Remove a file that an interrupted run left behind.
    Clean {
        /// The file.
        path: String,
    },
    /// Make a directory.
    MakeDir {
        /// The directory.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// Write a new file beside its place.
    Stage {
        /// Where it will be.
        path: String,
        /// Its permission bits.
        mode: u32,
        /// Bytes.
        size: u64,
        /// Whether it takes the place of something.
        replaces: bool,
    },
    /// Mark programs as verified for KySec. Without effect where KySec is off; never fails, because running the
    /// program will show whether it was needed.
    Trust {
        /// The programs.
        paths: Vec<String>,
        /// Whether they are still beside their places.
        is_staged: bool,
    },
    /// Leave the administrator's file alone.
    Keep {
        /// The file.
        path: String,
    },
    /// Let the program judge the configuration (`supervisord -t`).
    CheckConfig {
        /// Whether the program is still beside its place.
        is_program_staged: bool,
        /// Whether the configuration is.
        is_config_staged: bool,
    },
    /// Rename a staged file to its place.
    GoLive {
        /// The place.
        path: String,
        /// Whether it takes the place of something.
        replaces: bool,
    },
    /// Make a symbolic link.
    Link {
        /// Where.
        path: String,
        /// What it holds.
        target: String,
        /// Whether it takes the place of something.
        replaces: bool,
    },
    /// Give the new files the SELinux labels of their places.
    Label {
        /// The files.
        paths: Vec<String>,
    },
    /// Make systemd read its unit files again.
    Reload,
    /// Start the service with the machine.
    Enable,
    /// Start the service now.
    Start,
    /// Make sure that what runs is what was installed.
    Verify {
        /// Whether to look again after a while.
        is_fresh: bool,
    },
    /// Tell that the running daemon is still the old program.
    TellRestart {
        /// Its process.
        pid: u32,
    },
}

impl Step {
    /// Whether the step changes anything on the host.
    pub fn is_change(&self) -> bool {
        match self {
            Step::Keep { .. } | Step::CheckConfig { .. } | Step::Verify { .. } | Step::TellRestart { .. } => false,
            Step::Clean { .. }
            | Step::MakeDir { .. }
            | Step::Stage { .. }
            | Step::Trust { .. }
            | Step::GoLive { .. }
            | Step::Link { .. }
            | Step::Label { .. }
            | Step::Reload
            | Step::Enable
            | Step::Start => true,
        }
    }
}
