//! `avail`

use super::{Command, Next};
use crate::ctl::answer::{int, text, truth};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::accepts_no_arguments;
use crate::ctl::namespec::Namespec;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

pub(super) const COMMAND: Command =
    Command { name: "avail", help: &[("avail", "Show every configured process, active or not")], run };

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !arg.is_empty() {
        return Ok(accepts_no_arguments(session, &COMMAND));
    }
    let answer = match session.call("getAllConfigInfo", &[]) {
        Ok(answer) => answer,
        Err(error) if error.fault_code() == Some(code::SHUTDOWN_STATE) => {
            session.fail(exit::GENERIC, "ERROR: supervisor shutting down");
            return Ok(Next::Prompt);
        }
        Err(error) => return Err(error),
    };
    for row in answer.as_array().ok_or_else(|| CallError::misunderstood("array"))? {
        show(session, row)?;
    }
    Ok(Next::Prompt)
}

fn show(session: &mut Session, row: &Value) -> Result<(), CallError> {
    let (group, name) = (text(row, "group")?, text(row, "name")?);
    let in_use = if truth(row, "inuse")? { "in use" } else { "avail" };
    let start = if truth(row, "autostart")? { "auto" } else { "manual" };
    let (group_priority, priority) = (int(row, "group_prio")?, int(row, "process_prio")?);
    session.line(format_args!("{:32} {in_use:9} {start:9} {group_priority}:{priority}", Namespec::of(&group, &name)));
    Ok(())
}
