//! The one table of what supervisor-kit puts on a host. Bundles and packages are made from it, in this order.
//!
//! The places are those of EPEL's `supervisor` package, so that existing programs, habits and scripts fit.
//! Everything belongs to [`OWNER`].

/// User and group of every entry.
pub const OWNER: &str = "root";

/// Where programs are.
pub const PROGRAM_DIR: &str = "/usr/bin/";
/// The daemon; the other programs of the suite are links to it.
pub const PROGRAM: &str = "/usr/bin/supervisord";
/// The client, used to verify an installation.
pub const CLIENT: &str = "/usr/bin/supervisorctl";
/// The main configuration file, which belongs to the administrator once it is there.
pub const CONFIG: &str = "/etc/supervisord.conf";
/// Where the daemon logs by default.
pub const LOG_DIR: &str = "/var/log/supervisor";
/// Where the daemon's socket is by default; systemd makes it, and the installer where systemd does not run.
pub const RUN_DIR: &str = "/run/supervisor";
/// The service's name for `systemctl`.
pub const SERVICE: &str = "supervisord.service";
/// The unit file. Every systemd since 219 reads this directory, on Debian and its descendants too.
pub const UNIT: &str = "/usr/lib/systemd/system/supervisord.service";
/// What an administrator's own copy of the unit would be: it wins over [`UNIT`].
pub const UNIT_OVERRIDE: &str = "/etc/systemd/system/supervisord.service";
/// What `systemctl enable` makes of the unit's `[Install]` section: both link to [`UNIT`].
pub const ENABLE_LINKS: [&str; 2] =
    ["/etc/systemd/system/multi-user.target.wants/supervisord.service", "/etc/systemd/system/supervisor.service"];

/// One thing on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Absolute path.
    pub path: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What an [`Entry`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A directory; one that exists keeps its mode.
    Dir {
        /// Permission bits of a new one.
        mode: u32,
    },
    /// A file.
    File {
        /// Permission bits.
        mode: u32,
        /// Where its bytes come from.
        source: Source,
        /// The administrator's once installed: never overwritten.
        config: bool,
    },
    /// A symbolic link.
    Link {
        /// Relative to the link's directory.
        target: &'static str,
    },
}

/// Where the bytes of a file come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A program of this name in the build's output directory.
    Program(&'static str),
    /// A text that is part of this program.
    Text(&'static str),
}

/// Everything that is installed.
pub const TREE: &[Entry] = &[
    program(PROGRAM, "supervisord"),
    link(CLIENT),
    link("/usr/bin/pidproxy"),
    link("/usr/bin/echo_supervisord_conf"),
    program("/usr/bin/supervisor-install", "install"),
    text(UNIT, include_str!("../../units/supervisord.service"), false),
    text("/usr/lib/tmpfiles.d/supervisor.conf", include_str!("../../units/supervisor.tmpfiles.conf"), false),
    text(CONFIG, include_str!("../../units/supervisord.conf"), true),
    dir("/etc/supervisord.d"),
    dir(LOG_DIR),
];

const fn program(path: &'static str, name: &'static str) -> Entry {
    Entry { path, kind: Kind::File { mode: 0o755, source: Source::Program(name), config: false } }
}

const fn link(path: &'static str) -> Entry {
    Entry { path, kind: Kind::Link { target: "supervisord" } }
}

const fn text(path: &'static str, text: &'static str, config: bool) -> Entry {
    Entry { path, kind: Kind::File { mode: 0o644, source: Source::Text(text), config } }
}

const fn dir(path: &'static str) -> Entry {
    Entry { path, kind: Kind::Dir { mode: 0o755 } }
}
