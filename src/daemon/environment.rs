//! The environment of a child (`Supervisor: process.py _spawn_as_child()`, `options.py`).

use std::ffi::{OsStr, OsString};

use crate::config::{Address, Config};
use crate::core::SpawnPlan;
use crate::sys::notify::PRIVATE_VARIABLES;
use crate::sys::tree::MARK_VARIABLE;

/// What every child inherits, taken once at the start of the daemon.
#[derive(Debug)]
pub struct Inherited {
    variables: Vec<(OsString, OsString)>,
    server_url: Option<String>,
}

impl Inherited {
    /// From the daemon's own environment, less what a service manager meant for the daemon alone.
    pub fn capture(config: &Config) -> Self {
        let is_ours = |name: &OsStr| PRIVATE_VARIABLES.iter().any(|private| name == *private);
        Inherited {
            variables: std::env::vars_os().filter(|(name, _)| !is_ours(name)).collect(),
            server_url: server_url(config),
        }
    }

    /// The whole environment of one child. Later settings replace earlier ones: inherited, then `SUPERVISOR_*`, then the
    /// program's own.
    pub fn of_child(&self, plan: &SpawnPlan<'_>) -> Vec<(OsString, OsString)> {
        let mut added: Vec<(&str, &str)> = vec![("SUPERVISOR_ENABLED", "1")];
        if let Some(url) = plan.config.serverurl.as_deref().or(self.server_url.as_deref()) {
            added.push(("SUPERVISOR_SERVER_URL", url));
        }
        added.push(("SUPERVISOR_PROCESS_NAME", &plan.config.name));
        added.push(("SUPERVISOR_GROUP_NAME", plan.group));
        for (name, value) in &plan.config.environment {
            match added.iter_mut().find(|(known, _)| known == name) {
                Some(known) => known.1 = value,
                None => added.push((name, value)),
            }
        }
        // Last, so that a program cannot lose it; a program of another supervisord below us does not get ours.
        added.retain(|(name, _)| *name != MARK_VARIABLE);
        added.extend(plan.mark.map(|mark| (MARK_VARIABLE, mark)));
        let is_added = |name: &OsStr| added.iter().any(|(known, _)| name == *known);
        let inherited = self.variables.iter().filter(|(name, _)| !is_added(name)).cloned();
        inherited.chain(added.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)))).collect()
    }
}

/// The PATH that a program's command is looked up in: its own, else the daemon's.
pub fn path_variable(plan: &SpawnPlan<'_>) -> Option<String> {
    let own = plan.config.environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
    own.or_else(|| std::env::var("PATH").ok())
}

/// Where children find the daemon: the first Unix server, else the last TCP one.
fn server_url(config: &Config) -> Option<String> {
    let unix = config.servers.iter().find_map(|server| match &server.address {
        Address::Unix { path, .. } => Some(format!("unix://{}", path.display())),
        Address::Inet { .. } => None,
    });
    unix.or_else(|| {
        config.servers.iter().rev().find_map(|server| match &server.address {
            Address::Inet { host, port } if host.is_empty() => Some(format!("http://localhost:{port}")),
            Address::Inet { host, port } => Some(format!("http://{host}:{port}")),
            Address::Unix { .. } => None,
        })
    })
}
