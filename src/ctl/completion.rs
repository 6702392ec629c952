//! What may stand at the cursor: commands, names of processes and groups (`Supervisor: supervisorctl.py complete()`).

use std::cell::OnceCell;

use super::answer::{ProcessInfo, processes};
use super::client::Client;
use super::commands::{COMMANDS, Completes, find};
use super::options::{OPTIONS, Options, Settings};
use crate::config;
use crate::sys::host::Machine;

/// What ends a word, other than white space. `:`, `*` and `-` do not, because names have them.
const BREAKS: &str = "`~!@#$%^&()=+[{]}\\|;'\",<>/?";

/// Candidates for one line. The server is asked at most once, and only if a name is wanted.
pub struct Completion {
    serverurl: String,
    username: Option<String>,
    password: Option<String>,
    processes: OnceCell<Vec<ProcessInfo>>,
}

impl Completion {
    /// Candidates from the server of these settings.
    pub fn new(settings: &Settings) -> Self {
        Completion {
            serverurl: settings.serverurl.clone(),
            username: settings.username.clone(),
            password: settings.password.clone(),
            processes: OnceCell::new(),
        }
    }

    /// Where the word at the end of `line` begins, and what it may become.
    pub fn of(&self, line: &str) -> (usize, Vec<String>) {
        let ends_word = |letter: char| letter.is_whitespace() || BREAKS.contains(letter);
        let start = line.char_indices().rfind(|(_, letter)| ends_word(*letter)).map_or(0, |(at, c)| at + c.len_utf8());
        let word = &line[start..];
        let mut before = line[..start].split_whitespace();
        let mut found = match before.next() {
            None => actions(),
            Some("help") => actions(),
            Some(action) => match find(action).map_or(Completes::Nothing, |command| command.completes) {
                Completes::Nothing => Vec::new(),
                Completes::Groups => self.groups(),
                Completes::Processes => self.names(word),
            },
        };
        found.retain(|candidate| candidate.starts_with(word));
        (start, found)
    }

    fn processes(&self) -> &[ProcessInfo] {
        // No answer, no names: an error here would garble the line that is being typed.
        self.processes.get_or_init(|| {
            let client = Client::new(&self.serverurl, self.username.as_deref(), self.password.as_deref());
            let answer = client.ok().and_then(|mut client| client.call("supervisor.getAllProcessInfo", &[]).ok());
            answer.and_then(|answer| processes(answer).ok()).unwrap_or_default()
        })
    }

    fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = Vec::new();
        for process in self.processes() {
            if !groups.contains(&process.group) {
                groups.push(process.group.clone());
            }
        }
        groups
    }

    fn names(&self, word: &str) -> Vec<String> {
        let mut names = Vec::new();
        for process in self.processes() {
            if word.contains(':') || process.name != process.group {
                names.push(format!("{}:{}", process.group, process.name));
                let whole = format!("{}:*", process.group);
                if !names.contains(&whole) {
                    names.push(whole);
                }
            } else {
                names.push(process.name.clone());
            }
        }
        names
    }
}

fn actions() -> Vec<String> {
    let mut names: Vec<String> = COMMANDS.iter().map(|command| command.name.to_owned()).collect();
    names.push("help".to_owned());
    names.sort();
    names
}

/// For the shells of the system: the candidates for the last word of a line that begins with `supervisorctl`, one a line.
/// Nothing at all when something is wrong.
pub fn of_command_line(line: &str) -> String {
    let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let last = if line.ends_with(char::is_whitespace) { String::new() } else { words.pop().unwrap_or_default() };
    if words.is_empty() {
        return String::new();
    }
    let program = words.remove(0);
    let Ok(options) = Options::parse(&words) else { return String::new() };
    let found = if options.action.is_empty() && last.starts_with('-') {
        option_names(&last)
    } else {
        let before: String = options.action.iter().map(|word| format!("{word} ")).collect();
        let config = config::load_ctl(options.configuration.as_deref(), &program, &Machine::new());
        let config = config.ok().flatten();
        Completion::new(&options.settle(config)).of(&(before + &last)).1
    };
    found.into_iter().map(|candidate| candidate + "\n").collect()
}

fn option_names(word: &str) -> Vec<String> {
    let shown = OPTIONS.iter().filter(|option| !option.en.is_empty());
    let names = shown.map(|option| format!("--{}", option.long.replace('_', "-")));
    names.filter(|name| name.starts_with(word)).collect()
}
