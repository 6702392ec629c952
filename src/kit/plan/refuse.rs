//! The reasons not to begin. A host that needs no change is never refused for what only a change would need.

use std::collections::BTreeSet;

use super::{Facts, Found, Step};
use crate::kit::bundle::{Manifest, MemberKind};
use crate::kit::failure::Failure;
use crate::kit::prefix::Prefix;
use crate::kit::tree::{CONFIG, LOG_DIR};

/// Room left free beyond the files themselves.
const SPARE_BYTES: u64 = 1 << 20;

/// Checks a finished plan against the facts.
pub(super) fn refuse(facts: &Facts, manifest: &Manifest, steps: &[Step]) -> Result<(), Failure> {
    // Only root may ask systemd and look everywhere, so this comes before "there is nothing to do".
    if !facts.is_root && !facts.is_staged {
        return Err(Failure::NotRoot);
    }
    for member in &manifest.members {
        if let Some(found) = facts.found.get(&member.path) {
            refuse_in_the_way(&member.path, &member.kind, found, facts.prefix)?;
        }
    }
    if !steps.iter().any(Step::is_change) {
        return Ok(());
    }
    refuse_unwritable(facts, steps)?;
    refuse_full(facts, steps)
}

fn refuse_in_the_way(path: &str, kind: &MemberKind, found: &Found, prefix: Prefix) -> Result<(), Failure> {
    let in_the_way = || Err(Failure::InTheWay { path: path.to_string() });
    match (kind, found) {
        (_, Found::File { is_script: true, .. }) if path == prefix.program() => {
            Err(Failure::OtherSupervisor { path: path.to_string() })
        }
        (MemberKind::Dir { .. }, Found::Dir) => Ok(()),
        (MemberKind::Dir { .. }, _) | (_, Found::Dir | Found::Other) => in_the_way(),
        (MemberKind::File { .. } | MemberKind::Link { .. }, Found::File { .. } | Found::Link { .. }) => Ok(()),
    }
}

pub(super) fn refuse_unwritable(facts: &Facts, steps: &[Step]) -> Result<(), Failure> {
    let parents = steps.iter().filter_map(|step| match step {
        Step::Clean { path }
        | Step::MakeDir { path, .. }
        | Step::Stage { path, .. }
        | Step::GoLive { path, .. }
        | Step::Remove { path }
        | Step::SetAside { path }
        | Step::Offer { path, .. }
        | Step::RemoveDir { path }
        | Step::Link { path, .. } => path.rsplit_once('/').map(|(dir, _)| dir),
        _ => None,
    });
    let mut needed: BTreeSet<&str> = parents.collect();
    // Our own configuration logs there. What an administrator's configuration needs, the daemon itself will tell.
    if !facts.found.contains_key(CONFIG) {
        needed.insert(LOG_DIR);
    }
    match needed.iter().find_map(|dir| facts.unwritable.get_key_value(*dir)) {
        Some((path, reason)) => Err(Failure::NotWritable { path: path.clone(), reason: reason.clone() }),
        None => Ok(()),
    }
}

fn refuse_full(facts: &Facts, steps: &[Step]) -> Result<(), Failure> {
    let sizes = steps.iter().map(|step| if let Step::Stage { size, .. } = step { *size } else { 0 });
    let bytes_needed = sizes.sum::<u64>() + SPARE_BYTES;
    match (facts.bytes_free, facts.prefix.program().rsplit_once('/')) {
        (Some(bytes_free), Some((dir, _))) if bytes_free < bytes_needed => {
            Err(Failure::NoSpace { path: dir.to_string(), bytes_needed, bytes_free })
        }
        _ => Ok(()),
    }
}
