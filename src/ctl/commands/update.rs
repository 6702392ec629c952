//! `update`

use super::reread::{Differences, reload_config};
use super::{Command, Next};
use crate::ctl::answer::{Outcome, ProcessInfo, rows};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

pub(super) const COMMAND: Command = Command {
    name: "update",
    help: &[
        ("update", "Read the configuration again; add, remove and restart the groups that differ"),
        ("update all", "The same"),
        ("update <gname> [...]", "The same, for these groups only"),
    ],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    let Differences { added, changed, removed } = match reload_config(session) {
        Ok(differences) => differences,
        Err(error) => {
            match error.fault_code() {
                Some(code::SHUTDOWN_STATE) => session.fail(exit::GENERIC, "ERROR: already shutting down"),
                Some(code::CANT_REREAD) => session.fail(exit::GENERIC, format_args!("ERROR: {error}")),
                _ => return Err(error),
            }
            return Ok(Next::Prompt);
        }
    };
    let mut wanted: Vec<&str> = arg.split_whitespace().collect();
    if wanted.contains(&"all") {
        wanted.clear();
    }
    check_names(session, &wanted, &added)?;
    let is_wanted = |group: &&String| wanted.is_empty() || wanted.contains(&group.as_str());
    for group in removed.iter().filter(is_wanted) {
        remove(session, group)?;
    }
    for group in changed.iter().filter(is_wanted) {
        replace(session, group)?;
    }
    for group in added.iter().filter(is_wanted) {
        session.call("addProcessGroup", &[Value::from(group.as_str())])?;
        session.line(format_args!("{group}: added process group"));
    }
    Ok(Next::Prompt)
}

/// Complains about names that are neither running groups nor new ones. The others are still updated.
fn check_names(session: &mut Session, wanted: &[&str], added: &[String]) -> Result<(), CallError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let processes = rows(&session.call("getAllProcessInfo", &[])?, ProcessInfo::read)?;
    let is_known =
        |name: &str| added.iter().any(|group| group == name) || processes.iter().any(|process| process.group == name);
    for (index, name) in wanted.iter().enumerate() {
        if !is_known(name) && !wanted[..index].contains(name) {
            session.fail(exit::GENERIC, format_args!("ERROR: no such group: {name}"));
        }
    }
    Ok(())
}

fn remove(session: &mut Session, group: &str) -> Result<(), CallError> {
    let outcomes = rows(&session.call("stopProcessGroup", &[Value::from(group)])?, Outcome::read)?;
    session.line(format_args!("{group}: stopped"));
    if outcomes.iter().any(|outcome| outcome.status == code::FAILED) {
        session.fail(exit::GENERIC, format_args!("{group}: has problems; not removing"));
        return Ok(());
    }
    session.call("removeProcessGroup", &[Value::from(group)])?;
    session.line(format_args!("{group}: removed process group"));
    Ok(())
}

fn replace(session: &mut Session, group: &str) -> Result<(), CallError> {
    session.call("stopProcessGroup", &[Value::from(group)])?;
    session.line(format_args!("{group}: stopped"));
    session.call("removeProcessGroup", &[Value::from(group)])?;
    session.call("addProcessGroup", &[Value::from(group)])?;
    session.line(format_args!("{group}: updated process group"));
    Ok(())
}
