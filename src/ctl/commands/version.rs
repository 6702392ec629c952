//! `version`

use super::{Command, Completes, Next};
use crate::ctl::answer::whole_text;
use crate::ctl::client::CallError;
use crate::ctl::help::accepts_no_arguments;
use crate::ctl::session::Session;

pub(super) const COMMAND: Command = Command {
    name: "version",
    completes: Completes::Nothing,
    has_json: true,
    help: &[("version", "Show the version of the supervisord that answers", "显示应答的 supervisord 的版本")],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !arg.is_empty() {
        return Ok(accepts_no_arguments(session, &COMMAND));
    }
    if session.upcheck()? {
        let version = whole_text(&session.call("getSupervisorVersion", &[])?)?;
        session.output.member("version", version.clone().into());
        session.output.member("kit_version", crate::KIT_VERSION.into());
        session.line(version);
    }
    Ok(Next::Prompt)
}
