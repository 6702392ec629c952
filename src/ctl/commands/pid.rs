//! `pid`

use serde_json::Map;

use super::{Command, Completes, Next};
use crate::ctl::answer::{ProcessInfo, processes};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::pattern;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

pub(super) const COMMAND: Command = Command {
    name: "pid",
    completes: Completes::Processes,
    has_json: true,
    help: &[
        ("pid", "Show the process id of supervisord", "显示 supervisord 的进程号"),
        ("pid <name>", "Show the process id of one process", "显示一个进程的进程号"),
        ("pid all", "Show the process id of every process, one a line", "显示所有进程的进程号，每行一个"),
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
        session.output.member("pid", pid.into());
        session.line(pid);
        return Ok(Next::Prompt);
    }
    let mut pids = Map::new();
    if names.contains(&"all") {
        for process in processes(session.call("getAllProcessInfo", &[])?)? {
            pids.insert(process.namespec().to_string(), process.pid.into());
            session.line(process.pid);
        }
    } else {
        for name in pattern::expand(session, &names)? {
            if let Some(pid) = show(session, &name)? {
                pids.insert(name, pid.into());
            }
        }
    }
    session.output.member("pids", pids.into());
    Ok(Next::Prompt)
}

/// Prints the process id of one process, 0 when it does not run; nothing comes back for an unknown one.
fn show(session: &mut Session, name: &str) -> Result<Option<i64>, CallError> {
    match session.call("getProcessInfo", &[Value::from(name)]) {
        Ok(answer) => {
            let pid = ProcessInfo::read(answer)?.pid;
            session.line(pid);
            if pid == 0 {
                session.status = exit::NOT_RUNNING;
            }
            return Ok(Some(pid));
        }
        Err(CallError::Fault(fault)) if fault.code == code::BAD_NAME => {
            session.fail(exit::GENERIC, format_args!("No such process {name}"));
        }
        Err(error) => return Err(error),
    }
    Ok(None)
}
