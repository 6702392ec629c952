//! From a wish to steps. Pure.

use super::{Deed, Refusal, Wish, edit};
use crate::kit::plan::{Restart, Step};

/// What is known of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebFacts {
    /// The configuration's path.
    pub config: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its permission bits.
    pub mode: u32,
    /// Whether the tree is one that does not run (`--root`): then nobody there can judge the configuration.
    pub is_staged: bool,
    /// Whether the service runs.
    pub is_active: bool,
    /// Whether SELinux labels are to be set.
    pub has_selinux: bool,
    /// Whether firewalld runs.
    pub has_firewall: bool,
    /// Ports that we opened.
    pub opened: Vec<u16>,
}

/// Answers the steps and the new configuration; no steps when all is as wished.
///
/// # Errors
/// The configuration has a server section of its own.
pub fn plan(facts: &WebFacts, wish: &Wish, opens: bool, restart: Restart) -> Result<(Vec<Step>, Vec<u8>), Refusal> {
    let console = if let Wish::On(console) = wish { Some(console) } else { None };
    let existing = |line| Refusal::Existing { path: facts.config.clone(), line };
    let bytes = edit(&facts.bytes, console).map_err(|found| existing(found.0))?;
    let mut steps = Vec::new();
    let is_changed = bytes != facts.bytes;
    if is_changed {
        let path = || facts.config.clone();
        steps.push(Step::Stage { path: path(), mode: facts.mode, size: bytes.len() as u64, replaces: true });
        if !facts.is_staged {
            steps.push(Step::CheckConfig { is_program_staged: false, is_config_staged: true });
        }
        steps.push(Step::GoLive { path: path(), replaces: true });
        if facts.has_selinux {
            steps.push(Step::Label { paths: vec![path()] });
        }
    }
    let wanted = console.map(|console| console.address.port).filter(|_| opens && facts.has_firewall);
    let stale = facts.opened.iter().filter(|port| console.is_none_or(|console| console.address.port != **port));
    steps.extend(stale.map(|port| Step::Web(Deed::CloseFirewall { port: *port })));
    if let Some(port) = wanted.filter(|port| !facts.opened.contains(port)) {
        steps.push(Step::Web(Deed::OpenFirewall { port }));
    }
    if is_changed && facts.is_active && restart == Restart::Always {
        steps.extend([Step::Restart, Step::Verify { is_fresh: true }]);
        steps.extend(console.map(|console| Step::Web(Deed::Prove { console: console.clone() })));
    }
    Ok((steps, bytes))
}
