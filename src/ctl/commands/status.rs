//! `status`

use super::{Command, Next};
use crate::ctl::answer::{ProcessInfo, rows};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::namespec::Namespec;
use crate::ctl::session::Session;

/// Least width of the name column, without the gap after it, in characters.
const NAME_WIDTH_MIN: usize = 30;
/// Gap between the name and the state, in characters.
const NAME_GAP: usize = 3;

pub(super) const COMMAND: Command = Command {
    name: "status",
    help: &[
        ("status <name>", "Show one process"),
        ("status <gname>:*", "Show every process of a group"),
        ("status <name> <name>", "Show several processes or groups"),
        ("status", "Show every process"),
    ],
    run,
};

pub(super) fn run(session: &mut Session, arg: &str) -> Result<Next, CallError> {
    if !session.upcheck()? {
        session.status = exit::STATUS_UNKNOWN;
        return Ok(Next::Prompt);
    }
    let processes = rows(&session.call("getAllProcessInfo", &[])?, ProcessInfo::read)?;
    let words: Vec<&str> = arg.split_whitespace().collect();
    let mut listed: Vec<&ProcessInfo> = Vec::new();
    if words.is_empty() || words.contains(&"all") {
        listed.extend(&processes);
    } else {
        for word in words {
            let known = listed.len();
            let wanted = Namespec::parse(word);
            listed.extend(processes.iter().filter(|process| {
                process.group == wanted.group && wanted.process.is_none_or(|name| process.name == name)
            }));
            if listed.len() == known {
                not_found(session, word, &wanted);
            }
        }
    }
    show(session, &listed);
    Ok(Next::Prompt)
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
        session.line(format_args!("{name:width$}{:10}{}", process.statename, process.description));
        if process.is_stopped() {
            session.status = exit::STATUS_NOT_RUNNING;
        }
    }
}
