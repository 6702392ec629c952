//! `install` and `upgrade`: from a bundle to the verified service.

use crate::kit::bundle::Bundle;
use crate::kit::cli::{Distro, InstallArgs, Request, SignatureArgs, UpgradeArgs, WebArgs};
use crate::kit::commands::Commands;
use crate::kit::diff;
use crate::kit::failure::Failure;
use crate::kit::host::Root;
use crate::kit::host::detect::{System, detect};
use crate::kit::host::{evidence, os_release, probe, usr};
use crate::kit::listener::Listener;
use crate::kit::plan::{Facts, Restart, Step, Wishes, plan, receipt, with_offers, without_stale};
use crate::kit::prefix::{Prefix, has_links};
use crate::kit::preflight::put_on_trial;
use crate::kit::restart_policy;
use crate::kit::state::{Receipt, StateDir, Verb};
use crate::kit::sysv;
use crate::kit::takeover::{self, Findings, Refusal, Told};
use crate::kit::text::{Change, Note};
use crate::kit::tree::CONFIG;

use super::check;

/// Installs. Until the plan is applied, nothing is changed.
///
/// # Errors
/// Why it did not succeed. Then the host is as it was before.
pub fn run(
    request: &Request,
    args: &InstallArgs,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<(), Failure> {
    let order = Order {
        distro: args.distro,
        verb: Verb::Install,
        wishes: args.wishes(),
        may_replace: args.replace,
        is_live: args.live,
        signature: &args.signature,
    };
    // What is wrong with the console is better known before anything is installed.
    super::web::check(&args.console)?;
    let is_fresh = bring(request, &order, commands, listener)?;
    // A daemon that was started a moment ago may be restarted: nothing has been in its hands for long.
    if request.dry_run && StateDir::of(&request.root).receipt()?.is_none() {
        return Ok(());
    }
    let asked = args.console.web_restart;
    let web_restart = if is_fresh { Restart::Always } else { asked };
    super::web::run(request, &WebArgs { web_restart, ..args.console.clone() }, commands, listener)
}

/// Brings another version to a host where one is installed.
///
/// # Errors
/// [`Failure::NotInstalled`], or why it did not succeed. Then the host is as it was before.
pub fn upgrade(
    request: &Request,
    args: &UpgradeArgs,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<(), Failure> {
    let restart = match args.restart {
        Some(restart) => restart,
        None => restart_policy::of(&request.root)?.unwrap_or_default(),
    };
    if StateDir::of(&request.root).receipt()?.is_none() {
        return Err(Failure::NotInstalled);
    }
    let wishes = Wishes { enable: false, start: false, restart };
    let signature = &args.signature;
    let order =
        Order { distro: Distro::Auto, verb: Verb::Upgrade, wishes, may_replace: false, is_live: false, signature };
    bring(request, &order, commands, listener).map(drop)
}

/// What is to be brought about.
struct Order<'a> {
    distro: Distro,
    verb: Verb,
    wishes: Wishes,
    /// Whether another Supervisor may be replaced.
    may_replace: bool,
    /// Whether its programs are to run on.
    is_live: bool,
    signature: &'a SignatureArgs,
}

/// Answers whether the service was started, with nobody's programs from before.
fn bring(
    request: &Request,
    order: &Order<'_>,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<bool, Failure> {
    tell_system(request, order.distro, listener);
    let bundle = open(request, order.signature, listener)?;
    bundle.check_architecture(&check::machine())?;
    let _lock = super::prepare(request, commands, listener)?;
    let olds = find_old(request, order, commands, listener)?;
    let mut start = Start::look(request, bundle, olds, commands)?;
    check::before_change(request, &start, commands, listener)?;
    if order.is_live {
        start.olds.live = look_live(request, &start, commands, listener)?;
    }
    let Start { bundle, before, olds, config, facts, .. } = &start;
    let manifest = &bundle.manifest;
    let installed = before.as_ref().map(|receipt| &receipt.installed);
    let steps = with_offers(plan(facts, manifest, order.wishes)?, facts, manifest, installed);
    let steps = without_stale(steps, facts, manifest, installed);
    let mut steps = takeover::weave(olds, steps, facts);
    sysv::register(&mut steps, order.wishes.enable, commands);
    if let Some(receipt) = before {
        tell_direction(&receipt.version, &manifest.version, listener);
    }
    tell_offers(request, &steps, bundle, listener);
    if !super::may_apply(request, &steps, listener)? {
        return Ok(false);
    }
    let verb = if olds.is_empty() { order.verb } else { Verb::Replace };
    let mut receipt = receipt(verb, facts, manifest, &steps, installed);
    receipt.installed.config.clone_from(config);
    super::apply(request, &bundle.contents, &steps, receipt, commands, listener)?;
    let is_change = steps.iter().any(Step::is_change);
    let version = manifest.version.clone();
    listener.note(if is_change { Note::Installed { version } } else { Note::UpToDate { version } });
    if facts.prefix != Prefix::Usr && is_change {
        let (dir, has_links) = (facts.prefix.program_dir(), has_links(&manifest.members));
        listener.note(Note::Elsewhere { dir, has_links });
    }
    tell_next(&steps, facts, request, listener);
    Ok(steps.contains(&Step::Start) && olds.is_empty())
}

/// What an installation begins with.
pub(super) struct Start {
    pub(super) bundle: Bundle,
    /// What is installed.
    pub(super) before: Option<Receipt>,
    /// Other Supervisors, which are to be replaced.
    pub(super) olds: Findings,
    /// The configuration, when it is not at the usual place.
    pub(super) config: Option<String>,
    /// What keeps the programs out of `/usr`, if anything does.
    pub(super) usr_obstacle: Option<String>,
    /// The facts as they will be without the old ones.
    pub(super) facts: Facts,
}

impl Start {
    /// Looks at the host, and makes the bundle fit it: another place of the configuration, no systemd.
    pub(super) fn look(
        request: &Request,
        mut bundle: Bundle,
        olds: Findings,
        commands: &mut dyn Commands,
    ) -> Result<Start, Failure> {
        let before = StateDir::of(&request.root).receipt()?;
        let config = config_of(&olds, before.as_ref())?;
        let usr_obstacle = usr::obstacle(&request.root, &bundle.manifest)?;
        let (prefix, has_links) = match &before {
            Some(Receipt { installed, .. }) => (installed.prefix, has_links(&installed.members)),
            None if usr_obstacle.is_some() => (Prefix::Opt, usr::may_link(&request.root)?),
            None => (Prefix::Usr, false),
        };
        let (manifest, contents) = (&mut bundle.manifest, &mut bundle.contents);
        prefix.adapt(manifest, contents, has_links);
        takeover::adapt(manifest, contents, prefix, config.as_deref());
        if sysv::is_wanted(&request.root) {
            takeover::add(manifest, contents, sysv::INIT_SCRIPT, 0o755, prefix.fit(sysv::INIT_TEXT).into_bytes());
        }
        let mut facts = probe::gather(&request.root, &bundle.manifest, prefix, before.as_ref(), &olds, commands)?;
        takeover::adjust(&mut facts, &olds);
        refuse_foreign_unit(&request.root, prefix, before.as_ref(), &olds)?;
        if request.choices.no_fapolicyd {
            facts.trust_file = None;
        }
        Ok(Start { bundle, before, olds, config, usr_obstacle, facts })
    }
}

/// The bundle, once it is known to be whole and of the right origin.
pub(super) fn open(
    request: &Request,
    signature: &SignatureArgs,
    listener: &mut dyn Listener,
) -> Result<Bundle, Failure> {
    let (bundle, signed) = Bundle::open_signed(&request.bundle, &signature.trust(&request.root))?;
    let manifest = &bundle.manifest;
    let version = format!("{} {}", manifest.name, manifest.version);
    listener.note(Note::Bundle { version, arch: manifest.arch.clone() });
    listener.note(Note::Change(Change::Signed(signed)));
    Ok(bundle)
}

/// Another Supervisor on this host, which only `--replace` may replace.
fn find_old(
    request: &Request,
    order: &Order<'_>,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<Findings, Failure> {
    let findings = takeover::look(&request.root, commands);
    match (findings.is_empty(), order.may_replace) {
        (true, _) => Ok(findings),
        (false, false) => Err(Failure::Takeover(Refusal::Found(Box::new(findings)))),
        (false, true) => {
            listener.note(Note::Takeover(Told::Found(Box::new(findings.clone()))));
            Ok(findings)
        }
    }
}

/// How the programs will be taken over while they run, told beforehand. The new program looks, before it is installed.
fn look_live(
    request: &Request,
    start: &Start,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<Option<takeover::Live>, Failure> {
    let Start { bundle, olds, facts, .. } = start;
    let bytes = bundle.contents.get(facts.prefix.program()).map_or(&[][..], Vec::as_slice);
    let unwritable = |error: std::io::Error| Failure::NotWritable {
        path: facts.prefix.program_dir().to_owned(),
        reason: error.to_string(),
    };
    let trial = put_on_trial(&request.root, facts.prefix, bytes, commands).map_err(unwritable)?;
    let live = takeover::live::look(olds, &trial.path, commands)?;
    let told = live.clone().map_or(Told::NothingLive, |live| Told::Live(Box::new(live)));
    listener.note(Note::Takeover(told));
    Ok(live)
}

/// The configuration, when it is not at the usual place: that of the old Supervisor, or of an earlier takeover.
fn config_of(findings: &Findings, before: Option<&Receipt>) -> Result<Option<String>, Failure> {
    let theirs = findings.config().map_err(Failure::Takeover)?;
    let kept = before.and_then(|receipt| receipt.installed.config.clone());
    Ok(theirs.filter(|_| !findings.is_empty()).map(str::to_owned).or(kept).filter(|path| path != CONFIG))
}

/// Where our unit goes to the administrator's directory, one of his own is no file of ours to replace. One that is masked
/// has a finding of its own.
fn refuse_foreign_unit(root: &Root, prefix: Prefix, before: Option<&Receipt>, olds: &Findings) -> Result<(), Failure> {
    let path = prefix.unit();
    let is_ours = before.is_some_and(|receipt| receipt.installed.members.iter().any(|member| member.path == path));
    let is_replaced = olds.units.iter().any(|unit| unit.path == path);
    let is_there = prefix == Prefix::Opt && root.at(path).is_file();
    if is_there && !is_ours && !is_replaced { Err(Failure::InTheWay { path: path.to_owned() }) } else { Ok(()) }
}

/// An older version is as welcome as a newer one, but nobody should bring it by mistake.
fn tell_direction(from: &str, to: &str, listener: &mut dyn Listener) {
    if version_numbers(to) < version_numbers(from) {
        listener.note(Note::Change(Change::Downgrade { from: from.to_owned(), to: to.to_owned() }));
    }
}

fn version_numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|number| number.parse().ok()).collect()
}

