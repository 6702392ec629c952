//! What a host's files say about it, apart from os-release. Names lie (Kylin is two systems under one ID); package
//! databases do not.

use std::fs;

use super::Root;

/// Package databases of rpm, oldest place first.
const RPM_DATABASES: [&str; 4] =
    ["/var/lib/rpm/Packages", "/var/lib/rpm/Packages.db", "/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm"];
/// Package database of dpkg. Some rpm systems carry an empty one.
const DPKG_STATUS: &str = "/var/lib/dpkg/status";
/// There when dpkg installed the shell, so when the system itself is made of deb packages.
const DPKG_OWNS_SHELL: &str = "/var/lib/dpkg/info/bash.list";
/// Where vendors write what os-release leaves out, such as the service pack.
const DETAILS: [&str; 4] = ["/etc/.productinfo", "/etc/kylin-release", "/etc/uos-release", "/etc/redhat-release"];

/// The kind of package a system is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packages {
    /// rpm.
    Rpm,
    /// deb.
    Dpkg,
    /// Neither was found.
    Unknown,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Which packages the system is made of.
    pub packages: Packages,
    /// The database that says so.
    pub database: Option<&'static str>,
    /// A vendor's own description, one line.
    pub detail: Option<String>,
}

/// Looks for package databases and vendor files.
pub fn gather(root: &Root) -> Evidence {
    let rpm = RPM_DATABASES.into_iter().find(|path| root.exists(path));
    let dpkg = has_dpkg(root).then_some(DPKG_STATUS);
    let (packages, database) = match (rpm, dpkg) {
        (Some(_), Some(dpkg)) if root.exists(DPKG_OWNS_SHELL) => (Packages::Dpkg, Some(dpkg)),
        (Some(rpm), _) => (Packages::Rpm, Some(rpm)),
        (None, Some(dpkg)) => (Packages::Dpkg, Some(dpkg)),
        (None, None) => (Packages::Unknown, None),
    };
    let detail = DETAILS.iter().find_map(|path| first_line(&root.read(path)?));
    Evidence { packages, database, detail }
}

fn has_dpkg(root: &Root) -> bool {
    fs::metadata(root.at(DPKG_STATUS)).is_ok_and(|meta| meta.len() > 0)
}

fn first_line(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_string)
}
