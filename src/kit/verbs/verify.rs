//! `verify`: is everything still as it was installed? The receipt says how it was; nothing is changed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::kit::bundle::{MemberKind, sums};
use crate::kit::cli::Request;
use crate::kit::commands::Commands;
use crate::kit::failure::{Checked, Failure};
use crate::kit::host::probe::SELINUX_RUNS;
use crate::kit::host::{Root, probe};
use crate::kit::listener::Listener;
use crate::kit::plan::Facts;
use crate::kit::preflight::{self, Finding, Probe, Trouble};
use crate::kit::state::{Receipt, StateDir};
use crate::kit::text::Note;
use crate::kit::tree::SERVICE;

use super::check;

/// Compares the host with the receipt.
///
/// # Errors
/// [`Failure::NotInstalled`], or what differs.
pub fn run(request: &Request, commands: &mut dyn Commands, listener: &mut dyn Listener) -> Result<(), Failure> {
    let root = &request.root;
    let Some(receipt) = StateDir::receipt_or_package(root)? else { return Err(Failure::NotInstalled) };
    let facts = probe::gather_for(root, &receipt.installed, commands)?;
    let mut found = files(root, &receipt);
    if !root.is_staged() {
        found.extend(preflight::unit(root, &facts));
        found.extend(running(&facts));
        found.extend(labels(root, &receipt, commands));
        let unmarked = preflight::kysec_unmarked(root, receipt.installed.prefix, commands);
        let told =
            |(path, mark)| Finding::fail(Probe::Kysec, Trouble::KysecUnmarked, format!("{path}: kysec_get: {mark}"));
        found.extend(unmarked.into_iter().map(told));
    }
    let found: Vec<Finding> = found.into_iter().map(|finding| finding.ignored(&request.choices.ignore)).collect();
    check::tell(&found, listener);
    check::refuse(Checked::Verify, found)?;
    listener.note(Note::AsInstalled { version: receipt.version });
    Ok(())
}

/// Each member of the receipt. The configuration is the administrator's: only its absence counts.
pub(super) fn files(root: &Root, receipt: &Receipt) -> Vec<Finding> {
    let mut found = Vec::new();
    for member in &receipt.installed.members {
        let trouble = match &member.kind {
            MemberKind::Dir { .. } => missing(&root.at(&member.path)),
            MemberKind::File { config: true, .. } => missing(&root.at(&member.path)),
            MemberKind::File { mode, sha256, .. } => file(&root.at(&member.path), mode.0, sha256),
            MemberKind::Link { target } => link(&root.at(&member.path), target),
        };
        if let Some((trouble, seen)) = trouble {
            found.push(Finding::fail(Probe::Files, trouble, format!("{}{seen}", member.path)));
        }
    }
    if found.is_empty() {
        found.push(Finding::pass(Probe::Files, receipt.installed.members.len().to_string()));
    }
    found
}

fn missing(path: &Path) -> Option<(Trouble, String)> {
    (!path.exists()).then_some((Trouble::FileMissing, String::new()))
}

fn file(path: &Path, wanted_mode: u32, wanted_sha256: &str) -> Option<(Trouble, String)> {
    let Ok(meta) = fs::symlink_metadata(path) else { return Some((Trouble::FileMissing, String::new())) };
    let bytes = if meta.is_file() { fs::read(path).unwrap_or_default() } else { Vec::new() };
    let (sha256, mode) = (sums::sha256(&bytes), meta.permissions().mode() & 0o7777);
    match () {
        () if sha256 != wanted_sha256 => Some((Trouble::FileChanged, format!(": SHA-256 {sha256}, {wanted_sha256}"))),
        () if mode != wanted_mode => Some((Trouble::ModeChanged, format!(": {mode:04o}, {wanted_mode:04o}"))),
        () if nix::unistd::geteuid().is_root() && (meta.uid(), meta.gid()) != (0, 0) => {
            Some((Trouble::OwnerChanged, format!(": {}:{}", meta.uid(), meta.gid())))
        }
        () => None,
    }
}

fn link(path: &Path, wanted: &str) -> Option<(Trouble, String)> {
    match fs::read_link(path) {
        Ok(target) if target == Path::new(wanted) => None,
        Ok(target) => Some((Trouble::LinkChanged, format!(" -> {}, {wanted}", target.display()))),
        Err(_) if path.symlink_metadata().is_ok() => Some((Trouble::LinkChanged, format!(": -, {wanted}"))),
        Err(_) => Some((Trouble::FileMissing, String::new())),
    }
}

/// The running image against the file.
fn running(facts: &Facts) -> Vec<Finding> {
    let Some(service) = &facts.service else { return Vec::new() };
    let evidence = format!("{SERVICE}: {}", service.main_pid);
    let mut found = Vec::new();
    if service.is_active && !service.runs_installed {
        found.push(Finding::fail(Probe::Service, Trouble::RunningOther, evidence));
    } else if service.is_active {
        found.push(Finding::pass(Probe::Service, evidence));
    } else {
        found.push(Finding::warn(Probe::Service, Trouble::ServiceDown, SERVICE));
    }
    found
}

/// `restorecon -nv` tells what it would relabel, and does nothing.
fn labels(root: &Root, receipt: &Receipt, commands: &mut dyn Commands) -> Vec<Finding> {
    if !root.exists(SELINUX_RUNS) || !commands.has("restorecon") {
        return Vec::new();
    }
    let paths: Vec<String> =
        receipt.installed.members.iter().map(|member| root.at(&member.path).display().to_string()).collect();
    let args: Vec<&str> = ["-n", "-v", "-F"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    let Ok(output) = commands.run("restorecon", &args, probe::QUERY_LIMIT) else { return Vec::new() };
    let mut found: Vec<Finding> = output
        .stdout
        .lines()
        .filter(|line| line.contains("elabel"))
        .map(|line| Finding::fail(Probe::Selinux, Trouble::SelinuxLabel, line))
        .collect();
    if found.is_empty() {
        found.push(Finding::pass(Probe::Selinux, "restorecon -nvF"));
    }
    found
}
