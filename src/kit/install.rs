//! `install`, from the command line to the verified service.

use std::fs::File;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::utsname::uname;

use super::apply::Apply;
use super::bundle::Bundle;
use super::commands::Commands;
use super::failure::Failure;
use super::host::detect::{Family, System, detect};
use super::host::{Root, evidence, os_release, probe};
use super::listener::Listener;
use super::plan::{Facts, Step, Wishes, plan};
use super::text::{Lang, Note};
use super::tree::UNIT_OVERRIDE;

/// Installs Supervisor from this bundle, without internet.
#[derive(Debug, Parser)]
#[command(name = "install", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// Kind of system; `auto` looks at os-release and the package database
    #[arg(long, value_enum, default_value = "auto", value_name = "FAMILY")]
    pub distro: Distro,
    /// Print what would be done, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Install into this directory instead of the running system
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Do not start the service with the machine
    #[arg(long)]
    pub no_enable: bool,
    /// Do not start the service now
    #[arg(long)]
    pub no_start: bool,
    /// Do not ask anything
    #[arg(long, short)]
    pub yes: bool,
    /// Language of messages [default: from LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
    /// Folder of the unpacked bundle [default: the folder of this program]
    #[arg(long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0 done or already up to date    2 wrong usage                   3 not root
  4 bundle missing or damaged     5 wrong architecture            6 destination cannot be written
  7 configuration has an error    8 service did not come up       9 a step failed and was taken back
  10 another Supervisor is there  11 the system refuses to run it  12 another installer is at work
  130 cancelled";

/// The values of `--distro`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distro {
    /// Find out.
    Auto,
    /// Take the operator's word.
    Given(Family),
}

impl ValueEnum for Distro {
    fn value_variants<'a>() -> &'a [Distro] {
        use Family::*;
        const ALL: [Distro; 7] = [
            Distro::Auto,
            Distro::Given(RedHat),
            Distro::Given(Uos),
            Distro::Given(Kylin),
            Distro::Given(Debian),
            Distro::Given(Suse),
            Distro::Given(Generic),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        match self {
            Distro::Auto => Some(clap::builder::PossibleValue::new("auto")),
            Distro::Given(family) => family.to_possible_value(),
        }
    }
}

/// What to install where.
#[derive(Debug)]
pub struct Request {
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// The tree.
    pub root: Root,
    /// Kind of system.
    pub distro: Distro,
    /// What the operator wants.
    pub wishes: Wishes,
    /// Only show the plan.
    pub dry_run: bool,
    /// Do not ask.
    pub yes: bool,
}

impl Request {
    /// Finds the bundle and the tree that a command line names.
    ///
    /// # Errors
    /// `--root` names no directory.
    pub fn from_cli(cli: Cli) -> Result<Request, Failure> {
        let beside = || std::env::current_exe().ok().and_then(|exe| exe.parent().map(PathBuf::from));
        Ok(Request {
            bundle: cli.bundle.or_else(beside).unwrap_or_else(|| PathBuf::from(".")),
            root: cli.root.map_or_else(|| Ok(Root::live()), |dir| Root::staged(&dir))?,
            distro: cli.distro,
            wishes: Wishes { enable: !cli.no_enable, start: !cli.no_start },
            dry_run: cli.dry_run,
            yes: cli.yes,
        })
    }
}

/// Installs. Until the plan is applied, nothing is changed.
///
/// # Errors
/// Why it did not succeed. Then the host is as it was before.
pub fn run(request: &Request, commands: &mut dyn Commands, listener: &mut dyn Listener) -> Result<(), Failure> {
    let system = recognise(request);
    tell_system(&system, request, listener);
    let bundle = Bundle::open(&request.bundle)?;
    let manifest = &bundle.manifest;
    bundle.check_architecture(&machine())?;
    let version = manifest.version.clone();
    listener.note(Note::Bundle { version: format!("{} {version}", manifest.name), arch: manifest.arch.clone() });

    let _lock = if request.dry_run { None } else { lock(&request.root)? };
    let facts = probe::gather(&request.root, manifest, commands)?;
    let steps = plan(&facts, manifest, request.wishes)?;
    if request.dry_run {
        show(&steps, listener);
        listener.note(Note::PlanEnds);
        return Ok(());
    }
    let is_change = steps.iter().any(Step::is_change);
    if is_change && !request.yes && listener.can_ask() {
        show(&steps, listener);
        if !listener.may_go_on() {
            return Err(Failure::Cancelled);
        }
    }
    Apply::new(&request.root, &bundle.contents, commands, listener).run(&steps)?;
    listener.note(if is_change { Note::Installed { version } } else { Note::UpToDate { version } });
    tell_next(&steps, &facts, request, listener);
    Ok(())
}

fn recognise(request: &Request) -> System {
    let asked = match request.distro {
        Distro::Auto => None,
        Distro::Given(family) => Some(family),
    };
    detect(os_release::read(&request.root), evidence::gather(&request.root), asked)
}

fn tell_system(system: &System, request: &Request, listener: &mut dyn Listener) {
    listener.note(Note::System(Box::new(system.clone())));
    if system.is_contradictory() {
        listener.note(Note::Contradiction);
    }
    for hint in system.hints() {
        listener.note(Note::Hint(*hint));
    }
    if request.root.exists(UNIT_OVERRIDE) {
        listener.note(Note::UnitShadowed { path: UNIT_OVERRIDE.to_string() });
    }
    if request.root.is_staged() && !nix::unistd::geteuid().is_root() {
        listener.note(Note::NotOwnedByRoot);
    }
}

fn show(steps: &[Step], listener: &mut dyn Listener) {
    listener.note(Note::PlanBegins);
    for (index, step) in steps.iter().enumerate() {
        listener.planned(index + 1, step);
    }
}

fn tell_next(steps: &[Step], facts: &Facts, request: &Request, listener: &mut dyn Listener) {
    let old = steps.iter().find_map(|step| if let Step::TellRestart { pid } = step { Some(*pid) } else { None });
    let is_started = steps.contains(&Step::Start);
    match &facts.service {
        _ if old.is_some() => listener.note(Note::RestartNeeded { pid: old.unwrap_or_default() }),
        Some(_) if is_started => listener.note(Note::NextPrograms),
        Some(service) if service.is_active => {}
        Some(_) => listener.note(Note::NextStart),
        None if facts.is_staged => {
            listener.note(Note::NextStaged { root: request.root.dir().display().to_string() });
        }
        None => listener.note(Note::NextWithoutSystemd),
    }
}

/// The processor as `uname -m` prints it.
fn machine() -> String {
    uname().map(|name| name.machine().to_string_lossy().into_owned()).unwrap_or_default()
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
