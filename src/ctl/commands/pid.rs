//! `pid`

use super::{Command, Next};
use crate::ctl::answer::{ProcessInfo, rows};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

pub(super) const COMMAND: Command = Command {
    name: "pid",
    help: &[
        ("pid", "Show the process id of supervisord"),
        ("pid <name>", "Show the process id of one process"),
        ("pid all", "Show the process id of every process, one a line"),
    ],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !session.upcheck()? {
        return Ok(Next::Prompt);
    }
    let names: Vec<&str> = arg.split_whitespace().collect();
    if names.is_empty() {
        let pid = session.call("getPID", &[])?.as_int().ok_or_else(|| CallError::misunderstood("pid"))?;
        session.line(pid);
    } else if names.contains(&"all") {
        for process in rows(&session.call("getAllProcessInfo", &[])?, ProcessInfo::read)? {
            session.line(process.pid);
        }
    } else {
        names.iter().try_for_each(|name| show(session, name))?;
    }
    Ok(Next::Prompt)
}

fn show(session: &mut Session, name: &str) -> Result<(), CallError> {
    match session.call("getProcessInfo", &[Value::from(name)]) {
        Ok(answer) => match ProcessInfo::read(&answer)?.pid {
            0 => session.fail(exit::NOT_RUNNING, 0),
            pid => session.line(pid),
        },
        Err(CallError::Fault(fault)) if fault.code == code::BAD_NAME => {
            session.fail(exit::GENERIC, format_args!("No such process {name}"));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
