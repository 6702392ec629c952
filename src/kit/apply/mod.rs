//! Doing the steps of a plan, and taking them back. Decides nothing.
//!
//! The way back of each step is in the journal ([`crate::kit::state`]) before the step is done. A step that fails, a killed
//! run and a power cut are then all the same: what the journal has is taken back, the last thing first ([`take_back`]).

mod crash;
mod guard;
pub mod place;
mod reexec;
mod service;
mod take_back;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::commands::Commands;
use super::failure::Failure;
use super::host::Root;
use super::listener::Listener;
use super::plan::{Step, offered_name};
use super::prefix::Prefix;
use super::state::{Receipt, StateDir, Transaction, Undoing, Verb};
use super::sysv;
use super::takeover::{self, Deed};
use super::text::Note;
use super::tree::{CONFIG, LOG_DIR, PROGRAMS_SERVICE, RUN_DIR, SERVICE, TRUST_FILE};
use super::web;
use crash::Crash;
use place::Leftover;

pub use guard::{lift as lift_guard, set as set_guard};
pub use reexec::{Reexecuted, reexec};
pub use service::{Target, Verified, restart, trust as mark_for_kysec, verify};
pub use take_back::take_back;

/// Deletes what a completed change has set aside, and a program that a killed run was trying.
///
/// # Errors
/// It cannot be deleted.
pub fn sweep(root: &Root) -> Result<(), Failure> {
    // Where it cannot be removed, nothing can be changed either, and that is told with its reason.
    for place in Prefix::ALL.iter().flat_map(|prefix| prefix.trial_places()) {
        let _ = place::remove(&root.at(&place::leftover(place, Leftover::Trial)));
    }
    place::remove_tree(&root.at(&place::leftover(LOG_DIR, Leftover::Old)))
}

