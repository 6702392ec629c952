//! `signal`

use super::change::Change;
use super::{Command, Completes, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

pub(super) const COMMAND: Command = Command {
    name: "signal",
    completes: Completes::Processes,
    has_json: false,
    help: &[
        ("signal <signal name> <name>", "Send a signal to one process", "向一个进程发送信号"),
        ("signal <signal name> <gname>:*", "Send a signal to every process of a group", "向一个组中的所有进程发送信号"),
        (
            "signal <signal name> <name> <name>",
            "Send a signal to several processes or groups",
            "向多个进程或组发送信号",
        ),
        ("signal <signal name> all", "Send a signal to every process", "向所有进程发送信号"),
    ],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !session.upcheck()? {
        return Ok(Next::Prompt);
    }
    let words: Vec<&str> = arg.split_whitespace().collect();
    let [signal, names @ ..] = words.as_slice() else { return Ok(misused(session)) };
    if names.is_empty() {
        return Ok(misused(session));
    }
    let change = Change {
        process_method: "signalProcess",
        group_method: Some("signalProcessGroup"),
        all_method: "signalAllProcesses",
        parameter: Some(Value::from(*signal)),
        done: "signalled",
        faults: &[
            (code::BAD_NAME, "no such process"),
            (code::BAD_SIGNAL, "bad signal name"),
            (code::NOT_RUNNING, "not running"),
        ],
        failed_text: true,
        ignored_fault: None,
        no_such_group_status: exit::GENERIC,
    };
    change.apply(session, names)?;
    Ok(Next::Prompt)
}

fn misused(session: &mut Session) -> Next {
    wrong_usage(session, &COMMAND, exit::GENERIC, "signal requires a signal name and a process name")
}
