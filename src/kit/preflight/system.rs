//! Who we are, which processor, which systemd.

use nix::unistd::{geteuid, getppid};

use super::{Finding, Probe, Trouble};
use crate::kit::commands::Commands;
use crate::kit::host::Root;
use crate::kit::host::probe::QUERY_LIMIT;
use crate::kit::plan::Facts;

/// The oldest systemd that the unit file is written for.
const SYSTEMD_MIN: u32 = 219;
/// The loaders of LoongArch's two worlds, which share one `uname -m` and not one kernel interface.
const OLD_WORLD_LOADER: &str = "/lib64/ld.so.1";
const NEW_WORLD_LOADER: &str = "/lib64/ld-linux-loongarch-lp64d.so.1";

pub(super) fn root(facts: &Facts) -> Vec<Finding> {
    let evidence = format!("uid {}", geteuid());
    vec![match facts.is_root || facts.is_staged {
        true => Finding::pass(Probe::Root, evidence),
        false => Finding::fail(Probe::Root, Trouble::NotRoot, evidence),
    }]
}

pub(super) fn architecture(root: &Root, bundle: &str, machine: &str) -> Vec<Finding> {
    let evidence = format!("{bundle}, uname -m: {machine}");
    let is_old_world = machine == "loongarch64" && root.exists(OLD_WORLD_LOADER) && !root.exists(NEW_WORLD_LOADER);
    vec![match () {
        () if bundle != machine => Finding::fail(Probe::Architecture, Trouble::WrongArchitecture, evidence),
        () if is_old_world => Finding::fail(Probe::Architecture, Trouble::OldWorld, OLD_WORLD_LOADER),
        () => Finding::pass(Probe::Architecture, evidence),
    }]
}

pub(super) fn systemd(root: &Root, commands: &mut dyn Commands) -> Vec<Finding> {
    if !root.exists("/run/systemd/system") || !commands.has("systemctl") {
        let first = root.read("/proc/1/comm").unwrap_or_default();
        let evidence = format!("/run/systemd/system; process 1: {}", String::from_utf8_lossy(&first).trim());
        return vec![Finding::warn(Probe::Systemd, Trouble::NoSystemd, evidence)];
    }
    let said = commands.run("systemctl", &["--version"], QUERY_LIMIT).map(|output| output.stdout).unwrap_or_default();
    let first = said.lines().next().unwrap_or_default().to_owned();
    let version = first.split_whitespace().nth(1).and_then(|word| word.parse::<u32>().ok());
    vec![match version {
        Some(version) if version < SYSTEMD_MIN => Finding::warn(Probe::Systemd, Trouble::OldSystemd, first),
        _ => Finding::pass(Probe::Systemd, first),
    }]
}

/// The caller's; ours is set at the start, and every file gets its mode explicitly.
pub(super) fn umask(root: &Root) -> Vec<Finding> {
    let status = root.read(&format!("/proc/{}/status", getppid())).unwrap_or_default();
    let status = String::from_utf8_lossy(&status).into_owned();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    umask.map(|umask| Finding::pass(Probe::Umask, umask.trim())).into_iter().collect()
}
