//! `%(name)s` in values: which names there are, and what an error says.

use std::collections::BTreeMap;

pub use super::format::Value;
use super::format::{self, FormatError};
use super::repr;

/// The names a value may use. Every value is formatted, so a lone `%` must be doubled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    values: BTreeMap<String, Value>,
}

impl Names {
    /// `ENV_<name>` for every variable of the environment.
    pub fn of_environment(environment: &[(String, String)]) -> Names {
        let mut names = Names::default();
        names.add_environment(environment);
        names
    }

    /// Adds or overrides `ENV_<name>`.
    pub fn add_environment(&mut self, environment: &[(String, String)]) {
        for (name, value) in environment {
            self.values.insert(format!("ENV_{name}"), Value::Text(value.clone()));
        }
    }

    /// The same names and one more text.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Names {
        let mut names = self.clone();
        names.values.insert(name.to_owned(), Value::Text(value.to_owned()));
        names
    }

    /// The same names and one more integer.
    #[must_use]
    pub fn with_int(&self, name: &str, value: i64) -> Names {
        let mut names = self.clone();
        names.values.insert(name.to_owned(), Value::Int(value));
        names
    }
}

/// Formats `text`; `what` is how errors call it, mostly `section.key` (`Supervisor: options.py expand`).
pub fn expand(text: &str, names: &Names, what: &str) -> Result<String, String> {
    format::format(text, &names.values).map_err(|error| {
        let (shown, what) = (repr::text(text), repr::text(what));
        match error {
            FormatError::UnknownName(name) => {
                let available: Vec<&str> = names.values.keys().map(String::as_str).collect();
                format!(
                    "Format string {shown} for {what} contains names ({}) which cannot be expanded. Available names: {}",
                    repr::text(&name),
                    available.join(", ")
                )
            }
            FormatError::Bad(reason) => format!("Format string {shown} for {what} is badly formatted: {reason}"),
        }
    })
}
