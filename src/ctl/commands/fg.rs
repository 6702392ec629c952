//! `fg`

use super::{Command, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::session::Session;

pub(super) const COMMAND: Command = Command {
    name: "fg",
    help: &[("fg <process>", "Not in this version; tail -f shows the output of a process")],
    run,
};

fn run(session: &mut Session, _arg: &str) -> Result<Next, CallError> {
    session
        .fail(exit::GENERIC, "ERROR: fg is not in this version of supervisorctl; use tail -f <name> to see the output");
    Ok(Next::Prompt)
}
