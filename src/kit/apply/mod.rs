//! Doing the steps of a plan, and taking them back when one fails. Decides nothing.
//!
//! A crash at any point leaves each file either old or new, never half: the next run removes what was left beside them
//! and goes on. A step that fails takes back what this run did, in reverse order.

mod crash;
pub mod place;
mod service;
mod undo;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::commands::Commands;
use super::failure::Failure;
use super::host::Root;
use super::listener::Listener;
use super::plan::Step;
use super::text::Note;
use super::tree::{CONFIG, PROGRAM};
use crash::Crash;
use place::Leftover;
use undo::{Undo, Undoing};

/// Does steps on one tree.
pub struct Apply<'a> {
    root: &'a Root,
    contents: &'a BTreeMap<String, Vec<u8>>,
    commands: &'a mut dyn Commands,
    listener: &'a mut dyn Listener,
    /// Whether the configuration is the administrator's own.
    is_config_kept: bool,
    undo: Undo,
    crash: Crash,
}

impl<'a> Apply<'a> {
    /// `contents` has the bytes of every file that a step may stage.
    pub fn new(
        root: &'a Root,
        contents: &'a BTreeMap<String, Vec<u8>>,
        commands: &'a mut dyn Commands,
        listener: &'a mut dyn Listener,
    ) -> Apply<'a> {
        let crash = Crash::from_environment();
        Apply { root, contents, commands, listener, is_config_kept: false, undo: Undo::default(), crash }
    }

    /// Does all steps.
    ///
    /// # Errors
    /// The first step that failed; everything done before it has been taken back, as far as that is safe.
    pub fn run(mut self, steps: &[Step]) -> Result<(), Failure> {
        self.is_config_kept = steps.iter().any(|step| matches!(step, Step::Keep { path } if path == CONFIG));
        self.listener.begin(steps.len());
        let outcome: Result<(), Failure> = steps.iter().try_for_each(|step| {
            self.listener.step(step);
            self.step(step)?;
            self.crash.checkpoint();
            Ok(())
        });
        self.listener.end();
        match outcome {
            Ok(()) => self.undo.forget(),
            Err(_) if self.undo.is_empty() => {}
            Err(_) => self.take_back(),
        }
        outcome
    }

    fn take_back(self) {
        self.listener.note(Note::TakingBack);
        for (path, reason) in self.undo.take_back(self.commands) {
            self.listener.note(Note::NotTakenBack { path, reason });
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Clean { path } => place::remove(&self.root.at(path)),
            Step::MakeDir { path, mode } => {
                let dir = self.root.at(path);
                if place::make_dir(&dir, *mode)? {
                    self.undo.push(Undoing::RemoveDir(dir));
                }
                Ok(())
            }
            Step::Stage { path, mode, .. } => self.stage(path, *mode),
            Step::Trust { paths, is_staged } => {
                for path in paths {
                    let program = self.place_or_beside(path, *is_staged);
                    service::trust(self.commands, &program);
                }
                Ok(())
            }
            Step::Keep { .. } | Step::TellRestart { .. } => Ok(()),
            Step::CheckConfig { is_program_staged, is_config_staged } => {
                let program = self.place_or_beside(PROGRAM, *is_program_staged);
                let config = self.place_or_beside(CONFIG, *is_config_staged);
                service::check_config(self.commands, &program, &config)
            }
            Step::GoLive { path, replaces } => self.go_live(path, *replaces),
            Step::Link { path, target, replaces } => {
                let beside = self.beside(path);
                self.undo.push(Undoing::RemoveFile(beside.clone()));
                place::make_link(&beside, target)?;
                self.go_live(path, *replaces)
            }
            Step::Label { paths } => service::label(self.root, self.commands, paths),
            Step::Reload => {
                self.undo.push(Undoing::Reload);
                service::systemctl(self.commands, &["daemon-reload"])
            }
            Step::Enable => {
                self.undo.push(Undoing::Disable);
                service::enable(self.commands)
            }
            Step::Start => {
                self.undo.push(Undoing::Stop);
                service::start(self.commands)
            }
            Step::Verify { is_fresh } => self.verify(*is_fresh),
        }
    }

    fn stage(&mut self, path: &str, mode: u32) -> Result<(), Failure> {
        let beside = self.beside(path);
        self.undo.push(Undoing::RemoveFile(beside.clone()));
        let bytes = self.contents.get(path).map_or(&[][..], Vec::as_slice);
        place::write(&beside, bytes, mode)?;
        self.crash.checkpoint();
        Ok(())
    }

    /// Renames what is beside a place to it. What was there stays reachable under a second name until the end.
    fn go_live(&mut self, path: &str, replaces: bool) -> Result<(), Failure> {
        let place = self.root.at(path);
        if replaces {
            let old = self.root.at(&place::leftover(path, Leftover::Old));
            place::keep_old(&place, &old)?;
            self.undo.push(Undoing::Restore { place: place.clone(), old });
            self.crash.checkpoint();
            place::rename(&self.beside(path), &place)?;
        } else {
            place::rename(&self.beside(path), &place)?;
            self.undo.push(Undoing::RemoveFile(place));
        }
        Ok(())
    }

    fn verify(&mut self, is_fresh: bool) -> Result<(), Failure> {
        let program = self.root.at(PROGRAM);
        match service::verify(self.commands, &program, is_fresh, self.is_config_kept)? {
            service::Verified::Completely { pid } => self.listener.note(Note::Verified { pid }),
            service::Verified::WithoutClient { pid, reason } => {
                self.listener.note(Note::ClientUnreachable { pid, reason });
            }
        }
        Ok(())
    }

    fn beside(&self, path: &str) -> PathBuf {
        self.root.at(&place::leftover(path, Leftover::New))
    }

    fn place_or_beside(&self, path: &str, is_staged: bool) -> PathBuf {
        if is_staged { self.beside(path) } else { self.root.at(path) }
    }
}