/// Does steps on one tree.
pub struct Apply<'a> {
    root: &'a Root,
    contents: &'a BTreeMap<String, Vec<u8>>,
    commands: &'a mut dyn Commands,
    listener: &'a mut dyn Listener,
    /// Where the programs are.
    prefix: Prefix,
    /// Whether the configuration is the administrator's own.
    is_config_kept: bool,
    /// The configuration of the service.
    config: String,
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
        let (prefix, config) = (Prefix::default(), CONFIG.to_owned());
        Apply { root, contents, commands, listener, prefix, is_config_kept: false, config, crash }
    }

    /// Does all steps, and completes the change with `receipt`. Steps that change nothing leave no trace.
    ///
    /// # Errors
    /// The first step that failed; everything done before it has been taken back.
    pub fn run(mut self, steps: &[Step], receipt: &Receipt) -> Result<(), Failure> {
        self.is_config_kept = steps.iter().any(|step| matches!(step, Step::Keep { path } if path == CONFIG));
        self.is_config_kept |= receipt.installed.config.is_some();
        receipt.installed.config().clone_into(&mut self.config);
        self.prefix = receipt.installed.prefix;
        if !steps.iter().any(Step::is_change) {
            return self.look(steps);
        }
        self.commands.begin_change();
        // The guard comes first: from the first line of the journal on, a power cut must find it.
        let begun = guard::set(self.root, self.prefix, self.commands)
            .and_then(|()| StateDir::of(self.root).begin(receipt.verb, &receipt.version));
        let mut transaction = match begun {
            Ok(transaction) => transaction,
            Err(failure) => {
                let _ = guard::lift(self.root);
                return Err(failure);
            }
        };
        let outcome = self.change(steps, &mut transaction).and_then(|()| match receipt.verb {
            Verb::Uninstall => transaction.complete_removal(),
            verb => transaction.complete(verb, receipt).map(drop),
        });
        if let Err(failure) = &outcome {
            self.listener.note(Note::TakingBack);
            if let Err(stuck) = take_back(self.root, self.commands, self.listener, false) {
                // The first cause would be lost otherwise.
                self.listener.failed(failure);
                return Err(stuck);
            }
        }
        guard::lift(self.root)?;
        outcome
    }

    /// Steps of which none changes anything.
    fn look(&mut self, steps: &[Step]) -> Result<(), Failure> {
        self.listener.begin(steps.len());
        let outcome = steps.iter().try_for_each(|step| {
            self.listener.step(step);
            match step {
                Step::CheckConfig { is_program_staged, is_config_staged } => {
                    self.check_config(*is_program_staged, *is_config_staged)
                }
                Step::Verify { is_fresh } => self.verify(*is_fresh),
                _ => Ok(()),
            }
        });
        self.listener.end();
        outcome
    }

    fn change(&mut self, steps: &[Step], transaction: &mut Transaction) -> Result<(), Failure> {
        self.listener.begin(steps.len());
        let outcome = steps.iter().try_for_each(|step| {
            self.crash.checkpoint();
            if self.commands.is_interrupted() {
                return Err(Failure::Interrupted);
            }
            self.listener.step(step);
            self.step(step, transaction)
        });
        self.listener.end();
        self.crash.checkpoint();
        outcome?;
        // It may have come during the last step.
        if self.commands.is_interrupted() { Err(Failure::Interrupted) } else { Ok(()) }
    }

    fn step(&mut self, step: &Step, transaction: &mut Transaction) -> Result<(), Failure> {
        match step {
            Step::Clean { path } => place::remove(&self.root.at(path)),
            Step::MakeDir { path, mode } => {
                transaction.record(&Undoing::RemoveDir { path: path.clone() })?;
                self.crash.checkpoint();
                place::make_dir(&self.root.at(path), *mode).map(drop)
            }
            Step::Stage { path, mode, .. } => self.stage(path, path, *mode, transaction),
            Step::Trust { paths, is_staged } => {
                for path in paths {
                    let program = self.place_or_beside(path, *is_staged);
                    service::trust(self.commands, &program);
                }
                Ok(())
            }
            Step::TrustFile { text } => self.trust_file(text.as_deref(), transaction),
            Step::Keep { .. } | Step::TellRestart { .. } => Ok(()),
            Step::Sysv(register) => {
                self.crash.checkpoint();
                sysv::perform(*register, self.commands, transaction)
            }
            Step::Web(deed) => {
                self.crash.checkpoint();
                web::perform(deed, self.commands, self.listener, transaction)
            }
            Step::Takeover(deed) => self.take_over(deed, transaction),
            Step::CheckConfig { is_program_staged, is_config_staged } => {
                self.check_config(*is_program_staged, *is_config_staged)
            }
            Step::GoLive { path, replaces } => self.go_live(path, *replaces, transaction),
            Step::Link { path, target, replaces } => {
                let beside = place::leftover(path, Leftover::New);
                transaction.record(&Undoing::RemoveFile { path: beside.clone() })?;
                place::make_link(&self.root.at(&beside), target)?;
                self.crash.checkpoint();
                self.go_live(path, *replaces, transaction)
            }
            Step::Label { paths } => {
                transaction.record(&Undoing::Label)?;
                service::label(self.root, self.commands, paths)
            }
            Step::Reload | Step::Enable | Step::Start | Step::Restart | Step::Stop { .. } | Step::Disable { .. } => {
                self.ask_systemd(step, transaction)
            }
            Step::Reexec { pid } => self.reexec(*pid, transaction),
            Step::Remove { path } => {
                transaction.keep(self.root, path)?;
                self.crash.checkpoint();
                place::remove(&self.root.at(path))
            }
            Step::RemoveDir { path } => self.remove_dir(path, transaction),
            Step::SetAside { path } => self.set_aside(path, transaction),
            Step::Offer { path, mode } => {
                let offered = offered_name(path);
                self.stage(path, &offered, *mode, transaction)?;
                self.go_live(&offered, self.root.exists(&offered), transaction)
            }
            Step::Verify { is_fresh } => self.verify(*is_fresh),
        }
    }

    /// fapolicyd reads its files when told to, on the way back as well.
    fn trust_file(&mut self, text: Option<&str>, transaction: &mut Transaction) -> Result<(), Failure> {
        const UPDATE: [&str; 2] = ["fapolicyd-cli", "--update"];
        let place = self.root.at(TRUST_FILE);
        transaction.record(&Undoing::Run { command: UPDATE.map(str::to_owned).to_vec() })?;
        let missing = |(dir, _): &(&str, &str)| text.is_some() && !self.root.exists(dir);
        if let Some((dir, _)) = TRUST_FILE.rsplit_once('/').filter(missing) {
            transaction.record(&Undoing::RemoveDir { path: dir.to_owned() })?;
            self.crash.checkpoint();
            place::make_dir(&self.root.at(dir), 0o755)?;
        }
        if place.symlink_metadata().is_ok() {
            transaction.keep(self.root, TRUST_FILE)?;
        } else {
            transaction.record(&Undoing::RemoveFile { path: TRUST_FILE.to_owned() })?;
        }
        self.crash.checkpoint();
        place::remove(&place)?;
        let Some(text) = text else {
            // fapolicyd may be gone by now; then nothing is left to be told.
            let _ = service::run_change(self.commands, UPDATE[0], &UPDATE[1..]);
            return Ok(());
        };
        place::write(&place, text.as_bytes(), 0o644)?;
        service::run_change(self.commands, UPDATE[0], &UPDATE[1..])
    }

    /// The way back first, then systemctl.
    fn ask_systemd(&mut self, step: &Step, transaction: &mut Transaction) -> Result<(), Failure> {
        let ours = || SERVICE.to_owned();
        let undoing = match step {
            Step::Enable => Undoing::Disable { unit: ours() },
            Step::Start => Undoing::Stop { unit: ours() },
            Step::Restart => Undoing::Restart { unit: ours() },
            Step::Stop { unit } => Undoing::Start { unit: unit.clone() },
            Step::Disable { unit } => Undoing::Enable { unit: unit.clone() },
            _ => Undoing::Reload,
        };
        // It goes with the service when the unit has it as its runtime directory, and another unit may need it to start.
        if matches!(step, Step::Stop { .. }) && self.root.exists(RUN_DIR) {
            transaction.keep(self.root, RUN_DIR)?;
        }
        if matches!(step, Step::Start) {
            // It is started too, and does not end with the service.
            transaction.record(&Undoing::Stop { unit: PROGRAMS_SERVICE.to_owned() })?;
        }
        transaction.record(&undoing)?;
        self.crash.checkpoint();
        match step {
            Step::Enable => service::enable(self.commands, SERVICE),
            Step::Start => service::begin_ours(
                self.root,
                self.commands,
                &Target { unit: SERVICE, prefix: self.prefix, config: &self.config },
                "start",
            ),
            Step::Restart => service::begin_ours(
                self.root,
                self.commands,
                &Target { unit: SERVICE, prefix: self.prefix, config: &self.config },
                "restart",
            ),
            Step::Stop { unit } => service::stop(self.commands, unit),
            Step::Disable { unit } => service::disable(self.commands, unit),
            _ => service::systemctl(self.commands, &["daemon-reload"]),
        }
    }

    fn reexec(&mut self, pid: u32, transaction: &mut Transaction) -> Result<(), Failure> {
        transaction.record(&Undoing::Reexec {
            unit: SERVICE.to_owned(),
            program: self.prefix.program().to_owned(),
            client: self.prefix.client().to_owned(),
            config: self.config.clone(),
        })?;
        self.crash.checkpoint();
        let target = Target { unit: SERVICE, prefix: self.prefix, config: &self.config };
        let done = reexec(self.root, self.commands, &target, pid)?;
        self.listener.note(Note::Reexecuted(done));
        Ok(())
    }

    /// Writes what the bundle has for `source` beside `path`.
    fn stage(&mut self, source: &str, path: &str, mode: u32, transaction: &mut Transaction) -> Result<(), Failure> {
        let beside = place::leftover(path, Leftover::New);
        transaction.record(&Undoing::RemoveFile { path: beside.clone() })?;
        self.crash.checkpoint();
        let bytes = self.contents.get(source).map_or(&[][..], Vec::as_slice);
        place::remove(&self.root.at(&beside))?;
        place::write(&self.root.at(&beside), bytes, mode)
    }

    /// Renames what is beside a place to it.
    fn go_live(&mut self, path: &str, replaces: bool, transaction: &mut Transaction) -> Result<(), Failure> {
        if replaces {
            transaction.keep(self.root, path)?;
        } else {
            transaction.record(&Undoing::RemoveFile { path: path.to_owned() })?;
        }
        self.crash.checkpoint();
        place::rename(&self.beside(path), &self.root.at(path))
    }

    /// One that is not empty stays, and is told: what is in it is somebody's.
    fn remove_dir(&mut self, path: &str, transaction: &mut Transaction) -> Result<(), Failure> {
        let dir = self.root.at(path);
        if dir.symlink_metadata().is_err() {
            return Ok(());
        }
        transaction.keep(self.root, path)?;
        self.crash.checkpoint();
        if !place::remove_dir(&dir)? {
            self.listener.note(Note::DirKept { path: path.to_owned() });
        }
        Ok(())
    }

    fn set_aside(&mut self, path: &str, transaction: &mut Transaction) -> Result<(), Failure> {
        let aside = place::leftover(path, Leftover::Old);
        transaction.record(&Undoing::Rename { from: aside.clone(), path: path.to_owned() })?;
        self.crash.checkpoint();
        if !place::set_aside(&self.root.at(path), &self.root.at(&aside))? {
            self.listener.note(Note::DirKept { path: path.to_owned() });
        }
        Ok(())
    }

    fn check_config(&mut self, is_program_staged: bool, is_config_staged: bool) -> Result<(), Failure> {
        let program = self.place_or_beside(self.prefix.program(), is_program_staged);
        let config = self.place_or_beside(&self.config, is_config_staged);
        service::check_config(self.commands, &program, &config)
    }

    fn verify(&mut self, is_fresh: bool) -> Result<(), Failure> {
        let target = Target { unit: SERVICE, prefix: self.prefix, config: &self.config };
        match service::verify(self.root, self.commands, &target, is_fresh, self.is_config_kept)? {
            service::Verified::Completely { pid } => self.listener.note(Note::Verified { pid }),
            service::Verified::WithoutClient { pid, reason } => {
                self.listener.note(Note::ClientUnreachable { pid, reason });
            }
        }
        Ok(())
    }

    fn take_over(&mut self, deed: &Deed, transaction: &mut Transaction) -> Result<(), Failure> {
        let is_staged =
            matches!(deed, Deed::Judge { is_program_staged: true } | Deed::Halt { is_program_staged: true, .. });
        let program = self.place_or_beside(self.prefix.program(), is_staged);
        let (root, commands, listener) = (self.root, &mut *self.commands, &mut *self.listener);
        let (config, client) = (self.config.as_str(), self.prefix.client());
        let mut scene = takeover::Scene { root, commands, listener, transaction, program: &program, client, config };
        self.crash.checkpoint();
        takeover::perform(deed, &mut scene)
    }

    fn beside(&self, path: &str) -> PathBuf {
        self.root.at(&place::leftover(path, Leftover::New))
    }

    fn place_or_beside(&self, path: &str, is_staged: bool) -> PathBuf {
        if is_staged { self.beside(path) } else { self.root.at(path) }
    }
}
