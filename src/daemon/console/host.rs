//! Facts about the machine, and the processes below a program.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::usage::{Stat, stat};
use crate::web::model::{DaemonFacts, Facts, Process};

/// Most processes of a program that are shown.
const TREE_MAX: usize = 200;

/// Most characters of a command line that are shown.
const COMMAND_CHARS_MAX: usize = 400;

/// Name of the machine.
pub fn name() -> String {
    nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What can be said of the machine. `log_dir` is where its file system is looked at.
pub fn facts(host: &str, log_dir: &Path, daemon: DaemonFacts) -> Facts {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<String>>();
    let load = words(&read("/proc/loadavg"));
    let memory = read("/proc/meminfo");
    let memory_kib = |name: &str| {
        let line = memory.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    Facts {
        host: host.to_owned(),
        system: system_name(&read("/etc/os-release")),
        kernel: format!("{} {}", read("/proc/sys/kernel/ostype").trim(), read("/proc/sys/kernel/osrelease").trim()),
        machine: std::env::consts::ARCH.to_owned(),
        processors: std::thread::available_parallelism().map_or(0, usize::from),
        uptime_secs: words(&read("/proc/uptime")).first().map_or(0, |secs| hundredths(secs) as i64 / 100),
        load: [0, 1, 2].map(|index| load.get(index).map_or(0, |load| hundredths(load))),
        memory_kib: [memory_kib("MemTotal"), memory_kib("MemAvailable")],
        log_dir: log_dir.display().to_string(),
        disk_kib: disk_kib(log_dir),
        daemon,
    }
}

/// `PRETTY_NAME`, without the quotes.
fn system_name(os_release: &str) -> String {
    let value = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    value.unwrap_or("Linux").trim().trim_matches(['"', '\'']).to_owned()
}

/// `12.34` as 1234.
fn hundredths(text: &str) -> u64 {
    text.parse::<f64>().map_or(0, |value| (value * 100.0).round() as u64)
}

/// Size of the file system, and what is free of it for those who are not root.
fn disk_kib(path: &Path) -> [u64; 2] {
    // The types of these numbers differ between machines.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    let kib = |blocks: u64, size: u64| u64::try_from(u128::from(blocks) * u128::from(size) / 1024).unwrap_or(u64::MAX);
    match nix::sys::statvfs::statvfs(path) {
        #[allow(clippy::unnecessary_cast)]
        Ok(stat) => [
            kib(stat.blocks() as u64, stat.fragment_size() as u64),
            kib(stat.blocks_available() as u64, stat.fragment_size() as u64),
        ],
        Err(_) => [0, 0],
    }
}

/// What this daemon uses.
pub fn daemon(identifier: &str, config: &Path, log: Option<&Path>, start_secs: i64) -> DaemonFacts {
    let pid = std::process::id().cast_signed();
    let own = stat(pid);
    DaemonFacts {
        pid,
        identifier: identifier.to_owned(),
        config: config.display().to_string(),
        log: log.map(|path| path.display().to_string()),
        start_secs,
        rss_kib: own.map_or(0, |own| own.rss_kib),
        cpu_millis: own.map_or(0, |own| own.cpu_millis),
        descriptors: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
    }
}

/// A process and all below it, each after its parent.
pub fn tree(root: i32) -> Vec<Process> {
    let mut stats: HashMap<i32, Stat> = HashMap::new();
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
        if let Some(stat) = stat(pid) {
            children.entry(stat.parent).or_default().push(pid);
            stats.insert(pid, stat);
        }
    }
    let (mut found, mut open) = (Vec::new(), vec![(root, 0)]);
    while let Some((pid, depth)) = open.pop() {
        let Some(stat) = stats.remove(&pid) else { continue };
        let Stat { state, cpu_millis, rss_kib, .. } = stat;
        found.push(Process { pid, depth, command: command(pid), state, rss_kib, cpu_millis });
        if found.len() == TREE_MAX {
            break;
        }
        let mut below = children.remove(&pid).unwrap_or_default();
        below.sort_unstable_by(|a, b| b.cmp(a));
        open.extend(below.into_iter().map(|pid| (pid, depth + 1)));
    }
    found
}

/// Its command line; the name of one that has none, as the kernel's own and zombies have not.
fn command(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line: Vec<u8> = bytes.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect();
    let line = String::from_utf8_lossy(&line);
    if line.trim().is_empty() {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        return format!("[{}]", name.trim());
    }
    line.trim().chars().take(COMMAND_CHARS_MAX).collect()
}
