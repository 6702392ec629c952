//! `recover`: takes back a change that was interrupted. The guard runs it at the boot; every other verb does it first.

use crate::kit::apply;
use crate::kit::cli::Request;
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;
use crate::kit::host::Root;
use crate::kit::listener::Listener;
use crate::kit::state::StateDir;
use crate::kit::text::Note;

/// Takes back what is under way, if anything is, and lifts the guard.
///
/// # Errors
/// Another installer is at work, or the state directory cannot be read or written.
pub fn run(
    request: &Request,
    is_booting: bool,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<(), Failure> {
    let _lock = super::lock(&request.root)?;
    take_back_interrupted(&request.root, is_booting, commands, listener)
}

/// The same for a caller that holds the lock.
///
/// # Errors
/// The state directory cannot be read or written.
pub(super) fn take_back_interrupted(
    root: &Root,
    is_booting: bool,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<(), Failure> {
    let state = StateDir::of(root);
    state.sweep()?;
    if let Some(journal) = state.unfinished()? {
        listener.note(Note::TakingBackInterrupted { verb: journal.verb.name(), version: journal.version });
        apply::take_back(root, commands, listener, is_booting)?;
    }
    // Only now: what is set aside might have been needed for the way back.
    apply::sweep(root)?;
    apply::lift_guard(root)
}
