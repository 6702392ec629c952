//! `shutdown`

use super::{Command, Completes, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::accepts_no_arguments;
use crate::ctl::session::Session;
use crate::xmlrpc::code;

pub(super) const COMMAND: Command = Command {
    name: "shutdown",
    completes: Completes::Nothing,
    has_json: false,
    help: &[("shutdown", "Stop supervisord and everything it runs", "停止 supervisord 及其运行的所有程序")],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !arg.is_empty() {
        return Ok(accepts_no_arguments(session, &COMMAND));
    }
    let question = session
        .settings
        .lang
        .pick("Really shut the remote supervisord process down y/N? ", "确定要关闭远程 supervisord 进程吗？y/N ");
    if !session.confirm(question)? {
        return Ok(Next::Prompt);
    }
    match session.call("shutdown", &[]) {
        Ok(_) => session.line("Shut down"),
        Err(error) if error.fault_code() == Some(code::SHUTDOWN_STATE) => session.line("ERROR: already shutting down"),
        Err(error @ (CallError::Refused(_) | CallError::NoSocket(_))) => {
            session.fail(exit::GENERIC, format_args!("ERROR: {error} (already shut down?)"));
            session.advise(&error);
        }
        Err(error) => return Err(error),
    }
    Ok(Next::Prompt)
}
