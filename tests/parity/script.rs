//! The language of `steps`, one step to a line; `{dir}` and `{port}` are replaced everywhere.
//!
//! | line | what happens | in the transcript |
//! |---|---|---|
//! | `covers: <ids>` | names the rows of the conformance list that the scenario proves | |
//! | `needs: root` | skipped for other users | |
//! | `start [options]` | a daemon in the foreground with `supervisord.conf`, until it says that it has started | how it ended, if it did |
//! | `launch <words>` | the same with just these words as its command line | the same |
//! | `background <words>` | a daemon that goes to the background, until its pidfile is there | the parent's output and status |
//! | `$ <shell command>` | runs it; `$PID` is the daemon's, and the four programs and those of `tools/` are in `PATH` | its output and status |
//! | `try <lines>` | `supervisord -n` with a file of `[supervisord]` and these lines (`\\n` between them) | its output and status |
//! | `tryraw <lines>` | the same without `[supervisord]` before them | the same |
//! | `until <shell command>` | repeats it until it succeeds | |
//! | `ctl <words>` | our `supervisorctl` on `s.sock` | its output and status |
//! | `rpc <method> <params>[ \| <members>]` | calls `supervisor.<method>` | the answer, or these members of it, or the fault |
//! | `http <path>` | GET on `s.sock` | status line and body |
//! | `signal <name> [process]` | to the daemon, or to a process of it | |
//! | `state <name> <STATE>` | waits for it | |
//! | `log <text>` | waits until the activity log has it; `log 2x <text>` until it has it twice | |
//! | `show [text\|text]` | | the activity log, or its lines with one of these texts |
//! | `exit` | waits for the daemon's end | its status, and what it said on stderr |
//! | `write <file> <<END` | the lines up to `END` become the file | |
//!
//! `@<row>/<word>` before a step: the three differ here, as row says; what each says is in `expect` under that key.

use std::fs;
use std::path::{Path, PathBuf};

/// One line of `steps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// In the file, from 1.
    pub line: usize,
    /// `<row>/<word>` where the programs differ.
    pub key: Option<String>,
    /// As written, without the key: what the transcript says before the outcome.
    pub text: String,
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Start(String),
    Launch(String),
    Background(String),
    Shell(String),
    Try(String),
    Until(String),
    Ctl(String),
    Rpc(String),
    Http(String),
    Signal(String, Option<String>),
    State(String, String),
    Log(usize, String),
    Show(Vec<String>),
    Exit,
    Write(String, String),
}

/// One folder of `scenarios/`.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: String,
    pub folder: PathBuf,
    /// `None`: the scenario begins without a configuration.
    pub conf: Option<String>,
    pub covers: Vec<String>,
    pub needs_root: bool,
    pub steps: Vec<Step>,
}

/// All folders, by name.
pub fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/scenarios");
    let mut found: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

impl Scenario {
    /// Reads one; a mistake in it is a panic that names the line.
    pub fn read(folder: &Path) -> Scenario {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(folder.join("steps")).unwrap_or_else(|error| panic!("{name}/steps: {error}"));
        let conf = fs::read_to_string(folder.join("supervisord.conf")).ok();
        let (covers, needs_root, steps) = (Vec::new(), false, Vec::new());
        let mut scenario = Scenario { name, folder: folder.to_owned(), conf, covers, needs_root, steps };
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let place = format!("{}/steps:{}", scenario.name, index + 1);
            if let Some(ids) = line.strip_prefix("covers:") {
                scenario.covers.extend(ids.split_whitespace().map(str::to_owned));
            } else if line == "needs: root" {
                scenario.needs_root = true;
            } else if !line.is_empty() && !line.starts_with('#') {
                let (key, text) = match line.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
                    Some((key, text)) => (Some(key.to_owned()), text),
                    None => (None, line),
                };
                let mut document = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "END");
                let action = action(text, &mut document)
                    .unwrap_or_else(|| panic!("{place}: not a step: {text:?}; tests/parity/script.rs lists them"));
                scenario.steps.push(Step { line: index + 1, key, text: text.to_owned(), action });
            }
        }
        assert!(!scenario.covers.is_empty(), "{}/steps: no 'covers:' line", scenario.name);
        scenario
    }
}

/// `document` is only read from by the step that has one.
fn action<'a>(text: &str, document: &mut impl Iterator<Item = &'a str>) -> Option<Action> {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let owned = || rest.to_owned();
    let action = match verb {
        "start" => Action::Start(owned()),
        "launch" => Action::Launch(owned()),
        "background" => Action::Background(owned()),
        "$" => Action::Shell(owned()),
        "try" => Action::Try(format!(
            "[supervisord]\nlogfile={{dir}}/try.log\npidfile={{dir}}/try.pid\n{}\n",
            unescaped(rest)
        )),
        "tryraw" => Action::Try(unescaped(rest) + "\n"),
        "until" => Action::Until(owned()),
        "ctl" => Action::Ctl(owned()),
        "rpc" => Action::Rpc(owned()),
        "http" => Action::Http(owned()),
        "signal" => {
            let mut words = rest.split(' ');
            Action::Signal(words.next()?.to_owned(), words.next().map(str::to_owned))
        }
        "state" => {
            let (name, state) = rest.split_once(' ')?;
            Action::State(name.to_owned(), state.to_owned())
        }
        "log" => match rest.split_once("x ").and_then(|(count, text)| Some((count.parse().ok()?, text))) {
            Some((count, text)) => Action::Log(count, text.to_owned()),
            None => Action::Log(1, owned()),
        },
        "show" => Action::Show(rest.split('|').filter(|text| !text.is_empty()).map(str::to_owned).collect()),
        "exit" => Action::Exit,
        "write" => {
            let file = rest.strip_suffix(" <<END")?;
            Action::Write(file.to_owned(), document.map(|line| format!("{line}\n")).collect())
        }
        _ => return None,
    };
    Some(action)
}

fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")
}
