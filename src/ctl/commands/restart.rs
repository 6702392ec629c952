//! `restart`

use super::{Command, Next, start, stop};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::session::Session;

pub(super) const COMMAND: Command = Command {
    name: "restart",
    help: &[
        ("restart <name>", "Stop and start one process"),
        ("restart <gname>:*", "Stop and start every process of a group"),
        ("restart <name> <name>", "Stop and start several processes or groups"),
        ("restart all", "Stop and start every process"),
        ("", "The configuration is not read again: see reread and update."),
    ],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !session.upcheck()? {
        return Ok(Next::Prompt);
    }
    if arg.is_empty() {
        return Ok(wrong_usage(session, &COMMAND, exit::GENERIC, "restart requires a process name"));
    }
    stop::run(session, arg)?;
    start::run(session, arg)
}
