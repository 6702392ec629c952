//! The configuration: is it valid for this daemon, is its port free, is its socket there and safe.

use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;

use super::{Finding, Probe, Trouble};
use crate::config::ini::Document;
use crate::kit::commands::{Commands, Output};
use crate::kit::host::Root;
use crate::kit::plan::Facts;

const CHECK_LIMIT: Duration = Duration::from_secs(30);
/// Problems that are shown.
const PROBLEMS_MAX: usize = 8;
/// Where files that nobody touches are cleaned away.
const CLEANED: [&str; 2] = ["/tmp/", "/var/tmp/"];
/// In `/proc/net/tcp`: the state of a listening socket.
const LISTEN: &str = "0A";

/// Lets a program judge the configuration, names of users included.
pub(super) fn valid(root: &Root, config: &str, commands: &mut dyn Commands, program: &Path) -> Vec<Finding> {
    if !root.exists(config) {
        return vec![Finding::fail(Probe::Config, Trouble::ConfigMissing, config)];
    }
    let (program, place) = (program.display().to_string(), root.at(config).display().to_string());
    let Ok(output) = commands.run(&program, &["-t", "-c", &place, "--json"], CHECK_LIMIT) else { return Vec::new() };
    let evidence = problems(&output);
    vec![match output.code {
        Some(0) => Finding::pass(Probe::Config, config),
        Some(1) => Finding::warn(Probe::Config, Trouble::ConfigWarnings, evidence),
        _ => Finding::fail(Probe::Config, Trouble::ConfigInvalid, evidence),
    }]
}

/// `file:line: message`, the first few; the program's own words when they are no report.
fn problems(output: &Output) -> String {
    let report: Option<serde_json::Value> = serde_json::from_str(&output.stdout).ok();
    let Some(problems) = report.as_ref().and_then(|report| report["problems"].as_array()) else {
        return output.words();
    };
    let line = |problem: &serde_json::Value| {
        let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        format!("{}:{}: [{}] {}: {}", text("file"), problem["line"], text("section"), text("key"), text("message"))
    };
    problems.iter().take(PROBLEMS_MAX).map(line).collect::<Vec<_>>().join("\n")
}

/// Our own main file; what it includes may not name servers that matter here.
fn document(root: &Root, config: &str) -> Option<Document> {
    let mut document = Document::default();
    let text = String::from_utf8_lossy(&root.read(config)?).into_owned();
    document.read(config, &text).ok()?;
    Some(document)
}

fn value(root: &Root, config: &str, section: &str, key: &str) -> Option<String> {
    let document = document(root, config)?;
    let section = document.section(section)?;
    document.get(section, key).map(|value| value.text.clone())
}

/// The TCP port of the web console, if it is on.
pub fn console_port(root: &Root, config: &str) -> Option<u16> {
    let port = value(root, config, "inet_http_server", "port")?;
    port.rsplit(':').next()?.trim().parse().ok()
}

/// The socket of `supervisorctl`, if there is one.
pub fn socket_path(root: &Root, config: &str) -> Option<String> {
    value(root, config, "unix_http_server", "file")
}

pub(super) fn port(root: &Root, config: &str, facts: &Facts) -> Vec<Finding> {
    let Some(port) = console_port(root, config) else { return Vec::new() };
    let Some(inode) = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let text = String::from_utf8_lossy(&root.read(table)?).into_owned();
        listener(&text, port)
    }) else {
        return vec![Finding::pass(Probe::Port, format!("{config}: port {port}"))];
    };
    let pid = facts.service.as_ref().map_or(0, |service| service.main_pid);
    if pid != 0 && has_descriptor(root, pid, &format!("socket:[{inode}]")) {
        return vec![Finding::pass(Probe::Port, format!("{config}: port {port}, {pid}"))];
    }
    vec![Finding::fail(Probe::Port, Trouble::PortTaken, format!("{config}: port {port}; ss -ltnp 'sport = :{port}'"))]
}

/// The inode of the socket that listens on a port, from the text of `/proc/net/tcp`.
fn listener(table: &str, port: u16) -> Option<String> {
    let wanted = format!("{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_it = words.get(1)?.rsplit(':').next() == Some(wanted.as_str()) && *words.get(3)? == LISTEN;
        is_it.then(|| words.get(9).map(|inode| (*inode).to_owned()))?
    })
}

fn has_descriptor(root: &Root, pid: u32, target: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(root.at(&format!("/proc/{pid}/fd"))) else { return false };
    entries.flatten().any(|entry| std::fs::read_link(entry.path()).is_ok_and(|link| link.to_string_lossy() == target))
}

/// The socket must be there while the service runs, and must not be where it is cleaned away.
pub(super) fn socket(root: &Root, config: &str, facts: &Facts) -> Vec<Finding> {
    let Some(path) = socket_path(root, config) else { return Vec::new() };
    let is_running = facts.service.as_ref().is_some_and(|service| service.is_active);
    let is_socket = std::fs::metadata(root.at(&path)).is_ok_and(|meta| meta.file_type().is_socket());
    let mut found = Vec::new();
    if CLEANED.iter().any(|dir| path.starts_with(dir)) {
        found.push(Finding::warn(Probe::Socket, Trouble::SocketInTmp, path.as_str()));
    }
    if is_running && !is_socket {
        found.push(Finding::fail(Probe::Socket, Trouble::SocketMissing, path.as_str()));
    }
    if found.is_empty() {
        found.push(Finding::pass(Probe::Socket, path));
    }
    found
}
