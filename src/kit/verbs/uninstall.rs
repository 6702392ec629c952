//! `uninstall`: removes exactly what the receipt names.

use std::collections::BTreeMap;

use crate::kit::apply;
use crate::kit::bundle::Member;
use crate::kit::cli::Request;
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;
use crate::kit::host::probe;
use crate::kit::listener::Listener;
use crate::kit::plan::{self, Step};
use crate::kit::state::{Receipt, StateDir, Verb};
use crate::kit::sysv::{self, Register};
use crate::kit::text::Note;

/// Removes what was installed; with `purge` configuration and logs as well.
///
/// # Errors
/// [`Failure::NotInstalled`], or why it did not succeed. Then the host is as it was before.
pub fn run(
    request: &Request,
    purge: bool,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<(), Failure> {
    let _lock = super::prepare(request, commands, listener)?;
    let Some(receipt) = StateDir::of(&request.root).receipt()? else { return Err(Failure::NotInstalled) };
    let facts = probe::gather_for(&request.root, &receipt.installed, commands)?;
    let mut steps = plan::uninstall(&facts, &receipt.installed, purge)?;
    let is_ours = |member: &Member| member.path == sysv::INIT_SCRIPT;
    if let Some(registry) = sysv::registry(commands).filter(|_| receipt.installed.members.iter().any(is_ours)) {
        steps.insert(0, Step::Sysv(Register { registry, adds: false }));
    }
    if !super::may_apply(request, &steps, listener)? {
        return Ok(());
    }
    let version = receipt.version.clone();
    let removal = Receipt { verb: Verb::Uninstall, ..receipt };
    super::apply(request, &BTreeMap::new(), &steps, removal, commands, listener)?;
    apply::sweep(&request.root)?;
    listener.note(Note::Uninstalled { version });
    Ok(())
}
