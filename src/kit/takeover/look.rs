//! Finding old Supervisors: by their scripts, the packages that own them, units, and processes.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::parse::{config_option, exec_start, lost_settings, running_programs, script, unit_of};
use super::{Daemon, Findings, Layout, Old, OldUnit, PROGRAMS};
use crate::kit::bundle::elf;
use crate::kit::commands::Commands;
use crate::kit::host::Root;
use crate::kit::host::probe::QUERY_LIMIT;
use crate::kit::prefix::Prefix;
use crate::kit::state::StateDir;

/// Where their daemon is, when it is for the whole system.
const PROGRAM_PLACES: [&str; 2] = ["/usr/bin/supervisord", "/usr/local/bin/supervisord"];
/// Where configurations are, in the order of Supervisor's own search.
const CONFIG_PLACES: [&str; 2] = ["/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"];
/// What their units are called.
const UNIT_NAMES: [&str; 2] = ["supervisord.service", "supervisor.service"];
/// The first line of a script is not longer.
const FIRST_LINE_BYTES_MAX: u64 = 256;
/// In every program of ours; what calls itself supervisord and lacks it is somebody else's.
const OUR_MARK: &[u8] = b"supervisor-kit";
/// No program of theirs that is looked into is larger.
const PROGRAM_BYTES_MAX: u64 = 128 << 20;
/// A unit file or command line is not larger.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// Looks for all of them; changes nothing.
pub fn look(root: &Root, commands: &mut dyn Commands) -> Findings {
    if root.is_staged() {
        return Findings::default();
    }
    let daemons = daemons(root, commands);
    let mut programs: Vec<String> = PROGRAM_PLACES.map(str::to_owned).to_vec();
    programs.extend(daemons.iter().filter_map(|daemon| script(&daemon.command).map(str::to_owned)));
    let units = if commands.has("systemctl") { units(root, &daemons, commands) } else { Vec::new() };
    programs.extend(units.iter().filter_map(|(_, program)| program.clone()));
    let receipt = StateDir::of(root).receipt().ok().flatten();
    let is_installed = |path: &str| {
        receipt.as_ref().is_some_and(|receipt| receipt.installed.members.iter().any(|member| member.path == path))
    };
    let mut olds: Vec<Old> = Vec::new();
    for program in programs {
        if is_old(&root.at(&program)) && !is_installed(&program) && !olds.iter().any(|old| old.program == program) {
            olds.push(Old { layout: layout(root, &program, commands), scripts: scripts(root, &program), program });
        }
    }
    let is_theirs = |unit: &OldUnit, program: &Option<String>| {
        daemons.iter().any(|daemon| daemon.unit.as_ref() == Some(&unit.name))
            || program.as_ref().is_some_and(|program| olds.iter().any(|old| old.program == *program))
    };
    let units = units.into_iter().filter(|(unit, program)| is_theirs(unit, program)).map(|(unit, _)| unit).collect();
    let configs = CONFIG_PLACES.iter().filter(|path| root.exists(path)).map(|path| (*path).to_owned()).collect();
    let findings = Findings { olds, units, daemons, configs, live: None };
    if is_left_in_place(root, &findings) { Findings::default() } else { findings }
}

/// Where `/usr` cannot be written, a takeover leaves the old programs where they are. They count when they run.
fn is_left_in_place(root: &Root, findings: &Findings) -> bool {
    let is_idle = findings.daemons.is_empty() && findings.units.iter().all(|unit| !unit.is_active);
    let receipt = || StateDir::of(root).receipt().ok().flatten();
    is_idle && receipt().is_some_and(|receipt| receipt.installed.prefix == Prefix::Opt)
}

/// Whether a file is a program of another Supervisor: a Python script, or a program of one file that has Python and
/// Supervisor in it (PyInstaller), or is written in another language. Links are followed.
fn is_old(path: &Path) -> bool {
    is_python(path) || is_foreign(path)
}

