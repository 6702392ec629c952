//! Who is in a control group.

use std::fs;
use std::path::{Path, PathBuf};

use crate::core::Pid;

/// How deep a program may nest groups of its own before we look no further.
pub(super) const DEPTH_MAX: usize = 16;

/// Everybody in the group with this directory and in groups inside it; nobody when there is none.
pub fn members(dir: &Path) -> Vec<Pid> {
    let mut pids = Vec::new();
    collect(dir, DEPTH_MAX, &mut pids);
    pids
}

fn collect(dir: &Path, depth: usize, pids: &mut Vec<Pid>) {
    let Ok(text) = fs::read_to_string(dir.join("cgroup.procs")) else { return };
    pids.extend(text.lines().filter_map(|line| line.parse::<Pid>().ok()));
    if depth > 0 {
        subgroups(dir).for_each(|inner| collect(&inner, depth - 1, pids));
    }
}

/// The groups directly inside one.
pub(super) fn subgroups(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}
