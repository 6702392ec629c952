//! `open`

use super::{Command, Completes, Next, status};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::session::Session;

pub(super) const COMMAND: Command = Command {
    name: "open",
    completes: Completes::Nothing,
    has_json: false,
    help: &[(
        "open <url>",
        "Turn to another supervisord: http://host:port or unix:///path/of/socket",
        "切换到另一个 supervisord：http://主机:端口 或 unix:///套接字路径",
    )],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !arg.starts_with("http://") && !arg.starts_with("unix://") {
        session.fail(exit::GENERIC, "ERROR: url must be http:// or unix://");
        return Ok(Next::Prompt);
    }
    session.settings.serverurl = arg.to_owned();
    session.reconnect();
    // The status is shown for the eyes only.
    let before = session.status;
    status::run(session, "")?;
    session.status = before;
    Ok(Next::Prompt)
}
