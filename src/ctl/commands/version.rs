//! `version`

use super::{Command, Next};
use crate::ctl::answer::whole_text;
use crate::ctl::client::CallError;
use crate::ctl::help::accepts_no_arguments;
use crate::ctl::session::Session;

pub(super) const COMMAND: Command =
    Command { name: "version", help: &[("version", "Show the version of the supervisord that answers")], run };

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !arg.is_empty() {
        return Ok(accepts_no_arguments(session, &COMMAND));
    }
    if session.upcheck()? {
        let version = whole_text(&session.call("getSupervisorVersion", &[])?)?;
        session.line(version);
    }
    Ok(Next::Prompt)
}
