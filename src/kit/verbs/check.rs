//! `check`: what an installation of this bundle would meet. Every changing run looks first in the same way.

use std::collections::BTreeMap;

use nix::sys::utsname::uname;

use crate::kit::cli::{InstallArgs, Request};
use crate::kit::commands::Commands;
use crate::kit::failure::{Checked, Failure};
use crate::kit::listener::Listener;
use crate::kit::plan::plan;
use crate::kit::preflight::{self, Finding, Look, Verdict};
use crate::kit::takeover;
use crate::kit::text::Note;
use crate::kit::tree::CONFIG;

use super::install::{self, Start};

/// Looks, tells everything, changes nothing.
///
/// # Errors
/// What would keep an installation from succeeding.
pub fn run(
    request: &Request,
    args: &InstallArgs,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<(), Failure> {
    install::tell_system(request, args.distro, listener);
    let bundle = install::open(request, &args.signature, listener)?;
    let lock = if request.dry_run || !nix::unistd::geteuid().is_root() { None } else { super::lock(&request.root)? };
    let olds = takeover::look(&request.root, commands);
    let start = Start::look(request, bundle, olds, commands)?;
    let mut found = preflight::others(&start.olds, args.replace);
    found.extend(look(request, &start, commands));
    drop(lock);
    tell(&found, listener);
    refuse(Checked::Preflight, found)?;
    let manifest = &start.bundle.manifest;
    plan(&start.facts, manifest, args.wishes())?;
    listener.note(Note::Ready { version: manifest.version.clone() });
    Ok(())
}

/// The looks before a change: only what is not as it should be is told.
///
/// # Errors
/// Something will not work.
pub(super) fn before_change(
    request: &Request,
    start: &Start,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<(), Failure> {
    let found = look(request, start, commands);
    let worth: Vec<Finding> =
        found.iter().filter(|finding| matches!(finding.verdict, Verdict::Warn(_))).cloned().collect();
    tell(&worth, listener);
    refuse(Checked::Preflight, found)
}

fn look(request: &Request, start: &Start, commands: &mut dyn Commands) -> Vec<Finding> {
    let nothing = BTreeMap::new();
    preflight::look(&mut Look {
        root: &request.root,
        commands,
        facts: &start.facts,
        manifest: &start.bundle.manifest,
        // The trial writes a file for a moment: not in a dry run.
        contents: if request.dry_run { &nothing } else { &start.bundle.contents },
        config: start.config.as_deref().unwrap_or(CONFIG),
        usr_obstacle: start.usr_obstacle.as_deref(),
        olds: &start.olds,
        machine: &machine(),
        choices: &request.choices,
    })
}

/// Tells findings.
pub(super) fn tell(found: &[Finding], listener: &mut dyn Listener) {
    for finding in found {
        listener.note(Note::Finding(finding.clone()));
    }
}

/// A failure among the findings ends the run.
pub(super) fn refuse(checked: Checked, findings: Vec<Finding>) -> Result<(), Failure> {
    if findings.iter().any(Finding::is_fail) { Err(Failure::Findings { checked, findings }) } else { Ok(()) }
}

/// The processor as `uname -m` prints it.
pub(super) fn machine() -> String {
    uname().map(|name| name.machine().to_string_lossy().into_owned()).unwrap_or_default()
}
