//! `reload`

use super::{Command, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::accepts_no_arguments;
use crate::ctl::session::Session;
use crate::xmlrpc::code;

pub(super) const COMMAND: Command =
    Command { name: "reload", help: &[("reload", "Restart supervisord and everything it runs")], run };

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !arg.is_empty() {
        return Ok(accepts_no_arguments(session, &COMMAND));
    }
    if !session.confirm("Really restart the remote supervisord process y/N? ") {
        return Ok(Next::Prompt);
    }
    match session.call("restart", &[]) {
        Ok(_) => session.line("Restarted supervisord"),
        Err(error) if error.fault_code() == Some(code::SHUTDOWN_STATE) => {
            session.fail(exit::GENERIC, "ERROR: already shutting down");
        }
        Err(error) => return Err(error),
    }
    Ok(Next::Prompt)
}
