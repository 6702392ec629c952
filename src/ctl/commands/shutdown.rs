//! `shutdown`

use super::{Command, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::accepts_no_arguments;
use crate::ctl::session::Session;
use crate::xmlrpc::code;

pub(super) const COMMAND: Command =
    Command { name: "shutdown", help: &[("shutdown", "Stop supervisord and everything it runs")], run };

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !arg.is_empty() {
        return Ok(accepts_no_arguments(session, &COMMAND));
    }
    if !session.confirm("Really shut the remote supervisord process down y/N? ") {
        return Ok(Next::Prompt);
    }
    match session.call("shutdown", &[]) {
        Ok(_) => session.line("Shut down"),
        Err(error) if error.fault_code() == Some(code::SHUTDOWN_STATE) => session.line("ERROR: already shutting down"),
        Err(error @ (CallError::Refused(_) | CallError::NoSocket(_))) => {
            session.fail(exit::GENERIC, format_args!("ERROR: {error} (already shut down?)"));
        }
        Err(error) => return Err(error),
    }
    Ok(Next::Prompt)
}
