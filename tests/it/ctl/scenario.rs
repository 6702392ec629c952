//! The life of a daemon as a list of commands, to be played with any client against any daemon.

use std::fs;

use super::lab::{Answer, Lab, Whose};

/// The unix server of the lab, by option.
const SERVER: [&str; 2] = ["-s", "unix://{dir}/s.sock"];

/// Something that happens.
pub enum Step {
    /// A command; every client must answer alike.
    Run(&'static str),
    /// Words for the client instead of a command on the lab's server.
    Words(&'static [&'static str]),
    /// Where Supervisor is wrong: what ours prints on stdout and stderr, and its status.
    Fixed(&'static [&'static str], &'static str, &'static str, i32),
    /// A command that prints until Ctrl-C, pressed when the text has appeared.
    Follow(&'static str, &'static str),
    /// Waits until the answer of a command contains a text.
    Until(&'static str, &'static str),
    /// Waits until the socket is there, or gone.
    Socket(bool),
    /// Writes a file.
    Write(&'static str, &'static str),
    /// Ends every program at once, also those that ignore a stop.
    KillPrograms,
    /// Removes a directory.
    Rmdir(&'static str),
}

/// Plays a scenario and returns what was said, made comparable.
pub fn play(daemon: Whose, client: Whose, files: &[(&str, &str)], steps: &[Step]) -> Vec<String> {
    let lab = Lab::start(daemon, files);
    let mut said = Vec::new();
    for step in steps {
        match step {
            Step::Run(line) => {
                let words: Vec<&str> = SERVER.into_iter().chain(line.split(' ')).collect();
                said.push(comparable(line, &lab.run(client, &words)));
            }
            Step::Words(words) => said.push(comparable(&words.join(" "), &lab.run(client, words))),
            Step::Fixed(words, stdout, stderr, status) if client == Whose::Ours => {
                let expected = Answer { stdout: (*stdout).into(), stderr: (*stderr).into(), status: Some(*status) };
                assert_eq!(lab.run(client, words), expected, "{words:?}");
            }
            Step::Fixed(words, ..) => _ = lab.run(client, words),
            Step::Follow(line, needle) => {
                let words: Vec<&str> = SERVER.into_iter().chain(line.split(' ')).collect();
                said.push(followed(line, client, &lab.run_until_printed(client, &words, needle)));
            }
            Step::Until(line, needle) => {
                let words: Vec<&str> = SERVER.into_iter().chain(line.split(' ')).collect();
                lab.wait_for(&format!("{needle} in {line}"), || lab.run(Whose::Ours, &words).stdout.contains(needle));
            }
            Step::Socket(wanted) => {
                lab.wait_for("the socket", || lab.dir.path().join("s.sock").exists() == *wanted);
            }
            Step::KillPrograms => lab.kill_programs(),
            Step::Write(name, text) => fs::write(lab.dir.path().join(name), lab.fill(text)).unwrap(),
            Step::Rmdir(name) => fs::remove_dir_all(lab.dir.path().join(name)).unwrap(),
        }
    }
    said
}

/// The answer without process ids, times, program names and the wordings that are each program's own.
pub fn comparable(line: &str, answer: &Answer) -> String {
    let stdout: Vec<String> = match answer.stdout.contains('\t') {
        true => answer.stdout.lines().filter_map(help_form).collect(),
        false => answer.stdout.split('\n').map(|text| comparable_line(line, text)).collect(),
    };
    let mut stdout = stdout.join("\n");
    // After this, stock prints its exception as well.
    stdout = stdout.replace("Server requires authentication\nerror: ...", "Server requires authentication");
    // Ours adds where to find help, and the cause when there is no connection.
    let is_addition = |text: &&str| text.starts_with("For help, use ") || text.starts_with("supervisorctl: ");
    let stderr: Vec<&str> = answer.stderr.lines().filter(|text| !is_addition(text)).collect();
    format!("$ {line}\n{stdout}\n{}[{:?}]", stderr.join("\n"), answer.status)
}

/// What a follower printed until Ctrl-C. Python may be in the middle of something then, and prints an exception instead of
/// the empty line; ours always prints the line. Each daemon has its own activity log.
fn followed(line: &str, client: Whose, answer: &Answer) -> String {
    assert!(client == Whose::Stock || answer.stdout.ends_with("\n\n"), "{line}: {answer:?}");
    let lines_max = if line.starts_with("maintail") { 1 } else { usize::MAX };
    let stdout: Vec<&str> = answer.stdout.trim_end_matches('\n').lines().take(lines_max).collect();
    format!("$ {line}\n{}\n[{:?}]", stdout.join("\n"), answer.status)
}

/// The forms of a command in its help are the interface, the explanations beside and between them are not, nor are the long
/// options, which only ours has.
fn help_form(line: &str) -> Option<String> {
    let form = line.split('\t').next()?.split(" (").next()?.trim();
    let is_remark = form.is_empty() || form.contains(" --") || form == "Ex:" || form.starts_with("Note:");
    (!is_remark).then(|| form.to_owned())
}

fn comparable_line(command: &str, line: &str) -> String {
    if line.starts_with("error: ") {
        return "error: ...".to_owned();
    }
    if line.ends_with(" AM") || line.ends_with(" PM") {
        return format!("{}<time>", &line[..line.len() - "Nov 22 04:16 PM".len()]);
    }
    let has_numbers = command.starts_with("pid") || line.contains(" RUNNING ");
    if has_numbers && line != "0" { without_numbers(line) } else { line.to_owned() }
}

/// Every number becomes `N`.
fn without_numbers(line: &str) -> String {
    let mut out = String::new();
    for letter in line.chars() {
        match letter {
            '0'..='9' if out.ends_with('N') => {}
            '0'..='9' => out.push('N'),
            _ => out.push(letter),
        }
    }
    out
}
