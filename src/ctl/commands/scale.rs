//! `scale`

use super::{Command, Completes, Next};
use crate::ctl::answer::{ProcessInfo, processes};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

pub(super) const COMMAND: Command = Command {
    name: "scale",
    completes: Completes::Groups,
    has_json: false,
    help: &[(
        "scale <gname> <number>",
        "Run this many processes of a program, whatever numprocs says: those with the highest numbers come or go, the \
             others are not touched. The next update, reload or start of supervisord goes by the file again",
        "按此数量运行某个程序的进程，不论 numprocs 为何值：只启动或停止编号最大的进程，其余不受影响。下一次 update、reload 或重启 \
             supervisord 时仍以配置文件为准",
    )],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    let words: Vec<&str> = arg.split_whitespace().collect();
    let [group, number] = words[..] else {
        return Ok(wrong_usage(session, &COMMAND, exit::INVALID_ARGS, "scale requires a group name and a number"));
    };
    // As an XML-RPC <int>.
    let Some(number) = number.parse::<i32>().ok().filter(|number| *number >= 0) else {
        let reason = format!("{number} is not a number of processes");
        return Ok(wrong_usage(session, &COMMAND, exit::INVALID_ARGS, &reason));
    };
    let before = members(session, group)?;
    match session.call("scaleProcessGroup", &[Value::from(group), Value::Int(i64::from(number))]) {
        Ok(_) => {
            let after = members(session, group)?;
            report(session, group, &before, &after);
        }
        Err(error) => refuse(session, group, error)?,
    }
    Ok(Next::Prompt)
}

fn members(session: &mut Session, group: &str) -> Result<Vec<ProcessInfo>, CallError> {
    let mut members = processes(session.call("getAllProcessInfo", &[])?)?;
    members.retain(|process| process.group == group);
    Ok(members)
}

/// One line for each process that came or went.
fn report(session: &mut Session, group: &str, before: &[ProcessInfo], after: &[ProcessInfo]) {
    let is_in = |list: &[ProcessInfo], one: &ProcessInfo| list.iter().any(|other| other.name == one.name);
    let mut is_same = true;
    for one in before.iter().filter(|one| !is_in(after, one)) {
        is_same = false;
        session.line(format_args!("{}: removed", one.namespec()));
    }
    for one in after.iter().filter(|one| !is_in(before, one)) {
        is_same = false;
        let state = if one.statename == "STOPPED" { " (not started)" } else { "" };
        session.line(format_args!("{}: added{state}", one.namespec()));
    }
    if is_same {
        session.line(format_args!("{group}: nothing to do"));
    }
}

fn refuse(session: &mut Session, group: &str, error: CallError) -> Result<(), CallError> {
    match error.fault_code() {
        Some(code::UNKNOWN_METHOD) => {
            session.fail(exit::GENERIC, "ERROR: this server cannot scale: it has no scaleProcessGroup");
        }
        Some(code::BAD_NAME) => session.fail(exit::GENERIC, format_args!("{group}: ERROR (no such group)")),
        Some(code::SHUTDOWN_STATE) => session.fail(exit::GENERIC, "ERROR: already shutting down"),
        Some(code::FAILED | code::BAD_ARGUMENTS) => {
            session.fail(exit::GENERIC, format_args!("{group}: ERROR ({error})"))
        }
        _ => return Err(error),
    }
    Ok(())
}
