//! The service: its unit file, what wins over it, and why it does not run.

use std::fs;
use std::path::Path;

use super::down::service_down;
use super::{Finding, Probe, Trouble};
use crate::kit::commands::Commands;
use crate::kit::host::Root;
use crate::kit::host::probe::QUERY_LIMIT;
use crate::kit::plan::Facts;
use crate::kit::prefix::Prefix;
use crate::kit::takeover;
use crate::kit::tree::{LOG_DIR, SERVICE, UNIT_OVERRIDE};

/// Where drop-ins for our unit are looked for, the administrator's place first.
const DROP_IN_DIRS: [&str; 3] = [
    "/etc/systemd/system/supervisord.service.d",
    "/run/systemd/system/supervisord.service.d",
    "/usr/lib/systemd/system/supervisord.service.d",
];

/// What wins over our unit file, and what is added to it.
pub fn unit(root: &Root, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    match fs::read_link(root.at(UNIT_OVERRIDE)) {
        Ok(target) if target == Path::new("/dev/null") => {
            found.push(Finding::fail(Probe::Unit, Trouble::UnitMasked, format!("{UNIT_OVERRIDE} -> /dev/null")));
        }
        Ok(target) if target == Path::new(facts.prefix.unit()) => {}
        Ok(target) => {
            let evidence = format!("{UNIT_OVERRIDE} -> {}", target.display());
            found.push(Finding::warn(Probe::Unit, Trouble::UnitShadowed, evidence));
        }
        Err(_) if root.exists(UNIT_OVERRIDE) && facts.prefix == Prefix::Usr => {
            found.push(Finding::warn(Probe::Unit, Trouble::UnitShadowed, UNIT_OVERRIDE));
        }
        Err(_) => {}
    }
    for path in drop_ins(root) {
        found.push(Finding::warn(Probe::Unit, Trouble::UnitDropIn, path));
    }
    if facts.service.as_ref().is_some_and(|service| service.needs_reload) {
        found.push(Finding::warn(Probe::Unit, Trouble::UnitStale, SERVICE));
    }
    if found.is_empty() {
        found.push(Finding::pass(Probe::Unit, facts.prefix.unit()));
    }
    found
}

/// Every drop-in of our unit.
pub(super) fn drop_ins(root: &Root) -> Vec<String> {
    let mut paths = Vec::new();
    for dir in DROP_IN_DIRS {
        for entry in fs::read_dir(root.at(dir)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // Our own names the configuration that a takeover has kept.
            if name.ends_with(".conf") && format!("{dir}/{name}") != takeover::DROP_IN {
                paths.push(format!("{dir}/{name}"));
            }
        }
    }
    paths.sort();
    paths
}

/// The directory that our own configuration logs to.
pub(super) fn log_dir(root: &Root, config: &str) -> Vec<Finding> {
    let config = root.read(config).unwrap_or_default();
    if !String::from_utf8_lossy(&config).contains(LOG_DIR) {
        return Vec::new();
    }
    vec![match root.at(LOG_DIR).is_dir() {
        true => Finding::pass(Probe::Logs, LOG_DIR),
        false => Finding::fail(Probe::Logs, Trouble::LogMissing, LOG_DIR),
    }]
}

/// Does it run, from the right file, with the machine, and does the client reach it?
pub(super) fn service(root: &Root, config: &str, facts: &Facts, commands: &mut dyn Commands) -> Vec<Finding> {
    let Some(service) = &facts.service else { return Vec::new() };
    let mut found = Vec::new();
    if !service.is_enabled {
        found.push(Finding::warn(Probe::Service, Trouble::NotEnabled, SERVICE));
    }
    if !service.is_active {
        let down = service_down(root, SERVICE, facts.prefix, commands);
        let plain = || Finding::fail(Probe::Service, Trouble::ServiceDown, format!("{}\n{}", down.state, down.journal));
        found.push(down.refusal.clone().unwrap_or_else(plain));
        return found;
    }
    if !service.runs_installed {
        let evidence = format!("{SERVICE}: {}", service.main_pid);
        found.push(Finding::warn(Probe::Service, Trouble::RunningOther, evidence));
    }
    let (client, config) =
        (root.at(facts.prefix.client()).display().to_string(), root.at(config).display().to_string());
    // Fixed places on a running host; a tree that stands in for one has its own client.
    let client = if root.dir() == Path::new("/") { client } else { facts.prefix.client().to_owned() };
    let said = commands.run(&client, &["-c", &config, "pid"], QUERY_LIMIT);
    match said {
        Ok(output) if output.stdout.trim() == service.main_pid.to_string() => {}
        Ok(output) => found.push(Finding::fail(Probe::Service, Trouble::ClientUnreachable, output.words())),
        Err(error) => found.push(Finding::fail(Probe::Service, Trouble::ClientUnreachable, error.to_string())),
    }
    if found.is_empty() {
        found.push(Finding::pass(Probe::Service, format!("{SERVICE}: {}", service.main_pid)));
    }
    found
}
