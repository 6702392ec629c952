//! The INI dialect: bytes of one or more files merged into sections of keys, each value with its file and line.
//!
//! The rules are those of Python's `RawConfigParser(inline_comment_prefixes=(';', '#'), strict=False)`:
//! indentation continues a value, ` ;` and ` #` start a comment, the last of two equal keys wins.

use std::sync::Arc;

use super::error::ConfigError;
use super::{python, repr};

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// File as the user or the include pattern named it.
    pub file: Arc<str>,
    /// Line of the key, from 1.
    pub line: usize,
    /// The value, continuation lines joined with `\n`.
    pub text: String,
}

/// One section, merged over all places where it appears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Text between the brackets, untrimmed.
    pub name: String,
    /// File of its first header.
    pub file: Arc<str>,
    /// Line of its first header.
    pub line: usize,
    /// Keys in lower case, in the order first written.
    pub entries: Vec<(String, Located)>,
}

impl Section {
    fn get(&self, key: &str) -> Option<&Located> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Sets a key, keeping its place, and returns that place.
    fn set(&mut self, key: String, value: Located) -> usize {
        match self.entries.iter().position(|(name, _)| *name == key) {
            Some(index) => {
                self.entries[index].1 = value;
                index
            }
            None => {
                self.entries.push((key, value));
                self.entries.len() - 1
            }
        }
    }
}

/// All files read so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Sections in the order first seen, without `[DEFAULT]`.
    pub sections: Vec<Section>,
    /// `[DEFAULT]`, which every section inherits.
    pub defaults: Option<Section>,
}

impl Document {
    /// A section by its exact name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// A value of a section, or what `[DEFAULT]` says.
    pub fn get<'a>(&'a self, section: &'a Section, key: &str) -> Option<&'a Located> {
        section.get(key).or_else(|| self.defaults.as_ref()?.get(key))
    }

    /// Replaces the text `%(here)s` in every value so far (`Supervisor: options.py expand_here`). An inherited value
    /// that holds it becomes the section's own.
    pub fn expand_here(&mut self, here: &str) {
        const HERE: &str = "%(here)s";
        let inherited = self.defaults.iter().flat_map(|defaults| &defaults.entries);
        let inherited: Vec<_> = inherited.filter(|(_, value)| value.text.contains(HERE)).cloned().collect();
        for section in &mut self.sections {
            for (key, value) in &inherited {
                if section.get(key).is_none() {
                    section.set(key.clone(), value.clone());
                }
            }
            for (_, value) in &mut section.entries {
                value.text = value.text.replace(HERE, here);
            }
        }
    }

    /// Reads one more file; `file` is the name errors show.
    pub fn read(&mut self, file: &str, text: &str) -> Result<(), ConfigError> {
        let mut parser =
            Parser { document: self, file: file.into(), current: None, open: None, indent: 0, errors: Vec::new() };
        for (index, line) in Lines(text.strip_prefix('\u{feff}').unwrap_or(text)).enumerate() {
            parser.line(index + 1, line)?;
        }
        parser.close();
        match parser.errors.first() {
            None => Ok(()),
            Some((line, _)) => Err(parsing_errors(&parser.file, *line, &parser.errors)),
        }
    }

    fn at(&mut self, place: Place) -> Option<&mut Section> {
        match place {
            Place::Defaults => self.defaults.as_mut(),
            Place::Section(index) => self.sections.get_mut(index),
        }
    }

    fn open_section(&mut self, name: &str, file: &Arc<str>, line: usize) -> Place {
        let new = || Section { name: name.to_owned(), file: file.clone(), line, entries: Vec::new() };
        if let Some(index) = self.sections.iter().position(|section| section.name == name) {
            return Place::Section(index);
        }
        if name == "DEFAULT" {
            self.defaults.get_or_insert_with(new);
            return Place::Defaults;
        }
        self.sections.push(new());
        Place::Section(self.sections.len() - 1)
    }
}

/// Lines ended by `\n`, `\r\n` or `\r`, each with a final `\n` if it had any ending.
struct Lines<'a>(&'a str);

impl Iterator for Lines<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let Some(end) = self.0.find(['\r', '\n']) else { return Some(std::mem::take(&mut self.0).to_owned()) };
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
        Some(format!("{line}\n"))
    }
}

