//! Other Supervisors: from a package, by pip, copied by hand, running.

use std::fs;

use super::{Finding, Look, Probe, Trouble};
use crate::kit::commands::Commands;
use crate::kit::host::Root;
use crate::kit::plan::{Facts, Found};
use crate::kit::prefix::{LINK_DIR, Prefix};
use crate::kit::takeover::Findings;

/// What shells and cron look through, in this order.
const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// What is called by name.
const NAMES: [&str; 2] = ["supervisord", "supervisorctl"];
/// Most processes that are looked at.
const PROCESSES_MAX: usize = 100_000;

/// Every other Supervisor that a takeover would find.
pub fn others(olds: &Findings, may_replace: bool) -> Vec<Finding> {
    let judge = |evidence: String| match may_replace {
        true => Finding::warn(Probe::OtherSupervisor, Trouble::OtherSupervisor, evidence),
        false => Finding::fail(Probe::OtherSupervisor, Trouble::OtherSupervisor, evidence),
    };
    let installed = olds.olds.iter().map(|old| format!("{}: {}", old.program, old.layout.word()));
    let running = olds.daemons.iter().map(|daemon| format!("{}: {}", daemon.pid, daemon.command.join(" ")));
    installed.chain(running).map(judge).collect()
}

/// What a takeover would not find, or is not about to replace.
pub(super) fn supervisors(look: &mut Look<'_>) -> Vec<Finding> {
    let scripts: Vec<&str> = look.olds.olds.iter().flat_map(|old| &old.scripts).map(String::as_str).collect();
    let pids: Vec<u32> = look.olds.daemons.iter().map(|daemon| daemon.pid).collect();
    let mut found = at_our_place(look.root, look.facts);
    found.extend(paths(look.root, look.facts.prefix, &scripts));
    found.extend(running(look.root, look.facts.prefix, look.commands, &pids));
    found
}

/// Our program is no script.
fn at_our_place(root: &Root, facts: &Facts) -> Vec<Finding> {
    let program = facts.prefix.program();
    let is_script = matches!(facts.found.get(program), Some(Found::File { is_script: true, .. }));
    vec![match is_script {
        true => {
            let evidence = format!("{program}: {}", first_line(root, program));
            Finding::fail(Probe::OtherSupervisor, Trouble::OtherSupervisor, evidence)
        }
        false => Finding::pass(Probe::OtherSupervisor, program),
    }]
}

/// Other programs of our names that a shell finds first.
pub(super) fn paths(root: &Root, prefix: Prefix, known: &[&str]) -> Vec<Finding> {
    let ours = fs::canonicalize(root.at(prefix.program())).ok();
    let is_ours = |dir: &&str| match prefix {
        Prefix::Usr => *dir == "/usr/bin",
        Prefix::Opt => {
            *dir == LINK_DIR.trim_end_matches('/') && fs::canonicalize(root.at(dir).join(NAMES[0])).ok() == ours
        }
    };
    let before_us: Vec<&str> = PATH.into_iter().take_while(|dir| !is_ours(dir)).collect();
    let mut found = Vec::new();
    for (dir, name) in before_us.iter().flat_map(|dir| NAMES.map(|name| (dir, name))) {
        let path = format!("{dir}/{name}");
        if known.contains(&path.as_str()) {
            continue;
        }
        // A link to ours, or a directory that is a link to /usr/bin, is no other program.
        let real = fs::canonicalize(root.at(&path)).ok();
        if real.is_some() && real != ours && !(ours.is_none() && same_dir(root, dir)) {
            let evidence = format!("{path}: {}", first_line(root, &path));
            found.push(Finding::warn(Probe::Path, Trouble::PathShadowed, evidence));
        }
    }
    if found.is_empty() {
        found.push(Finding::pass(Probe::Path, before_us.join(":")));
    }
    found
}

fn same_dir(root: &Root, dir: &str) -> bool {
    fs::canonicalize(root.at(dir)).ok() == fs::canonicalize(root.at("/usr/bin")).ok()
}

/// Only processes that see our files: those in containers are somebody else's.
pub(super) fn running(root: &Root, prefix: Prefix, commands: &mut dyn Commands, known: &[u32]) -> Vec<Finding> {
    let Ok(entries) = fs::read_dir(root.at("/proc")) else { return Vec::new() };
    let namespace = |pid: &str| fs::read_link(root.at(&format!("/proc/{pid}/ns/mnt"))).ok();
    let own = namespace("self");
    let program = root.at(prefix.program());
    let mut found = Vec::new();
    for entry in entries.flatten().take(PROCESSES_MAX) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(pid) = name.parse::<u32>() else { continue };
        let Ok(bytes) = fs::read(entry.path().join("cmdline")) else { continue };
        let words: Vec<String> =
            bytes.split(|byte| *byte == 0).take(3).map(|word| String::from_utf8_lossy(word).into()).collect();
        let is_daemon = words.iter().take(2).any(|word| word.rsplit('/').next() == Some("supervisord"));
        if is_daemon
            && !known.contains(&pid)
            && namespace(&name) == own
            && !commands.runs(pid, &program)
            && !is_our_old_image(root, prefix, pid)
        {
            let evidence = format!("{pid}: {}", words.join(" ").trim());
            found.push(Finding::warn(Probe::Running, Trouble::OtherRunning, evidence));
        }
    }
    if found.is_empty() {
        found.push(Finding::pass(Probe::Running, "-"));
    }
    found
}

/// After an upgrade the old program runs on; its file is gone from our place.
fn is_our_old_image(root: &Root, prefix: Prefix, pid: u32) -> bool {
    let exe = fs::read_link(root.at(&format!("/proc/{pid}/exe"))).ok();
    let is_ours = |exe: &str| exe.starts_with(prefix.program()) && exe.ends_with(" (deleted)");
    exe.is_some_and(|exe| exe.to_str().is_some_and(is_ours))
}

fn first_line(root: &Root, path: &str) -> String {
    let bytes = root.read(path).unwrap_or_default();
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.starts_with(b"#!") { String::from_utf8_lossy(line).into_owned() } else { "-".to_owned() }
}
