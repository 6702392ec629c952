//! `stop`

use super::change::Change;
use super::{Command, Completes, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::session::Session;
use crate::xmlrpc::code;

pub(super) const COMMAND: Command = Command {
    name: "stop",
    completes: Completes::Processes,
    has_json: false,
    help: &[
        ("stop <name>", "Stop one process", "停止一个进程"),
        ("stop <gname>:*", "Stop every process of a group", "停止一个组中的所有进程"),
        ("stop <name> <name>", "Stop several processes or groups", "停止多个进程或组"),
        ("stop all", "Stop every process", "停止所有进程"),
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
