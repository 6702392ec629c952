//! `maintail`

use super::tail::{Extent, follow, show};
use super::{Command, Next};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::session::Session;
use crate::xmlrpc::Value;

pub(super) const COMMAND: Command = Command {
    name: "maintail",
    help: &[
        ("maintail -f", "Follow the log of supervisord itself until Ctrl-C"),
        ("maintail -100", "Show its last 100 bytes"),
        ("maintail", "Show its last 1600 bytes"),
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
        Some(Extent::Follow) => follow(session, "/mainlogtail"),
        Some(Extent::Bytes(count)) => {
            show(session, "supervisord", "readLog", vec![Value::Int(count.saturating_neg()), Value::Int(0)])?;
        }
    }
    Ok(Next::Prompt)
}
