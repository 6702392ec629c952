//! Why an installation ends without success. The words are in [`super::text`]; the numbers are a promise to scripts.

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
    ServiceDown {
        /// `Result`, `ExecMainStatus` and the like from systemd.
        state: String,
        /// The last lines of its journal.
        journal: String,
    },
    /// The service runs, but not from the file just installed.
    WrongProcess {
        /// Its main process.
        pid: u32,
    },
    /// `supervisorctl pid` does not agree with systemd.
    WrongPid {
        /// What systemd says.
        main_pid: u32,
        /// What supervisorctl said.
        answer: String,
    },
    /// The operator said no.
    Cancelled,
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
            BundleMissing { .. } | BundleUnreadable { .. } | BundleDamaged { .. } => ExitCode::Bundle,
            WrongArchitecture { .. } => ExitCode::Architecture,
            NotWritable { .. } | NoSpace { .. } | InTheWay { .. } | LeavesRoot { .. } | RootUnusable { .. } => {
                ExitCode::Destination
            }
            ConfigInvalid { .. } => ExitCode::Config,
            ServiceDown { .. } | WrongProcess { .. } | WrongPid { .. } => ExitCode::Service,
            Step { .. } | Command { .. } => ExitCode::Apply,
            OtherSupervisor { .. } => ExitCode::OtherSupervisor,
            ProgramRefused { .. } => ExitCode::Refused,
            Busy => ExitCode::Busy,
            Cancelled => ExitCode::Cancelled,
        }
    }
}
