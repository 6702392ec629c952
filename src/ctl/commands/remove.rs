//! `remove`

use super::{Command, Completes, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

pub(super) const COMMAND: Command = Command {
    name: "remove",
    completes: Completes::Groups,
    has_json: false,
    help: &[("remove <name> [...]", "Take stopped groups out of the active ones", "停用已停止的组")],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    for name in arg.split_whitespace() {
        let Err(error) = session.call("removeProcessGroup", &[Value::from(name)]) else {
            session.line(format_args!("{name}: removed process group"));
            continue;
        };
        match error.fault_code() {
            Some(code::STILL_RUNNING) => {
                session.fail(exit::GENERIC, format_args!("ERROR: process/group still running: {name}"));
            }
            Some(code::BAD_NAME) => session.fail(exit::GENERIC, format_args!("ERROR: no such process/group: {name}")),
            _ => return Err(error),
        }
    }
    Ok(Next::Prompt)
}
