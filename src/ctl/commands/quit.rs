//! `quit` and `exit`

use super::{Command, Completes, Next};
use crate::ctl::client::CallError;
use crate::ctl::session::Session;

pub(super) const QUIT: Command = Command {
    name: "quit",
    completes: Completes::Nothing,
    has_json: false,
    help: &[("quit", "Leave the shell", "退出命令行")],
    run,
};
pub(super) const EXIT: Command = Command {
    name: "exit",
    completes: Completes::Nothing,
    has_json: false,
    help: &[("exit", "Leave the shell", "退出命令行")],
    run,
};

/// Also what the end of the input does.
pub(super) fn run(session: &mut Session, _arg: &str) -> Result<Next, CallError> {
    session.line("");
    Ok(Next::Leave)
}
