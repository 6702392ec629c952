//! Hosts without systemd: an init script, registered with whatever this host registers them with.

use std::time::Duration;

use super::commands::Commands;
use super::failure::Failure;
use super::host::Root;
use super::plan::Step;
use super::state::{Transaction, Undoing};

/// Where init scripts are.
const INIT_DIR: &str = "/etc/init.d";
/// There while systemd is process 1.
const SYSTEMD_RUNS: &str = "/run/systemd/system";
/// Ours.
pub const INIT_SCRIPT: &str = "/etc/init.d/supervisord";
/// Its text.
pub const INIT_TEXT: &str = include_str!("../../units/supervisord.init");
/// Registering a script.
const CHANGE_LIMIT: Duration = Duration::from_secs(60);

/// What registers init scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registry {
    /// Debian's.
    UpdateRcD,
    /// Red Hat's.
    Chkconfig,
}

impl Registry {
    fn command(self, adds: bool) -> [&'static str; 3] {
        match (self, adds) {
            (Registry::UpdateRcD, true) => ["update-rc.d", "supervisord", "defaults"],
            (Registry::UpdateRcD, false) => ["update-rc.d", "supervisord", "remove"],
            (Registry::Chkconfig, true) => ["chkconfig", "--add", "supervisord"],
            (Registry::Chkconfig, false) => ["chkconfig", "--del", "supervisord"],
        }
    }
}

/// Start the script with the machine, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register {
    /// With what.
    pub registry: Registry,
    /// Or no longer.
    pub adds: bool,
}

impl Register {
    /// For people.
    pub fn command(self) -> String {
        self.registry.command(self.adds).join(" ")
    }
}

/// Whether this host takes an init script.
pub fn is_wanted(root: &Root) -> bool {
    !root.is_staged() && !root.exists(SYSTEMD_RUNS) && root.exists(INIT_DIR)
}

/// What this host registers init scripts with.
pub fn registry(commands: &dyn Commands) -> Option<Registry> {
    let known = [("update-rc.d", Registry::UpdateRcD), ("chkconfig", Registry::Chkconfig)];
    known.into_iter().find(|(program, _)| commands.has(program)).map(|(_, registry)| registry)
}

/// Adds the registration to a plan that puts the script in place.
pub fn register(steps: &mut Vec<Step>, enable: bool, commands: &dyn Commands) {
    let is_new = steps.iter().any(|step| matches!(step, Step::GoLive { path, .. } if path == INIT_SCRIPT));
    if let Some(registry) = registry(commands).filter(|_| enable && is_new) {
        steps.push(Step::Sysv(Register { registry, adds: true }));
    }
}

/// Does it; the way back first.
///
/// # Errors
/// The command failed.
pub fn perform(step: Register, commands: &mut dyn Commands, transaction: &mut Transaction) -> Result<(), Failure> {
    let words = |command: [&'static str; 3]| command.map(str::to_owned).to_vec();
    let back = step.registry.command(!step.adds);
    transaction.record(&Undoing::Run { command: words(back) })?;
    let [program, args @ ..] = step.registry.command(step.adds);
    let failed = |reason| Failure::Command { command: step.command(), reason };
    match commands.run(program, &args, CHANGE_LIMIT) {
        Ok(output) if output.is_success() => Ok(()),
        Ok(output) => Err(failed(output.words())),
        Err(error) => Err(failed(error.to_string())),
    }
}
