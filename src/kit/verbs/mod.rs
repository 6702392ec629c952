//! What the installer can do, one file a verb. Each first takes back a change that was interrupted, then gathers facts,
//! makes a plan, and carries it out.

pub mod check;
pub mod doctor;
pub mod install;
pub mod recover;
pub mod restart_by_policy;
pub mod rollback;
pub mod status;
pub mod uninstall;
pub mod verify;
pub mod web;

use std::fs::File;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::apply::Apply;
use super::cli::{Action, Cli, Request};
use super::commands::Commands;
use super::failure::Failure;
use super::host::Root;
use super::listener::Listener;
use super::log_file::{LOG_FILE, Logged};
use super::plan::Step;
use super::state::{Receipt, StateDir, refuse_packaged};
use super::text::Note;

/// Does what a command line asks for, and notes it in the log of the host.
///
/// # Errors
/// Why it did not succeed. Then the host is as it was before.
pub fn run(cli: &Cli, commands: &mut dyn Commands, listener: &mut dyn Listener) -> Result<(), Failure> {
    run_on(&Request::from_cli(cli)?, cli, commands, listener)
}

/// The same for a tree and wishes that are known.
///
/// # Errors
/// Why it did not succeed. Then the host is as it was before.
pub fn run_on(
    request: &Request,
    cli: &Cli,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<(), Failure> {
    let mut logged = Logged::new(listener, cli.verb());
    let outcome = act(request, cli, commands, &mut logged);
    let is_purged =
        matches!(&cli.action, Some(Action::Uninstall(args)) if args.purge) && outcome.is_ok() && !request.dry_run;
    if is_purged {
        // Nobody wants a log of what is gone.
        let _ = std::fs::remove_file(request.root.at(LOG_FILE));
    } else if !request.dry_run && !request.root.is_staged() {
        logged.write(&request.root, &outcome);
    }
    outcome
}

fn act(request: &Request, cli: &Cli, commands: &mut dyn Commands, listener: &mut dyn Listener) -> Result<(), Failure> {
    // What a package brought is only looked at. An interrupted change from before it is still taken back.
    let is_theirs_too = matches!(
        &cli.action,
        Some(Action::Verify | Action::Doctor | Action::Status | Action::Recover(_) | Action::RestartByPolicy)
    );
    if !is_theirs_too {
        refuse_packaged(&request.root)?;
    }
    match &cli.action {
        None => install::run(request, &cli.install, commands, listener),
        Some(Action::Check(args)) => check::run(request, args, commands, listener),
        Some(Action::Verify) => verify::run(request, commands, listener),
        Some(Action::Doctor) => doctor::run(request, commands, listener),
        Some(Action::Status) => status::run(request, commands, listener),
        Some(Action::Install(args)) => install::run(request, args, commands, listener),
        Some(Action::Upgrade(args)) => install::upgrade(request, args, commands, listener),
        Some(Action::Rollback(args)) => rollback::run(request, args.generation, commands, listener),
        Some(Action::Web(args)) => web::run(request, args, commands, listener),
        Some(Action::RestartByPolicy) => restart_by_policy::run(request, commands, listener),
        Some(Action::Uninstall(args)) => uninstall::run(request, args.purge, commands, listener),
        Some(Action::Recover(args)) => recover::run(request, args.boot, commands, listener),
    }
}

/// Shows the plan where that was asked for, and asks before the first change. `false`: go no further.
fn may_apply(request: &Request, steps: &[Step], listener: &mut dyn Listener) -> Result<bool, Failure> {
    if request.dry_run {
        show(steps, listener);
        listener.note(Note::PlanEnds);
        return Ok(false);
    }
    if steps.iter().any(Step::is_change) && !request.yes && listener.can_ask() {
        show(steps, listener);
        if !listener.may_go_on() {
            return Err(Failure::Cancelled);
        }
    }
    Ok(true)
}

fn show(steps: &[Step], listener: &mut dyn Listener) {
    listener.note(Note::PlanBegins);
    for (index, step) in steps.iter().enumerate() {
        listener.planned(index + 1, step);
    }
}

/// Carries a plan out.
fn apply(
    request: &Request,
    contents: &std::collections::BTreeMap<String, Vec<u8>>,
    steps: &[Step],
    receipt: Receipt,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<(), Failure> {
    let completed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Apply::new(&request.root, contents, commands, listener).run(steps, &Receipt { completed, ..receipt })
}

/// Takes the lock, and takes back what an interrupted run left. A dry run only tells.
fn prepare(
    request: &Request,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<Option<Flock<File>>, Failure> {
    let state = StateDir::of(&request.root);
    if request.dry_run {
        if state.active().exists() {
            listener.note(Note::Interrupted);
        }
        return Ok(None);
    }
    let lock = lock(&request.root)?;
    recover::take_back_interrupted(&request.root, false, commands, listener)?;
    Ok(lock)
}

/// Holds a lock on the tree's top directory: nothing is left behind, and a killed run lets go of it.
/// A file system without locks is no reason to refuse.
fn lock(root: &Root) -> Result<Option<Flock<File>>, Failure> {
    let unusable = |error: std::io::Error| Failure::RootUnusable {
        path: root.dir().display().to_string(),
        reason: error.to_string(),
    };
    let dir = File::open(root.dir()).map_err(unusable)?;
    match Flock::lock(dir, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => Err(Failure::Busy),
        Err(_) => Ok(None),
    }
}
