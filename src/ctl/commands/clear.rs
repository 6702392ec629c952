//! `clear`

use super::change::Change;
use super::{Command, Completes, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::session::Session;
use crate::xmlrpc::code;

pub(super) const COMMAND: Command = Command {
    name: "clear",
    completes: Completes::Processes,
    has_json: false,
    help: &[
        ("clear <name>", "Empty the logs of one process", "清空一个进程的日志"),
        ("clear <gname>:*", "Empty the logs of every process of a group", "清空一个组中所有进程的日志"),
        ("clear <name> <name>", "Empty the logs of several processes or groups", "清空多个进程或组的日志"),
        ("clear all", "Empty the logs of every process", "清空所有进程的日志"),
    ],
    run,
};

const CLEAR: Change<'static> = Change {
    process_method: "clearProcessLogs",
    group_method: None,
    all_method: "clearAllProcessLogs",
    parameter: None,
    done: "cleared",
    faults: &[(code::BAD_NAME, "no such process"), (code::FAILED, "failed")],
    failed_text: false,
    ignored_fault: None,
    no_such_group_status: exit::GENERIC,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !session.upcheck()? {
        return Ok(Next::Prompt);
    }
    let names: Vec<&str> = arg.split_whitespace().collect();
    if names.is_empty() {
        return Ok(wrong_usage(session, &COMMAND, exit::GENERIC, "clear requires a process name"));
    }
    CLEAR.apply(session, &names)?;
    Ok(Next::Prompt)
}
