//! Lines: one from the command line, or one after the other from the standard input.

use std::io::stdin;

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use super::client::CallError;
use super::commands::{self, Next};
use super::session::Session;
use super::{exit, help};

/// Reads commands until the user leaves. Line editing and completion are the terminal's own.
pub fn run(session: &mut Session) {
    let prompt = format!("{}> ", session.settings.prompt);
    run_line(session, "status");
    loop {
        let line = session.ask(&prompt);
        if run_line(session, line.as_deref().unwrap_or("EOF")) == Next::Leave {
            return;
        }
    }
}

/// Runs one line and turns what its command could not handle into a message.
pub fn run_line(session: &mut Session, line: &str) -> Next {
    loop {
        let error = match dispatch(session, line.trim()) {
            Ok(next) => return next,
            Err(error) => error,
        };
        if !matches!(error, CallError::Unauthorized) {
            session.fail(exit::GENERIC, format_args!("error: {error}"));
            return Next::Prompt;
        }
        session.fail(exit::GENERIC, error);
        if !session.settings.interactive || !log_in(session) {
            return Next::Prompt;
        }
        session.status = exit::SUCCESS;
    }
}

/// Finds the command of a line. Its name ends where letters, digits and underscores end; `?x` is `help x`
/// (`Python: cmd.Cmd.parseline()`).
fn dispatch(session: &mut Session, line: &str) -> Result<Next, CallError> {
    if line.is_empty() {
        return Ok(Next::Prompt);
    }
    if let Some(topic) = line.strip_prefix('?') {
        return help::run(session, topic.trim());
    }
    let end = line.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(line.len());
    let (name, arg) = (&line[..end], line[end..].trim());
    match (name, commands::find(name)) {
        (_, Some(command)) => (command.run)(session, arg),
        ("help", None) => help::run(session, arg),
        ("EOF", None) => commands::leave(session),
        _ => {
            session.fail(exit::GENERIC, format_args!("*** Unknown syntax: {line}"));
            Ok(Next::Prompt)
        }
    }
}

/// Asks for a name and a password; false when there is nobody to answer.
fn log_in(session: &mut Session) -> bool {
    let Some(username) = session.ask("Username:") else { return false };
    let Some(password) = ask_hidden(session, "Password:") else { return false };
    session.line("");
    session.settings.username = Some(username);
    session.settings.password = Some(password);
    match session.reconnect() {
        Ok(()) => true,
        Err(error) => {
            session.fail(exit::GENERIC, format_args!("error: {error}"));
            false
        }
    }
}

/// Asks without showing what is typed, if the input is a terminal.
fn ask_hidden(session: &mut Session, prompt: &str) -> Option<String> {
    let Ok(before) = tcgetattr(stdin()) else { return session.ask(prompt) };
    let mut hidden = before.clone();
    hidden.local_flags.remove(LocalFlags::ECHO);
    // A terminal that cannot hide is no reason to refuse the password.
    let _ = tcsetattr(stdin(), SetArg::TCSADRAIN, &hidden);
    let answer = session.ask(prompt);
    let _ = tcsetattr(stdin(), SetArg::TCSADRAIN, &before);
    answer
}
