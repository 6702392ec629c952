//! `update`

use super::reread::{Differences, reload_config};
use super::{Command, Completes, Next, update_plan};
use crate::ctl::answer::{Outcome, processes, rows};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

pub(super) const COMMAND: Command = Command {
    name: "update",
    completes: Completes::Groups,
    has_json: true,
    help: &[
        (
            "update",
            "Read the configuration again; add and remove groups, and bring those that differ up to date: only processes \
             with other settings that need it are restarted",
            "重新读取配置；添加、移除组，并更新有差异的组：只重启设置有变且必须重启的进程",
        ),
        ("update all", "The same", "同上"),
        ("update <gname> [...]", "The same, for these groups only", "同上，仅限这些组"),
        (
            "update --dry-run [...]",
            "Show what it would do with each process and why; --json before update makes it a document",
            "显示将对每个进程做什么及原因；在 update 之前加 --json 则输出 JSON 文档",
        ),
        (
            "update --classic [...]",
            "As Supervisor does it: restart every process of a group that differs",
            "与 Supervisor 相同：重启有差异的组中的所有进程",
        ),
    ],
    run,
};

/// The words after `update`.
struct Words<'a> {
    is_dry: bool,
    is_classic: bool,
    /// Groups; none means all.
    wanted: Vec<&'a str>,
}

impl Words<'_> {
    fn read(arg: &str) -> Words<'_> {
        let mut words: Vec<&str> = arg.split_whitespace().collect();
        let mut take = |flag: &str| {
            let count = words.len();
            words.retain(|word| *word != flag);
            words.len() < count
        };
        let (is_dry, is_classic) = (take("--dry-run"), take("--classic"));
        if words.contains(&"all") {
            words.clear();
        }
        Words { is_dry, is_classic, wanted: words }
    }
}

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    let Words { is_dry, is_classic, wanted } = Words::read(arg);
    let reason = match () {
        () if session.output.is_json() && !is_dry => Some("--json needs --dry-run here"),
        () if is_dry && is_classic => Some("--dry-run shows what an update without --classic would do"),
        () => None,
    };
    if let Some(reason) = reason {
        return Ok(wrong_usage(session, &COMMAND, exit::INVALID_ARGS, reason));
    }
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
    check_names(session, &wanted, &added)?;
    let is_wanted = |group: &&String| wanted.is_empty() || wanted.contains(&group.as_str());
    if is_dry {
        update_plan::show(session, &|group| is_wanted(&group))?;
        return Ok(Next::Prompt);
    }
    for group in removed.iter().filter(is_wanted) {
        remove(session, group)?;
    }
    for group in changed.iter().filter(is_wanted) {
        change(session, group, is_classic)?;
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
    let processes = processes(session.call("getAllProcessInfo", &[])?)?;
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

/// Says the same whichever way it is done: scripts read it.
fn change(session: &mut Session, group: &str, is_classic: bool) -> Result<(), CallError> {
    if is_classic {
        return replace(session, group);
    }
    match session.call("updateProcessGroup", &[Value::from(group)]) {
        Ok(_) => {
            session.line(format_args!("{group}: stopped"));
            session.line(format_args!("{group}: updated process group"));
            Ok(())
        }
        Err(error) if error.fault_code() == Some(code::UNKNOWN_METHOD) => replace(session, group),
        Err(error) => Err(error),
    }
}

fn replace(session: &mut Session, group: &str) -> Result<(), CallError> {
    session.call("stopProcessGroup", &[Value::from(group)])?;
    session.line(format_args!("{group}: stopped"));
    session.call("removeProcessGroup", &[Value::from(group)])?;
    session.call("addProcessGroup", &[Value::from(group)])?;
    session.line(format_args!("{group}: updated process group"));
    Ok(())
}
