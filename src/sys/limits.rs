//! Resource limits of the daemon, which its children inherit.

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use thiserror::Error;

/// A limit that the configuration sets a minimum for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `minfds`: RLIMIT_NOFILE.
    OpenFiles,
    /// `minprocs`: RLIMIT_NPROC.
    Processes,
}

/// A minimum that this environment does not grant (`Supervisor: options.py set_rlimits_or_exit()`). The text names the hard
/// limit that is really in force.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", self.text())]
pub struct LimitError {
    /// Which one.
    pub limit: Limit,
    /// The minimum asked for.
    pub minimum: u64,
    /// The hard limit in force.
    pub hard: u64,
}

impl LimitError {
    fn text(&self) -> String {
        let Self { limit, minimum, hard } = self;
        let (what, whose, key, things, many, subject) = match limit {
            Limit::OpenFiles => {
                ("number of file descriptors", "process", "minfds", "file descriptors", "file descriptors", "process")
            }
            Limit::Processes => {
                ("number of available processes", "program", "minprocs", "processes", "processes", "program")
            }
        };
        format!(
            "The minimum {what} required to run this {whose} is {minimum} as per the \"{key}\" command-line argument or \
             config file setting. The current environment will only allow you to open {hard} {things}.  Either raise the \
             number of usable {many} in your environment (see README.rst) or lower the {key} setting in the config file to \
             allow the {subject} to start."
        )
    }
}

/// Raises the soft limit to `minimum` if it is lower, and the hard limit with it if we may. Returns the line for the activity
/// log when something was raised.
///
/// # Errors
/// [`LimitError`] when the operating system refuses.
pub fn raise(limit: Limit, minimum: i64) -> Result<Option<String>, LimitError> {
    let (resource, name) = match limit {
        Limit::OpenFiles => (Resource::RLIMIT_NOFILE, "RLIMIT_NOFILE"),
        Limit::Processes => (Resource::RLIMIT_NPROC, "RLIMIT_NPROC"),
    };
    let Ok(minimum) = u64::try_from(minimum) else {
        return Ok(None);
    };
    let (soft, hard) = getrlimit(resource).unwrap_or((RLIM_INFINITY, RLIM_INFINITY));
    // RLIM_INFINITY is the largest number, so "unlimited" needs no case of its own.
    if soft >= minimum {
        return Ok(None);
    }
    setrlimit(resource, minimum, hard.max(minimum)).map_err(|_| LimitError { limit, minimum, hard })?;
    Ok(Some(format!("Increased {name} limit to {minimum}")))
}
