//! Three equal ways to answer: flags, `INSTALL_*` variables, and a file (`--answers FILE`, TOML). One table maps them.
//!
//! A flag wins over a variable, a variable over the file. What the variables and the file say is turned into flags and
//! read by the one parser of the command line, so that a value is judged the same however it came. On a terminal, and
//! without any argument, the questions of [`guided`] make the flags.

pub mod guided;

use std::path::Path;

/// No answers file is larger.
pub const FILE_BYTES_MAX: u64 = 64 << 10;

/// Where a flag may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// With every verb.
    All,
    /// With `install`, said or not, and with `check`.
    Install,
    /// With whatever reads a bundle.
    Bundle,
    /// With `install` and `web`.
    Web,
}

/// One answer.
struct Answer {
    /// The flag, without dashes. The key in the file has `_` for `-`, the variable is `INSTALL_` and the key in capitals.
    flag: &'static str,
    /// Whether it takes a value; otherwise it is `true` or `false`.
    has_value: bool,
    scope: Scope,
}

const fn answer(flag: &'static str, has_value: bool, scope: Scope) -> Answer {
    Answer { flag, has_value, scope }
}

/// The table.
const ANSWERS: [Answer; 17] = [
    answer("lang", true, Scope::All),
    answer("yes", false, Scope::All),
    answer("json", false, Scope::All),
    answer("ignore", true, Scope::All),
    answer("no-fapolicyd", false, Scope::All),
    answer("require-signature", false, Scope::Bundle),
    answer("pubkey", true, Scope::Bundle),
    answer("distro", true, Scope::Install),
    answer("no-enable", false, Scope::Install),
    answer("no-start", false, Scope::Install),
    answer("replace", false, Scope::Install),
    answer("live", false, Scope::Install),
    answer("web", true, Scope::Web),
    answer("web-user", true, Scope::Web),
    answer("web-password-file", true, Scope::Web),
    answer("open-firewall", false, Scope::Web),
    answer("web-restart", true, Scope::Web),
];

impl Answer {
    fn key(&self) -> String {
        self.flag.replace('-', "_")
    }

    fn variable(&self) -> String {
        format!("INSTALL_{}", self.key().to_uppercase())
    }

    fn is_for(&self, verb: Option<&str>) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::Install => matches!(verb, None | Some("install" | "check")),
            Scope::Bundle => matches!(verb, None | Some("install" | "check" | "upgrade")),
            Scope::Web => matches!(verb, None | Some("install" | "check" | "web")),
        }
    }

    /// The flag that says this; none when it says no.
    fn argument(&self, value: &str) -> Result<Option<String>, String> {
        match (self.has_value, value) {
            (true, value) => Ok(Some(format!("--{}={value}", self.flag))),
            (false, "true" | "yes" | "1") => Ok(Some(format!("--{}", self.flag))),
            (false, "false" | "no" | "0" | "") => Ok(None),
            (false, _) => Err("true or false".to_owned()),
        }
    }
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No such key.
    UnknownKey {
        /// File and line, or the variable.
        place: String,
        /// The key.
        key: String,
        /// Those that there are.
        known: String,
    },
    /// Not such a value.
    Value {
        /// File and line, or the variable.
        place: String,
        /// The key.
        key: String,
        /// What it takes.
        wanted: String,
    },
    /// The file cannot be read or is no TOML.
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

/// The command line with what variables and file add to it. `text` is the file that `--answers` names.
///
/// # Errors
/// A key or a value is not one of ours.
pub fn complete(
    arguments: &[String],
    variables: &[(String, String)],
    file: Option<(&Path, &str)>,
) -> Result<Vec<String>, Problem> {
    let verb = verb(arguments);
    let answers = file.map(|(path, text)| read(path, text)).transpose()?.unwrap_or_default();
    for (name, _) in variables.iter().filter(|(name, _)| name.starts_with("INSTALL_")) {
        if !ANSWERS.iter().any(|answer| answer.variable() == *name) && name != ANSWERS_VARIABLE {
            let known = ANSWERS.iter().map(Answer::variable).collect::<Vec<_>>().join(" ");
            return Err(Problem::UnknownKey { place: name.clone(), key: name.clone(), known });
        }
    }
    let mut complete = arguments.to_vec();
    for answer in ANSWERS.iter().filter(|answer| answer.is_for(verb)) {
        let flag = format!("--{}", answer.flag);
        let is_said = |word: &String| {
            *word == flag || word.starts_with(&format!("{flag}=")) || (answer.flag == "yes" && word == "-y")
        };
        if arguments.iter().any(is_said) {
            continue;
        }
        let variable = answer.variable();
        let from_variable = variables.iter().find(|(name, _)| *name == variable);
        let from_file = answers.iter().find(|found| found.key == answer.key());
        let (place, value) = match (from_variable, from_file) {
            (Some((name, value)), _) => (name.clone(), value.clone()),
            (None, Some(found)) => (found.place.clone(), found.value.clone()),
            (None, None) => continue,
        };
        let said = answer.argument(&value);
        let said = said.map_err(|wanted| Problem::Value { place, key: answer.key(), wanted })?;
        complete.extend(said);
    }
    Ok(complete)
}

/// Names the answers file where the command line does not.
const ANSWERS_VARIABLE: &str = "INSTALL_ANSWERS";

/// The answers file that a command line or `INSTALL_ANSWERS` names.
pub fn file_named(arguments: &[String], variables: &[(String, String)]) -> Option<String> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--answers" {
            return words.next().cloned();
        }
        if let Some(path) = word.strip_prefix("--answers=") {
            return Some(path.to_owned());
        }
    }
    variables.iter().find(|(name, _)| name == ANSWERS_VARIABLE).map(|(_, value)| value.clone())
}

/// The verb of a command line: its first word that is neither a flag nor the value of one.
fn verb(arguments: &[String]) -> Option<&str> {
    const WITH_VALUE: [&str; 4] = ["--root", "--lang", "--bundle", "--answers"];
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        let takes_value = WITH_VALUE.contains(&word.as_str())
            || ANSWERS.iter().any(|answer| answer.has_value && *word == format!("--{}", answer.flag));
        if takes_value {
            words.next();
        } else if !word.starts_with('-') {
            return Some(word);
        }
    }
    None
}

/// One line of the file.
struct Found {
    key: String,
    value: String,
    place: String,
}

fn read(path: &Path, text: &str) -> Result<Vec<Found>, Problem> {
    let path = path.display().to_string();
    let no_toml = |error: toml::de::Error| Problem::File { path: path.clone(), reason: error.to_string() };
    let table: toml::Table = text.parse().map_err(no_toml)?;
    let mut found = Vec::new();
    for (key, value) in table {
        let begins = |line: &&str| line.trim_start().trim_start_matches('"').starts_with(key.as_str());
        let line = text.lines().zip(1..).find(|(line, _)| begins(line)).map_or(0, |(_, number)| number);
        let place = format!("{path}:{line}");
        let Some(answer) = ANSWERS.iter().find(|answer| answer.key() == key) else {
            let known = ANSWERS.iter().map(Answer::key).collect::<Vec<_>>().join(" ");
            return Err(Problem::UnknownKey { place, key, known });
        };
        let value = match (value, answer.has_value) {
            (toml::Value::String(text), true) => text,
            (toml::Value::Boolean(is), false) => is.to_string(),
            (_, true) => return Err(Problem::Value { place, key, wanted: "a text in quotes".to_owned() }),
            (_, false) => return Err(Problem::Value { place, key, wanted: "true or false".to_owned() }),
        };
        found.push(Found { key, value, place });
    }
    Ok(found)
}
