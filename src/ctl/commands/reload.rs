//! `reload`

use super::{Command, Completes, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::accepts_no_arguments;
use crate::ctl::session::Session;
use crate::xmlrpc::code;

pub(super) const COMMAND: Command = Command {
    name: "reload",
    completes: Completes::Nothing,
    has_json: false,
    help: &[("reload", "Restart supervisord and everything it runs", "重启 supervisord 及其运行的所有程序")],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !arg.is_empty() {
        return Ok(accepts_no_arguments(session, &COMMAND));
    }
    let question = session
        .settings
        .lang
        .pick("Really restart the remote supervisord process y/N? ", "确定要重启远程 supervisord 进程吗？y/N ");
    if !session.confirm(question)? {
        return Ok(Next::Prompt);
    }
    match session.call("restart", &[]) {
        Ok(_) => session.line("Restarted supervisord"),
        Err(error) if error.fault_code() == Some(code::SHUTDOWN_STATE) => {
            session.fail(exit::GENERIC, "ERROR: already shutting down");
        }
        Err(error) => return Err(error),
    }
    Ok(Next::Prompt)
}
