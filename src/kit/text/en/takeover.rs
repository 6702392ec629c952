//! English: taking over from another Supervisor.

use crate::kit::takeover::{Deed, Findings, Layout, Refusal, Told};

pub(super) fn told(told: &Told) -> String {
    match told {
        Told::Found(findings) => format!("Another Supervisor is here and will be replaced:{}", found(findings)),
        Told::Differs { place, message, is_plug_in: true } => {
            format!("Warning: a plug-in will be missing: {place}: {message}")
        }
        Told::Differs { place, message, .. } => format!("Note: this will be different: {place}: {message}"),
        Told::Same { count } => format!("Compared: all programs that ran before run again ({count})."),
        Told::Missing { programs } => {
            let lines: String = programs.iter().map(|(name, state)| format!("\n    {name}: {state}")).collect();
            format!(
                "Warning: these programs ran before and do not run now:{lines}\n  Next: supervisorctl tail NAME stderr \
                 shows why; supervisor-install rollback brings the old Supervisor back."
            )
        }
        Told::New { programs } => {
            format!("Note: these programs did not run before and run now (autostart): {}", programs.join(" "))
        }
    }
}

pub(super) fn deed(deed: &Deed) -> String {
    match deed {
        Deed::Judge { .. } => "check               the configuration with supervisord -t; tell differences".to_string(),
        Deed::StopProcess { pid, command, .. } => {
            format!("stop                process {pid} ({})", command.join(" "))
        }
        Deed::Divert { path } => format!("divert              {path} (dpkg puts its own at {path}.python)"),
        Deed::Undivert { path } => format!("give back to dpkg   {path}"),
        Deed::Compare { programs } => format!("compare             running programs ({} before)", programs.len()),
    }
}

pub(super) fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Found(findings) => format!(
            "Another Supervisor is on this host:{}\n  Nothing was changed.\n  Next: ./install --replace takes over from \
             it: configuration and programs stay, and supervisor-install rollback brings it back \
             (./install --replace --dry-run shows the plan).",
            found(findings)
        ),
        Refusal::Several { daemons } => {
            let lines: String = daemons.iter().map(|(pid, config)| format!("\n    process {pid}: {config}")).collect();
            format!(
                "Several Supervisors run on this host, each with its own configuration:{lines}\n  Nothing was changed.\n  \
                 Next: stop all but the one to take over from (kill PID), then try again."
            )
        }
        Refusal::StillRuns { pid } => format!(
            "The old supervisord (process {pid}) did not end.\n  What this run had done was taken back.\n  Next: see which \
             program does not stop (supervisorctl status), then try again."
        ),
    }
}

fn found(findings: &Findings) -> String {
    let mut lines = Vec::new();
    for old in &findings.olds {
        let how = match &old.layout {
            Layout::Deb(package) => format!("deb package {package}"),
            Layout::Rpm(package) => format!(
                "rpm package {package}; its programs are replaced. Keep yum from updating it (exclude={package}), and \
                 take it off the books with rpm -e --justdb --nodeps {package}"
            ),
            Layout::Pip => "installed by pip".to_string(),
            Layout::Copied => "copied by hand".to_string(),
        };
        lines.push(format!("{}: {how}", old.program));
    }
    for unit in &findings.units {
        let (active, enabled) = (word(unit.is_active, "active"), word(unit.is_enabled, "enabled"));
        lines.push(format!("{} ({}): {active}, {enabled}", unit.name, unit.path));
        lines.extend(unit.lost.iter().map(|line| {
            format!("  its setting {line} is not in the new unit; if it is needed: systemctl edit supervisord")
        }));
    }
    for daemon in &findings.daemons {
        let by =
            daemon.unit.as_deref().unwrap_or("started by hand or by a script: remove that start, e.g. in rc.local");
        let programs = match &daemon.programs {
            Some(programs) => format!("{} programs run: {}", programs.len(), programs.join(" ")),
            None => "its supervisorctl does not answer, so the programs cannot be compared".to_string(),
        };
        lines.push(format!("process {} ({by}), configuration {}; {programs}", daemon.pid, daemon.config));
    }
    lines.iter().map(|line| format!("\n    {line}")).collect()
}

fn word(is: bool, word: &str) -> String {
    if is { word.to_string() } else { format!("not {word}") }
}
