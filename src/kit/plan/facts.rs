//! What a plan needs to know about a host.

use std::collections::BTreeMap;

use crate::kit::prefix::Prefix;

/// A host as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether the tree is one that does not run (`--root`).
    pub is_staged: bool,
    /// Where the programs go.
    pub prefix: Prefix,
    /// Whether we are root.
    pub is_root: bool,
    /// What is at each path that a plan may touch. A path that is not here is missing.
    pub found: BTreeMap<String, Found>,
    /// Files left behind by an interrupted run.
    pub leftovers: Vec<String>,
    /// Directories that cannot be written, with the system's reason.
    pub unwritable: BTreeMap<String, String>,
    /// Bytes free where the programs go; `None` when not known.
    pub bytes_free: Option<u64>,
    /// Whether SELinux is on and labels can be set.
    pub has_selinux: bool,
    /// Whether this is a system with KySec, where a program needs a mark before it may run.
    pub has_kysec: bool,
    /// Programs in place that have lost that mark.
    pub unmarked: Vec<String>,
    /// What our trust file holds now, empty when there is none; `None` where fapolicyd does not run or is to be left alone.
    pub trust_file: Option<String>,
    /// The service, when systemd runs this tree.
    pub service: Option<Service>,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A directory, or a link to one.
    Dir,
    /// A file.
    File {
        /// Permission bits.
        mode: u32,
        /// Whether user and group are root.
        is_roots: bool,
        /// SHA-256, hexadecimal.
        sha256: String,
        /// Whether it is a script (`#!`).
        is_script: bool,
    },
    /// A link that does not lead to a directory.
    Link {
        /// What it holds.
        target: String,
    },
    /// A device, a pipe, or something that cannot be looked at.
    Other,
}

/// The service as systemd sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Whether it starts with the machine.
    pub is_enabled: bool,
    /// Whether it runs.
    pub is_active: bool,
    /// Its main process, 0 when there is none.
    pub main_pid: u32,
    /// Whether its unit file changed since systemd read it (a run was killed in between).
    pub needs_reload: bool,
    /// Whether that process runs the file that is installed now.
    pub runs_installed: bool,
}
