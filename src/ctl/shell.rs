//! Lines: one from the command line, or one after the other from a prompt.

use std::io::stdin;

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use super::client::CallError;
use super::commands::{self, Command, Next};
use super::prompt::Prompt;
use super::session::Session;
use super::{exit, help};

/// Reads commands until the user leaves. Ctrl-C leaves too, also while an answer is waited for.
pub fn run(session: &mut Session) {
    // Without it Ctrl-C ends the program, which is nearly as good.
    let _ = session.client.catch_interrupt();
    let mut prompt = Prompt::new(session);
    let mut next = run_line(session, "status");
    while next == Next::Prompt {
        next = match prompt.line(session) {
            Ok(line) => run_line(session, line.as_deref().unwrap_or("EOF")),
            Err(_) => interrupted(session),
        };
        session.output.flush();
    }
    prompt.save();
}

/// Runs one line and turns what its command could not handle into a message.
pub fn run_line(session: &mut Session, line: &str) -> Next {
    let next = loop {
        match dispatch(session, line.trim()) {
            Ok(next) => break next,
            Err(CallError::Interrupted) => break interrupted(session),
            Err(CallError::Unauthorized) => {
                session.fail(exit::GENERIC, CallError::Unauthorized);
                if !session.settings.interactive {
                    session.advise(&CallError::Unauthorized);
                    break Next::Prompt;
                }
                match log_in(session) {
                    Ok(true) => session.status = exit::SUCCESS,
                    Ok(false) => break Next::Prompt,
                    Err(_) => break interrupted(session),
                }
            }
            Err(error) => {
                session.fail(exit::GENERIC, format_args!("error: {error}"));
                session.advise(&error);
                break Next::Prompt;
            }
        }
    };
    session.output.finish();
    next
}

/// The command that a line names.
pub fn command_of(line: &str) -> Option<&'static Command> {
    commands::find(split(line.trim()).0)
}

fn interrupted(session: &mut Session) -> Next {
    session.line("");
    Next::Leave
}

/// A name ends where letters, digits and underscores end (`Python: cmd.Cmd.parseline()`).
fn split(line: &str) -> (&str, &str) {
    let end = line.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(line.len());
    (&line[..end], line[end..].trim())
}

/// Finds the command of a line; `?x` is `help x`.
fn dispatch(session: &mut Session, line: &str) -> Result<Next, CallError> {
    if line.is_empty() {
        return Ok(Next::Prompt);
    }
    if let Some(topic) = line.strip_prefix('?') {
        return help::run(session, topic.trim());
    }
    let (name, arg) = split(line);
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
fn log_in(session: &mut Session) -> Result<bool, CallError> {
    let lang = session.settings.lang;
    let Some(username) = session.ask(lang.pick("Username:", "用户名："))? else { return Ok(false) };
    let Some(password) = ask_hidden(session, lang.pick("Password:", "密码："))? else { return Ok(false) };
    session.line("");
    session.settings.username = Some(username);
    session.settings.password = Some(password);
    session.reconnect();
    Ok(true)
}

/// Asks without showing what is typed, if the input is a terminal.
fn ask_hidden(session: &mut Session, prompt: &str) -> Result<Option<String>, CallError> {
    let Ok(before) = tcgetattr(stdin()) else { return session.ask(prompt) };
    let mut hidden = before.clone();
    hidden.local_flags.remove(LocalFlags::ECHO);
    // Ctrl-C must not leave a terminal that hides everything; where it cannot be caught, it does.
    let _ = session.client.catch_interrupt();
    // A terminal that cannot hide is no reason to refuse the password.
    let _ = tcsetattr(stdin(), SetArg::TCSADRAIN, &hidden);
    let answer = session.ask(prompt);
    let _ = tcsetattr(stdin(), SetArg::TCSADRAIN, &before);
    answer
}
