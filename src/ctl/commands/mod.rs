//! The commands, one file a verb.

mod add;
mod avail;
mod change;
mod clear;
mod fg;
mod maintail;
mod open;
mod pid;
mod quit;
mod reload;
mod remove;
mod reread;
mod restart;
mod scale;
mod shutdown;
mod signal;
mod start;
mod status;
mod stop;
mod tail;
mod update;
mod update_plan;
mod upgrade;
mod version;

use super::client::CallError;
use super::session::Session;

/// A command.
pub struct Command {
    /// What the user types.
    pub name: &'static str,
    /// What its arguments are, for completion.
    pub completes: Completes,
    /// Whether it only looks, and can answer with a JSON document.
    pub has_json: bool,
    /// Its help: a form of the command, and what this form does, in English and in Chinese.
    pub help: &'static [(&'static str, &'static str, &'static str)],
    /// Does it. The second argument is the rest of the line, without white space around it.
    pub run: fn(&mut Session, &str) -> Result<Next, CallError>,
}

/// What the arguments of a command are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completes {
    /// Nothing that could be listed.
    Nothing,
    /// Names of groups.
    Groups,
    /// Names of processes, and `group:*`.
    Processes,
}

/// Whether an interactive session goes on after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ready for another command.
    Prompt,
    /// The user wants to leave.
    Leave,
}

/// Every command, by name.
pub const COMMANDS: &[Command] = &[
    add::COMMAND,
    avail::COMMAND,
    clear::COMMAND,
    quit::EXIT,
    fg::COMMAND,
    maintail::COMMAND,
    open::COMMAND,
    pid::COMMAND,
    quit::QUIT,
    reload::COMMAND,
    remove::COMMAND,
    reread::COMMAND,
    restart::COMMAND,
    scale::COMMAND,
    shutdown::COMMAND,
    signal::COMMAND,
    start::COMMAND,
    status::COMMAND,
    stop::COMMAND,
    tail::COMMAND,
    update::COMMAND,
    upgrade::COMMAND,
    version::COMMAND,
];

/// What the end of the input does.
pub fn leave(session: &mut Session) -> Result<Next, CallError> {
    quit::run(session, "")
}

/// The command with this name.
pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}
