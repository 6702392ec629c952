//! Doing what only a takeover does. The way back is in the journal first, as for every step.

use std::path::Path;
use std::time::Duration;

use super::parse::{processes, running_programs, states};
use super::{Deed, Refusal, Told, live};
use crate::kit::commands::{Commands, Output};
use crate::kit::failure::Failure;
use crate::kit::host::Root;
use crate::kit::listener::Listener;
use crate::kit::state::{Transaction, Undoing};
use crate::kit::text::Note;

/// A question, or a small change.
const CHANGE_LIMIT: Duration = Duration::from_secs(60);
/// How often a daemon that was told to end is looked at.
const STOP_POLL: Duration = Duration::from_millis(200);
/// How long it may take: as long as the unit allows.
const STOP_LIMIT: Duration = Duration::from_secs(330);
/// How long programs may take until they run: the default `startsecs` is one second, the longest usual ones a minute.
const PROGRAMS_LIMIT: Duration = Duration::from_secs(60);

/// Where deeds are done.
pub struct Scene<'a> {
    /// The tree.
    pub root: &'a Root,
    /// The host.
    pub commands: &'a mut dyn Commands,
    /// The people.
    pub listener: &'a mut dyn Listener,
    /// The change under way.
    pub transaction: &'a mut Transaction,
    /// The new program, staged or in place.
    pub program: &'a Path,
    /// The new client.
    pub client: &'a str,
    /// The configuration.
    pub config: &'a str,
}

/// Does one.
///
/// # Errors
/// Why it failed; everything before it is to be taken back.
pub fn perform(deed: &Deed, scene: &mut Scene<'_>) -> Result<(), Failure> {
    match deed {
        Deed::Judge { .. } => judge(scene),
        Deed::StopProcess { pid, command, cwd } => {
            scene.transaction.record(&Undoing::StartProcess { command: command.clone(), cwd: cwd.clone() })?;
            stop(*pid, scene)
        }
        Deed::Halt { live, .. } => live::halt(live, scene),
        Deed::Divert { path } => {
            scene.transaction.record(&Undoing::Run { command: undivert(path) })?;
            change(&divert(path), scene)
        }
        Deed::Undivert { path } => {
            scene.transaction.record(&Undoing::Run { command: divert(path) })?;
            change(&undivert(path), scene)
        }
        Deed::Compare { programs } => {
            compare(programs, scene);
            Ok(())
        }
        Deed::CompareProcesses { programs } => {
            compare_processes(programs, scene);
            Ok(())
        }
    }
}

/// Plug-ins that cannot be had are told and no reason to stop; anything else that is wrong is.
fn judge(scene: &mut Scene<'_>) -> Result<(), Failure> {
    let program = scene.program.display().to_string();
    let path = scene.root.at(scene.config).display().to_string();
    let said = scene.commands.run(&program, &["-t", "--json", "-c", &path], CHANGE_LIMIT);
    let output = said.map_err(|error| Failure::ProgramRefused { path: program, reason: error.to_string() })?;
    let report: serde_json::Value = match serde_json::from_str(output.stdout.trim()) {
        Ok(report) => report,
        Err(_) if output.is_success() => return Ok(()),
        Err(_) => return Err(Failure::ConfigInvalid { path, output: output.words() }),
    };
    let mut wrong = Vec::new();
    for problem in report["problems"].as_array().into_iter().flatten() {
        let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        if text("severity") == "info" {
            continue;
        }
        let place = format!("{}:{} [{}]", text("file"), problem["line"], text("section"));
        let section = text("section");
        let is_plug_in = section.starts_with("rpcinterface:")
            || section.starts_with("ctlplugin:")
            || (section.starts_with("eventlistener:") && text("key") == "result_handler");
        if text("severity") == "error" && !is_plug_in {
            wrong.push(format!("{place} {}", text("message")));
        } else {
            scene.listener.note(Note::Takeover(Told::Differs { place, message: text("message"), is_plug_in }));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::ConfigInvalid { path, output: wrong.join("\n") }) }
}

