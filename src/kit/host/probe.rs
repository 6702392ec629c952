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
use crate::kit::tree::{ENABLE_LINKS, PROGRAM, RUN_DIR, SERVICE};

/// How long a question to systemd may take.
pub const QUERY_LIMIT: Duration = Duration::from_secs(20);
/// There while systemd is process 1 (`sd_booted(3)`).
const SYSTEMD_RUNS: &str = "/run/systemd/system";
/// There on systems with KySec, whether it is on or off.
const KYSEC_CONFIG: &str = "/etc/kysec";
/// There while SELinux is on.
const SELINUX_RUNS: &str = "/sys/fs/selinux/enforce";

/// Looks at everything that an installation of `manifest` may touch.
///
/// # Errors
/// [`Failure::LeavesRoot`], when a link in a `--root` tree leads out of it.
pub fn gather(root: &Root, manifest: &Manifest, commands: &mut dyn Commands) -> Result<Facts, Failure> {
    let paths = touched(manifest);
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
        is_root: geteuid().is_root(),
        found,
        leftovers,
        unwritable,
        bytes_free: statvfs(&root.nearest_dir(PROGRAM)?).ok().map(|fs| fs.blocks_available() * fs.fragment_size()),
        has_selinux: !root.is_staged() && root.exists(SELINUX_RUNS) && commands.has("restorecon"),
        has_kysec: !root.is_staged() && root.exists(KYSEC_CONFIG) && commands.has("kysec_set"),
        service: if is_running { Some(service(root, commands)) } else { None },
    })
}

/// Every path that a plan looks at: members, what enabling makes, and all directories above them.
fn touched(manifest: &Manifest) -> BTreeSet<String> {
    let members = manifest.members.iter().map(|member| member.path.as_str());
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

fn service(root: &Root, commands: &mut dyn Commands) -> Service {
    let mut ask = |args: &[&str]| match commands.run("systemctl", args, QUERY_LIMIT) {
        Ok(output) => output.stdout.trim().to_string(),
        Err(_) => String::new(),
    };
    let is_enabled = ask(&["is-enabled", SERVICE]) == "enabled";
    let is_active = ask(&["is-active", SERVICE]) == "active";
    let shown = ask(&["show", "-p", "MainPID", "-p", "NeedDaemonReload", SERVICE]);
    let property = |name: &str| shown.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let main_pid = property("MainPID").and_then(|pid| pid.parse().ok()).unwrap_or(0);
    let needs_reload = property("NeedDaemonReload") == Some("yes");
    let runs_installed = commands.runs(main_pid, &root.at(PROGRAM));
    Service { is_enabled, is_active, main_pid, needs_reload, runs_installed }
}
