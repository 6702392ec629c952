//! `supervisorctl`: the command line of the daemon.
//!
//! | file | what |
//! |---|---|
//! | `options` | the command line and the settings |
//! | `client`, `endpoint` | the connection |
//! | `session` | what commands share: output, exit status, questions |
//! | `shell` | from a line to a command |
//! | `commands` | one file a verb |
//! | `answer`, `namespec` | what the server says, with types |
//!
//! The output is read by scripts: lines, columns and exit statuses are Supervisor's to the character, except that
//! errors without a sentence of their own are one plain line beginning with `error: `.

mod answer;
mod client;
mod commands;
mod endpoint;
mod exit;
mod help;
mod namespec;
mod options;
mod session;
mod shell;

use options::Options;
use session::Session;

use crate::config;
use crate::sys::host::Machine;

/// Runs `supervisorctl`; `argv` begins with the program name. Returns the exit status.
pub fn main(argv: &[String]) -> i32 {
    let (program, args) = match argv.split_first() {
        Some((program, args)) => (program.as_str(), args),
        None => ("supervisorctl", argv),
    };
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(error) => return usage(program, &error),
    };
    if options.help {
        print!("{}", help::program_help(program));
        return exit::SUCCESS;
    }
    let line = options.action.join(" ");
    let config = match config::load_ctl(options.configuration.as_deref(), program, &Machine::new()) {
        Ok(config) => config,
        Err(error) => return usage(program, &error.to_string()),
    };
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
fn usage(program: &str, error: &str) -> i32 {
    eprintln!("Error: {error}\nFor help, use {program} -h");
    exit::INVALID_ARGS
}
