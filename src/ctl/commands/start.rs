//! `start`

use super::change::Change;
use super::{Command, Completes, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::session::Session;
use crate::xmlrpc::code;

pub(super) const COMMAND: Command = Command {
    name: "start",
    completes: Completes::Processes,
    has_json: false,
    help: &[
        ("start <name>", "Start one process", "启动一个进程"),
        ("start <gname>:*", "Start every process of a group", "启动一个组中的所有进程"),
        ("start <name> <name>", "Start several processes or groups", "启动多个进程或组"),
        ("start all", "Start every process", "启动所有进程"),
    ],
    run,
};

const START: Change<'static> = Change {
    process_method: "startProcess",
    group_method: Some("startProcessGroup"),
    all_method: "startAllProcesses",
    parameter: None,
    done: "started",
    faults: &[
        (code::BAD_NAME, "no such process"),
        (code::NO_FILE, "no such file"),
        (code::NOT_EXECUTABLE, "file is not executable"),
        (code::ALREADY_STARTED, "already started"),
        (code::SPAWN_ERROR, "spawn error"),
        (code::ABNORMAL_TERMINATION, "abnormal termination"),
    ],
    failed_text: false,
    ignored_fault: Some(code::ALREADY_STARTED),
    no_such_group_status: exit::INVALID_ARGS,
};

pub(super) fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !session.upcheck()? {
        return Ok(Next::Prompt);
    }
    let names: Vec<&str> = arg.split_whitespace().collect();
    if names.is_empty() {
        return Ok(wrong_usage(session, &COMMAND, exit::INVALID_ARGS, "start requires a process name"));
    }
    START.apply(session, &names)?;
    Ok(Next::Prompt)
}
