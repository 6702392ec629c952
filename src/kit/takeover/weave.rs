//! From findings to the steps of a takeover. Pure.

use super::{Daemon, Deed, Findings, Layout, Live, OldUnit};
use crate::kit::plan::{Facts, Found, Step};
use crate::kit::prefix::Prefix;
use crate::kit::tree::SERVICE;

/// The facts as they will be when the old one has been stopped: from these an ordinary installation is planned.
pub fn adjust(facts: &mut Facts, findings: &Findings) {
    if findings.is_empty() {
        return;
    }
    if let Some(Found::File { is_script, .. }) = facts.found.get_mut(facts.prefix.program()) {
        *is_script = false;
    }
    let is_ours = |name: &str| name == SERVICE;
    if let Some(service) = &mut facts.service
        && findings.units.iter().any(|unit| is_ours(&unit.name))
    {
        service.is_active = false;
        service.main_pid = 0;
        service.runs_installed = false;
    }
}

/// The plan of an installation with the takeover in it: everything is staged and the configuration judged while the old
/// one still runs; it is stopped just before the files go live.
pub fn weave(findings: &Findings, steps: Vec<Step>, facts: &Facts) -> Vec<Step> {
    if findings.is_empty() {
        return steps;
    }
    let goes_live = |step: &Step| matches!(step, Step::GoLive { .. } | Step::Link { .. } | Step::Reload | Step::Start);
    let cut = steps.iter().position(goes_live).unwrap_or(steps.len());
    let is_program_staged =
        steps.iter().any(|step| matches!(step, Step::Stage { path, .. } if path == facts.prefix.program()));
    let will_start = steps.contains(&Step::Start);
    let mut woven: Vec<Step> = Vec::new();
    for step in &steps[..cut] {
        match step {
            Step::CheckConfig { .. } => {}
            other => woven.push(other.clone()),
        }
    }
    woven.push(Step::Takeover(Deed::Judge { is_program_staged }));
    let halt = |live: &Live| Deed::Halt { live: Box::new(live.clone()), is_program_staged };
    woven.extend(findings.live.as_ref().map(halt).map(Step::Takeover));
    woven.extend(put_aside(findings, facts));
    woven.extend(steps[cut..].iter().cloned());
    // A unit of theirs that was called like ours must be read anew even where our own is there already.
    if facts.service.is_some() && !steps.contains(&Step::Reload) {
        let at = woven.iter().position(|step| matches!(step, Step::Enable | Step::Start)).unwrap_or(woven.len());
        woven.insert(at, Step::Reload);
    }
    if will_start {
        woven.push(Step::Takeover(Deed::Compare { programs: findings.programs() }));
        let adopted = findings.live.iter().map(|live| Deed::CompareProcesses { programs: live.adopted.clone() });
        woven.extend(adopted.map(Step::Takeover));
    }
    woven
}

fn put_aside(findings: &Findings, facts: &Facts) -> Vec<Step> {
    let mut steps = Vec::new();
    for unit in &findings.units {
        if unit.is_active && findings.live.is_none() {
            steps.push(Step::Stop { unit: unit.name.clone() });
        }
        if unit.is_enabled && unit.name != SERVICE {
            steps.push(Step::Disable { unit: unit.name.clone() });
        }
    }
    // One that was let go on after a live takeover is its unit's, and systemd does not count it.
    let stops_with_unit =
        |daemon: &Daemon| findings.units.iter().any(|unit| unit.is_active && daemon.unit.as_ref() == Some(&unit.name));
    for daemon in findings.daemons.iter().filter(|daemon| findings.live.is_none() && !stops_with_unit(daemon)) {
        let (pid, command, cwd) = (daemon.pid, daemon.command.clone(), daemon.cwd.clone());
        steps.push(Step::Takeover(Deed::StopProcess { pid, command, cwd }));
    }
    // A copy in /etc wins over our unit, unless ours takes its place.
    let wins = |unit: &&OldUnit| unit.path.starts_with("/etc/systemd/system/") && unit.path != facts.prefix.unit();
    let copies = findings.units.iter().filter(wins);
    steps.extend(copies.map(|unit| Step::Remove { path: unit.path.clone() }));
    for old in &findings.olds {
        for path in &old.scripts {
            match &old.layout {
                // What cannot be written stays where it is, and nothing calls it: our unit and our links come first.
                _ if facts.prefix == Prefix::Opt => {}
                Layout::Deb(_) => steps.push(Step::Takeover(Deed::Divert { path: path.clone() })),
                // Programs in PATH would be found before ours; those of an environment of its own are in nobody's way.
                _ if path.starts_with("/usr/local/bin/") => steps.push(Step::Remove { path: path.clone() }),
                _ => {}
            }
        }
    }
    steps
}

/// The drop-in that makes our unit use a configuration elsewhere.
pub fn drop_in(prefix: Prefix, config: &str) -> String {
    let (program, config) = (prefix.program(), quoted(config));
    format!(
        "# The configuration that the Supervisor before this one used; remove this file to use /etc/supervisord.conf.\n\
         [Service]\nExecStart=\nExecStart={program} -n -c {config}\n\
         ExecStopPost=\nExecStopPost=-{program} --after-stop -c {config}\n"
    )
}

/// A word of a command line as systemd reads it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@:,".contains(&byte);
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    if word.bytes().all(plain) { word.to_owned() } else { format!("\"{escaped}\"") }
}
