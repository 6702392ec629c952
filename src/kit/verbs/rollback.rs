//! `rollback`: back to how the host was before a change. A completed change is made the one under way again, and that
//! is taken back: the same work as after a crash.

use crate::kit::apply;
use crate::kit::cli::Request;
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;
use crate::kit::listener::Listener;
use crate::kit::state::StateDir;
use crate::kit::text::Note;

/// Undoes the change `generation` and all after it, the last one first; without a number, the last one.
///
/// # Errors
/// There is no such change, or the state directory cannot be read or written.
pub fn run(
    request: &Request,
    generation: Option<u32>,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<(), Failure> {
    if !nix::unistd::geteuid().is_root() && !request.root.is_staged() {
        return Err(Failure::NotRoot);
    }
    let _lock = super::prepare(request, commands, listener)?;
    let state = StateDir::of(&request.root);
    let known = state.generations();
    let Some(last) = known.last() else { return Err(Failure::NotInstalled) };
    let wanted = generation.unwrap_or(*last);
    if !known.contains(&wanted) {
        return Err(Failure::NoSuchGeneration { wanted, known });
    }
    for number in known.into_iter().rev().take_while(|number| *number >= wanted) {
        let receipt = state.receipt_of(number)?;
        let prefix = receipt.installed.prefix;
        listener.note(Note::RollingBack { number, verb: receipt.verb.name(), version: receipt.version });
        if !request.dry_run {
            apply::set_guard(&request.root, prefix, commands)?;
            state.reopen(number)?;
            apply::take_back(&request.root, commands, listener, false)?;
            apply::lift_guard(&request.root)?;
        }
    }
    listener.note(if request.dry_run { Note::PlanEnds } else { Note::RolledBack });
    Ok(())
}
