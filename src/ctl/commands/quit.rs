//! `quit` and `exit`

use super::{Command, Next};
use crate::ctl::client::CallError;
use crate::ctl::session::Session;

pub(super) const QUIT: Command = Command { name: "quit", help: &[("quit", "Leave the shell")], run };
pub(super) const EXIT: Command = Command { name: "exit", help: &[("exit", "Leave the shell")], run };

/// Also what the end of the input does.
pub(super) fn run(session: &mut Session, _arg: &str) -> Result<Next, CallError> {
    session.line("");
    Ok(Next::Leave)
}
