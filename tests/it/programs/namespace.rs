//! A daemon with mounts of its own, which end with it.

use std::path::PathBuf;
use std::process::Command;

use crate::daemon::fixture::{BINARY, Daemon, Site};

/// Starts a daemon behind shell commands that mount something for it alone; `$DIR` is the directory of the site. `None`
/// when we are not root.
pub fn daemon_behind(site: Site, mounts: &str) -> Option<Daemon> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let mut command = Command::new("unshare");
    let script = format!("set -e; cd \"$DIR\"; {mounts}; exec {BINARY} -c \"$DIR/supervisord.conf\"");
    command.args(["-m", "sh", "-c", &script]).env("DIR", site.dir.path());
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    Some(Daemon::start_command(site, command))
}

/// A file as the daemon sees it.
pub fn seen_by(daemon: &Daemon, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/root{}", daemon.pid(), daemon.path(name).display()))
}
