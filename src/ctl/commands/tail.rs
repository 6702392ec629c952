//! `tail`, and what `maintail` shares with it.

use super::{Command, Completes, Next};
use crate::config::repr;
use crate::ctl::answer::whole_text;
use crate::ctl::client::{CallError, StreamEnd};
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::pattern;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

/// How much of a log is shown without `-N`, in bytes.
const TAIL_BYTES_DEFAULT: i64 = 1600;

pub(super) const COMMAND: Command = Command {
    name: "tail",
    completes: Completes::Processes,
    has_json: true,
    help: &[
        (
            "tail [-f] <name> [stdout|stderr]",
            "Show the end of a log, of stdout unless told otherwise",
            "显示日志末尾，默认为标准输出",
        ),
        ("tail -f <name>", "Follow the log until Ctrl-C", "持续显示日志，按 Ctrl-C 退出"),
        ("tail -100 <name>", "Show its last 100 bytes", "显示最后 100 字节"),
        ("tail <name> stderr", "Show the last 1600 bytes of stderr", "显示标准错误的最后 1600 字节"),
    ],
    run,
};

/// How much of a log is wanted.
pub(super) enum Extent {
    /// The last bytes; 0 is all of it.
    Bytes(i64),
    /// The end, then whatever is added.
    Follow,
}

impl Extent {
    /// Reads `-f` or `-N`; `None` for any other word.
    pub(super) fn parse(modifier: Option<&str>) -> Option<Extent> {
        match modifier.map(|word| word.strip_prefix('-')) {
            None => Some(Extent::Bytes(TAIL_BYTES_DEFAULT)),
            Some(Some("f")) => Some(Extent::Follow),
            Some(Some(number)) => number.parse().ok().map(Extent::Bytes),
            Some(None) => None,
        }
    }
}

fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !session.upcheck()? {
        return Ok(Next::Prompt);
    }
    let mut words: Vec<&str> = arg.split_whitespace().collect();
    match words.len() {
        0 => return Ok(wrong_usage(session, &COMMAND, exit::GENERIC, "too few arguments")),
        1..=3 => {}
        _ => return Ok(wrong_usage(session, &COMMAND, exit::GENERIC, "too many arguments")),
    }
    let modifier = words[0].starts_with('-').then(|| words.remove(0));
    let (name, channel) = match words.as_slice() {
        [] => {
            session.fail(exit::GENERIC, "Error: tail requires process name");
            return Ok(Next::Prompt);
        }
        [name] => (*name, "stdout".to_owned()),
        [name, .., channel] => (*name, channel.to_lowercase()),
    };
    if channel != "stdout" && channel != "stderr" {
        session.fail(exit::GENERIC, format_args!("Error: bad channel {}", repr::text(&channel)));
        return Ok(Next::Prompt);
    }
    let name = match &pattern::expand(session, &[name])?[..] {
        [only] => only.clone(),
        several => {
            let text = session.settings.lang.pick("one log at a time", "一次只能显示一个日志");
            session.fail(exit::GENERIC, format_args!("Error: {text}: {}", several.join(" ")));
            return Ok(Next::Prompt);
        }
    };
    let name = name.as_str();
    let method = if channel == "stdout" { "readProcessStdoutLog" } else { "readProcessStderrLog" };
    match Extent::parse(modifier) {
        None => session.fail(exit::GENERIC, format_args!("Error: bad argument {}", modifier.unwrap_or_default())),
        Some(Extent::Follow) if session.output.is_json() => no_json_stream(session),
        Some(Extent::Follow) => follow(session, &format!("/logtail/{name}/{channel}")),
        Some(Extent::Bytes(count)) => {
            show(session, name, method, vec![Value::from(name), Value::Int(count.saturating_neg()), Value::Int(0)])?;
        }
    }
    Ok(Next::Prompt)
}

/// Prints the end of a log, or why there is none. `subject` is whose log it is.
pub(super) fn show(session: &mut Session, subject: &str, method: &str, params: Vec<Value>) -> Result<(), CallError> {
    let error = match session.call(method, &params) {
        Ok(text) => {
            let text = whole_text(&text)?;
            session.line(&text);
            session.output.member("log", text.into());
            return Ok(());
        }
        Err(error) => error,
    };
    let words = match error.fault_code() {
        Some(code::NO_FILE) => "no log file",
        Some(code::FAILED) => "unknown error reading log",
        Some(code::BAD_NAME) => "no such process name",
        _ => return Err(error),
    };
    session.fail(exit::GENERIC, format_args!("{subject}: ERROR ({words})"));
    Ok(())
}

/// Copies a log to stdout as it grows. Errors go to stderr, because stdout is the log.
pub(super) fn follow(session: &mut Session, path: &str) {
    session.line("==> Press Ctrl-C to exit <==");
    session.output.flush();
    let output = &mut session.output;
    match session.client.follow(&percent_encode(path), &mut |piece| output.raw(piece).is_ok()) {
        Ok(StreamEnd::Closed) => {}
        Ok(StreamEnd::Interrupted) => session.line(""),
        Ok(StreamEnd::Refused(status)) => {
            eprintln!("{}{path} Cannot read, status code {status}", session.client.url());
            session.status = exit::GENERIC;
        }
        Err(error) => {
            eprintln!("{}{path} Cannot connect, error: {error}", session.client.url());
            session.advise(&error);
            session.status = exit::GENERIC;
        }
    }
}

/// A stream has no end, so it cannot be one document.
pub(super) fn no_json_stream(session: &mut Session) {
    session.fail(exit::INVALID_ARGS, "Error: a stream is no JSON document: leave out -f or --json");
}

/// Names may hold any letter; a request line may not.
pub(super) fn percent_encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b':' | b'-' | b'_' | b'.' | b'~' | b'*' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
