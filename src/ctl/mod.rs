//! `supervisorctl`: the command line of the daemon.
//!
//! | file | what |
//! |---|---|
//! | `options` | the command line and the settings |
//! | `client`, `endpoint` | the connection |
//! | `session`, `output`, `input` | what commands share: exit status, questions, lines or JSON |
//! | `shell` | from a line to a command |
//! | `prompt` | where the lines of a shell come from: an editor with history on a terminal, else plain lines |
//! | `completion` | what may stand at the cursor, for the editor and for the shells of the system |
//! | `hash_password` | a password for the configuration, without any server |
//! | `commands` | one file a verb |
//! | `answer`, `namespec`, `pattern` | what the server says, with types; names, also by pattern |
//! | `cause` | why there is no connection and what to do |
//!
//! The output is read by scripts: lines, columns and exit statuses are Supervisor's to the character, except that
//! errors without a sentence of their own are one plain line beginning with `error: `.

pub(crate) mod answer;
mod cause;
pub(crate) mod client;
mod commands;
mod completion;
mod endpoint;
mod exit;
mod hash_password;
mod help;
mod input;
mod namespec;
mod options;
mod output;
mod pattern;
mod prompt;
mod session;
mod shell;

use options::Options;
use session::Session;

use crate::config::{self, Language};
use crate::sys::host::Machine;

pub use help::program_help;

/// Every form of every command, with its explanation.
pub fn forms(lang: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    let pick = move |(form, en, zh): &(&'static str, &'static str, &'static str)| (*form, lang.pick(en, zh));
    commands::COMMANDS.iter().flat_map(move |command| command.help.iter().map(pick))
}

/// Runs `supervisorctl`; `argv` begins with the program name. Returns the exit status.
pub fn main(argv: &[String]) -> i32 {
    let (program, args) = match argv.split_first() {
        Some((program, args)) => (program.as_str(), args),
        None => ("supervisorctl", argv),
    };
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(error) => return usage(program, &error, Language::default()),
    };
    if options.help {
        print!("{}", help::program_help(program, options.lang));
        return exit::SUCCESS;
    }
    if let Some(line) = &options.tab {
        print!("{}", completion::of_command_line(line));
        return exit::SUCCESS;
    }
    // It asks no server, so it needs no configuration either.
    if let Some((hash_password::NAME, words)) = options.action.split_first().map(|(name, words)| (name.as_str(), words))
    {
        return hash_password::run(words, options.lang);
    }
    let line = options.action.join(" ");
    let lang = options.lang;
    if options.json && shell::command_of(&line).is_none_or(|command| !command.has_json) {
        let with_json: Vec<&str> =
            commands::COMMANDS.iter().filter(|command| command.has_json).map(|command| command.name).collect();
        return usage(program, &format!("--json needs one of these actions: {}", with_json.join(", ")), lang);
    }
    let config = match config::load_ctl(options.configuration.as_deref(), program, &Machine::new()) {
        Ok(config) => config,
        Err(error) => return usage(program, &error.to_string(), lang),
    };
    for line in config.iter().flat_map(|config| &config.skipped_plugins) {
        eprintln!("CRIT {line}");
    }
    let mut session = match Session::new(options.settle(config)) {
        Ok(session) => session,
        Err(error) => {
            println!("error: {error}");
            return exit::GENERIC;
        }
    };
    if line.is_empty() {
        shell::run(&mut session);
        return exit::SUCCESS;
    }
    shell::run_line(&mut session, &line);
    session.status
}

/// A command line that cannot be used: the reason, and where to find help.
fn usage(program: &str, error: &str, lang: Language) -> i32 {
    eprintln!("Error: {error}");
    eprintln!("{}", lang.pick("For help, use {} -h", "使用帮助：{} -h").replace("{}", program));
    exit::INVALID_ARGS
}
