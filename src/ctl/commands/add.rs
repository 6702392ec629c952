//! `add`

use super::{Command, Completes, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

pub(super) const COMMAND: Command = Command {
    name: "add",
    completes: Completes::Groups,
    has_json: false,
    help: &[("add <name> [...]", "Activate groups that were read but are not active", "启用已读取但尚未启用的组")],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    for name in arg.split_whitespace() {
        let Err(error) = session.call("addProcessGroup", &[Value::from(name)]) else {
            session.line(format_args!("{name}: added process group"));
            continue;
        };
        match error.fault_code() {
            Some(code::SHUTDOWN_STATE) => session.fail(exit::GENERIC, "ERROR: shutting down"),
            Some(code::ALREADY_ADDED) => session.line("ERROR: process group already active"),
            Some(code::BAD_NAME) => session.fail(exit::GENERIC, format_args!("ERROR: no such process/group: {name}")),
            _ => return Err(error),
        }
    }
    Ok(Next::Prompt)
}
