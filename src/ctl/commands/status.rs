//! `status`

use std::time::Duration;

use tokio::time::sleep;

use super::{Command, Completes, Next};
use crate::ctl::answer::{ProcessInfo, processes};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::help::wrong_usage;
use crate::ctl::namespec::Namespec;
use crate::ctl::pattern;
use crate::ctl::session::Session;

/// Least width of the name column, without the gap after it, in characters.
const NAME_WIDTH_MIN: usize = 30;
/// Gap between the name and the state, in characters.
const NAME_GAP: usize = 3;
/// Width of the state column, in characters.
const STATE_WIDTH: usize = 10;
/// How often `--watch` looks without a number, in seconds.
const WATCH_SECS_DEFAULT: u64 = 2;
/// The longest time between two looks, in seconds.
const WATCH_SECS_MAX: u64 = 86_400;
/// Cursor to the upper left, and everything after it erased (ECMA-48 CUP, ED).
const CLEAR_SCREEN: &str = "\x1b[H\x1b[J";

pub(super) const COMMAND: Command = Command {
    name: "status",
    completes: Completes::Processes,
    has_json: true,
    help: &[
        ("status <name>", "Show one process", "显示一个进程"),
        ("status <gname>:*", "Show every process of a group", "显示一个组中的所有进程"),
        ("status <name> <name>", "Show several processes or groups", "显示多个进程或组"),
        ("status", "Show every process", "显示所有进程"),
        ("status --watch [seconds] ...", "Show them again and again until Ctrl-C", "反复显示，按 Ctrl-C 退出"),
    ],
    run,
};

pub(super) fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    let mut words: Vec<&str> = arg.split_whitespace().collect();
    let Some(pause) = take_watch(&mut words) else {
        look(session, &words)?;
        return Ok(Next::Prompt);
    };
    if session.output.is_json() {
        let reason = "--watch has no JSON form: call status --json again and again";
        return Ok(wrong_usage(session, &COMMAND, exit::INVALID_ARGS, reason));
    }
    session.client.catch_interrupt().map_err(|error| CallError::Other(error.to_string()))?;
    watch(session, &words, pause)
}

/// Takes `--watch`, `--watch=N` or `--watch N` out of the words.
fn take_watch(words: &mut Vec<&str>) -> Option<Duration> {
    let at = words.iter().position(|word| *word == "--watch" || word.starts_with("--watch="))?;
    let seconds = |text: &str| text.parse().ok().map(|count: u64| count.clamp(1, WATCH_SECS_MAX));
    let inline = words.remove(at).strip_prefix("--watch=").and_then(seconds);
    let next = words.get(at).copied().and_then(seconds).filter(|_| inline.is_none());
    if next.is_some() {
        words.remove(at);
    }
    Some(Duration::from_secs(inline.or(next).unwrap_or(WATCH_SECS_DEFAULT)))
}

/// Shows the processes until Ctrl-C or until the server has gone: anew on a terminal, else one block after the other.
fn watch(session: &mut Session, words: &[&str], pause: Duration) -> Result<Next, CallError> {
    loop {
        if session.output.is_terminal {
            session.output.prompt(CLEAR_SCREEN);
        }
        session.status = exit::SUCCESS;
        let is_up = match look(session, words) {
            Err(CallError::Interrupted) => false,
            other => other?,
        };
        if !session.output.is_terminal {
            session.line("");
        }
        session.output.flush();
        if !is_up {
            return Ok(Next::Prompt);
        }
        if session.client.wait(async { sleep(pause).await }).is_none() {
            session.line("");
            return Ok(Next::Prompt);
        }
    }
}

/// Shows the processes once; false when there is no server.
fn look(session: &mut Session, words: &[&str]) -> Result<bool, CallError> {
    if !session.upcheck()? {
        session.status = exit::STATUS_UNKNOWN;
        return Ok(false);
    }
    let processes = processes(session.call("getAllProcessInfo", &[])?)?;
    let mut listed: Vec<&ProcessInfo> = Vec::new();
    if words.is_empty() || words.contains(&"all") {
        listed.extend(&processes);
    } else {
        for word in words.iter().flat_map(|word| pattern::matching(word, &processes)) {
            let known = listed.len();
            let wanted = Namespec::parse(&word);
            listed.extend(processes.iter().filter(|process| {
                process.group == wanted.group && wanted.process.is_none_or(|name| process.name == name)
            }));
            if listed.len() == known {
                not_found(session, &word, &wanted);
            }
        }
    }
    show(session, &listed);
    Ok(true)
}

fn not_found(session: &mut Session, word: &str, wanted: &Namespec<'_>) {
    match wanted.process {
        Some(_) => session.fail(exit::STATUS_UNKNOWN, format_args!("{word}: ERROR (no such process)")),
        None => session.fail(exit::STATUS_UNKNOWN, format_args!("{}: ERROR (no such group)", wanted.group)),
    }
}

fn show(session: &mut Session, processes: &[&ProcessInfo]) {
    let names: Vec<String> = processes.iter().map(|process| process.namespec().to_string()).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let width = longest.max(NAME_WIDTH_MIN) + NAME_GAP;
    for (name, process) in names.iter().zip(processes) {
        let (state, description) = (&process.statename, &process.description);
        match colour(process).filter(|_| session.output.colours) {
            None => session.line(format_args!("{name:width$}{state:STATE_WIDTH$}{description}")),
            Some(colour) => {
                let gap = STATE_WIDTH.saturating_sub(state.len());
                session.line(format_args!("{name:width$}\x1b[{colour}m{state}\x1b[0m{:gap$}{description}", ""));
            }
        }
        if process.is_stopped() {
            session.status = exit::STATUS_NOT_RUNNING;
        }
    }
    let json: Vec<serde_json::Value> = match session.output.is_json() {
        true => processes.iter().map(|process| process.json()).collect(),
        false => return,
    };
    session.output.member("processes", json.into());
}

/// Green for up, yellow for on the way, red for failed; none for stopped on purpose (ECMA-48 SGR).
fn colour(process: &ProcessInfo) -> Option<u8> {
    match process.statename.as_str() {
        "RUNNING" => Some(32),
        "STARTING" | "STOPPING" => Some(33),
        "BACKOFF" | "FATAL" | "UNKNOWN" => Some(31),
        _ => None,
    }
}
