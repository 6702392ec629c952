//! Every word for people. One enum, one `match` for each language: the compiler finds a sentence that is missing.
//!
//! The system's own reasons (`errno`, systemd, the journal) are shown as they come.

mod checks;
mod en;
mod status;
mod zh;

pub use status::wall_time;

use super::apply::Reexecuted;
use super::bundle::Signed;
use super::failure::Failure;
use super::host::detect::{Family, Hint, System};
use super::plan::Step;
use super::preflight::Finding;
use super::takeover::Told;
use super::verbs::status::Status;
use super::web;

/// The languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// English
    En,
    /// 简体中文
    Zh,
}

/// Something that people should know while all goes well.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// The bundle was checked.
    Bundle {
        /// Name and version.
        version: String,
        /// Processor.
        arch: String,
    },
    /// What was seen of the system, and what it was taken for.
    System(Box<System>),
    /// os-release and package database do not fit together.
    Contradiction,
    /// Advice for the system.
    Hint(Hint),
    /// We are not root: files will belong to us.
    NotOwnedByRoot,
    /// The plan follows.
    PlanBegins,
    /// The plan was shown, nothing was done.
    PlanEnds,
    /// Nothing to do.
    UpToDate {
        /// Version installed.
        version: String,
    },
    /// A failed run is being taken back.
    TakingBack,
    /// With `--dry-run`: an interrupted change is there, and the next run takes it back first.
    Interrupted,
    /// An interrupted change is being taken back.
    TakingBackInterrupted {
        /// What it was.
        verb: &'static str,
        /// Of which version.
        version: String,
    },
    /// A completed change is being undone.
    RollingBack {
        /// Its number.
        number: u32,
        /// What it was.
        verb: &'static str,
        /// To which version.
        version: String,
    },
    /// Rolled back.
    RolledBack,
    /// Removed.
    Uninstalled {
        /// Version that was installed.
        version: String,
    },
    /// A directory was to be removed, but something is in it.
    DirKept {
        /// The directory.
        path: String,
    },
    /// Something could not be taken back.
    NotTakenBack {
        /// What.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// The service runs what was installed.
    Verified {
        /// Its main process.
        pid: u32,
    },
    /// The service runs, but the kept configuration does not let `supervisorctl` in.
    ClientUnreachable {
        /// Its main process.
        pid: u32,
        /// What supervisorctl said.
        reason: String,
    },
    /// The running daemon has become the new program.
    Reexecuted(Reexecuted),
    /// The running daemon is the old program.
    RestartNeeded {
        /// Its process.
        pid: u32,
    },
    /// A look at the host.
    Finding(Finding),
    /// `check` found nothing in the way.
    Ready {
        /// Version of the bundle.
        version: String,
    },
    /// `verify` found no difference.
    AsInstalled {
        /// Version installed.
        version: String,
    },
    /// `doctor` found nothing.
    Healthy {
        /// The unit.
        unit: String,
    },
    /// What `status` tells.
    Status(Box<Status>),
    /// About versions, configurations and signatures.
    Change(Change),
    /// Installed.
    Installed {
        /// Version.
        version: String,
    },
    /// The programs are not in the usual place.
    Elsewhere {
        /// Where they are.
        dir: &'static str,
        /// Whether links to them are in `/usr/local/bin`.
        has_links: bool,
    },
    /// A takeover from another Supervisor.
    Takeover(Told),
    /// The web console.
    Web(web::Told),
    /// How to go on: the service runs.
    NextPrograms,
    /// How to go on: the service was not to be started.
    NextStart,
    /// How to go on: systemd does not run here.
    NextWithoutSystemd,
    /// How to go on: the tree is not running.
    NextStaged {
        /// The tree.
        root: String,
    },
}

/// What there is to know about a change of versions.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// What became of the bundle's signature.
    Signed(Signed),
    /// The bundle is older than what is installed.
    Downgrade {
        /// Installed.
        from: String,
        /// In the bundle.
        to: String,
    },
    /// A new default configuration is put beside the administrator's.
    Offered {
        /// The administrator's file.
        path: String,
        /// What differs.
        diff: String,
    },
}

/// A question of the guided set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Take over from another Supervisor?
    Replace,
    /// Start now?
    StartNow,
    /// Start with the machine?
    StartAtBoot,
    /// A web console?
    Web,
    /// Where?
    WebAddress,
    /// Who?
    WebUser,
    /// Which password?
    WebPasswordFile,
}

impl Lang {
    /// A question of the guided set-up.
    pub fn ask(self, question: Question) -> &'static str {
        match self {
            Lang::En => en::ask(question),
            Lang::Zh => zh::ask(question),
        }
    }

    /// The operator's language, from the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set.
    pub fn from_environment(value: impl Fn(&str) -> Option<String>) -> Lang {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(value).find(|text| !text.is_empty());
        let set = set.unwrap_or_default().to_lowercase();
        // We write UTF-8, which a console in GB18030 would show as rubbish: plain English is better there.
        if set.starts_with("zh") && !set.contains(".gb") { Lang::Zh } else { Lang::En }
    }

    /// A note, without the final newline.
    pub fn note(self, note: &Note) -> String {
        match self {
            Lang::En => en::note(note),
            Lang::Zh => zh::note(note),
        }
    }

    /// A step of a plan, in one line.
    pub fn step(self, step: &Step) -> String {
        match self {
            Lang::En => en::step(step),
            Lang::Zh => zh::step(step),
        }
    }

    /// What is wrong, where, and what to do about it.
    pub fn failure(self, failure: &Failure) -> String {
        match self {
            Lang::En => en::failure(failure),
            Lang::Zh => zh::failure(failure),
        }
    }

    /// The question before anything is changed, and the answers (in lower case) that mean yes.
    pub fn question(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Lang::En => ("Go on? [Y/n] ", &["", "y", "yes"]),
            Lang::Zh => ("是否继续？[Y/n] ", &["", "y", "yes", "是"]),
        }
    }
}

/// The keys of os-release that decide, as in the file.
fn os_line(system: &System) -> String {
    let or_dash = |text: &str| if text.is_empty() { "-".to_string() } else { text.to_string() };
    let os = &system.os;
    format!(
        "{} [ID={} VERSION_ID={} ID_LIKE={} PLATFORM_ID={}]",
        or_dash(&os.pretty_name),
        or_dash(&os.id),
        or_dash(&os.version_id),
        or_dash(&os.id_like),
        or_dash(super::host::os_release::extra(os, "PLATFORM_ID")),
    )
}

/// The name of a family as `--distro` takes it.
fn family_name(family: Family) -> &'static str {
    match family {
        Family::RedHat => "redhat",
        Family::Uos => "uos",
        Family::Kylin => "kylin",
        Family::Debian => "debian",
        Family::Suse => "suse",
        Family::Generic => "generic",
    }
}

/// Size for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// Lines of a foreign text, indented under a message.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("\n    {line}")).collect()
}
