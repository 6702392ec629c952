//! The few questions for somebody at a terminal who said nothing else than `./install`. Their answers are flags.

use std::io;

use dialoguer::console::Term;
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Confirm, Input, Select};
use nix::sys::signal::{SigSet, Signal};

use crate::kit::takeover::Findings;
use crate::kit::text::{Lang, Question};
use crate::kit::web::{Address, PASSWORD_BYTES_MAX};

/// Where the console listens unless somebody says otherwise.
const WEB_DEFAULT: &str = "127.0.0.1:9001";

/// Asks, and answers the flags that say the same.
///
/// # Errors
/// Ctrl-C, Ctrl-D, or the terminal has gone. The terminal is as it was.
pub fn ask(lang: Lang, found: &Findings) -> io::Result<(Lang, Vec<String>)> {
    // Ctrl-C is then an error of the question that it ends, and not the end of this program with a hidden cursor.
    let interrupt = SigSet::from(Signal::SIGINT);
    let _ = interrupt.thread_block();
    let answers = questions(lang, found);
    let _ = Term::stderr().show_cursor();
    if answers.is_ok() {
        let _ = interrupt.thread_unblock();
    }
    answers
}

fn questions(lang: Lang, found: &Findings) -> io::Result<(Lang, Vec<String>)> {
    let theme = ColorfulTheme::default();
    let languages = ["English", "简体中文"];
    let default = usize::from(lang == Lang::Zh);
    let chosen = Select::with_theme(&theme).with_prompt("Language / 语言").items(languages).default(default);
    let lang = match chosen.interact_opt().map_err(plain)? {
        Some(0) => Lang::En,
        Some(_) => Lang::Zh,
        None => return Err(io::ErrorKind::Interrupted.into()),
    };
    let mut flags = vec![format!("--lang={}", if lang == Lang::En { "en" } else { "zh" })];
    if !found.is_empty() {
        if !yes(&theme, lang, Question::Replace, false)? {
            return Err(io::ErrorKind::Interrupted.into());
        }
        flags.push("--replace".to_owned());
    }
    if !yes(&theme, lang, Question::StartNow, true)? {
        flags.push("--no-start".to_owned());
    }
    if !yes(&theme, lang, Question::StartAtBoot, true)? {
        flags.push("--no-enable".to_owned());
    }
    if yes(&theme, lang, Question::Web, false)? {
        flags.extend(web(&theme, lang)?);
    }
    Ok((lang, flags))
}

fn web(theme: &ColorfulTheme, lang: Lang) -> io::Result<Vec<String>> {
    let text = |question: Question, default: &str| {
        let input = Input::<String>::with_theme(theme).with_prompt(lang.ask(question));
        let is_address = question == Question::WebAddress;
        let input = if default.is_empty() { input } else { input.default(default.to_owned()) };
        let judge = move |text: &String| match Address::parse(text) {
            None if is_address => Err("ADDR:PORT"),
            _ if text.len() > PASSWORD_BYTES_MAX => Err("too long / 过长"),
            _ => Ok(()),
        };
        input.validate_with(judge).interact_text().map_err(plain)
    };
    let address = text(Question::WebAddress, WEB_DEFAULT)?;
    let user = text(Question::WebUser, "admin")?;
    let file = text(Question::WebPasswordFile, "")?;
    Ok(vec![format!("--web={address}"), format!("--web-user={user}"), format!("--web-password-file={file}")])
}

fn yes(theme: &ColorfulTheme, lang: Lang, question: Question, default: bool) -> io::Result<bool> {
    let asked = Confirm::with_theme(theme).with_prompt(lang.ask(question)).default(default).interact_opt();
    asked.map_err(plain)?.ok_or_else(|| io::ErrorKind::Interrupted.into())
}

fn plain(error: dialoguer::Error) -> io::Error {
    let dialoguer::Error::IO(error) = error;
    error
}
