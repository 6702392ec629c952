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
        ConfigError::new(text).at(self.place(key))
    }

    /// An error about the section.
    pub(super) fn whole(&self, text: impl Into<String>) -> ConfigError {
        ConfigError::new(text).at(self.header())
    }

    /// Where a key is; the section's header, with the key named, when it is absent.
    pub(super) fn place(&self, key: &str) -> Place {
        let header = self.header();
        let Some(value) = self.raw(key) else { return Place { key: Some(key.to_owned()), ..header } };
        Place {
            file: value.file.clone(),
            line: Some(value.line),
            column: Some(value.column),
            key: Some(key.to_owned()),
            value: Some(value.text.clone()),
            ..header
        }
    }

    /// Where the section begins.
    pub(super) fn header(&self) -> Place {
        let section = self.section;
        let at = Some((section.line, 1));
        Place { section: Some(section.name.clone()), ..Place::in_file(&section.file, at) }
    }
}

/// Advice on the commonest expansion error.
const PERCENT: &str = "write %% for a percent sign, %(ENV_NAME)s for an environment variable";
