//! The processes of a world, found by the mark in their environment.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill as send};
use nix::unistd::Pid;

use crate::world::MARK;

/// Rounds of killing what a program starts meanwhile.
const ROUNDS_MAX: usize = 50;

/// One that is gone already is as good.
pub fn kill(pid: i32) {
    let _ = send(Pid::from_raw(pid), Signal::SIGKILL);
}

/// Kills everything that was started in the world of this directory.
pub fn kill_all_of(dir: &Path) {
    let mark = format!("{MARK}={}", dir.display());
    for _ in 0..ROUNDS_MAX {
        let living: Vec<i32> = pids().filter(|pid| has(*pid, &mark)).collect();
        if living.is_empty() {
            return;
        }
        living.into_iter().for_each(kill);
        sleep(Duration::from_millis(10));
    }
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The environment of a zombie is empty.
fn has(pid: i32, mark: &str) -> bool {
    let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environ.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
}
