//! Why an installation ends without success. The words are in [`super::text`]; the numbers are a promise to scripts.

use super::answers::Problem;
use super::preflight::Finding;
use super::state::PackageManager;
use super::takeover::Refusal;
use super::web;

/// Exit codes of `install`. A number never changes its meaning; new reasons get new numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Installed, or already up to date, or the plan was printed.
    Done = 0,
    /// The command line was not understood.
    Usage = 2,
    /// Only root may do this.
    NotRoot = 3,
    /// The bundle is incomplete or damaged.
    Bundle = 4,
    /// The bundle is for another processor architecture.
    Architecture = 5,
    /// A destination cannot be written: read-only, immutable, full, or something else is in its place.
    Destination = 6,
    /// The configuration file has an error.
    Config = 7,
    /// The service did not come up, or what runs is not what was installed.
    Service = 8,
    /// A step failed half-way; what was done has been taken back.
    Apply = 9,
    /// Another Supervisor is installed at the same place.
    OtherSupervisor = 10,
    /// The host does not let the new program run (noexec, KySec, fapolicyd, signature check).
    Refused = 11,
    /// Another installer is at work on the same host.
    Busy = 12,
    /// Nothing is installed, or there is no such change.
    NotInstalled = 13,
    /// `verify`: what is here is not what was installed.
    Drift = 14,
    /// `doctor`: something keeps Supervisor from working.
    Unhealthy = 15,
    /// A change could not be taken back entirely; the next run tries again.
    HalfDone = 16,
    /// The bundle's signature is missing or wrong.
    Signature = 17,
    /// The operator said no, or pressed Ctrl-C.
    Cancelled = 130,
}

