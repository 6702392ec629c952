//! The one table of what supervisor-kit puts on a host. Bundles and packages are made from it, in this order.
//!
//! The places are those of EPEL's `supervisor` package, so that existing programs, habits and scripts fit.
//! Everything belongs to [`OWNER`].

use super::manual;

/// User and group of every entry.
pub const OWNER: &str = "root";

/// The daemon in a bundle; [`super::prefix::Prefix`] knows where it is on a host.
pub const PROGRAM: &str = "/usr/bin/supervisord";
/// The installer in a bundle.
pub const INSTALLER: &str = "/usr/bin/supervisor-install";
/// The main configuration file, which belongs to the administrator once it is there.
pub const CONFIG: &str = "/etc/supervisord.conf";
/// Where the daemon logs by default.
pub const LOG_DIR: &str = "/var/log/supervisor";
/// Where the daemon's socket is by default; systemd makes it, and the installer where systemd does not run.
pub const RUN_DIR: &str = "/run/supervisor";
/// What the installer remembers: journals, receipts, replaced files.
pub const STATE_DIR: &str = "/var/lib/supervisor-install";
/// What a package tells about itself; a bundle leaves [`STATE_DIR`] instead.
pub const PACKAGE_RECEIPT: &str = "/usr/share/supervisor-kit/receipt.json";
/// The service's name for `systemctl`.
pub const SERVICE: &str = "supervisord.service";
/// Its other name, which is the first one on Debian.
pub const SERVICE_ALIAS: &str = "supervisor.service";
/// The unit file in a bundle.
pub const UNIT: &str = "/usr/lib/systemd/system/supervisord.service";
/// What programs are counted to, for `systemctl`; the daemon's unit has it started.
pub const PROGRAMS_SERVICE: &str = "supervisord-programs.service";
/// Its unit file in a bundle.
pub const PROGRAMS_UNIT: &str = "/usr/lib/systemd/system/supervisord-programs.service";
/// What fapolicyd is told about our programs; written whole, never appended to.
pub const TRUST_FILE: &str = "/etc/fapolicyd/trust.d/supervisor";
/// What an administrator's own copy of the unit would be: it wins over the one in `/usr`.
pub const UNIT_OVERRIDE: &str = "/etc/systemd/system/supervisord.service";
/// What `systemctl enable` makes of the unit's `[Install]` section: both link to the unit.
pub const ENABLE_LINKS: [&str; 2] =
    ["/etc/systemd/system/multi-user.target.wants/supervisord.service", "/etc/systemd/system/supervisor.service"];

/// One thing on the host.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Absolute path.
    pub path: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What an [`Entry`] is.
#[derive(Debug, Clone, Copy)]
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
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// A program of this name in the build's output directory.
    Program(&'static str),
    /// A text that is part of this program.
    Text(&'static str),
    /// A text that is made when a bundle is, from the programs' own tables.
    Made(fn() -> String),
    /// The same, compressed with gzip, as every reader of manual pages takes it.
    Page(fn() -> String),
}

/// Everything that is installed.
pub const TREE: &[Entry] = &[
    program(PROGRAM, "supervisord"),
    link("/usr/bin/supervisorctl"),
    link("/usr/bin/pidproxy"),
    link("/usr/bin/echo_supervisord_conf"),
    program("/usr/bin/supervisor-install", "install"),
    text(UNIT, include_str!("../../units/supervisord.service"), false),
    text(PROGRAMS_UNIT, include_str!("../../units/supervisord-programs.service"), false),
    text("/usr/lib/tmpfiles.d/supervisor.conf", include_str!("../../units/supervisor.tmpfiles.conf"), false),
    text(CONFIG, include_str!("../../units/supervisord.conf"), true),
    dir("/etc/supervisord.d"),
    dir(LOG_DIR),
    page("/usr/share/man/man1/supervisorctl.1.gz", manual::supervisorctl),
    page("/usr/share/man/zh_CN/man1/supervisorctl.1.gz", manual::supervisorctl_zh),
    page("/usr/share/man/man1/pidproxy.1.gz", manual::pidproxy),
    page("/usr/share/man/man1/echo_supervisord_conf.1.gz", manual::echo_supervisord_conf),
    page("/usr/share/man/man5/supervisord.conf.5.gz", manual::supervisord_conf),
    page("/usr/share/man/zh_CN/man5/supervisord.conf.5.gz", manual::supervisord_conf_zh),
    page("/usr/share/man/man8/supervisord.8.gz", manual::supervisord),
    page("/usr/share/man/man8/supervisor-install.8.gz", manual::supervisor_install),
    made("/usr/share/bash-completion/completions/supervisorctl", manual::bash),
    made("/usr/share/zsh/site-functions/_supervisorctl", manual::zsh),
    made("/usr/share/fish/vendor_completions.d/supervisorctl.fish", manual::fish),
    text("/usr/share/doc/supervisor-kit/copyright", include_str!("../../units/copyright"), false),
];

const fn made(path: &'static str, make: fn() -> String) -> Entry {
    Entry { path, kind: Kind::File { mode: 0o644, source: Source::Made(make), config: false } }
}

const fn page(path: &'static str, make: fn() -> String) -> Entry {
    Entry { path, kind: Kind::File { mode: 0o644, source: Source::Page(make), config: false } }
}

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
