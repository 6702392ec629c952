//! English: taking over from another Supervisor.

use crate::daemon::takeover::Obstacle;
use crate::kit::takeover::{Deed, Findings, Layout, Live, Refusal, Told};

pub(super) fn told(told: &Told) -> String {
    match told {
        Told::Found(findings) => format!("Another Supervisor is here and will be replaced:{}", found(findings)),
        Told::Differs { place, message, is_plug_in: true } => {
            format!("Warning: a plug-in will be missing: {place}: {message}")
        }
        Told::Differs { place, message, .. } => format!("Note: this will be different: {place}: {message}"),
        Told::Live(live) => plan(live),
        Told::NothingLive => "Note: no old supervisord runs, so there is nothing to take over live.".to_string(),
        Told::GoesOn { pid, units } => format!(
            "The old supervisord (process {pid}) goes on where it was halted, with all its programs.{}",
            if units.is_empty() {
                String::new()
            } else {
                format!(" systemctl shows {} as stopped until it is restarted.", units.join(" "))
            }
        ),
        Told::SameProcesses { count } => format!("Compared: {count} programs run on as the same processes."),
        Told::OtherProcesses { programs } => format!(
            "Warning: these programs are not the processes that they were before: {}\n  Next: supervisorctl maintail shows \
             what became of them.",
            programs.join(" ")
        ),
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
        Deed::Halt { live, .. } => format!(
            "halt                process {} ({}); {} programs run on for the new one",
            live.pid,
            if live.units.is_empty() { live.command.join(" ") } else { live.units.join(" ") },
            live.adopted.len()
        ),
        Deed::CompareProcesses { programs } => {
            format!("compare             processes ({} that must be the same)", programs.len())
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
        Refusal::NotLive(why) => format!(
            "The programs of the old supervisord cannot be taken over while they run: {}.\n  Nothing was changed.\n  Next: \
             ./install --replace without --live stops them, and starts them again under the new one.",
            obstacle(why)
        ),
        Refusal::NotHalted { pid, reason } => format!(
            "The old supervisord (process {pid}) could not be taken over while its programs run: {reason}\n  It runs on with \
             all its programs; what this run had done was taken back.\n  Next: try again, or ./install --replace without \
             --live, which stops and starts them."
        ),
        Refusal::StillRuns { pid } => format!(
            "The old supervisord (process {pid}) did not end.\n  What this run had done was taken back.\n  Next: see which \
             program does not stop (supervisorctl status), then try again."
        ),
    }
}

fn plan(live: &Live) -> String {
    let names = |names: &mut dyn Iterator<Item = &String>| names.map(|name| format!(" {name}")).collect::<String>();
    let mut lines = vec![
        format!("{} programs run on as the same processes:{}", live.adopted.len(), names(&mut live.adopted.iter().map(|(name, _)| name))),
        "their output goes on in the same logs, nothing is lost or doubled; their standard input stays open".to_string(),
        "connections of clients (tail -f) end, and how such a program ends later cannot be known (exit status not known)"
            .to_string(),
    ];
    if !live.anew.is_empty() {
        lines.push(format!(
            "event listeners are started anew, events on their way are lost:{}",
            names(&mut live.anew.iter())
        ));
    }
    if !live.capturing.is_empty() {
        lines.push(format!(
            "a message between capture tags that is on its way is logged as plain text:{}",
            names(&mut live.capturing.iter())
        ));
    }
    lines.push(
        "should it not come about, the old one goes on; without --live the programs are stopped and started"
            .to_string(),
    );
    let lines: String = lines.iter().map(|line| format!("\n    {line}")).collect();
    format!("Takeover while the programs run, from process {}:{lines}", live.pid)
}

fn obstacle(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Unanswered { pid, reason } => {
            format!("supervisord (process {pid}) does not say what it runs: {reason}")
        }
        Obstacle::ConfigChanged { programs } => format!(
            "its configuration was changed since it read it, in these programs: {} (supervisorctl update reads it)",
            programs.join(" ")
        ),
        Obstacle::SharedSocket { programs } => {
            format!("FastCGI programs share a socket that ends with it: {}", programs.join(" "))
        }
        Obstacle::Pipes { program, reason } => format!("the pipes of {program} cannot be had: {reason}"),
        Obstacle::Busy { pid } => {
            format!("process {pid} is never met while it has nothing in hand, or the kernel does not show it")
        }
        Obstacle::NotAdopted(value) => format!("the configuration says on_crash={value}, so no program is taken back"),
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
