//! The command line of `supervisorctl`, and the settings it makes with the configuration file.

use crate::config::{CtlConfig, repr};
use crate::getopt;

/// Short options (`Supervisor: options.py ClientOptions`).
const SHORT: &str = "h?c:is:u:p:r:";
/// Long options, and whether they take a value.
const LONG: &[(&str, bool)] = &[
    ("help", false),
    ("configuration", true),
    ("interactive", false),
    ("serverurl", true),
    ("username", true),
    ("password", true),
    ("history_file", true),
];

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
    /// Whether questions may be asked.
    pub interactive: bool,
}

impl Options {
    /// Reads the words after the program name.
    ///
    /// # Errors
    /// The sentence to show to the user.
    pub fn parse(args: &[String]) -> Result<Options, String> {
        let args: Vec<String> = args.iter().map(|word| with_underscore(word)).collect();
        let (given, action) = getopt::parse(&args, SHORT, LONG).map_err(|error| error.to_string())?;
        let mut options = Options { action, ..Options::default() };
        for (option, value) in given {
            let field = match option.as_str() {
                "-h" | "--help" | "-?" => {
                    options.help = true;
                    return Ok(options);
                }
                "-i" | "--interactive" => {
                    if std::mem::replace(&mut options.interactive, true) {
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
                _ => &mut options.history_file,
            };
            if field.is_some() {
                return Err(conflicting(&option));
            }
            *field = value;
        }
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
            interactive: self.interactive || self.action.is_empty(),
        }
    }
}

/// The help has always said `--history-file`; the parser has always wanted `--history_file`. Both are fine.
fn with_underscore(word: &str) -> String {
    match word.strip_prefix("--history-file") {
        Some(rest) if rest.is_empty() || rest.starts_with('=') => format!("--history_file{rest}"),
        _ => word.to_owned(),
    }
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
