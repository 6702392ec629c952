//! The shell, on a terminal.

use std::fs;

use super::FILES;
use super::lab::{Lab, Whose};
use super::terminal::{CTRL_C, CTRL_D, Terminal, UP};

const SERVER: &[&str] = &["-s", "unix://{dir}/s.sock"];
const PROMPT: &str = "supervisor> ";

fn lab(daemon: Whose) -> Lab {
    let lab = Lab::start(daemon, FILES);
    lab.wait_for("the programs", || {
        let status = lab.run(Whose::Ours, &["-s", "unix://{dir}/s.sock", "status"]).stdout;
        status.contains("EXITED") && !status.contains("STARTING")
    });
    lab
}

/// The lines between the lines that were edited.
fn printed(terminal: &Terminal) -> Vec<String> {
    let screen = terminal.screen();
    let lines = screen.lines().filter(|line| !line.contains(PROMPT));
    lines.map(|line| line.split(" pid ").next().unwrap().split(" Nov ").next().unwrap().trim_end().to_owned()).collect()
}

#[test]
fn what_is_typed_with_tabs_does_what_it_does_in_the_stock_shell() {
    let lab = lab(Whose::Ours);
    let steps = [
        ("vers\t\r", "4.3.0"),
        ("status mul\tm_1\r", "RUNNING"),
        ("status a_na\t\r", "Not started"),
        ("pid idl\t\r", "\n0"),
        ("help vers\t\r", "version"),
        ("!ls\r", "*** Unknown syntax: !ls"),
        ("?nope\r", "*** No help on nope"),
        ("\r", "\n"),
        ("status stub\tid\t\r", "Not started"),
        ("add nop\t\r", "no such process/group: nop"),
    ];
    let said = |whose| {
        let mut terminal = Terminal::start(&lab, whose, SERVER);
        // `status` goes first.
        terminal.wait_for("talker");
        terminal.wait_for(PROMPT);
        for (keys, shown) in steps {
            terminal.press(keys);
            terminal.wait_for(shown);
            terminal.wait_for(PROMPT);
        }
        // Not with Ctrl-C: Python now and then misses it between two lines.
        terminal.press("exit\r");
        assert_eq!(terminal.end(), Some(0));
        let lines = printed(&terminal);
        lines.into_iter().filter(|line| !line.starts_with("version\t") && !line.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(said(Whose::Ours), said(Whose::Stock));
}

#[test]
fn candidates_are_listed_and_end_with_a_space() {
    let lab = lab(Whose::Ours);
    let mut terminal = Terminal::start(&lab, Whose::Ours, SERVER);
    terminal.wait_for(PROMPT);
    terminal.press("status multi:\t\t");
    terminal.wait_for("multi:other");
    assert!(["multi:*", "multi:m_0", "multi:m_1"].iter().all(|name| terminal.screen().contains(name)));
    terminal.press("other\r");
    terminal.wait_for("RUNNING");
    terminal.wait_for(PROMPT);
    terminal.press("re\t\t");
    terminal.wait_for("restart");
    terminal.press("mo\tcat\r");
    terminal.wait_for("still running: cat");
    assert!(["reload", "remove", "reread", "restart"].iter().all(|name| terminal.screen().contains(name)));
    // Before that the key would be the terminal's, not the shell's.
    terminal.wait_for(PROMPT);
    terminal.press(CTRL_D);
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn history_is_kept_in_a_file() {
    let lab = lab(Whose::Ours);
    let file = lab.dir.path().join("history");
    fs::write(&file, "pid idle\n").unwrap();
    let args = ["-s", "unix://{dir}/s.sock", "--history-file", "{dir}/history"];
    for (keys, shown) in [("version\r", "4.3.0"), (&format!("{UP}{UP}{UP}\r"), "\n0\n")] {
        let mut terminal = Terminal::start(&lab, Whose::Ours, &args);
        terminal.wait_for(PROMPT);
        terminal.press(keys);
        terminal.wait_for(shown);
        terminal.wait_for(PROMPT);
        terminal.press("exit\r");
        assert_eq!(terminal.end(), Some(0));
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "pid idle\nversion\nexit\npid idle\nexit\n");
}

#[test]
fn ctrl_c_ends_a_stream_but_not_the_shell() {
    let lab = lab(Whose::Ours);
    for whose in [Whose::Stock, Whose::Ours] {
        let mut terminal = Terminal::start(&lab, whose, SERVER);
        terminal.wait_for("talker");
        terminal.wait_for(PROMPT);
        terminal.press("tail -f talker\r");
        terminal.wait_for("two");
        terminal.press(CTRL_C);
        terminal.wait_for(PROMPT);
        terminal.press("version\r");
        terminal.wait_for("4.3.0");
        terminal.wait_for(PROMPT);
        terminal.press(if whose == Whose::Ours { CTRL_C } else { "exit\r" });
        assert_eq!(terminal.end(), Some(0), "{whose:?}");
    }
}

#[test]
fn ctrl_c_leaves_while_an_answer_is_waited_for() {
    let lab = lab(Whose::Ours);
    let mut terminal = Terminal::start(&lab, Whose::Ours, SERVER);
    terminal.wait_for(PROMPT);
    terminal.press("start stubborn\r");
    terminal.wait_for("stubborn: started");
    terminal.wait_for(PROMPT);
    // It ignores the signal once it says so, so the answer does not come.
    let asked = |action| lab.run(Whose::Ours, &["-s", "unix://{dir}/s.sock", action, "stubborn"]).stdout;
    lab.wait_for("the program to be deaf", || asked("tail").contains("deaf"));
    terminal.press("stop stubborn\r");
    lab.wait_for("the stop to begin", || asked("status").contains("STOPPING"));
    terminal.press(CTRL_C);
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn the_foreground_goes_both_ways() {
    let lab = lab(Whose::Ours);
    for whose in [Whose::Stock, Whose::Ours] {
        let mut terminal = Terminal::start(&lab, whose, &["-s", "unix://{dir}/s.sock", "fg", "talker"]);
        terminal.wait_for("==> Press Ctrl-C to exit <==");
        terminal.wait_for("two");
        terminal.wait_for("grumble");
        terminal.press("你好\r");
        // Once by the terminal, once by the program.
        terminal.wait_for("你好");
        terminal.wait_for("你好");
        if whose == Whose::Ours {
            terminal.press(CTRL_C);
            terminal.wait_for("Exiting foreground");
            assert_eq!(terminal.end(), Some(0));
        }
    }
}

#[test]
fn the_foreground_ends_with_its_process() {
    let lab = lab(Whose::Ours);
    let mut terminal = Terminal::start(&lab, Whose::Ours, SERVER);
    terminal.wait_for(PROMPT);
    terminal.press("fg talker\r");
    terminal.wait_for("two");
    // Nothing is typed: it notices by itself.
    lab.run(Whose::Ours, &["-s", "unix://{dir}/s.sock", "stop", "talker"]);
    terminal.wait_for("Process got killed");
    terminal.wait_for("Exiting foreground");
    terminal.wait_for(PROMPT);
    terminal.press(CTRL_D);
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn states_have_colours_on_a_terminal_only() {
    let lab = lab(Whose::Ours);
    let mut terminal = Terminal::start(&lab, Whose::Ours, &["-s", "unix://{dir}/s.sock", "status", "cat"]);
    assert_eq!(terminal.end(), Some(0));
    assert!(terminal.raw().contains("\x1b[32mRUNNING\x1b[0m   pid "), "{:?}", terminal.raw());
    let plain = lab.run(Whose::Ours, &["-s", "unix://{dir}/s.sock", "status"]).stdout;
    assert!(!plain.contains('\x1b'), "{plain:?}");
}

#[test]
fn watching_draws_anew_until_ctrl_c() {
    let lab = lab(Whose::Ours);
    let mut terminal =
        Terminal::start(&lab, Whose::Ours, &["-s", "unix://{dir}/s.sock", "status", "--watch", "1", "cat"]);
    terminal.wait_for("RUNNING");
    lab.run(Whose::Ours, &["-s", "unix://{dir}/s.sock", "stop", "cat"]);
    terminal.wait_for("STOPPED");
    terminal.press(CTRL_C);
    terminal.end();
    assert!(terminal.raw().matches("\x1b[H\x1b[J").count() >= 2, "{:?}", terminal.raw());
}

#[test]
fn a_password_is_asked_for_without_being_shown() {
    let lab = lab(Whose::Ours);
    let mut terminal = Terminal::start(&lab, Whose::Ours, &["-i", "-s", "http://127.0.0.1:{port}", "version"]);
    terminal.wait_for("Username:");
    terminal.press("user\r");
    terminal.wait_for("Password:");
    terminal.press("secret\r");
    terminal.wait_for("4.3.0");
    assert_eq!(terminal.end(), Some(0));
    assert!(!terminal.screen().contains("secret"), "{}", terminal.screen());
}