fn stop(pid: u32, scene: &mut Scene<'_>) -> Result<(), Failure> {
    let place = format!("/proc/{pid}");
    let _ = scene.commands.run("kill", &["-TERM", &pid.to_string()], CHANGE_LIMIT);
    let tries = STOP_LIMIT.as_millis() / STOP_POLL.as_millis();
    for _ in 0..tries {
        if !scene.root.exists(&place) {
            return Ok(());
        }
        if scene.commands.is_interrupted() {
            return Err(Failure::Interrupted);
        }
        scene.commands.pause(STOP_POLL);
    }
    Err(Failure::Takeover(Refusal::StillRuns { pid }))
}

/// dpkg before 1.19.1 knows no `--no-rename`, and does not rename.
fn divert_command(verb: &str, path: &str) -> Vec<String> {
    let script = format!("dpkg-divert --local --no-rename {verb} || dpkg-divert --local {verb}");
    ["sh", "-c", &script, "sh", path].map(str::to_owned).to_vec()
}

fn divert(path: &str) -> Vec<String> {
    divert_command("--divert \"$1.python\" --add \"$1\"", path)
}

fn undivert(path: &str) -> Vec<String> {
    divert_command("--remove \"$1\"", path)
}

fn change(command: &[String], scene: &mut Scene<'_>) -> Result<(), Failure> {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let failed = |reason: String| Failure::Command { command: words.join(" "), reason };
    match scene.commands.run(words[0], &words[1..], CHANGE_LIMIT) {
        Ok(output) if output.is_success() => Ok(()),
        Ok(output) => Err(failed(output.words())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Waits until the programs that ran before run again; those that nobody starts by itself are started.
fn compare(before: &[String], scene: &mut Scene<'_>) {
    let tries = PROGRAMS_LIMIT.as_millis() / STOP_POLL.as_millis();
    let mut asked: Vec<String> = Vec::new();
    let mut now = Vec::new();
    for _ in 0..tries {
        now = scene.status().map(|output| states(&output.stdout)).unwrap_or_default();
        let state_of = |name: &str| now.iter().find(|(known, _)| known == name).map(|(_, state)| state.as_str());
        let stopped: Vec<String> =
            before.iter().filter(|name| state_of(name) == Some("STOPPED") && !asked.contains(name)).cloned().collect();
        let is_pending = before
            .iter()
            .any(|name| !matches!(state_of(name), Some("RUNNING" | "FATAL" | "EXITED" | "UNKNOWN") | None));
        for name in &stopped {
            let _ = scene.commands.run(scene.client, &["-c", scene.config, "start", name], CHANGE_LIMIT);
        }
        asked.extend(stopped);
        if !is_pending || scene.commands.is_interrupted() {
            break;
        }
        scene.commands.pause(STOP_POLL);
    }
    tell(before, &now, scene.listener);
}

fn tell(before: &[String], now: &[(String, String)], listener: &mut dyn Listener) {
    let is_running = |name: &String| now.iter().any(|(known, state)| known == name && state == "RUNNING");
    let state = |name: &String| now.iter().find(|(known, _)| known == name).map(|(_, state)| state.clone());
    let missing: Vec<(String, String)> = before
        .iter()
        .filter(|name| !is_running(name))
        .map(|name| (name.clone(), state(name).unwrap_or_else(|| "-".to_owned())))
        .collect();
    let lines: String = now.iter().map(|(name, state)| format!("{name} {state}\n")).collect();
    let new: Vec<String> = running_programs(&lines).into_iter().filter(|name| !before.contains(name)).collect();
    if missing.is_empty() {
        listener.note(Note::Takeover(Told::Same { count: before.len() }));
    } else {
        listener.note(Note::Takeover(Told::Missing { programs: missing }));
    }
    if !new.is_empty() {
        listener.note(Note::Takeover(Told::New { programs: new }));
    }
}

fn compare_processes(before: &[(String, u32)], scene: &mut Scene<'_>) {
    let now = scene.status().map(|output| processes(&output.stdout)).unwrap_or_default();
    let changed: Vec<String> =
        before.iter().filter(|process| !now.contains(process)).map(|(name, _)| name.clone()).collect();
    scene.listener.note(Note::Takeover(if changed.is_empty() {
        Told::SameProcesses { count: before.len() }
    } else {
        Told::OtherProcesses { programs: changed }
    }));
}

impl Scene<'_> {
    fn status(&mut self) -> Option<Output> {
        self.commands.run(self.client, &["-c", self.config, "status"], CHANGE_LIMIT).ok()
    }
}
