//! `reread`

use std::collections::BTreeMap;

use super::{Command, Completes, Next};
use crate::ctl::answer::{rows, whole_text};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::accepts_no_arguments;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

pub(super) const COMMAND: Command = Command {
    name: "reread",
    completes: Completes::Nothing,
    has_json: true,
    help: &[(
        "reread",
        "Read the configuration files again and show what differs, without acting on it",
        "重新读取配置文件并显示差异，不执行任何更改",
    )],
    run,
};

/// The groups that differ between the running and the written configuration.
pub(super) struct Differences {
    pub(super) added: Vec<String>,
    pub(super) changed: Vec<String>,
    pub(super) removed: Vec<String>,
}

/// Makes the server read its configuration.
pub(super) fn reload_config(session: &mut Session) -> Result<Differences, CallError> {
    let answer = session.call("reloadConfig", &[])?;
    // The three lists are wrapped in a list of one.
    let lists = answer.as_array().and_then(|outer| outer.first()).and_then(Value::as_array);
    let Some([added, changed, removed]) = lists else { return Err(CallError::misunderstood("list of groups")) };
    Ok(Differences {
        added: rows(added, whole_text)?,
        changed: rows(changed, whole_text)?,
        removed: rows(removed, whole_text)?,
    })
}

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !arg.is_empty() {
        return Ok(accepts_no_arguments(session, &COMMAND));
    }
    match reload_config(session) {
        Ok(differences) => show(session, differences),
        Err(error) => match error.fault_code() {
            Some(code::SHUTDOWN_STATE) => session.fail(exit::GENERIC, "ERROR: supervisor shutting down"),
            Some(code::CANT_REREAD) => session.fail(exit::GENERIC, format_args!("ERROR: {error}")),
            _ => return Err(error),
        },
    }
    Ok(Next::Prompt)
}

fn show(session: &mut Session, differences: Differences) {
    let mut lines = BTreeMap::new();
    for (groups, what) in
        [(differences.added, "available"), (differences.changed, "changed"), (differences.removed, "disappeared")]
    {
        lines.extend(groups.into_iter().map(|group| (group, what)));
    }
    let json: Vec<serde_json::Value> =
        lines.iter().map(|(group, change)| serde_json::json!({ "group": group, "change": change })).collect();
    session.output.member("groups", json.into());
    if lines.is_empty() {
        session.line("No config updates to processes");
    }
    for (group, what) in lines {
        session.line(format_args!("{group}: {what}"));
    }
}
