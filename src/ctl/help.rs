//! Help: of the program, of all commands, of one.

use super::client::CallError;
use super::commands::{COMMANDS, Command, Next, find};
use super::options::OPTIONS;
use super::session::Session;
use crate::config::{CtlConfig, Language};

/// Width of the terminal that the list of commands is laid out for, in characters.
const LIST_WIDTH: usize = 79;
/// Width of a tab, in characters.
const TAB_WIDTH: usize = 8;
/// Where the explanations begin if the form of the command leaves room, in characters.
const EXPLANATION_COLUMN: usize = 3 * TAB_WIDTH;

/// The answer to `-h`.
pub fn program_help(program: &str, lang: Language) -> String {
    let mut text = String::from("supervisorctl -- control applications run by supervisord from the command line\n\n");
    let usage = lang.pick("Usage: {} [options] [action [arguments]]", "用法：{} [选项] [操作 [参数]]");
    text.push_str(&usage.replace("{}", program));
    text.push_str(lang.pick("\n\nOptions:\n", "\n\n选项：\n"));
    for option in OPTIONS.iter().filter(|option| !option.en.is_empty()) {
        let long = option.long.replace("history_file", "history-file");
        let letter = option.short.map(|letter| format!("-{letter}/")).unwrap_or_default();
        let value = option.value.map(|value| format!(" {value}")).unwrap_or_default();
        let what = lang.pick(option.en, option.zh).replace("{}", &CtlConfig::default().serverurl);
        text.push_str(&format!("{letter}--{long}{value} -- {what}\n"));
    }
    text.push_str(lang.pick(
        "\naction [arguments] -- what to do, for example \"status\" or \"tail -f web\"; \"help\" lists\n     \
         all actions. Without an action a shell reads them from the standard input.\n     \
         \"hash-password\" asks no server: it makes the password line of a server's section.\n\n",
        "\n操作 [参数] -- 要做的事，例如 \"status\" 或 \"tail -f web\"；\"help\" 列出所有操作。\n     \
         不给出操作时，从标准输入逐行读取。\n     \
         \"hash-password\" 不连接服务器：它生成服务器配置段中的 password 行。\n\n",
    ));
    text
}

/// `help` and `help <command>`.
pub fn run(session: &mut Session, topic: &str) -> Result<Next, CallError> {
    let lang = session.settings.lang;
    match topic {
        "" => list(session),
        "help" => {
            session.line(format_args!("help\t\t\t{}", lang.pick("List the commands", "列出所有操作")));
            session.line(format_args!("help <action>\t\t{}", lang.pick("Explain one of them", "解释其中之一")));
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

/// Shows the forms of a command.
pub fn explain(session: &mut Session, command: &Command) {
    for (form, en, zh) in command.help {
        let explanation = session.settings.lang.pick(en, zh);
        let tabs = match form.len() {
            length if length < EXPLANATION_COLUMN => (EXPLANATION_COLUMN - length).div_ceil(TAB_WIDTH),
            _ => 1,
        };
        session.line(format_args!("{form}{}{explanation}", "\t".repeat(tabs)));
    }
}

/// What Supervisor does not have is listed apart: its own list is compared by people and scripts.
const OURS: [&str; 2] = ["scale", "upgrade"];

/// What begins the list of our own commands.
const OURS_TITLE: &str = "commands of supervisor-kit (type help <topic>):";

fn list(session: &mut Session) {
    let (ours, default): (Vec<&str>, Vec<&str>) =
        COMMANDS.iter().map(|command| command.name).partition(|name| OURS.contains(name));
    session.line("");
    for (title, names) in [("default commands (type help <topic>):", default), (OURS_TITLE, ours)] {
        session.line(title);
        session.line("=".repeat(title.len()));
        for line in columns(&names, LIST_WIDTH) {
            session.line(line);
        }
        session.line("");
    }
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
    fn everything_is_explained_in_both_languages() {
        let forms = COMMANDS.iter().flat_map(|command| command.help.iter().map(|(_, en, zh)| (*en, *zh)));
        let options = OPTIONS.iter().map(|option| (option.en, option.zh)).filter(|(en, _)| !en.is_empty());
        for (en, zh) in forms.chain(options) {
            assert!(en.is_ascii() && !en.is_empty(), "{en}");
            assert!(zh.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{en}: {zh}");
        }
        assert!(COMMANDS.iter().all(|command| !command.help.is_empty()));
    }

    #[test]
    fn columns_read_downwards() {
        assert_eq!(columns(&["a", "bb", "ccc"], 80), ["a  bb  ccc"]);
        assert_eq!(columns(&["a", "bb", "ccc"], 7), ["a   ccc", "bb"]);
        assert_eq!(columns(&["aaaa", "b"], 3), ["aaaa", "b   "]);
    }
}
