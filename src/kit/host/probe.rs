//! Gathering the facts that a plan needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access, geteuid};

use super::Root;
use crate::kit::apply::place::{Leftover, leftover};
use crate::kit::bundle::{Manifest, sums};
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;
use crate::kit::plan::{Facts, Found, Service, parents};
use crate::kit::prefix::Prefix;
use crate::kit::preflight::{has_fapolicyd, kysec_unmarked};
use crate::kit::state::{Installed, Receipt};
use crate::kit::takeover::Findings;
use crate::kit::tree::{ENABLE_LINKS, RUN_DIR, SERVICE, TRUST_FILE};

/// How long a question to systemd may take.
pub const QUERY_LIMIT: Duration = Duration::from_secs(20);
/// There while systemd is process 1 (`sd_booted(3)`).
const SYSTEMD_RUNS: &str = "/run/systemd/system";
/// There on systems with KySec, whether it is on or off.
pub const KYSEC_CONFIG: &str = "/etc/kysec";
/// There while SELinux is on.
pub const SELINUX_RUNS: &str = "/sys/fs/selinux/enforce";

/// Looks at everything that an installation of `manifest` over that of `before` may touch, and a takeover from what was
/// found.
///
/// # Errors
/// [`Failure::LeavesRoot`], when a link in a `--root` tree leads out of it.
pub fn gather(
    root: &Root,
    manifest: &Manifest,
    prefix: Prefix,
    before: Option<&Receipt>,
    findings: &Findings,
    commands: &mut dyn Commands,
) -> Result<Facts, Failure> {
    let members = manifest.members.iter().map(|member| member.path.as_str());
    let scripts = findings.olds.iter().flat_map(|old| &old.scripts).map(String::as_str);
    let units = findings.units.iter().map(|unit| unit.path.as_str());
    let installed = before.iter().flat_map(|receipt| &receipt.installed.members).map(|member| member.path.as_str());
    look_at(root, prefix, touched(members.chain(installed).chain(scripts).chain(units)), commands)
}

/// Looks at everything that a removal may touch.
///
/// # Errors
/// [`Failure::LeavesRoot`], when a link in a `--root` tree leads out of it.
pub fn gather_for(root: &Root, installed: &Installed, commands: &mut dyn Commands) -> Result<Facts, Failure> {
    let members = installed.members.iter().map(|member| &member.path);
    let others = installed.made_dirs.iter().chain(&installed.enable_links).chain(&installed.fapolicyd);
    let others = others.chain(&installed.offered);
    look_at(root, installed.prefix, touched(members.chain(others).map(String::as_str)), commands)
}

fn look_at(
    root: &Root,
    prefix: Prefix,
    paths: BTreeSet<String>,
    commands: &mut dyn Commands,
) -> Result<Facts, Failure> {
    let mut found = BTreeMap::new();
    let mut leftovers = Vec::new();
    let mut unwritable = BTreeMap::new();
    for path in &paths {
        let nearest = root.nearest_dir(path)?;
        if let Some((dir, _)) = path.rsplit_once('/') {
            note_unwritable(dir, &nearest, &mut unwritable);
        }
        if let Some(what) = look(&root.at(path)) {
            if what == Found::Dir {
                note_unwritable(path, &root.at(path), &mut unwritable);
            }
            found.insert(path.clone(), what);
        }
        let possible = [Leftover::New, Leftover::Old].map(|kind| leftover(path, kind));
        leftovers.extend(possible.into_iter().filter(|left| root.exists(left)));
    }
    let is_running = !root.is_staged() && root.exists(SYSTEMD_RUNS) && commands.has("systemctl");
    Ok(Facts {
        is_staged: root.is_staged(),
        prefix,
        is_root: geteuid().is_root(),
        found,
        leftovers,
        unwritable,
        bytes_free: statvfs(&root.nearest_dir(prefix.program())?)
            .ok()
            .map(|fs| fs.blocks_available() * fs.fragment_size()),
        has_selinux: has_selinux(root, commands),
        has_kysec: has_kysec(root, commands),
        unmarked: kysec_unmarked(root, prefix, commands).into_iter().map(|(path, _)| path).collect(),
        trust_file: trust_file(root, commands),
        service: if is_running { Some(service(root, prefix, commands)) } else { None },
    })
}

