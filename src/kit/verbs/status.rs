//! `status`: what is installed, which changes can be undone, how the service is.

use serde::Serialize;

use crate::kit::cli::Request;
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;
use crate::kit::host::probe;
use crate::kit::listener::Listener;
use crate::kit::state::{PackageReceipt, Receipt, StateDir};
use crate::kit::text::Note;

/// What there is to tell. The names of its fields are a promise to scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Version that is installed.
    pub version: String,
    /// Processor, as `uname -m` prints it.
    pub arch: String,
    /// The package manager that brought it (`rpm`, `dpkg`); `None` when a bundle did.
    pub package: Option<&'static str>,
    /// Where the programs are.
    pub program_dir: &'static str,
    /// The changes that can be undone, oldest first.
    pub generations: Vec<Generation>,
    /// Whether a change was interrupted.
    pub is_interrupted: bool,
    /// The service; `None` where systemd does not run.
    pub service: Option<Service>,
}

/// One change that can be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Generation {
    /// For `rollback`.
    pub number: u32,
    /// What it was.
    pub verb: &'static str,
    /// To which version.
    pub version: String,
    /// When, in seconds since 1970.
    pub completed: u64,
}

/// The service as systemd sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Whether it starts with the machine.
    pub is_enabled: bool,
    /// Whether it runs.
    pub is_active: bool,
    /// Its main process, 0 when there is none.
    pub main_pid: u32,
    /// Whether that runs the file that is installed.
    pub runs_installed: bool,
}

/// Tells.
///
/// # Errors
/// [`Failure::NotInstalled`], or what is remembered cannot be read.
pub fn run(request: &Request, commands: &mut dyn Commands, listener: &mut dyn Listener) -> Result<(), Failure> {
    let state = StateDir::of(&request.root);
    let Some(receipt) = StateDir::receipt_or_package(&request.root)? else { return Err(Failure::NotInstalled) };
    let facts = probe::gather_for(&request.root, &receipt.installed, commands)?;
    let service = facts.service.map(|service| Service {
        is_enabled: service.is_enabled,
        is_active: service.is_active,
        main_pid: service.main_pid,
        runs_installed: service.runs_installed,
    });
    let mut generations = Vec::new();
    for number in state.generations() {
        let Receipt { verb, version, completed, .. } = state.receipt_of(number)?;
        generations.push(Generation { number, verb: verb.name(), version, completed });
    }
    let package = PackageReceipt::of(&request.root)?.map(|package| package.manager.name());
    let is_interrupted = state.active().exists();
    let program_dir = receipt.installed.prefix.program_dir();
    let Receipt { version, arch, .. } = receipt;
    let status = Status { version, arch, package, program_dir, generations, is_interrupted, service };
    listener.note(Note::Status(Box::new(status)));
    Ok(())
}