fn tell_offers(request: &Request, steps: &[Step], bundle: &Bundle, listener: &mut dyn Listener) {
    for step in steps {
        let Step::Offer { path, .. } = step else { continue };
        let theirs = request.root.read(path).unwrap_or_default();
        let ours = bundle.contents.get(path).map_or(&[][..], Vec::as_slice);
        let diff = diff::unified(&String::from_utf8_lossy(&theirs), &String::from_utf8_lossy(ours));
        listener.note(Note::Change(Change::Offered { path: path.clone(), diff }));
    }
}

fn recognise(request: &Request, distro: Distro) -> System {
    let asked = match distro {
        Distro::Auto => None,
        Distro::Given(family) => Some(family),
    };
    detect(os_release::read(&request.root), evidence::gather(&request.root), asked)
}

/// Tells which system this is and what goes with it.
pub(super) fn tell_system(request: &Request, distro: Distro, listener: &mut dyn Listener) {
    let system = recognise(request, distro);
    listener.note(Note::System(Box::new(system.clone())));
    if system.is_contradictory() {
        listener.note(Note::Contradiction);
    }
    for hint in system.hints() {
        listener.note(Note::Hint(*hint));
    }
    if request.root.is_staged() && !nix::unistd::geteuid().is_root() {
        listener.note(Note::NotOwnedByRoot);
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
