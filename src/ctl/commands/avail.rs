//! `avail`

use super::{Command, Completes, Next};
use crate::ctl::answer::{int, text, truth};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::accepts_no_arguments;
use crate::ctl::namespec::Namespec;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

pub(super) const COMMAND: Command = Command {
    name: "avail",
    completes: Completes::Nothing,
    has_json: true,
    help: &[("avail", "Show every configured process, active or not", "显示所有已配置的进程，无论是否启用")],
    run,
};

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
    let rows = answer.as_array().ok_or_else(|| CallError::misunderstood("array"))?;
    let shown: Vec<serde_json::Value> = rows.iter().map(|row| show(session, row)).collect::<Result<_, _>>()?;
    session.output.member("processes", shown.into());
    Ok(Next::Prompt)
}

fn show(session: &mut Session, row: &Value) -> Result<serde_json::Value, CallError> {
    let (group, name) = (text(row, "group")?, text(row, "name")?);
    let (is_used, is_auto) = (truth(row, "inuse")?, truth(row, "autostart")?);
    let in_use = if is_used { "in use" } else { "avail" };
    let start = if is_auto { "auto" } else { "manual" };
    let (group_priority, priority) = (int(row, "group_prio")?, int(row, "process_prio")?);
    let namespec = Namespec::of(&group, &name);
    session.line(format_args!("{namespec:32} {in_use:9} {start:9} {group_priority}:{priority}"));
    Ok(serde_json::json!({
        "namespec": namespec.to_string(),
        "group": group,
        "name": name,
        "in_use": is_used,
        "autostart": is_auto,
        "group_priority": group_priority,
        "priority": priority,
    }))
}
