//! Taking a change back, from its journal alone: after a failed step, after a crash, and for `rollback`.

use std::path::Path;

use super::crash::Crash;
use super::place::{self, Leftover, leftover};
use super::service;
use crate::daemon::takeover::LetGo;
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;
use crate::kit::host::{Root, probe};
use crate::kit::listener::Listener;
use crate::kit::prefix::Prefix;
use crate::kit::state::{Journal, StateDir, Undoing};
use crate::kit::takeover::{Told, live};
use crate::kit::text::Note;
use crate::kit::tree::SERVICE;

/// Takes the change in `active` back, the last thing first, and forgets it. Goes on after an error, and tells what could
/// not be taken back. When that was a file, nothing is forgotten: the next run, or the next boot, tries again.
/// It may be killed and run again at any moment.
///
/// With `is_booting` nothing waits for a service: their turn comes after ours.
///
/// # Errors
/// The journal cannot be read, or the state directory cannot be written.
pub fn take_back(
    root: &Root,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
    is_booting: bool,
) -> Result<(), Failure> {
    commands.begin_change();
    let state = StateDir::of(root);
    let Some(Journal { done, .. }) = state.unfinished()? else { return Ok(()) };
    let mut way_back =
        WayBack { root, state: &state, commands, listener, is_booting, crash: Crash::from_environment() };
    let (last, first): (Vec<Undoing>, Vec<Undoing>) = done.iter().cloned().partition(Undoing::is_last);
    let mut stuck = Vec::new();
    for undoing in first.iter().rev() {
        if let Err(failure) = way_back.take(undoing) {
            stuck.extend(undoing.place().map(str::to_owned));
            way_back.listener.note(not_taken_back(failure));
        }
        way_back.crash.checkpoint();
    }
    if let Err(failure) = way_back.mark(&done) {
        way_back.listener.note(not_taken_back(failure));
    }
    for undoing in in_order(&last) {
        if let Err(failure) = way_back.take(undoing) {
            way_back.listener.note(not_taken_back(failure));
        }
        way_back.crash.checkpoint();
    }
    if stuck.is_empty() { state.forget_active() } else { Err(Failure::HalfTakenBack { paths: stuck }) }
}

fn not_taken_back(failure: Failure) -> Note {
    let (path, reason) = match failure {
        Failure::Step { path, reason, .. }
        | Failure::StateDamaged { path, reason }
        | Failure::Command { command: path, reason } => (path, reason),
        Failure::ServiceDown(down) => (SERVICE.to_owned(), down.state),
        other => (SERVICE.to_owned(), format!("{other:?}")),
    };
    Note::NotTakenBack { path, reason }
}

/// What follows the files: systemd's view of its units, then the services, the last one first.
fn in_order(last: &[Undoing]) -> impl Iterator<Item = &Undoing> {
    let reload = last.iter().find(|undoing| matches!(undoing, Undoing::Reload));
    let services = last.iter().rev().filter(|undoing| !matches!(undoing, Undoing::Label | Undoing::Reload));
    reload.into_iter().chain(services)
}

struct WayBack<'a> {
    root: &'a Root,
    state: &'a StateDir,
    commands: &'a mut dyn Commands,
    listener: &'a mut dyn Listener,
    is_booting: bool,
    crash: Crash,
}