/// What fapolicyd was told about us, where it runs.
fn trust_file(root: &Root, commands: &mut dyn Commands) -> Option<String> {
    let is_needed = !root.is_staged() && has_fapolicyd(root, commands);
    is_needed.then(|| String::from_utf8_lossy(&root.read(TRUST_FILE).unwrap_or_default()).into_owned())
}

/// Whether files have SELinux labels here, and we can set them.
pub fn has_selinux(root: &Root, commands: &dyn Commands) -> bool {
    !root.is_staged() && root.exists(SELINUX_RUNS) && commands.has("restorecon")
}

/// Whether programs need a mark before they may run here.
pub fn has_kysec(root: &Root, commands: &dyn Commands) -> bool {
    !root.is_staged() && root.exists(KYSEC_CONFIG) && commands.has("kysec_set")
}

/// Every path that a plan looks at: members, what enabling makes, and all directories above them.
fn touched<'a>(members: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let paths = members.chain(ENABLE_LINKS).chain([RUN_DIR]);
    paths.flat_map(|path| parents(path).chain([path])).map(str::to_string).collect()
}

/// `access(2)` answers for a read-only or immutable place without writing to it, to root as well.
fn note_unwritable(dir: &str, real: &Path, unwritable: &mut BTreeMap<String, String>) {
    if let Err(errno) = access(real, AccessFlags::W_OK | AccessFlags::X_OK) {
        unwritable.insert(dir.to_string(), errno.desc().to_string());
    }
}

fn look(path: &Path) -> Option<Found> {
    let meta = fs::symlink_metadata(path).ok()?;
    if meta.is_symlink() {
        let is_dir = fs::metadata(path).is_ok_and(|target| target.is_dir());
        let target = fs::read_link(path).map(|target| target.display().to_string()).unwrap_or_default();
        return Some(if is_dir { Found::Dir } else { Found::Link { target } });
    }
    if meta.is_dir() {
        return Some(Found::Dir);
    }
    // Only a plain file is opened: reading a pipe would wait for ever.
    let bytes = if meta.is_file() { fs::read(path).ok() } else { None };
    Some(bytes.map_or(Found::Other, |bytes| Found::File {
        mode: meta.permissions().mode() & 0o7777,
        is_roots: meta.uid() == 0 && meta.gid() == 0,
        sha256: sums::sha256(&bytes),
        is_script: bytes.starts_with(b"#!"),
    }))
}

/// The main process of a unit; 0 when it does not run.
pub fn main_pid(commands: &mut dyn Commands, unit: &str) -> u32 {
    let shown = commands.run("systemctl", &["show", "-p", "MainPID", unit], QUERY_LIMIT);
    let shown = shown.map(|output| output.stdout).unwrap_or_default();
    shown.lines().find_map(|line| line.strip_prefix("MainPID=")?.trim().parse().ok()).unwrap_or(0)
}

/// Whether systemd has neither a file nor a process for this unit.
pub fn is_forgotten(commands: &mut dyn Commands, unit: &str) -> bool {
    let shown = commands.run("systemctl", &["show", "-p", "LoadState", "-p", "ActiveState", unit], QUERY_LIMIT);
    let shown = shown.map(|output| output.stdout).unwrap_or_default();
    ["LoadState=not-found", "ActiveState=inactive"].iter().all(|wanted| shown.lines().any(|line| line == *wanted))
}

fn service(root: &Root, prefix: Prefix, commands: &mut dyn Commands) -> Service {
    let mut ask = |args: &[&str]| match commands.run("systemctl", args, QUERY_LIMIT) {
        Ok(output) => output.stdout.trim().to_string(),
        Err(_) => String::new(),
    };
    let enabled = ask(&["is-enabled", SERVICE]);
    let is_active = ask(&["is-active", SERVICE]) == "active";
    let shown = ask(&["show", "-p", "MainPID", "-p", "NeedDaemonReload", "-p", "UnitFileState", SERVICE]);
    let property = |name: &str| shown.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    // Debian's packages have the unit under its other name, and ours as a link to that.
    let is_enabled = enabled == "enabled" || (enabled == "alias" && property("UnitFileState") == Some("enabled"));
    let main_pid = property("MainPID").and_then(|pid| pid.parse().ok()).unwrap_or(0);
    let needs_reload = property("NeedDaemonReload") == Some("yes");
    let runs_installed = commands.runs(main_pid, &root.at(prefix.program()));
    Service { is_enabled, is_active, main_pid, needs_reload, runs_installed }
}
