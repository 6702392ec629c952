//! Taking over while every program runs on (`install --replace --live`).
//!
//! The old daemon is only halted, and its unit stopped in systemd's eyes alone (`KillMode=none`, for this one stop). Everything else
//! goes as in any takeover; our daemon, when it is started, takes the programs from the halted one and then ends it
//! ([`crate::daemon::takeover`]). So until our service has come up, SIGCONT brings everything back.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::{Daemon, Findings, OldUnit, Refusal, Scene};
use crate::core::Pid;
use crate::daemon::recovery;
use crate::daemon::takeover::{self, LetGo, OPTION, OPTION_LOOK, Obstacle};
use crate::kit::commands::{Commands, Output};
use crate::kit::failure::Failure;
use crate::kit::host::Root;
use crate::kit::state::Undoing;

/// Asking, halting and looking, on a host that has much to do.
const HALT_LIMIT: Duration = Duration::from_secs(120);
/// A change of units.
const CHANGE_LIMIT: Duration = Duration::from_secs(60);
/// What makes a stop of the old unit one that ends nobody and removes nothing. It is gone before our own unit starts.
const STOP_NOBODY: &str = "\
[Service]
KillMode=none
SendSIGKILL=no
Restart=no
ExecStop=
ExecStopPost=
RuntimeDirectoryPreserve=yes
";

/// What a live takeover will find, as far as it can be told beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The old daemon.
    pub pid: u32,
    /// When the kernel started it.
    pub born: u64,
    /// Its command line.
    pub command: Vec<String>,
    /// Its working directory.
    pub cwd: String,
    /// The units that run it.
    pub units: Vec<String>,
    /// The pidfile of the configuration.
    pub pidfile: String,
    /// The programs that run on, each with its process.
    pub adopted: Vec<(String, u32)>,
    /// Event listeners, which are started anew.
    pub anew: Vec<String>,
    /// Programs that may lose a message between capture tags.
    pub capturing: Vec<String>,
}

/// Has the new program look whether it can be; nothing is changed. `None` when no old daemon runs.
///
/// # Errors
/// What stands in the way: it can only be replaced with its programs stopped.
pub fn look(findings: &Findings, program: &Path, commands: &mut dyn Commands) -> Result<Option<Live>, Failure> {
    let Some(config) = findings.config().map_err(Failure::Takeover)? else { return Ok(None) };
    let program = program.display().to_string();
    let mut last = None;
    // One daemon may be two processes (PyInstaller); one of them answers.
    for daemon in &findings.daemons {
        let args = [OPTION_LOOK, &daemon.pid.to_string(), "-n", "-c", config];
        let said = commands.run(&program, &args, HALT_LIMIT);
        let words = said.as_ref().map_or_else(ToString::to_string, Output::words);
        let document = said.ok().and_then(|output| serde_json::from_str(output.stdout.trim()).ok());
        match document.as_ref().map(|document| (document, Obstacle::read(document))) {
            Some((_, Some(obstacle))) => last = Some(obstacle),
            Some((document, None)) => return Ok(Some(read(document, daemon, findings))),
            None => {
                let pid = Pid::try_from(daemon.pid).unwrap_or_default();
                last = Some(Obstacle::Unanswered { pid, reason: words });
            }
        }
    }
    last.map_or(Ok(None), |obstacle| Err(Failure::Takeover(Refusal::NotLive(obstacle))))
}

fn read(document: &Value, daemon: &Daemon, findings: &Findings) -> Live {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |key: &str| document[key].as_array().into_iter().flatten().map(text).collect();
    let process =
        |one: &Value| (text(&one["name"]), one["pid"].as_u64().and_then(|pid| pid.try_into().ok()).unwrap_or(0));
    let is_its = |unit: &&OldUnit| unit.is_active || daemon.unit.as_ref() == Some(&unit.name);
    Live {
        pid: daemon.pid,
        born: document["born"].as_u64().unwrap_or(0),
        command: daemon.command.clone(),
        cwd: daemon.cwd.clone(),
        units: findings.units.iter().filter(is_its).map(|unit| unit.name.clone()).collect(),
        pidfile: text(&document["pidfile"]),
        adopted: document["adopted"].as_array().into_iter().flatten().map(process).collect(),
        anew: texts("anew"),
        capturing: texts("capturing"),
    }
}

/// Halts the old daemon, and has systemd count its unit as stopped.
pub(super) fn halt(live: &Live, scene: &mut Scene<'_>) -> Result<(), Failure> {
    let Live { pid, born, command, cwd, units, pidfile, .. } = live;
    scene.transaction.record(&Undoing::GiveBack {
        pid: *pid,
        born: *born,
        pidfile: pidfile.clone(),
        units: units.clone(),
        command: command.clone(),
        cwd: cwd.clone(),
    })?;
    let (program, config) = (scene.program.display().to_string(), scene.config);
    let said = scene.commands.run(&program, &[OPTION, &pid.to_string(), "-n", "-c", config], HALT_LIMIT);
    let refused = |reason: String| Failure::Takeover(Refusal::NotHalted { pid: *pid, reason });
    match said {
        Ok(output) if output.is_success() => {}
        Ok(output) => return Err(refused(output.words())),
        Err(error) => return Err(refused(error.to_string())),
    }
    for unit in units {
        let (dir, file) = drop_in(unit);
        std::fs::create_dir_all(scene.root.at(&dir))
            .and_then(|()| std::fs::write(scene.root.at(&file), STOP_NOBODY))
            .map_err(|error| Failure::NotWritable { path: dir, reason: error.to_string() })?;
    }
    if units.is_empty() {
        return Ok(());
    }
    let ends = systemctl(scene.commands, &["daemon-reload"])
        .and_then(|()| units.iter().try_for_each(|unit| systemctl(scene.commands, &["stop", unit])));
    remove_drop_ins(scene.root, units);
    ends?;
    systemctl(scene.commands, &["daemon-reload"])
}

/// Directory and file of the drop-in for a unit.
fn drop_in(unit: &str) -> (String, String) {
    let dir = format!("/run/systemd/system/{unit}.d");
    let file = format!("{dir}/90-supervisor-kit-live.conf");
    (dir, file)
}

/// Removes what [`halt`] may have left for systemd.
pub fn remove_drop_ins(root: &Root, units: &[String]) {
    for unit in units {
        let (dir, file) = drop_in(unit);
        // Both are in memory: what stays is gone with the next boot.
        let _ = std::fs::remove_file(root.at(&file));
        let _ = std::fs::remove_dir(root.at(&dir));
    }
}

/// Has the halted daemon go on, unless it has ended because our own had taken its place.
pub fn let_go(pid: u32, born: u64, pidfile: &str) -> LetGo {
    Pid::try_from(pid).map_or(LetGo::Ended, |pid| takeover::let_go(pid, born, Path::new(pidfile)))
}

/// Ends the programs of a daemon of ours that ended without stopping them.
pub fn end_programs(pidfile: &str) {
    recovery::end_programs(Path::new(pidfile));
}

fn systemctl(commands: &mut dyn Commands, args: &[&str]) -> Result<(), Failure> {
    let failed = |reason: String| Failure::Command { command: format!("systemctl {}", args.join(" ")), reason };
    match commands.run("systemctl", args, CHANGE_LIMIT) {
        Ok(output) if output.is_success() => Ok(()),
        Ok(output) => Err(failed(output.words())),
        Err(error) => Err(failed(error.to_string())),
    }
}