/// A program of this name that is not ours.
fn is_foreign(path: &Path) -> bool {
    let mut bytes = Vec::new();
    // Only a plain file is opened: opening a pipe would wait for ever.
    if !path.is_file() {
        return false;
    }
    let read = fs::File::open(path).and_then(|file| file.take(PROGRAM_BYTES_MAX).read_to_end(&mut bytes));
    read.is_ok() && elf::architecture(&bytes).is_some() && !bytes.windows(OUR_MARK.len()).any(|part| part == OUR_MARK)
}

fn is_python(path: &Path) -> bool {
    let first_line = || {
        let mut bytes = Vec::new();
        fs::File::open(path).ok()?.take(FIRST_LINE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned())
    };
    // Only a plain file is opened: opening a pipe would wait for ever.
    path.is_file() && first_line().is_some_and(|line| line.starts_with("#!") && !line.contains("/sh"))
}

fn scripts(root: &Root, program: &str) -> Vec<String> {
    let dir = program.rsplit_once('/').map_or("", |(dir, _)| dir);
    let beside = PROGRAMS.iter().map(|name| format!("{dir}/{name}"));
    beside.filter(|path| is_old(&root.at(path))).collect()
}

fn layout(root: &Root, program: &str, commands: &mut dyn Commands) -> Layout {
    let mut ask = |tool: &str, args: &[&str]| {
        let output = if commands.has(tool) { commands.run(tool, args, QUERY_LIMIT).ok() } else { None };
        output.filter(|output| output.is_success()).map(|output| output.stdout.trim().to_owned())
    };
    if let Some((package, _)) = ask("dpkg-query", &["-S", program]).as_deref().and_then(|said| said.split_once(": "))
        && !package.contains(' ')
    {
        return Layout::Deb(package.to_owned());
    }
    match ask("rpm", &["-qf", "--qf", "%{NAME}", program]) {
        Some(package) if !package.is_empty() && !package.contains(' ') => Layout::Rpm(package),
        _ if is_pips(root, program) => Layout::Pip,
        _ => Layout::Copied,
    }
}

/// pip leaves a `dist-info` directory (or a list of files in an `egg-info` one); who copies by hand leaves no list.
fn is_pips(root: &Root, program: &str) -> bool {
    let real = fs::canonicalize(root.at(program)).unwrap_or_default();
    let Some(prefix) = real.parent().and_then(Path::parent) else { return false };
    let libs = ["lib", "lib64"].iter().filter_map(|lib| fs::read_dir(prefix.join(lib)).ok()).flatten().flatten();
    let sites = libs.flat_map(|lib| ["site-packages", "dist-packages"].map(|name| lib.path().join(name)));
    let packages = sites.filter_map(|site| fs::read_dir(site).ok()).flatten().flatten();
    packages.into_iter().any(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = name.starts_with("supervisor-");
        is_ours && (name.ends_with(".dist-info") || entry.path().join("installed-files.txt").exists())
    })
}

/// Units of their names, and those of running daemons, with the program that each starts.
fn units(root: &Root, daemons: &[Daemon], commands: &mut dyn Commands) -> Vec<(OldUnit, Option<String>)> {
    let mut names: Vec<String> = UNIT_NAMES.map(str::to_owned).to_vec();
    names.extend(daemons.iter().filter_map(|daemon| daemon.unit.clone()));
    let mut found: Vec<(OldUnit, Option<String>)> = Vec::new();
    for name in names {
        let shown = show(&name, "Id,FragmentPath,ActiveState,UnitFileState", commands);
        let property = |key: &str| value(&shown, key).to_owned();
        // A unit has one name of its own; the others are aliases of it.
        let (id, path) = (property("Id"), property("FragmentPath"));
        if path.is_empty() || found.iter().any(|(unit, _)| unit.name == id) {
            continue;
        }
        let text = read_text(&root.at(&path));
        let command = exec_start(&text);
        let program = script(&command).map(str::to_owned);
        found.push((
            OldUnit {
                name: id,
                path,
                is_active: matches!(property("ActiveState").as_str(), "active" | "activating" | "reloading"),
                is_enabled: property("UnitFileState") == "enabled",
                lost: lost_settings(&text),
            },
            program,
        ));
    }
    found
}