/// One reason, with what a person needs to find the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The effective user is not root and no `--root` was given.
    NotRoot,
    /// A file of the bundle is not there.
    BundleMissing {
        /// The file.
        path: String,
    },
    /// A file of the bundle cannot be read.
    BundleUnreadable {
        /// The file.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// A file of the bundle is not what was packed.
    BundleDamaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        damage: Damage,
    },
    /// The programs are for another processor.
    WrongArchitecture {
        /// What the bundle holds.
        bundle: String,
        /// What `uname -m` says.
        host: String,
    },
    /// A directory cannot be written.
    NotWritable {
        /// The directory.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// Too little room.
    NoSpace {
        /// The directory.
        path: String,
        /// Bytes the new files take.
        bytes_needed: u64,
        /// Bytes that are free.
        bytes_free: u64,
    },
    /// Something else is where one of our files or directories belongs.
    InTheWay {
        /// The path.
        path: String,
    },
    /// With `--root`: a link in the tree leads out of it.
    LeavesRoot {
        /// The path.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// `--root` or a path below it cannot be used.
    RootUnusable {
        /// The directory.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// The program at our place is somebody else's (a Python script).
    OtherSupervisor {
        /// The program.
        path: String,
    },
    /// What an earlier run remembers cannot be read: nobody knows how to go on or back.
    StateDamaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no receipt: we installed nothing here.
    NotInstalled,
    /// A package brought the files: its manager changes and removes them.
    Packaged {
        /// Whose they are.
        manager: PackageManager,
    },
    /// There is no change of this number.
    NoSuchGeneration {
        /// What was asked for.
        wanted: u32,
        /// What there is.
        known: Vec<u32>,
    },
    /// Another run holds the lock.
    Busy,
    /// The new program refused the configuration.
    ConfigInvalid {
        /// The configuration file.
        path: String,
        /// What the program said.
        output: String,
    },
    /// The host did not let the new program run.
    ProgramRefused {
        /// The program.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// A file operation failed.
    Step {
        /// What was to be done, as a system call or a command.
        action: &'static str,
        /// On what.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// A command failed.
    Command {
        /// The command line.
        command: String,
        /// What it said.
        reason: String,
    },
    /// The service did not reach or keep the active state.
    ServiceDown(ServiceDown),
    /// Files of a change could not be put back. The change is still under way: the next run tries again.
    HalfTakenBack {
        /// The files.
        paths: Vec<String>,
    },
    /// The host's restart policy is a word that we do not know.
    RestartPolicy {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// The word.
        value: String,
    },
    /// The running daemon did not become the new program; it goes on as the old one.
    ReexecRefused {
        /// Its process.
        pid: u32,
        /// What it said.
        reason: String,
    },
    /// The bundle's signature is missing, wrong, or of somebody else.
    Signature(SignatureFault),
    /// The service runs, but not from the file just installed.
    WrongProcess {
        /// Its main process.
        pid: u32,
        /// The file.
        program: String,
    },
    /// `supervisorctl pid` does not agree with systemd.
    WrongPid {
        /// What systemd says.
        main_pid: u32,
        /// What supervisorctl said.
        answer: String,
    },
    /// Looks at the host found something that does not work.
    Findings {
        /// Which looks.
        checked: Checked,
        /// All findings; at least one is a failure.
        findings: Vec<Finding>,
    },
    /// Ctrl-C or SIGTERM during a change.
    Interrupted,
    /// Another Supervisor is in the way.
    Takeover(Refusal),
    /// The web console cannot be as asked for.
    Web(web::Refusal),
    /// An answer of a variable or file cannot be used.
    Answers(Problem),
    /// The operator said no.
    Cancelled,
}

/// Which looks a [`Failure::Findings`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// Those before a change.
    Preflight,
    /// `verify`.
    Verify,
    /// `doctor`.
    Doctor,
}

/// A service that is not up, with everything that helps to find out why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceDown {
    /// `Result`, `ExecMainStatus` and the like from systemd.
    pub state: String,
    /// The last lines of its journal.
    pub journal: String,
    /// Why systemd could not run the program, when that is what happened (203/EXEC).
    pub refusal: Option<Finding>,
}

/// What is wrong with a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureFault {
    /// One is required and there is none.
    Missing {
        /// Where it was expected.
        path: String,
    },
    /// One is required, but there is no key to check it with.
    NoKey,
    /// The key file is no minisign public key.
    BadKey {
        /// The key file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It was not made by this key for these bytes.
    Wrong {
        /// The signature.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What is wrong with a file of the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// Its SHA-256 differs.
    Checksum {
        /// As listed.
        expected: String,
        /// As it is.
        found: String,
    },
    /// SHA256SUMS does not list it.
    NotListed,
    /// It is larger than any real one.
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// Its format version is not the one this installer reads.
    Format {
        /// The version found.
        found: u32,
    },
    /// It cannot be understood, or holds something that a bundle must not hold.
    Content(String),
}

impl Failure {
    /// The exit code that goes with it.
    pub fn code(&self) -> ExitCode {
        use Failure::*;
        match self {
            NotRoot => ExitCode::NotRoot,
            RestartPolicy { .. } | Answers(_) => ExitCode::Usage,
            BundleMissing { .. } | BundleUnreadable { .. } | BundleDamaged { .. } => ExitCode::Bundle,
            WrongArchitecture { .. } => ExitCode::Architecture,
            NotWritable { .. } | NoSpace { .. } | InTheWay { .. } | LeavesRoot { .. } | RootUnusable { .. } => {
                ExitCode::Destination
            }
            Web(web::Refusal::Reexec | web::Refusal::Address(_) | web::Refusal::Open(_) | web::Refusal::Account(_)) => {
                ExitCode::Usage
            }
            ConfigInvalid { .. } | Web(web::Refusal::Existing { .. }) => ExitCode::Config,
            ServiceDown(_)
            | ReexecRefused { .. }
            | WrongProcess { .. }
            | WrongPid { .. }
            | Web(web::Refusal::NotProven { .. }) => ExitCode::Service,
            HalfTakenBack { .. } => ExitCode::HalfDone,
            Signature(_) => ExitCode::Signature,
            Takeover(Refusal::StillRuns { .. } | Refusal::NotHalted { .. })
            | Step { .. }
            | Command { .. }
            | StateDamaged { .. } => ExitCode::Apply,
            Packaged { .. }
            | OtherSupervisor { .. }
            | Takeover(Refusal::Found(_) | Refusal::Several { .. } | Refusal::NotLive(_)) => ExitCode::OtherSupervisor,
            ProgramRefused { .. } => ExitCode::Refused,
            NotInstalled | NoSuchGeneration { .. } => ExitCode::NotInstalled,
            Busy => ExitCode::Busy,
            Findings { checked: Checked::Preflight, findings } => {
                let failed = findings.iter().find(|finding| finding.is_fail());
                failed.and_then(Finding::trouble).map_or(ExitCode::Apply, |trouble| trouble.code())
            }
            Findings { checked: Checked::Verify, .. } => ExitCode::Drift,
            Findings { checked: Checked::Doctor, .. } => ExitCode::Unhealthy,
            Cancelled | Interrupted => ExitCode::Cancelled,
        }
    }
}
