//! What an installation does, as data. Pure: facts about the host, the bundle's manifest and the operator's wishes go
//! in, steps come out. `--dry-run` prints exactly the steps that would be applied.
//!
//! The order makes a crash harmless: directories first, then every new file beside its place, then the new program
//! judges the configuration, and only then do the files go live, each by one rename.

mod build;
mod facts;
mod offer;
mod receipt;
mod refuse;
mod stale;
mod uninstall;

use super::sysv;
use super::takeover::Deed;
use super::web;

pub use build::{parents, plan};
pub use facts::{Facts, Found, Service};
pub use offer::{offered_name, with_offers};
pub use receipt::receipt;
pub use stale::without_stale;
pub use uninstall::uninstall;

/// What the operator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wishes {
    /// Start with the machine.
    pub enable: bool,
    /// Start now.
    pub start: bool,
    /// What becomes of a running daemon whose program was replaced.
    pub restart: Restart,
}

/// The policies of `--restart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Restart {
    /// Leave it running and say so: a restart restarts every program
    #[default]
    Never,
    /// Let it become the new program while its programs run on
    Reexec,
    /// Restart it, and with it every program
    Always,
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
    /// Write [`crate::kit::tree::TRUST_FILE`] and make fapolicyd read it; without a text, remove it.
    TrustFile {
        /// Lines of path, size and SHA-256.
        text: Option<String>,
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
    /// Restart the service, and with it every program: only when the operator asked for it.
    Restart,
    /// Let the running daemon become the program that is in place now; its programs run on.
    Reexec {
        /// Its process, which stays the same.
        pid: u32,
    },
    /// Stop a service.
    Stop {
        /// The unit.
        unit: String,
    },
    /// Take a service out of the boot.
    Disable {
        /// The unit.
        unit: String,
    },
    /// Remove a file or link.
    Remove {
        /// The file.
        path: String,
    },
    /// Give a directory another name, with all that is in it; once the change is complete it is deleted.
    SetAside {
        /// The directory.
        path: String,
    },
    /// Put the default configuration of this version beside the administrator's, as `<path>.new`.
    Offer {
        /// The administrator's file.
        path: String,
        /// Permission bits.
        mode: u32,
    },
    /// Remove a directory, unless something is in it.
    RemoveDir {
        /// The directory.
        path: String,
    },
    /// Make sure that what runs is what was installed.
    Verify {
        /// Whether to look again after a while.
        is_fresh: bool,
    },
    /// What only a takeover from another Supervisor does.
    Takeover(Deed),
    /// Register our init script, or no longer.
    Sysv(sysv::Register),
    /// What only the web console needs.
    Web(web::Deed),
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
            Step::Web(deed) => deed.is_change(),
            Step::Takeover(deed) => deed.is_change(),
            Step::Keep { .. } | Step::CheckConfig { .. } | Step::Verify { .. } | Step::TellRestart { .. } => false,
            Step::Clean { .. }
            | Step::MakeDir { .. }
            | Step::Stage { .. }
            | Step::Trust { .. }
            | Step::TrustFile { .. }
            | Step::GoLive { .. }
            | Step::Link { .. }
            | Step::Label { .. }
            | Step::Sysv(_)
            | Step::Reload
            | Step::Enable
            | Step::Start
            | Step::Restart
            | Step::Reexec { .. }
            | Step::Stop { .. }
            | Step::Disable { .. }
            | Step::Remove { .. }
            | Step::SetAside { .. }
            | Step::Offer { .. }
            | Step::RemoveDir { .. } => true,
        }
    }
}
