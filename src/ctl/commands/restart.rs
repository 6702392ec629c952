//! `restart`

use super::{Command, Completes, Next, start, stop};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::session::Session;

pub(super) const COMMAND: Command = Command {
    name: "restart",
    completes: Completes::Processes,
    has_json: false,
    help: &[
        ("restart <name>", "Stop and start one process", "重启一个进程"),
        ("restart <gname>:*", "Stop and start every process of a group", "重启一个组中的所有进程"),
        ("restart <name> <name>", "Stop and start several processes or groups", "重启多个进程或组"),
        ("restart all", "Stop and start every process", "重启所有进程"),
        (
            "",
            "The configuration is not read again: see reread and update.",
            "不会重新读取配置：请参阅 reread 和 update。",
        ),
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
