//! Looking before touching: what on this host will keep Supervisor from being installed or from running, with the
//! evidence and the next step for each.
//!
//! `install check` tells everything; a run that changes something looks first too, tells what is not as it should be, and
//! a failure refuses the change. `verify` and `doctor` use the same findings. The files are groups of probes; the one
//! that decides is `program`: the new program itself, run where it will be.

mod config;
mod down;
mod finding;
pub mod mounts;
mod other;
mod place;
mod program;
mod security;
mod service;
mod system;

pub use config::{console_port, socket_path};
pub use down::service_down;
pub use finding::{Finding, Probe, Trouble, Verdict};
pub use other::others;
pub use program::{Barriers, SelfTest, Trial, judge, put_on_trial};
pub use security::{has_fapolicyd, kysec_unmarked};
pub use service::unit;

use std::collections::BTreeMap;

use super::bundle::{Manifest, MemberKind};
use super::commands::Commands;
use super::host::Root;
use super::plan::{Facts, Found};
use super::takeover::Findings;
use mounts::Mounts;

/// What the operator decides about the looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// Probes or troubles that are known better: their failures become warnings.
    pub ignore: Vec<String>,
    /// Leave fapolicyd alone.
    pub no_fapolicyd: bool,
}

/// What is looked at, and with what.
pub struct Look<'a> {
    /// The tree.
    pub root: &'a Root,
    /// The running host.
    pub commands: &'a mut dyn Commands,
    /// What the plan knows of the host.
    pub facts: &'a Facts,
    /// What is to be installed.
    pub manifest: &'a Manifest,
    /// Its bytes; empty when nothing may be written, so that the program is not tried.
    pub contents: &'a BTreeMap<String, Vec<u8>>,
    /// The configuration of the service.
    pub config: &'a str,
    /// What keeps the programs out of `/usr`, if anything does.
    pub usr_obstacle: Option<&'a str>,
    /// Other Supervisors, which are to be replaced: what is known of them is no finding.
    pub olds: &'a Findings,
    /// `uname -m`.
    pub machine: &'a str,
    /// The operator's choices.
    pub choices: &'a Choices,
}

/// Looks at everything that matters for an installation. A tree that does not run has little to look at.
pub fn look(look: &mut Look<'_>) -> Vec<Finding> {
    let mounts = if look.root.is_staged() { Mounts::default() } else { Mounts::read(look.root) };
    let mut found = system::root(look.facts);
    found.extend(system::architecture(look.root, &look.manifest.arch, look.machine));
    found.extend(place::places(look, &mounts));
    if !look.root.is_staged() {
        found.extend(system::systemd(look.root, look.commands));
        found.extend(system::umask(look.root));
        found.extend(place::logs(look.root, look.config, look.facts, &mounts));
        let barriers = security::barriers(look.root, look.facts.prefix, look.commands, &mounts);
        found.extend(security::judge(look.commands, &barriers, look.choices.no_fapolicyd));
        found.extend(other::supervisors(look));
        found.extend(service::unit(look.root, look.facts));
        found.extend(program::tried(look, &barriers));
        found.extend(config::port(look.root, look.config, look.facts));
    }
    found.into_iter().map(|finding| finding.ignored(&look.choices.ignore)).collect()
}

/// Looks that need no bundle: what `doctor` asks of a host where Supervisor is installed.
pub fn examine(
    root: &Root,
    config: &str,
    facts: &Facts,
    commands: &mut dyn Commands,
    choices: &Choices,
) -> Vec<Finding> {
    let mounts = Mounts::read(root);
    let mut found = system::root(facts);
    found.extend(system::systemd(root, commands));
    let barriers = security::barriers(root, facts.prefix, commands, &mounts);
    found.extend(security::judge(commands, &barriers, choices.no_fapolicyd));
    found.extend(program::installed(root, facts.prefix, commands, &barriers));
    found.extend(other::paths(root, facts.prefix, &[]));
    found.extend(other::running(root, facts.prefix, commands, &[]));
    found.extend(service::unit(root, facts));
    found.extend(place::logs(root, config, facts, &mounts));
    found.extend(service::log_dir(root, config));
    found.extend(config::valid(root, config, commands, &root.at(facts.prefix.program())));
    found.extend(config::port(root, config, facts));
    found.extend(config::socket(root, config, facts));
    found.extend(service::service(root, config, facts, commands));
    found.into_iter().map(|finding| finding.ignored(&choices.ignore)).collect()
}

/// Whether a file of the bundle must be written. A host that needs no change is never refused for what only one needs.
fn needs_change(facts: &Facts, manifest: &Manifest) -> bool {
    manifest.members.iter().any(|member| match (&member.kind, facts.found.get(&member.path)) {
        (_, None) => true,
        (MemberKind::File { config: false, sha256: wanted, .. }, Some(Found::File { sha256, .. })) => wanted != sha256,
        _ => false,
    })
}