fn daemons(root: &Root, commands: &mut dyn Commands) -> Vec<Daemon> {
    let Ok(entries) = fs::read_dir(root.at("/proc")) else { return Vec::new() };
    let mut pids: Vec<u32> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    pids.into_iter().filter_map(|pid| daemon(root, pid, commands)).collect()
}

/// A daemon of the host itself: one in a container has a process namespace of its own, and one that a user started for
/// himself is his.
fn daemon(root: &Root, pid: u32, commands: &mut dyn Commands) -> Option<Daemon> {
    let proc = root.at(&format!("/proc/{pid}"));
    let command: Vec<String> =
        read_text(&proc.join("cmdline")).split('\0').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let program = script(&command)?.to_owned();
    let exe = fs::read_link(proc.join("exe")).ok()?;
    let is_theirs = exe.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python"))
        || is_foreign(&proc.join("exe"));
    let namespace = |of: &Path| fs::read_link(of.join("ns/pid")).ok();
    if !is_theirs || namespace(&proc) != namespace(&root.at("/proc/self")) {
        return None;
    }
    let unit = unit_of(&read_text(&proc.join("cgroup"))).filter(|unit| {
        value(&show(unit, "MainPID", commands), "MainPID") == pid.to_string() || UNIT_NAMES.contains(&unit.as_str())
    });
    if unit.is_none() && fs::metadata(&proc).ok()?.uid() != 0 {
        return None;
    }
    let cwd = fs::read_link(proc.join("cwd")).ok()?.display().to_string();
    let config = config_of(root, &command, &program, &cwd);
    let programs = ask_programs(&program, &config, commands);
    Some(Daemon { pid, command, cwd, unit, config, programs })
}

/// The configuration that a daemon reads: as told, or the first of Supervisor's own search.
fn config_of(root: &Root, command: &[String], program: &str, cwd: &str) -> String {
    let absolute =
        |path: String| if path.starts_with('/') { path } else { format!("{}/{path}", cwd.trim_end_matches('/')) };
    if let Some(path) = config_option(command) {
        return absolute(path);
    }
    let prefix = program.rsplit_once("/bin/").map_or("", |(prefix, _)| prefix);
    let nearby = [
        format!("{prefix}/etc/supervisord.conf"),
        format!("{prefix}/supervisord.conf"),
        absolute("supervisord.conf".to_owned()),
        absolute("etc/supervisord.conf".to_owned()),
    ];
    let places = nearby.into_iter().chain(CONFIG_PLACES.map(str::to_owned));
    places.into_iter().find(|path| root.exists(path)).unwrap_or_else(|| CONFIG_PLACES[0].to_owned())
}

fn ask_programs(program: &str, config: &str, commands: &mut dyn Commands) -> Option<Vec<String>> {
    let client = format!("{}supervisorctl", program.strip_suffix("supervisord")?);
    let output = commands.run(&client, &["-c", config, "status"], QUERY_LIMIT).ok()?;
    // 3: some program does not run.
    matches!(output.code, Some(0 | 3)).then(|| running_programs(&output.stdout))
}

fn show(unit: &str, properties: &str, commands: &mut dyn Commands) -> String {
    commands.run("systemctl", &["show", "-p", properties, unit], QUERY_LIMIT).map(|out| out.stdout).unwrap_or_default()
}

fn value<'a>(shown: &'a str, key: &str) -> &'a str {
    shown.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default().trim()
}

fn read_text(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(TEXT_BYTES_MAX).read_to_end(&mut bytes));
    read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
