//! `supervisorctl hash-password [--cost N]`: makes the value for `password=` of a server. Nothing is asked of the daemon.

use std::io::{self, BufRead, IsTerminal, Write};

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use super::exit;
use crate::config::Language;
use crate::password;

/// How it is called.
pub const NAME: &str = "hash-password";

/// Costs that bcrypt knows.
const COSTS: std::ops::RangeInclusive<u32> = 4..=31;

/// Reads a password, twice without showing it from a terminal, else the first line of the standard input, and prints the
/// line for the configuration. Returns the exit status.
pub fn run(words: &[String], lang: Language) -> i32 {
    match read_cost(words, lang).and_then(|cost| make_line(cost, lang).map_err(|error| error.to_string())) {
        Ok(line) => {
            println!("{line}");
            exit::SUCCESS
        }
        Err(text) => {
            eprintln!("{}{text}", lang.pick("Error: ", "错误："));
            exit::INVALID_ARGS
        }
    }
}

fn read_cost(words: &[String], lang: Language) -> Result<u32, String> {
    let text = match words {
        [] => return Ok(password::COST_DEFAULT),
        [option, cost] if option == "--cost" => cost,
        [word] if word.starts_with("--cost=") => &word["--cost=".len()..],
        _ => {
            let english = "takes --cost N and nothing else; the password is read from the standard input";
            return Err(format!("{NAME} {}", lang.pick(english, "只接受 --cost N；密码从标准输入读取")));
        }
    };
    let cost = text.parse().ok().filter(|cost| COSTS.contains(cost));
    cost.ok_or_else(|| {
        let (from, to) = (COSTS.start(), COSTS.end());
        match lang {
            Language::English => format!("--cost is a number from {from} to {to}, not {text}"),
            Language::Chinese => format!("--cost 应为 {from} 到 {to} 的数字，而不是 {text}"),
        }
    })
}

fn make_line(cost: u32, lang: Language) -> Result<String, Box<dyn std::error::Error>> {
    let password = if io::stdin().is_terminal() { ask_twice(lang)? } else { read_line()? };
    // A percent sign would be expanded; the hash has none.
    Ok(format!("password={}", password::hash(password.as_bytes(), cost)?))
}

fn ask_twice(lang: Language) -> Result<String, Box<dyn std::error::Error>> {
    let first = ask(lang.pick("Password: ", "密码："))?;
    if first != ask(lang.pick("Again: ", "再次输入："))? {
        return Err(lang.pick("the two are not the same", "两次输入不一致").into());
    }
    Ok(first)
}

/// Asks on stderr, so that the output can go to a file, and does not show what is typed.
fn ask(question: &str) -> io::Result<String> {
    eprint!("{question}");
    io::stderr().flush()?;
    let stdin = io::stdin();
    let shown = tcgetattr(&stdin)?;
    let mut hidden = shown.clone();
    hidden.local_flags.remove(LocalFlags::ECHO);
    tcsetattr(&stdin, SetArg::TCSAFLUSH, &hidden)?;
    let line = read_line();
    tcsetattr(&stdin, SetArg::TCSAFLUSH, &shown)?;
    eprintln!();
    line
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}
