//! Another number of processes for a program: what the configuration makes of it, then the core's decision.

use super::rpc_call::Reply;
use super::run::Daemon;
use crate::config::{self, ScaleError};
use crate::core::Request;
use crate::xmlrpc::{Fault, code};

impl Daemon<'_> {
    /// Reads what the processes of the group would be, as many as run and as many as are wanted, and asks the core.
    pub(super) fn scale(&mut self, group: &str, numprocs: i64) -> Reply {
        let Some(active) = self.core.groups().iter().find(|active| active.name == group) else {
            return Reply::Answer(Err(Fault::with(code::BAD_NAME, group)));
        };
        let running = i64::try_from(active.members.len()).unwrap_or(i64::MAX);
        let read = config::scaled(&self.shell.options, &*self.shell.host, group, [running, numprocs]);
        match read {
            Ok([same, wanted]) => self.request(Request::Scale { same: Box::new(same), wanted: Box::new(wanted) }),
            Err(error) => Reply::Answer(Err(Fault::with(code::FAILED, explained(&error)))),
        }
    }
}

/// With the next step, where there is one.
fn explained(error: &ScaleError) -> String {
    match error {
        ScaleError::Config(cause) => match &cause.next_step {
            Some(next_step) => format!("{cause}; {next_step}"),
            None => cause.to_string(),
        },
        ScaleError::NoSection(_) | ScaleError::ManyPrograms(_) | ScaleError::Member { .. } => error.to_string(),
    }
}
