//! Everything that systemd, SELinux and the new program itself are asked to do.

use std::path::Path;
use std::time::Duration;

use super::crash::settle;
use crate::kit::commands::{Commands, Output};
use crate::kit::failure::Failure;
use crate::kit::host::Root;
use crate::kit::host::probe::{self, QUERY_LIMIT};
use crate::kit::prefix::Prefix;
use crate::kit::preflight::service_down;

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

/// A service and what it is made of.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its unit.
    pub unit: &'a str,
    /// Where its program and the client that must reach it are.
    pub prefix: Prefix,
    /// Its configuration.
    pub config: &'a str,
}

/// How well the installation is proven.
#[derive(Debug)]
pub enum Verified {
    /// systemd, the kernel and `supervisorctl` agree.
    Completely {
        /// The main process.
        pid: u32,
    },
    /// systemd and the kernel agree; the administrator's configuration does not let `supervisorctl` in.
    WithoutClient {
        /// The main process.
        pid: u32,
        /// What `supervisorctl` said.
        reason: String,
    },
}

/// Runs `systemctl`; anything but exit code 0 is a failure.
pub(super) fn systemctl(commands: &mut dyn Commands, args: &[&str]) -> Result<(), Failure> {
    run(commands, "systemctl", args, CHANGE_LIMIT)
}

pub(super) fn enable(commands: &mut dyn Commands, unit: &str) -> Result<(), Failure> {
    systemctl(commands, &["enable", unit])
}

pub(super) fn disable(commands: &mut dyn Commands, unit: &str) -> Result<(), Failure> {
    systemctl(commands, &["disable", unit])
}

/// Stops a service and makes systemd forget that it failed.
pub(super) fn stop(commands: &mut dyn Commands, unit: &str) -> Result<(), Failure> {
    run(commands, "systemctl", &["stop", unit], STOP_LIMIT)?;
    forget_failure(commands, unit);
    Ok(())
}

/// Makes systemd forget that a service failed, and how often it was started of late.
pub(super) fn forget_failure(commands: &mut dyn Commands, unit: &str) {
    // Fails when there was no failure to forget.
    let _ = systemctl(commands, &["reset-failed", unit]);
}

/// Starts or restarts a service and waits until it says that it is ready (`Type=notify`).
pub(super) fn begin(commands: &mut dyn Commands, verb: &str, unit: &str) -> Result<(), Failure> {
    run(commands, "systemctl", &[verb, unit], STOP_LIMIT + START_LIMIT)
}

/// Restarts a service, and with it every program.
///
/// # Errors
/// [`Failure::ServiceDown`], with what tells why.
pub fn restart(root: &Root, commands: &mut dyn Commands, target: &Target<'_>) -> Result<(), Failure> {
    begin_ours(root, commands, target, "restart")
}

/// [`begin`] for our own service: when it fails, says why.
pub(super) fn begin_ours(
    root: &Root,
    commands: &mut dyn Commands,
    target: &Target<'_>,
    verb: &str,
) -> Result<(), Failure> {
    match begin(commands, verb, target.unit) {
        Err(Failure::Command { .. }) => Err(down(root, commands, target)),
        other => other,
    }
}

fn down(root: &Root, commands: &mut dyn Commands, target: &Target<'_>) -> Failure {
    Failure::ServiceDown(service_down(root, target.unit, target.prefix, commands))
}

/// Runs a command that changes something.
pub(super) fn run_change(commands: &mut dyn Commands, program: &str, args: &[&str]) -> Result<(), Failure> {
    run(commands, program, args, CHANGE_LIMIT)
}

pub(super) fn label(root: &Root, commands: &mut dyn Commands, paths: &[String]) -> Result<(), Failure> {
    let real: Vec<String> = paths.iter().map(|path| root.at(path).display().to_string()).collect();
    let args: Vec<&str> = ["-F"].into_iter().chain(real.iter().map(String::as_str)).collect();
    run(commands, "restorecon", &args, CHANGE_LIMIT)
}

/// Marks a program for KySec. Its failure is ignored: KySec may be off, and if not, the program itself will show it.
pub fn trust(commands: &mut dyn Commands, program: &Path) {
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
///
/// # Errors
/// It is down, another program, or another process than the client speaks to.
pub fn verify(
    root: &Root,
    commands: &mut dyn Commands,
    target: &Target<'_>,
    is_fresh: bool,
    is_config_kept: bool,
) -> Result<Verified, Failure> {
    let pid = main_pid(root, commands, target)?;
    if !commands.runs(pid, &root.at(target.prefix.program())) {
        return Err(Failure::WrongProcess { pid, program: target.prefix.program().to_owned() });
    }
    let client = ask_client(commands, target, pid);
    if is_fresh {
        commands.pause(settle(SETTLE));
        if main_pid(root, commands, target)? != pid {
            return Err(down(root, commands, target));
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
fn main_pid(root: &Root, commands: &mut dyn Commands, target: &Target<'_>) -> Result<u32, Failure> {
    let active = query(commands, &["is-active", target.unit]);
    match probe::main_pid(commands, target.unit) {
        pid if pid != 0 && active == "active" => Ok(pid),
        _ => Err(down(root, commands, target)),
    }
}

fn ask_client(commands: &mut dyn Commands, target: &Target<'_>, main_pid: u32) -> Result<(), Failure> {
    let (client, config) = (target.prefix.client(), target.config);
    let command = format!("{client} -c {config} pid");
    let unanswered = |reason: String| Failure::Command { command: command.clone(), reason };
    match commands.run(client, &["-c", config, "pid"], QUERY_LIMIT) {
        Ok(output) if output.stdout.trim() == main_pid.to_string() => Ok(()),
        Ok(Output { code: Some(0), stdout, .. }) if stdout.trim().parse::<u32>().is_ok() => {
            Err(Failure::WrongPid { main_pid, answer: stdout.trim().to_string() })
        }
        Ok(output) => Err(unanswered(output.words())),
        Err(error) => Err(unanswered(error.to_string())),
    }
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
