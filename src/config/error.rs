//! What is wrong with a configuration, where, and what to do about it.

use std::fmt;
use std::sync::Arc;

/// Longest value that an error repeats, in characters.
const VALUE_CHARS_MAX: usize = 200;

/// A refused configuration or command line. `Display` is the text Supervisor's users and scripts know;
/// [`ConfigError::located`] says where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The sentence that follows `Error: ` and `CANT_REREAD: `.
    pub text: String,
    /// Where it is; `None` for the command line.
    pub place: Option<Box<Place>>,
    /// What to do about it.
    pub next_step: Option<String>,
}

/// A place in a configuration, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// File as the user or the include pattern named it.
    pub file: Arc<str>,
    /// Line from 1; `None` is the whole file.
    pub line: Option<usize>,
    /// Column from 1, in characters: of the value, or of the line's first character that is not blank.
    pub column: Option<usize>,
    /// Section, without brackets.
    pub section: Option<String>,
    /// Key.
    pub key: Option<String>,
    /// Its value as written; `None` when the key is absent.
    pub value: Option<String>,
}

impl ConfigError {
    /// An error without a place.
    pub fn new(text: impl Into<String>) -> ConfigError {
        ConfigError { text: text.into(), place: None, next_step: None }
    }

    /// An error about a file, or a line and column of it.
    pub fn in_file(file: &str, at: Option<(usize, usize)>, text: impl Into<String>) -> ConfigError {
        ConfigError::new(text).at(Place::in_file(file, at))
    }

    /// The same error with its place.
    #[must_use]
    pub fn at(mut self, place: Place) -> ConfigError {
        self.place = Some(Box::new(place));
        self
    }

    /// The same error with advice.
    #[must_use]
    pub fn advise(mut self, next_step: impl Into<String>) -> ConfigError {
        self.next_step = Some(next_step.into());
        self
    }

    /// `<file>:<line>:<column>: [section] key=value: text`, as far as known.
    pub fn located(&self) -> String {
        match &self.place {
            Some(place) => format!("{place}: {}", self.text),
            None => self.text.clone(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ConfigError {}

impl Place {
    /// A file, or a line and column of it.
    pub fn in_file(file: &str, at: Option<(usize, usize)>) -> Place {
        let (line, column) = (at.map(|(line, _)| line), at.map(|(_, column)| column));
        Place { file: file.into(), line, column, section: None, key: None, value: None }
    }
}

impl fmt::Display for Place {
    /// `<file>:<line>:<column>: [section] key=value`; the value of a password is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        if let Some(section) = &self.section {
            write!(f, ": [{section}]")?;
        }
        if let Some(key) = &self.key {
            write!(f, " {key}")?;
        }
        match &self.value {
            Some(_) if self.key.as_deref() == Some("password") => f.write_str("=***"),
            Some(value) => write!(f, "={}", shown(value)),
            None => Ok(()),
        }
    }
}

/// One line, cut to a length that fits a terminal.
fn shown(value: &str) -> String {
    let mut shown: String = value.chars().take(VALUE_CHARS_MAX).collect();
    if shown.len() < value.len() {
        shown.push_str("...");
    }
    shown.replace('\n', "\\n")
}
