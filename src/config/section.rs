//! Reading the keys of one section: default, expansion, type, and an error that knows its place.

use super::error::{ConfigError, Place};
use super::expand::{Names, expand};
use super::ini::{Document, Located, Section};

/// A section of a document being read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) document: &'a Document,
    pub(super) section: &'a Section,
}

impl<'a> Reader<'a> {
    /// The value as written.
    pub(super) fn raw(&self, key: &str) -> Option<&'a Located> {
        self.document.get(self.section, key)
    }

    /// The value, expanded; `None` when the key is absent.
    pub(super) fn text(&self, key: &str, names: &Names) -> Result<Option<String>, ConfigError> {
        let what = format!("{}.{key}", self.section.name);
        self.expanded(key, names, &what)
    }

    /// As [`Reader::text`], with what errors call the value.
    pub(super) fn expanded(&self, key: &str, names: &Names, what: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.raw(key) else { return Ok(None) };
        expand(&value.text, names, what).map(Some).map_err(|text| self.error(key, text).advise(PERCENT))
    }

    /// The value, expanded and typed; `None` when the key is absent.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        names: &Names,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        self.text(key, names)?.map(|text| parse(&text)).transpose().map_err(|text| self.error(key, text))
    }

    /// As [`Reader::optional`], with a default.
    pub(super) fn or<T>(
        &self,
        key: &str,
        names: &Names,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        Ok(self.optional(key, names, parse)?.unwrap_or(default))
    }

    /// An error about a key; at the section's header when the key is absent.
    pub(super) fn error(&self, key: &str, text: impl Into<String>) -> ConfigError {
        let (file, line) = match self.raw(key) {
            Some(value) => (&value.file, value.line),
            None => (&self.section.file, self.section.line),
        };
        ConfigError::new(text).at(Place {
            file: file.clone(),
            line: Some(line),
            section: Some(self.section.name.clone()),
            key: Some(key.to_owned()),
            value: self.raw(key).map(|value| value.text.clone()),
        })
    }

    /// An error about the section.
    pub(super) fn whole(&self, text: impl Into<String>) -> ConfigError {
        ConfigError::new(text).at(Place {
            file: self.section.file.clone(),
            line: Some(self.section.line),
            section: Some(self.section.name.clone()),
            key: None,
            value: None,
        })
    }
}

/// Advice on the commonest expansion error.
const PERCENT: &str = "write %% for a percent sign, %(ENV_NAME)s for an environment variable";
