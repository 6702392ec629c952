//! The places: can they be written, may programs run there, is there room, do logs stay.

use nix::sys::statvfs::statvfs;

use super::mounts::Mounts;
use super::{Finding, Look, Probe, Trouble, needs_change};
use crate::kit::bundle::MemberKind;
use crate::kit::host::Root;
use crate::kit::plan::Facts;
use crate::kit::prefix::Prefix;
use crate::kit::tree::LOG_DIR;

/// Room left free beyond the files themselves.
const SPARE_BYTES: u64 = 1 << 20;
/// Inodes that an installation and its journal take, with room to spare.
const INODES_MIN: u64 = 64;
/// Marks of a system whose `/usr` is an image.
const IMAGE_MARKS: [&str; 2] = ["/run/ostree-booted", "/usr/bin/dpkg.real"];

pub(super) fn places(look: &Look<'_>, mounts: &Mounts) -> Vec<Finding> {
    let is_needed = needs_change(look.facts, look.manifest);
    let mut found = mount(look, mounts);
    found.extend(elsewhere(look, mounts));
    found.extend(if is_needed { destination(look, mounts) } else { Vec::new() });
    found.extend(space(look, is_needed));
    found
}

fn destination(look: &Look<'_>, mounts: &Mounts) -> Vec<Finding> {
    let mut found = Vec::new();
    for member in &look.manifest.members {
        let is_config = matches!(member.kind, MemberKind::File { config: true, .. });
        let is_there = look.facts.found.contains_key(&member.path);
        let dir = match member.kind {
            MemberKind::Dir { .. } if is_there => continue,
            _ if is_config && is_there => continue,
            _ => member.path.rsplit_once('/').map_or("", |(dir, _)| dir),
        };
        let Some(reason) = look.facts.unwritable.get(dir) else { continue };
        let mount = mounts.of(dir);
        let shown = mount.map(|mount| format!(", {}", mount.shown())).unwrap_or_default();
        let image = IMAGE_MARKS.iter().find(|path| look.root.exists(path)).map(|path| format!(", {path}"));
        let is_read_only = mount.is_some_and(|mount| mount.is_read_only) || reason.contains("Read-only");
        let trouble = match &image {
            Some(_) => Trouble::Immutable,
            None if is_read_only => Trouble::ReadOnly,
            None => Trouble::NotWritable,
        };
        let evidence = format!("{dir}: {reason}{shown}{}", image.unwrap_or_default());
        // One message for all places with the same trouble.
        match found.iter_mut().find(|finding: &&mut Finding| finding.trouble() == Some(trouble)) {
            Some(finding) if finding.evidence.contains(&evidence) => {}
            Some(finding) => finding.evidence += &format!("\n{evidence}"),
            None => found.push(Finding::fail(Probe::Destination, trouble, evidence)),
        }
    }
    if found.is_empty() {
        found.push(Finding::pass(Probe::Destination, look.facts.prefix.program()));
    }
    found
}

/// `/usr` cannot be written, so the programs go elsewhere: no obstacle, but nobody should be surprised.
fn elsewhere(look: &Look<'_>, mounts: &Mounts) -> Option<Finding> {
    let obstacle = look.usr_obstacle.filter(|_| look.facts.prefix != Prefix::Usr)?;
    let mount = mounts.of("/usr/bin").map(|mount| format!(", {}", mount.shown())).unwrap_or_default();
    let evidence = format!("{obstacle}{mount}\n{}, {}", look.facts.prefix.program(), look.facts.prefix.unit());
    Some(Finding::warn(Probe::Destination, Trouble::UsrUnwritable, evidence))
}

fn mount(look: &Look<'_>, mounts: &Mounts) -> Vec<Finding> {
    let real = look.root.real(look.facts.prefix.program());
    let dir = real.rsplit_once('/').map_or("", |(dir, _)| dir);
    let Some(mount) = mounts.of(dir) else { return Vec::new() };
    let evidence = format!("{dir}: {}", mount.shown());
    vec![match mount.is_noexec {
        true => Finding::fail(Probe::Mount, Trouble::Noexec, evidence),
        false => Finding::pass(Probe::Mount, evidence),
    }]
}

fn space(look: &Look<'_>, is_needed: bool) -> Vec<Finding> {
    let Some(stat) = look.root.nearest_dir(look.facts.prefix.program()).ok().and_then(|dir| statvfs(&dir).ok()) else {
        return Vec::new();
    };
    let sizes = look.manifest.members.iter().map(|member| match member.kind {
        MemberKind::File { size, .. } => size,
        _ => 0,
    });
    let needed = sizes.sum::<u64>() + SPARE_BYTES;
    let free = look.facts.bytes_free.unwrap_or(u64::MAX);
    // A file system without a fixed number of inodes says 0 of 0.
    let has_inodes = stat.files() == 0 || stat.files_available() >= INODES_MIN;
    let dir = look.facts.prefix.program_dir().trim_end_matches('/');
    let evidence = format!("{dir}: {} MiB, {} inodes", free >> 20, stat.files_available());
    vec![match () {
        () if is_needed && free < needed => {
            let evidence = format!("{evidence}; {} MiB", needed.div_ceil(1 << 20));
            Finding::fail(Probe::Space, Trouble::NoSpace, evidence)
        }
        () if is_needed && !has_inodes => Finding::fail(Probe::Space, Trouble::NoInodes, evidence),
        () => Finding::pass(Probe::Space, evidence),
    }]
}

/// Where our own configuration logs; what an administrator's says is the daemon's to judge.
pub(super) fn logs(root: &Root, config: &str, facts: &Facts, mounts: &Mounts) -> Vec<Finding> {
    let is_ours = !root.exists(config);
    if let Some(reason) = facts.unwritable.get(LOG_DIR).or_else(|| facts.unwritable.get("/var/log"))
        && is_ours
    {
        return vec![Finding::fail(Probe::Logs, Trouble::LogNotWritable, format!("{LOG_DIR}: {reason}"))];
    }
    let Some(mount) = mounts.of(LOG_DIR) else { return Vec::new() };
    let evidence = format!("{LOG_DIR}: {}", mount.shown());
    vec![match mount.is_volatile() {
        true => Finding::warn(Probe::Logs, Trouble::LogVolatile, evidence),
        false => Finding::pass(Probe::Logs, evidence),
    }]
}