impl WayBack<'_> {
    fn take(&mut self, undoing: &Undoing) -> Result<(), Failure> {
        match undoing {
            Undoing::RemoveFile { path } => place::remove(&self.root.at(path)),
            Undoing::RemoveDir { path } => {
                // Not empty: somebody's files, or the log that tells why the service did not start.
                place::remove_dir(&self.root.at(path)).map(drop)
            }
            Undoing::Rename { from, path } => place::rename_back(&self.root.at(from), &self.root.at(path)),
            Undoing::RestoreFile { path, kept, sha256, modified_wall_secs, mode, uid, gid } => {
                let place = self.root.at(path);
                if place::is_file_as(&place, sha256, *mode, *uid, *gid) {
                    return Ok(());
                }
                let bytes = self.state.kept(*kept, sha256)?;
                let beside = self.root.at(&leftover(path, Leftover::Old));
                place::remove(&beside)?;
                place::write_as(&beside, &bytes, *mode, *uid, *gid)?;
                place::set_modified(&beside, *modified_wall_secs);
                place::rename(&beside, &place)
            }
            Undoing::RestoreLink { path, target } => {
                let beside = self.root.at(&leftover(path, Leftover::Old));
                place::remove(&beside)?;
                place::make_link(&beside, target)?;
                place::rename(&beside, &self.root.at(path))
            }
            Undoing::RestoreDir { path, mode, uid, gid } => place::restore_dir(&self.root.at(path), *mode, *uid, *gid),
            Undoing::Run { command } => self.run(command),
            // Done for all files, whether it was recorded or not.
            Undoing::Label => Ok(()),
            Undoing::Reload => service::systemctl(self.commands, &["daemon-reload"]),
            Undoing::Disable { unit } => self.disable(unit),
            Undoing::Enable { unit } => service::enable(self.commands, unit),
            Undoing::Stop { unit } => self.unless_gone(unit, |commands| service::stop(commands, unit)),
            Undoing::Start { unit } => self.begin("start", unit),
            Undoing::StartProcess { command, cwd } => self.start_process(command, cwd),
            Undoing::GiveBack { pid, born, pidfile, units, command, cwd } => {
                live::remove_drop_ins(self.root, units);
                match live::let_go(*pid, *born, pidfile) {
                    LetGo::Ended => {}
                    LetGo::NeverHalted => return Ok(()),
                    LetGo::GoesOn => {
                        let (pid, units) = (*pid, units.clone());
                        self.listener.note(Note::Takeover(Told::GoesOn { pid, units }));
                        return Ok(());
                    }
                }
                // Ours had taken its place. What of its programs a stop of ours has not ended would run twice.
                live::end_programs(pidfile);
                if units.is_empty() {
                    return self.start_process(command, cwd);
                }
                units.iter().try_for_each(|unit| self.begin("start", unit))
            }
            Undoing::Reexec { unit, program, client, config } => self.reexec(unit, program, client, config),
            // It ran before the change. A new program that could not run has left it failed, so not try-restart.
            Undoing::Restart { unit } => self.begin(if self.is_booting { "try-restart" } else { "restart" }, unit),
        }
    }

    fn begin(&mut self, verb: &str, unit: &str) -> Result<(), Failure> {
        if self.is_booting {
            // What is enabled is about to start anyway; a restart has nothing to restart.
            return service::systemctl(self.commands, &["--no-block", verb, unit]);
        }
        service::forget_failure(self.commands, unit);
        service::begin(self.commands, verb, unit)
    }

    /// Not at a boot: what starts then is the old program anyway.
    fn reexec(&mut self, unit: &str, program: &str, client: &str, config: &str) -> Result<(), Failure> {
        let pid = if self.is_booting { 0 } else { probe::main_pid(self.commands, unit) };
        if pid == 0 || self.commands.runs(pid, &self.root.at(program)) {
            return Ok(());
        }
        service::run_change(self.commands, client, &["-c", config, "upgrade"])
    }

    /// At the boot its start is already planned, with the unit file that has just been taken away.
    fn disable(&mut self, unit: &str) -> Result<(), Failure> {
        self.unless_gone(unit, |commands| service::disable(commands, unit))?;
        if self.is_booting {
            return service::systemctl(self.commands, &["--no-block", "stop", unit]);
        }
        Ok(())
    }

    /// A way back that was cut may have taken the unit's file away and stopped it: then systemd has forgotten the unit, and
    /// what is asked of it is done already.
    fn unless_gone(
        &mut self,
        unit: &str,
        ask: impl FnOnce(&mut dyn Commands) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match ask(self.commands) {
            Err(Failure::Command { .. }) if probe::is_forgotten(self.commands, unit) => Ok(()),
            other => other,
        }
    }

    fn run(&mut self, command: &[String]) -> Result<(), Failure> {
        let Some((program, args)) = command.split_first() else { return Ok(()) };
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        service::run_change(self.commands, program, &args)
    }

    /// In a session of its own, so that it outlives us; it may run in the foreground.
    fn start_process(&mut self, command: &[String], cwd: &str) -> Result<(), Failure> {
        if self.is_booting {
            return Ok(());
        }
        let script = "cd \"$1\" && shift && setsid \"$@\" >/dev/null 2>&1 </dev/null &";
        let args: Vec<&str> = ["-c", script, "sh", cwd].into_iter().chain(command.iter().map(String::as_str)).collect();
        service::run_change(self.commands, "sh", &args)
    }

    /// Labels and marks belong to files, and a file that was put back is a new one.
    fn mark(&mut self, all: &[Undoing]) -> Result<(), Failure> {
        let restored = all.iter().filter_map(|undoing| match undoing {
            Undoing::RestoreFile { path, .. }
            | Undoing::RestoreLink { path, .. }
            | Undoing::RestoreDir { path, .. } => Some(path.clone()),
            _ => None,
        });
        let there: Vec<String> = restored.filter(|path| is_there(&self.root.at(path))).collect();
        if probe::has_kysec(self.root, self.commands) {
            let is_program = |path: &&String| Prefix::ALL.iter().any(|prefix| path.starts_with(prefix.program_dir()));
            for path in there.iter().filter(is_program) {
                service::trust(self.commands, &self.root.at(path));
            }
        }
        let is_labelled = probe::has_selinux(self.root, self.commands) && !there.is_empty();
        if is_labelled { service::label(self.root, self.commands, &there) } else { Ok(()) }
    }
}

fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
