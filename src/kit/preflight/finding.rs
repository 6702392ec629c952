//! What a look at a host comes to. Identifiers are a promise to scripts, as exit codes are.

use crate::kit::failure::ExitCode;

/// An enum whose values have a stable name, and a list of all of them, so that no text and no test can forget one.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $id:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// Every one, in the order of the documentation.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// The name for scripts and for `--ignore`.
            pub fn id(self) -> &'static str {
                match self { $($name::$variant => $id,)* }
            }
        }
    };
}

named! {
    /// What is looked at.
    Probe {
        /// Who we are.
        Root = "root",
        /// Processor and, on LoongArch, the world.
        Architecture = "architecture",
        /// systemd and its version.
        Systemd = "systemd",
        /// Room for files and inodes.
        Space = "space",
        /// Whether the places can be written.
        Destination = "destination",
        /// Whether programs may run there.
        Mount = "mount",
        /// The umask of the caller.
        Umask = "umask",
        /// SELinux.
        Selinux = "selinux",
        /// KySec of Kylin.
        Kysec = "kysec",
        /// Signed programs on UOS Desktop.
        ElfSigning = "elf-signing",
        /// fapolicyd.
        Fapolicyd = "fapolicyd",
        /// Where logs go.
        Logs = "logs",
        /// Another Supervisor at our places.
        OtherSupervisor = "other-supervisor",
        /// Another `supervisord` first in `PATH`.
        Path = "path",
        /// Another `supervisord` that runs.
        Running = "running",
        /// Unit copies, masks and drop-ins.
        Unit = "unit",
        /// The configuration.
        Config = "config",
        /// The port of the web console.
        Port = "port",
        /// The program itself, run at its place.
        Program = "program",
        /// The service.
        Service = "service",
        /// The socket of `supervisorctl`.
        Socket = "socket",
        /// Files and links as the receipt has them.
        Files = "files",
    }
}

named! {
    /// What is wrong.
    Trouble {
        /// The effective user is not root.
        NotRoot = "not-root",
        /// A bundle for another processor.
        WrongArchitecture = "wrong-architecture",
        /// LoongArch of the old world.
        OldWorld = "loongarch-old-world",
        /// systemd is not process 1.
        NoSystemd = "no-systemd",
        /// systemd before 219.
        OldSystemd = "old-systemd",
        /// Too few bytes free.
        NoSpace = "no-space",
        /// Too few inodes free.
        NoInodes = "no-inodes",
        /// A place is on a read-only file system.
        ReadOnly = "read-only",
        /// /usr cannot be written, and the programs go elsewhere.
        UsrUnwritable = "usr-unwritable",
        /// A place is immutable.
        Immutable = "immutable",
        /// A place cannot be written for another reason.
        NotWritable = "not-writable",
        /// The programs would be on a file system mounted noexec.
        Noexec = "noexec",
        /// SELinux is enforcing and labels cannot be set.
        NoRestorecon = "no-restorecon",
        /// SELinux keeps the program from running.
        SelinuxDenied = "selinux-denied",
        /// A label is not that of its place.
        SelinuxLabel = "selinux-label",
        /// KySec controls what runs.
        KysecOn = "kysec-on",
        /// It does, and its tool is missing.
        KysecNoTool = "kysec-no-tool",
        /// KySec keeps services from writing to /tmp.
        KysecKid = "kysec-kid",
        /// A program has lost its mark, and KySec will not run it.
        KysecUnmarked = "kysec-unmarked",
        /// KySec keeps the program from running.
        KysecDenied = "kysec-denied",
        /// UOS may want signed programs.
        ElfVerify = "elf-verify",
        /// UOS keeps an unsigned program from running.
        ElfDenied = "elf-denied",
        /// fapolicyd is on, and the trust file is not wanted or cannot be made.
        FapolicydUntrusted = "fapolicyd-untrusted",
        /// fapolicyd keeps the program from running.
        FapolicydDenied = "fapolicyd-denied",
        /// The program has a format that this kernel does not run.
        WrongFormat = "wrong-format",
        /// A filter of system calls ended it.
        SystemCallFilter = "system-call-filter",
        /// The processor lacks an instruction.
        IllegalInstruction = "illegal-instruction",
        /// The kernel lacks what supervision needs.
        KernelUnfit = "kernel-unfit",
        /// The program is not there.
        ProgramMissing = "program-missing",
        /// The program is not executable.
        ProgramMode = "program-mode",
        /// It cannot be run, and we do not know why.
        Denied = "denied",
        /// /var/log does not outlive a boot.
        LogVolatile = "log-volatile",
        /// The log directory is not there.
        LogMissing = "log-missing",
        /// The log directory cannot be written.
        LogNotWritable = "log-not-writable",
        /// Another Supervisor is at our place.
        OtherSupervisor = "other-supervisor",
        /// Another `supervisord` comes first in `PATH`.
        PathShadowed = "path-shadowed",
        /// Another `supervisord` runs.
        OtherRunning = "other-running",
        /// An administrator's unit file wins over ours.
        UnitShadowed = "unit-shadowed",
        /// The unit is masked.
        UnitMasked = "unit-masked",
        /// There are drop-ins.
        UnitDropIn = "unit-drop-in",
        /// The program runs by hand, but not from the unit.
        UnitSetting = "unit-setting",
        /// A unit file changed since systemd read it.
        UnitStale = "unit-stale",
        /// The configuration has an error.
        ConfigInvalid = "config-invalid",
        /// The configuration has warnings.
        ConfigWarnings = "config-warnings",
        /// There is no configuration.
        ConfigMissing = "config-missing",
        /// Somebody else listens on the port of the web console.
        PortTaken = "port-taken",
        /// The service does not run.
        ServiceDown = "service-down",
        /// The service does not start with the machine.
        NotEnabled = "not-enabled",
        /// The service runs another file than the one installed.
        RunningOther = "running-other-file",
        /// `supervisorctl` cannot reach the daemon.
        ClientUnreachable = "client-unreachable",
        /// The socket is not there.
        SocketMissing = "socket-missing",
        /// The socket is where files are cleaned away.
        SocketInTmp = "socket-in-tmp",
        /// An installed file is gone.
        FileMissing = "file-missing",
        /// An installed file has other contents.
        FileChanged = "file-changed",
        /// An installed file has another mode.
        ModeChanged = "mode-changed",
        /// An installed file has another owner.
        OwnerChanged = "owner-changed",
        /// A link leads elsewhere.
        LinkChanged = "link-changed",
    }
}

