//! The command line of `supervisorctl`, and the settings it makes with the configuration file.

use std::path::PathBuf;

use crate::config::{CtlConfig, Language, repr};
use crate::getopt;

/// An option, for the parser, the help, the manual page and completion.
pub struct OptionText {
    /// Its letter, if it has one.
    pub short: Option<char>,
    /// Its name, without dashes.
    pub long: &'static str,
    /// What its value is called; `None` for a flag.
    pub value: Option<&'static str>,
    /// What it does, in English. Empty: not shown.
    pub en: &'static str,
    /// The same in Chinese.
    pub zh: &'static str,
}

/// Every option (`Supervisor: options.py ClientOptions`; the last three are ours).
pub const OPTIONS: &[OptionText] = &[
    option(
        Some('c'),
        "configuration",
        Some("FILENAME"),
        "read this configuration file instead of searching for one",
        "使用此配置文件，不再搜索",
    ),
    option(Some('h'), "help", None, "show this text and exit", "显示本说明并退出"),
    option(
        Some('i'),
        "interactive",
        None,
        "start an interactive shell, or ask before an action that ends the service",
        "启动交互式命令行；执行会终止服务的操作前先询问",
    ),
    option(
        Some('s'),
        "serverurl",
        Some("URL"),
        "the server to talk to: http://host:port or unix:///path/of/socket\n     (default \"{}\")",
        "服务器地址：http://主机:端口 或 unix:///套接字路径\n     （默认 \"{}\"）",
    ),
    option(Some('u'), "username", Some("USERNAME"), "user name for the server", "服务器用户名"),
    option(Some('p'), "password", Some("PASSWORD"), "password for the server", "服务器密码"),
    option(
        Some('r'),
        "history_file",
        Some("FILENAME"),
        "keep the history of the shell in this file (also --history-file)",
        "将命令历史保存到此文件（也可写作 --history-file）",
    ),
    option(
        None,
        "json",
        None,
        "answer with one JSON document: status, avail, pid, version, reread, tail, maintail, update --dry-run",
        "以一个 JSON 文档回答：status、avail、pid、version、reread、tail、maintail、update --dry-run",
    ),
    option(None, "lang", Some("en|zh"), "language of help and advice", "说明和提示的语言"),
    option(None, "tab", Some("LINE"), "", ""),
];

const fn option(
    short: Option<char>,
    long: &'static str,
    value: Option<&'static str>,
    en: &'static str,
    zh: &'static str,
) -> OptionText {
    OptionText { short, long, value, en, zh }
}

/// What the command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `-h`: show the help and do nothing else.
    pub help: bool,
    /// `-c`
    pub configuration: Option<String>,
    /// `-i`
    pub interactive: bool,
    /// `-s`
    pub serverurl: Option<String>,
    /// `-u`
    pub username: Option<String>,
    /// `-p`
    pub password: Option<String>,
    /// `-r`
    pub history_file: Option<String>,
    /// `--json`
    pub json: bool,
    /// `--lang`; English unless asked, also on a Chinese host, because scripts read the output.
    pub lang: Language,
    /// `--tab`: the line of a shell up to the cursor, whose last word is to be completed.
    pub tab: Option<String>,
    /// The words after the options, to be joined and split again: `"signal HUP" web` is as good as `signal HUP web`.
    pub action: Vec<String>,
}

/// What a session needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `http://host:port` or `unix:///path`.
    pub serverurl: String,
    /// User name sent to the server.
    pub username: Option<String>,
    /// Password sent to the server.
    pub password: Option<String>,
    /// Prompt of the shell, without `> `.
    pub prompt: String,
    /// Where the shell keeps its history.
    pub history_file: Option<PathBuf>,
    /// Whether questions may be asked.
    pub interactive: bool,
    /// Whether answers are JSON documents.
    pub json: bool,
    /// The language of help, questions and advice.
    pub lang: Language,
}

impl Options {
    /// Reads the words after the program name.
    ///
    /// # Errors
    /// The sentence to show to the user.
    pub fn parse(args: &[String]) -> Result<Options, String> {
        let args: Vec<String> = args.iter().map(|word| with_underscore(word)).collect();
        let (short, long) = tables();
        let (given, action) = getopt::parse(&args, &short, &long).map_err(|error| error.to_string())?;
        let mut options = Options { action, ..Options::default() };
        let mut lang = None;
        for (option, value) in given {
            let field = match option.as_str() {
                "-h" | "--help" | "-?" => {
                    options.help = true;
                    options.lang = named(lang)?;
                    return Ok(options);
                }
                "-i" | "--interactive" | "--json" => {
                    let flag = if option == "--json" { &mut options.json } else { &mut options.interactive };
                    if std::mem::replace(flag, true) {
                        return Err(conflicting(&option));
                    }
                    continue;
                }
                "-s" | "--serverurl" => {
                    check_url(&option, value.as_deref().unwrap_or_default())?;
                    &mut options.serverurl
                }
                "-c" | "--configuration" => &mut options.configuration,
                "-u" | "--username" => &mut options.username,
                "-p" | "--password" => &mut options.password,
                "--lang" => &mut lang,
                "--tab" => &mut options.tab,
                _ => &mut options.history_file,
            };
            if field.is_some() {
                return Err(conflicting(&option));
            }
            *field = value;
        }
        options.lang = named(lang)?;
        Ok(options)
    }

    /// Fills in what the command line leaves open.
    pub fn settle(self, config: Option<CtlConfig>) -> Settings {
        let config = config.unwrap_or_default();
        Settings {
            serverurl: self.serverurl.unwrap_or(config.serverurl),
            username: self.username.or(config.username),
            password: self.password.or(config.password),
            prompt: config.prompt,
            history_file: self.history_file.map(PathBuf::from).or(config.history_file),
            interactive: self.interactive || self.action.is_empty(),
            json: self.json,
            lang: self.lang,
        }
    }
}

/// The options as the parser wants them.
fn tables() -> (String, Vec<(&'static str, bool)>) {
    let mut short = String::from("?");
    for option in OPTIONS {
        if let Some(letter) = option.short {
            short.push(letter);
            short.push_str(if option.value.is_some() { ":" } else { "" });
        }
    }
    (short, OPTIONS.iter().map(|option| (option.long, option.value.is_some())).collect())
}

/// The help has always said `--history-file`; the parser has always wanted `--history_file`. Both are fine.
fn with_underscore(word: &str) -> String {
    match word.strip_prefix("--history-file") {
        Some(rest) if rest.is_empty() || rest.starts_with('=') => format!("--history_file{rest}"),
        _ => word.to_owned(),
    }
}

fn named(lang: Option<String>) -> Result<Language, String> {
    let Some(name) = lang else { return Ok(Language::default()) };
    let unknown = || format!("invalid value for --lang {}: must be en or zh", repr::text(&name));
    Language::named(&name).ok_or_else(unknown)
}

fn conflicting(option: &str) -> String {
    format!("conflicting command line option '{option}'")
}

/// A URL has a scheme, and a host or a path (`Supervisor: datatypes.py url()`).
fn check_url(option: &str, value: &str) -> Result<(), String> {
    let is_url = value.split_once(':').is_some_and(|(scheme, rest)| {
        let location = rest.strip_prefix("//").unwrap_or(rest);
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
            && !location.split(['?', '#']).next().unwrap_or_default().is_empty()
    });
    match is_url {
        true => Ok(()),
        false => {
            let shown = repr::text(value);
            Err(format!("invalid value for {option} {shown}: value {shown} is not a URL"))
        }
    }
}
