//! `upgrade`

use super::{Command, Completes, Next};
use crate::ctl::answer::text;
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::accepts_no_arguments;
use crate::ctl::session::Session;
use crate::xmlrpc::code;

pub(super) const COMMAND: Command = Command {
    name: "upgrade",
    completes: Completes::Nothing,
    has_json: false,
    help: &[(
        "upgrade",
        "Have supervisord replaced by the program that is installed in its place; every process runs on",
        "用已安装的新版本替换正在运行的 supervisord，所有进程继续运行",
    )],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !arg.is_empty() {
        return Ok(accepts_no_arguments(session, &COMMAND));
    }
    if !session.upcheck()? {
        return Ok(Next::Prompt);
    }
    let lang = session.settings.lang;
    match session.call("upgrade", &[]) {
        Ok(answer) => {
            let template = lang.pick(
                "Upgraded supervisord from supervisor-kit FROM to TO; every process runs on",
                "supervisord 已从 supervisor-kit FROM 升级到 TO，所有进程继续运行",
            );
            let line = template.replace("FROM", &text(&answer, "from")?).replace("TO", &text(&answer, "to")?);
            session.line(line);
        }
        Err(error) if error.fault_code() == Some(code::UNKNOWN_METHOD) => {
            let why = lang.pick(
                "ERROR: this supervisord cannot be upgraded while it runs; use reload or restart its service",
                "ERROR: 此 supervisord 不支持在线升级；请使用 reload 或重启服务",
            );
            session.fail(exit::GENERIC, why);
        }
        Err(CallError::Fault(fault)) if fault.code == code::FAILED => {
            let why = fault.text.trim_start_matches("FAILED: ");
            session.fail(exit::GENERIC, format!("ERROR: {why}"));
        }
        Err(error) => return Err(error),
    }
    Ok(Next::Prompt)
}
