//! `stop`

use super::change::Change;
use super::{Command, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::session::Session;
use crate::xmlrpc::code;

pub(super) const COMMAND: Command = Command {
    name: "stop",
    help: &[
        ("stop <name>", "Stop one process"),
        ("stop <gname>:*", "Stop every process of a group"),
        ("stop <name> <name>", "Stop several processes or groups"),
        ("stop all", "Stop every process"),
    ],
    run,
};

const STOP: Change<'static> = Change {
    process_method: "stopProcess",
    group_method: Some("stopProcessGroup"),
    all_method: "stopAllProcesses",
    parameter: None,
    done: "stopped",
    faults: &[
        (code::BAD_NAME, "no such process"),
        (code::BAD_SIGNAL, "bad signal name"),
        (code::NOT_RUNNING, "not running"),
    ],
    failed_text: true,
    ignored_fault: Some(code::NOT_RUNNING),
    no_such_group_status: exit::GENERIC,
};

pub(super) fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !session.upcheck()? {
        return Ok(Next::Prompt);
    }
    let names: Vec<&str> = arg.split_whitespace().collect();
    if names.is_empty() {
        return Ok(wrong_usage(session, &COMMAND, exit::GENERIC, "stop requires a process name"));
    }
    STOP.apply(session, &names)?;
    Ok(Next::Prompt)
}
