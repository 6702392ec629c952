//! Help: of the program, of all commands, of one.

use super::client::CallError;
use super::commands::{COMMANDS, Command, Next, find};
use super::session::Session;
use crate::config::CtlConfig;

/// Width of the terminal that the list of commands is laid out for, in characters.
const LIST_WIDTH: usize = 79;
/// Width of a tab, in characters.
const TAB_WIDTH: usize = 8;
/// Where the explanations begin if the form of the command leaves room, in characters.
const EXPLANATION_COLUMN: usize = 3 * TAB_WIDTH;

/// The answer to `-h`.
pub fn program_help(program: &str) -> String {
    format!(
        "supervisorctl -- control applications run by supervisord from the command line

Usage: {program} [options] [action [arguments]]

Options:
-c/--configuration FILENAME -- read this configuration file instead of searching for one
-h/--help -- show this text and exit
-i/--interactive -- start an interactive shell, or ask before an action that ends the service
-s/--serverurl URL -- the server to talk to: http://host:port or unix:///path/of/socket
     (default \"{}\")
-u/--username USERNAME -- user name for the server
-p/--password PASSWORD -- password for the server
-r/--history-file FILENAME -- keep the history of the shell in this file

action [arguments] -- what to do, for example \"status\" or \"tail -f web\"; \"help\" lists
     all actions. Without an action a shell reads them from the standard input.

",
        CtlConfig::default().serverurl
    )
}

/// `help` and `help <command>`.
pub fn run(session: &mut Session, topic: &str) -> Result<Next, CallError> {
    match topic {
        "" => list(session),
        "help" => {
            session.line("help\t\t\tList the commands");
            session.line("help <action>\t\tExplain one of them");
        }
        _ => match find(topic) {
            Some(command) => explain(session, command),
            None => session.line(format_args!("*** No help on {topic}")),
        },
    }
    Ok(Next::Prompt)
}

/// Refuses a command line: says why, and how it is meant.
pub fn wrong_usage(session: &mut Session, command: &Command, status: i32, reason: &str) -> Next {
    session.fail(status, format_args!("Error: {reason}"));
    explain(session, command);
    Next::Prompt
}

/// Refuses arguments of a command that takes none.
pub fn accepts_no_arguments(session: &mut Session, command: &Command) -> Next {
    wrong_usage(session, command, super::exit::GENERIC, &format!("{} accepts no arguments", command.name))
}

fn explain(session: &mut Session, command: &Command) {
    for (form, explanation) in command.help {
        let tabs = match form.len() {
            length if length < EXPLANATION_COLUMN => (EXPLANATION_COLUMN - length).div_ceil(TAB_WIDTH),
            _ => 1,
        };
        session.line(format_args!("{form}{}{explanation}", "\t".repeat(tabs)));
    }
}

fn list(session: &mut Session) {
    let title = "default commands (type help <topic>):";
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    session.line("");
    session.line(title);
    session.line("=".repeat(title.len()));
    for line in columns(&names, LIST_WIDTH) {
        session.line(line);
    }
    session.line("");
}

/// Lays words out in as few lines as fit, reading down the columns (`Python: cmd.Cmd.columnize()`).
fn columns(words: &[&str], width: usize) -> Vec<String> {
    let column_widths = |rows: usize| -> Vec<usize> {
        words.chunks(rows).map(|column| column.iter().map(|word| word.len()).max().unwrap_or_default()).collect()
    };
    let fits = |rows: &usize| column_widths(*rows).iter().map(|column| column + 2).sum::<usize>() <= width + 2;
    let rows = (1..=words.len()).find(fits).unwrap_or(words.len().max(1));
    let widths = column_widths(rows);
    (0..rows)
        .map(|row| {
            let cells: Vec<String> = words
                .chunks(rows)
                .zip(&widths)
                .filter_map(|(column, width)| Some(format!("{:width$}", column.get(row)?)))
                .collect();
            cells.join("  ")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_read_downwards() {
        assert_eq!(columns(&["a", "bb", "ccc"], 80), ["a  bb  ccc"]);
        assert_eq!(columns(&["a", "bb", "ccc"], 7), ["a   ccc", "bb"]);
        assert_eq!(columns(&["aaaa", "b"], 3), ["aaaa", "b   "]);
    }
}
