//! Makes what was said comparable: without process ids, times, places, and the few wordings that are each program's own.

use crate::world::{Who, World};

/// Lines of ours alone (row Q3; why there is no connection), and the frame of Python's warnings.
const OWN_LINES: [&str; 3] = ["serves as Supervisor 4.3.0", "stderr: supervisorctl: ", "warnings.warn("];

/// Words before a process id.
const BEFORE_PID: [&str; 7] = ["pid ", "kill -", "(pid ", "pid: ", "now: ", "start: ", "stop: "];

pub fn comparable(world: &World, text: &str) -> String {
    let dir = world.dir.path().display().to_string();
    let text = text.replace(&dir, "{dir}").replace(&world.port.to_string(), "{port}");
    let mut is_explaining = false;
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !OWN_LINES.iter().any(|own| line.contains(own)))
        .filter(|line| {
            let was_explaining = is_explaining;
            is_explaining = world.who == Who::Ours && is_explained(line, was_explaining);
            !(was_explaining && is_explaining)
        })
        .map(|line| comparable_line(world.who, line))
        .collect();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// After the text that scripts know, ours says where the error is and what to do next, up to the status.
fn is_explained(line: &str, before: bool) -> bool {
    let line = line.strip_prefix("stderr: ").unwrap_or(line);
    line.starts_with("For help, use ") || (before && !line.starts_with('['))
}

fn comparable_line(who: Who, line: &str) -> String {
    let mut line = without_time(line);
    if let Some((_, warning)) = line.split_once("UserWarning: ") {
        line = format!("stderr: {warning}");
    }
    // Row 0.8: 4.2.2 reports it as INFO.
    let is_bad_end = line.ends_with("; not expected)") || line.starts_with("INFO stopped: ");
    if who == Who::Stock422 && is_bad_end && line.starts_with("INFO ") && !line.ends_with("(exit status 0)") {
        line.replace_range(..4, "WARN");
    }
    // A script found in PATH is given its whole path, a program is not (row 1.1.1).
    line = line.replace("For help, use {dir}/bin/", "For help, use ");
    for word in BEFORE_PID {
        line = with_number_replaced(&line, word, "");
    }
    line = with_number_replaced(&line, "(", ") with SIGKILL");
    line = with_number_replaced(&line, "(", ") laststart");
    line = with_number_replaced(&line, "Errno ", "]").replace("[Errno N] ", "");
    without_uptime(&without_random(&line))
}

/// `2026-11-22 16:00:00,123 ` at the beginning.
fn without_time(line: &str) -> String {
    const FORM: &str = "0000-00-00 00:00:00,000 ";
    let is_time = line.len() > FORM.len()
        && line.is_char_boundary(FORM.len())
        && line
            .bytes()
            .zip(FORM.bytes())
            .all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form });
    if is_time { line[FORM.len()..].to_owned() } else { line.to_owned() }
}

/// Every number between `before` and `after` becomes `N`; a zero stays, it means that nothing runs.
fn with_number_replaced(line: &str, before: &str, after: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(at) = rest.find(before) {
        let (head, tail) = rest.split_at(at + before.len());
        out.push_str(head);
        let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
        let (number, next) = tail.split_at(digits);
        let is_pid = digits > 0 && number != "0" && next.starts_with(after);
        out.push_str(if is_pid { "N" } else { number });
        rest = next;
    }
    out + rest
}

/// The random part of an AUTO log's name.
fn without_random(line: &str) -> String {
    const RANDOM_LEN: usize = 8;
    let (mut out, mut rest) = (String::new(), line);
    while let Some(at) = rest.find("---") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        rest = tail;
        let end = tail.find(".log").unwrap_or(0);
        if let Some(dash) = tail.get(..end).and_then(|name| name.rfind('-'))
            && end - dash - 1 == RANDOM_LEN
        {
            out.push_str(&tail[..=dash]);
            out.push_str("XXXXXXXX");
            rest = &tail[end..];
        }
    }
    out + rest
}

fn without_uptime(line: &str) -> String {
    match line.split_once("uptime ") {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ':');
            format!("{before}uptime N{rest}")
        }
        None => line.to_owned(),
    }
}
