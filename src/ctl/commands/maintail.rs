//! `maintail`

use super::tail::{Extent, follow, no_json_stream, show};
use super::{Command, Completes, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::session::Session;
use crate::xmlrpc::Value;

pub(super) const COMMAND: Command = Command {
    name: "maintail",
    completes: Completes::Nothing,
    has_json: true,
    help: &[
        (
            "maintail -f",
            "Follow the log of supervisord itself until Ctrl-C",
            "持续显示 supervisord 自身的日志，按 Ctrl-C 退出",
        ),
        ("maintail -100", "Show its last 100 bytes", "显示最后 100 字节"),
        ("maintail", "Show its last 1600 bytes", "显示最后 1600 字节"),
    ],
    run,
};

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !session.upcheck()? {
        return Ok(Next::Prompt);
    }
    let words: Vec<&str> = arg.split_whitespace().collect();
    if words.len() > 1 {
        return Ok(wrong_usage(session, &COMMAND, exit::GENERIC, "too many arguments"));
    }
    match Extent::parse(words.first().copied()) {
        None => session.fail(exit::GENERIC, format_args!("Error: bad argument {}", words[0])),
        Some(Extent::Follow) if session.output.is_json() => no_json_stream(session),
        Some(Extent::Follow) => follow(session, "/mainlogtail"),
        Some(Extent::Bytes(count)) => {
            show(session, "supervisord", "readLog", vec![Value::Int(count.saturating_neg()), Value::Int(0)])?;
        }
    }
    Ok(Next::Prompt)
}