/// How a look came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// Worth knowing; it stops nothing.
    Warn(Trouble),
    /// It will not work.
    Fail(Trouble),
}

/// One look at a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub probe: Probe,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen, as the system has it: a path, a number, the words of a command.
    pub evidence: String,
}

impl Finding {
    /// As it should be.
    pub fn pass(probe: Probe, evidence: impl Into<String>) -> Finding {
        Finding { probe, verdict: Verdict::Pass, evidence: evidence.into() }
    }

    /// Worth knowing.
    pub fn warn(probe: Probe, trouble: Trouble, evidence: impl Into<String>) -> Finding {
        Finding { probe, verdict: Verdict::Warn(trouble), evidence: evidence.into() }
    }

    /// It will not work.
    pub fn fail(probe: Probe, trouble: Trouble, evidence: impl Into<String>) -> Finding {
        Finding { probe, verdict: Verdict::Fail(trouble), evidence: evidence.into() }
    }

    /// What is wrong, unless nothing is.
    pub fn trouble(&self) -> Option<Trouble> {
        match self.verdict {
            Verdict::Pass => None,
            Verdict::Warn(trouble) | Verdict::Fail(trouble) => Some(trouble),
        }
    }

    /// Whether it stops a change.
    pub fn is_fail(&self) -> bool {
        matches!(self.verdict, Verdict::Fail(_))
    }

    /// Turns a failure that the operator knows better into a warning. `name` is a probe's or a trouble's.
    pub fn ignored(mut self, names: &[String]) -> Finding {
        if let Verdict::Fail(trouble) = self.verdict
            && names.iter().any(|name| name == trouble.id() || name == self.probe.id())
        {
            self.verdict = Verdict::Warn(trouble);
        }
        self
    }
}

impl Trouble {
    /// The exit code of a change that is refused because of it.
    pub fn code(self) -> ExitCode {
        use Trouble::*;
        match self {
            NotRoot => ExitCode::NotRoot,
            WrongArchitecture | OldWorld | WrongFormat | IllegalInstruction => ExitCode::Architecture,
            NoSpace | NoInodes | ReadOnly | UsrUnwritable | Immutable | NotWritable | LogMissing | LogNotWritable => {
                ExitCode::Destination
            }
            ConfigInvalid | ConfigWarnings | ConfigMissing => ExitCode::Config,
            OtherSupervisor | PathShadowed | OtherRunning => ExitCode::OtherSupervisor,
            Noexec | NoRestorecon | SelinuxDenied | SelinuxLabel | KysecOn | KysecNoTool | KysecKid | KysecUnmarked
            | KysecDenied | ElfVerify | ElfDenied | FapolicydUntrusted | FapolicydDenied | SystemCallFilter
            | KernelUnfit | ProgramMissing | ProgramMode | Denied => ExitCode::Refused,
            NoSystemd | OldSystemd | LogVolatile | UnitShadowed | UnitMasked | UnitDropIn | UnitSetting | UnitStale
            | PortTaken | ServiceDown | NotEnabled | RunningOther | ClientUnreachable | SocketMissing | SocketInTmp => {
                ExitCode::Service
            }
            FileMissing | FileChanged | ModeChanged | OwnerChanged | LinkChanged => ExitCode::Drift,
        }
    }
}
