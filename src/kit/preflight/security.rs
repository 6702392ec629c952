//! What may keep a program from running although its file is right: SELinux, KySec, signed programs, fapolicyd.

use super::mounts::Mounts;
use super::program::Barriers;
use super::{Finding, Probe, Trouble};
use crate::kit::commands::Commands;
use crate::kit::host::Root;
use crate::kit::host::probe::{KYSEC_CONFIG, QUERY_LIMIT, SELINUX_RUNS};
use crate::kit::prefix::Prefix;

/// UOS Desktop checks signatures of programs when this is there; empty on deepin.
const ELF_VERIFY: &str = "/usr/share/deepin-elf-verify";
const FAPOLICYD: &str = "/etc/fapolicyd";
/// What KySec says of a file that may run.
const KYSEC_MAY_RUN: [&str; 3] = ["verified", "original", "trusted"];

/// Looks for them. Each question is only asked where there is a sign of the thing.
pub(super) fn barriers(root: &Root, prefix: Prefix, commands: &mut dyn Commands, mounts: &Mounts) -> Barriers {
    let enforce = root.read(SELINUX_RUNS);
    Barriers {
        is_noexec: mounts.of(&root.real(prefix.program())).is_some_and(|mount| mount.is_noexec),
        selinux: enforce.map(|text| text.starts_with(b"1")),
        kysec: if root.exists(KYSEC_CONFIG) { kysec(commands) } else { None },
        has_elf_verify: std::fs::read_dir(root.at(ELF_VERIFY)).is_ok_and(|mut entries| entries.next().is_some()),
        has_fapolicyd: root.exists(FAPOLICYD) && is_active(commands, "fapolicyd.service"),
    }
}

/// What `getstatus` says. It works for every user; older versions say `KySec status` in place of `exec control`.
fn kysec(commands: &mut dyn Commands) -> Option<String> {
    let output = commands.run("getstatus", &[], QUERY_LIMIT).ok()?;
    let lines = output.stdout.lines().map(str::trim).filter(|line| !line.is_empty());
    Some(lines.collect::<Vec<_>>().join("; "))
}

/// Whether KySec lets a file run, and what it says of it.
pub(super) fn kysec_mark(commands: &mut dyn Commands, path: &str) -> (bool, String) {
    let said = commands.run("kysec_get", &["-n", "exectl", path], QUERY_LIMIT);
    let mark = said.map(|output| output.stdout.trim().to_owned()).unwrap_or_default();
    (KYSEC_MAY_RUN.iter().any(|word| mark.contains(word)), mark)
}

/// Those of our programs that have lost their mark, where KySec controls what runs; with what it says of each.
pub fn kysec_unmarked(root: &Root, prefix: Prefix, commands: &mut dyn Commands) -> Vec<(String, String)> {
    if root.is_staged() || !root.exists(KYSEC_CONFIG) || !commands.has("kysec_get") {
        return Vec::new();
    }
    if !(Barriers { kysec: kysec(commands), ..Barriers::default() }).kysec_stops() {
        return Vec::new();
    }
    let mut unmarked = Vec::new();
    for path in [prefix.program(), prefix.installer()].into_iter().filter(|path| root.exists(path)) {
        let (may_run, mark) = kysec_mark(commands, &root.at(path).display().to_string());
        // Without an answer nothing is known.
        if !may_run && !mark.is_empty() {
            unmarked.push((path.to_owned(), mark));
        }
    }
    unmarked
}

/// The value of one line of `getstatus`.
pub(super) fn kysec_value<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.split("; ").find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value.trim())
    })
}

pub(super) fn judge(commands: &dyn Commands, barriers: &Barriers, no_fapolicyd: bool) -> Vec<Finding> {
    let mut found = vec![selinux(commands, barriers.selinux)];
    found.extend(judge_kysec(commands, barriers));
    if barriers.has_elf_verify {
        found.push(Finding::warn(Probe::ElfSigning, Trouble::ElfVerify, ELF_VERIFY));
    }
    if barriers.has_fapolicyd {
        found.push(match no_fapolicyd || !commands.has("fapolicyd-cli") {
            true => Finding::warn(Probe::Fapolicyd, Trouble::FapolicydUntrusted, "fapolicyd.service: active"),
            false => Finding::pass(Probe::Fapolicyd, "fapolicyd.service: active; /etc/fapolicyd/trust.d/supervisor"),
        });
    }
    found
}

fn selinux(commands: &dyn Commands, mode: Option<bool>) -> Finding {
    match mode {
        None => Finding::pass(Probe::Selinux, "off"),
        Some(false) => Finding::pass(Probe::Selinux, "permissive"),
        Some(true) if commands.has("restorecon") => Finding::pass(Probe::Selinux, "enforcing"),
        Some(true) => Finding::warn(Probe::Selinux, Trouble::NoRestorecon, "enforcing"),
    }
}

fn judge_kysec(commands: &dyn Commands, barriers: &Barriers) -> Vec<Finding> {
    let Some(status) = &barriers.kysec else { return Vec::new() };
    let mut found = vec![match barriers.kysec_stops() {
        false => Finding::pass(Probe::Kysec, status),
        true if commands.has("kysec_set") => Finding::warn(Probe::Kysec, Trouble::KysecOn, status),
        true => Finding::warn(Probe::Kysec, Trouble::KysecNoTool, status),
    }];
    let kid = kysec_value(status, "kid protect").unwrap_or_default();
    if !matches!(kid, "" | "off") {
        found.push(Finding::warn(Probe::Kysec, Trouble::KysecKid, format!("kid protect: {kid}")));
    }
    found
}

fn is_active(commands: &mut dyn Commands, unit: &str) -> bool {
    commands.run("systemctl", &["is-active", unit], QUERY_LIMIT).is_ok_and(|output| output.stdout.trim() == "active")
}

/// Whether fapolicyd guards this host, so that our programs must be made known to it.
pub fn has_fapolicyd(root: &Root, commands: &mut dyn Commands) -> bool {
    root.exists(FAPOLICYD) && commands.has("fapolicyd-cli") && is_active(commands, "fapolicyd.service")
}