/// Where entries go.
#[derive(Clone, Copy)]
enum Place {
    Defaults,
    Section(usize),
}

struct Parser<'a> {
    document: &'a mut Document,
    file: Arc<str>,
    current: Option<Place>,
    /// Index of the entry that continuation lines extend.
    open: Option<usize>,
    /// Indentation of the last key or header, in characters.
    indent: usize,
    errors: Vec<(usize, String)>,
}

impl Parser<'_> {
    fn line(&mut self, number: usize, line: String) -> Result<(), ConfigError> {
        let comment = comment_start(&line);
        let text = python::trim(&line[..comment.unwrap_or(line.len())]);
        if text.is_empty() {
            if comment.is_none() {
                self.extend("");
            }
            return Ok(());
        }
        let indent = line.chars().take_while(|c| python::is_space(*c)).count();
        if self.open.is_some() && indent > self.indent {
            self.extend(text);
            return Ok(());
        }
        self.indent = indent;
        if let Some(name) = header(text) {
            self.close();
            self.current = Some(self.document.open_section(name, &self.file, number));
            return Ok(());
        }
        let Some(place) = self.current else { return Err(no_header(&self.file, number, &line)) };
        let Some((key, value)) = text.split_once(['=', ':']) else {
            self.errors.push((number, line));
            return Ok(());
        };
        self.close();
        let key = python::trim(key).to_lowercase();
        if key.is_empty() {
            self.errors.push((number, line));
            return Ok(());
        }
        let value = Located { file: self.file.clone(), line: number, text: python::trim(value).to_owned() };
        self.open = self.document.at(place).map(|section| section.set(key, value));
        Ok(())
    }

    fn open_value(&mut self) -> Option<&mut Located> {
        let (place, index) = (self.current?, self.open?);
        self.document.at(place)?.entries.get_mut(index).map(|(_, value)| value)
    }

    fn extend(&mut self, text: &str) {
        if let Some(value) = self.open_value() {
            value.text.push('\n');
            value.text.push_str(text);
        }
    }

    fn close(&mut self) {
        if let Some(value) = self.open_value() {
            value.text.truncate(python::trim_end(&value.text).len());
        }
        self.open = None;
    }
}

/// Byte index where a comment starts: 0 for a whole line, else a `;` or `#` after a blank.
///
/// The n-th `;` and the n-th `#` are looked at together, so the earliest comment does not always win
/// (`a=b#c #d ;e` keeps `b#c #d`): existing files are read that way.
fn comment_start(line: &str) -> Option<usize> {
    if python::trim(line).starts_with([';', '#']) {
        return Some(0);
    }
    let starts = |at: usize| line[..at].chars().next_back().is_none_or(python::is_space);
    let mut semicolons = line.match_indices(';').map(|(at, _)| at);
    let mut hashes = line.match_indices('#').map(|(at, _)| at);
    loop {
        let pair = [semicolons.next(), hashes.next()];
        if pair == [None, None] {
            return None;
        }
        if let Some(at) = pair.into_iter().flatten().filter(|at| starts(*at)).min() {
            return Some(at);
        }
    }
}

/// The name in `[name]`; what follows the last `]` is ignored.
fn header(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('[')?;
    let end = inside.rfind(']').filter(|end| *end > 0)?;
    Some(&inside[..end])
}

fn no_header(file: &Arc<str>, line: usize, text: &str) -> ConfigError {
    let (name, shown) = (repr::text(file), repr::text(text));
    let text = format!("File contains no section headers.\nfile: {name}, line: {line}\n{shown}");
    ConfigError::in_file(file, Some(line), text).advise("put a section header such as [supervisord] above this line")
}

fn parsing_errors(file: &Arc<str>, line: usize, errors: &[(usize, String)]) -> ConfigError {
    let mut text = format!("Source contains parsing errors: {}", repr::text(file));
    for (line, source) in errors {
        text.push_str(&format!("\n\t[line {line:>2}]: {}", repr::text(source)));
    }
    ConfigError::in_file(file, Some(line), text)
        .advise("write key=value; start a comment with ; and indent a line that continues the value above")
}
