//! Everything that systemd, SELinux and the new program itself are asked to do.

use std::path::Path;
use std::time::Duration;

use crate::kit::commands::{Commands, Output};
use crate::kit::failure::Failure;
use crate::kit::host::Root;
use crate::kit::host::probe::QUERY_LIMIT;
use crate::kit::tree::{CLIENT, CONFIG, SERVICE};

/// A change of units, labels or links.
const CHANGE_LIMIT: Duration = Duration::from_secs(60);
/// systemd's own limit for a start is 90 s.
const START_LIMIT: Duration = Duration::from_secs(120);
/// The unit's own limit for a stop is 300 s.
const STOP_LIMIT: Duration = Duration::from_secs(330);
/// How long a check of a configuration may take.
const CHECK_LIMIT: Duration = Duration::from_secs(30);
/// A service that dies at once is restarted by systemd and looks well for a moment: so look again after this.
const SETTLE: Duration = Duration::from_secs(3);
/// How much of the journal is shown.
const JOURNAL_LINES: &str = "20";

/// How well the installation is proven.
pub(super) enum Verified {
    /// systemd, the kernel and `supervisorctl` agree.
    Completely { pid: u32 },
    /// systemd and the kernel agree; the administrator's configuration does not let `supervisorctl` in.
    WithoutClient { pid: u32, reason: String },
}

/// Runs `systemctl`; anything but exit code 0 is a failure.
pub(super) fn systemctl(commands: &mut dyn Commands, args: &[&str]) -> Result<(), Failure> {
    run(commands, "systemctl", args, CHANGE_LIMIT)
}

pub(super) fn enable(commands: &mut dyn Commands) -> Result<(), Failure> {
    systemctl(commands, &["enable", SERVICE])
}

pub(super) fn disable(commands: &mut dyn Commands) -> Result<(), Failure> {
    systemctl(commands, &["disable", SERVICE])
}

/// Stops the service and makes systemd forget that it failed.
pub(super) fn stop(commands: &mut dyn Commands) -> Result<(), Failure> {
    run(commands, "systemctl", &["stop", SERVICE], STOP_LIMIT)?;
    // Fails when there was no failure to forget.
    let _ = systemctl(commands, &["reset-failed", SERVICE]);
    Ok(())
}

/// Starts the service. `Type=notify` makes systemctl wait until the daemon is ready.
pub(super) fn start(commands: &mut dyn Commands) -> Result<(), Failure> {
    match run(commands, "systemctl", &["start", SERVICE], START_LIMIT) {
        Err(Failure::Command { .. }) => Err(down(commands)),
        other => other,
    }
}

pub(super) fn label(root: &Root, commands: &mut dyn Commands, paths: &[String]) -> Result<(), Failure> {
    let real: Vec<String> = paths.iter().map(|path| root.at(path).display().to_string()).collect();
    let args: Vec<&str> = ["-F"].into_iter().chain(real.iter().map(String::as_str)).collect();
    run(commands, "restorecon", &args, CHANGE_LIMIT)
}

/// Marks a program for KySec. Its failure is ignored: KySec may be off, and if not, the program itself will show it.
pub(super) fn trust(commands: &mut dyn Commands, program: &Path) {
    let program = program.display().to_string();
    let _ = commands.run("kysec_set", &["-n", "exectl", "-v", "verified", &program], CHANGE_LIMIT);
}

/// Lets the new program read the configuration before anything goes live. Its warnings (exit code 1) are no reason to
/// stop: the configuration worked before.
pub(super) fn check_config(commands: &mut dyn Commands, program: &Path, config: &Path) -> Result<(), Failure> {
    let (program, config) = (program.display().to_string(), config.display().to_string());
    match commands.run(&program, &["-t", "-c", &config], CHECK_LIMIT) {
        Ok(output) if matches!(output.code, Some(0 | 1)) => Ok(()),
        Ok(output) => Err(Failure::ConfigInvalid { path: config, output: output.words() }),
        Err(error) => Err(Failure::ProgramRefused { path: program, reason: error.to_string() }),
    }
}

/// Makes sure that the service is up, that it runs the installed file, and that the client reaches it.
pub(super) fn verify(
    commands: &mut dyn Commands,
    program: &Path,
    is_fresh: bool,
    is_config_kept: bool,
) -> Result<Verified, Failure> {
    let pid = main_pid(commands)?;
    if !commands.runs(pid, program) {
        return Err(Failure::WrongProcess { pid });
    }
    let client = ask_client(commands, pid);
    if is_fresh {
        commands.pause(SETTLE);
        if main_pid(commands)? != pid {
            return Err(down(commands));
        }
    }
    match client {
        Ok(()) => Ok(Verified::Completely { pid }),
        Err(Failure::Command { reason, .. }) if is_config_kept => Ok(Verified::WithoutClient { pid, reason }),
        Err(Failure::Command { reason, .. }) => Err(Failure::WrongPid { main_pid: pid, answer: reason }),
        Err(failure) => Err(failure),
    }
}

/// The main process of the active service.
fn main_pid(commands: &mut dyn Commands) -> Result<u32, Failure> {
    let active = query(commands, &["is-active", SERVICE]);
    let shown = query(commands, &["show", "-p", "MainPID", SERVICE]);
    match shown.strip_prefix("MainPID=").and_then(|pid| pid.parse().ok()) {
        Some(pid) if pid != 0 && active == "active" => Ok(pid),
        _ => Err(down(commands)),
    }
}

fn ask_client(commands: &mut dyn Commands, main_pid: u32) -> Result<(), Failure> {
    let command = format!("{CLIENT} -c {CONFIG} pid");
    let unanswered = |reason: String| Failure::Command { command: command.clone(), reason };
    match commands.run(CLIENT, &["-c", CONFIG, "pid"], QUERY_LIMIT) {
        Ok(output) if output.stdout.trim() == main_pid.to_string() => Ok(()),
        Ok(Output { code: Some(0), stdout, .. }) if stdout.trim().parse::<u32>().is_ok() => {
            Err(Failure::WrongPid { main_pid, answer: stdout.trim().to_string() })
        }
        Ok(output) => Err(unanswered(output.words())),
        Err(error) => Err(unanswered(error.to_string())),
    }
}

/// Why the service is not up, in systemd's and its own words.
fn down(commands: &mut dyn Commands) -> Failure {
    let properties = "ActiveState,SubState,Result,ExecMainCode,ExecMainStatus";
    let state = query(commands, &["show", "-p", properties, SERVICE]).lines().collect::<Vec<_>>().join(" ");
    let args = ["-u", SERVICE, "-n", JOURNAL_LINES, "--no-pager", "-o", "cat"];
    let journal = commands.run("journalctl", &args, QUERY_LIMIT).map(|output| output.stdout).unwrap_or_default();
    Failure::ServiceDown { state, journal: journal.trim_end().to_string() }
}

fn query(commands: &mut dyn Commands, args: &[&str]) -> String {
    match commands.run("systemctl", args, QUERY_LIMIT) {
        Ok(output) => output.stdout.trim().to_string(),
        Err(_) => String::new(),
    }
}

fn run(commands: &mut dyn Commands, program: &str, args: &[&str], limit: Duration) -> Result<(), Failure> {
    let command = format!("{program} {}", args.join(" "));
    match commands.run(program, args, limit) {
        Ok(output) if output.is_success() => Ok(()),
        Ok(output) => Err(Failure::Command { command, reason: output.words() }),
        Err(error) => Err(Failure::Command { command, reason: error.to_string() }),
    }
}
