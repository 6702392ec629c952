//! The INI dialect: bytes of one or more files merged into sections of keys, each value with its file and line.
//!
//! The rules are those of Python's `RawConfigParser(inline_comment_prefixes=(';', '#'), strict=False)`:
//! indentation continues a value, ` ;` and ` #` start a comment, the last of two equal keys wins.

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;

use super::error::ConfigError;
use super::{python, repr};

/// The section that every other inherits.
const DEFAULT: &str = "DEFAULT";

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// File as the user or the include pattern named it.
    pub file: Arc<str>,
    /// Line of the key, from 1.
    pub line: usize,
    /// Column of the value on that line, in characters from 1.
    pub column: usize,
    /// The value, continuation lines joined with `\n`.
    pub text: String,
    /// Comments that end lines of the value, each with the blanks before it.
    pub comments: Vec<String>,
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
    /// A value of this very section.
    pub fn get(&self, key: &str) -> Option<&Located> {
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
    /// Sections by name, in the order first seen, without `[DEFAULT]`.
    pub sections: IndexMap<String, Section>,
    /// `[DEFAULT]`, which every section inherits.
    pub defaults: Option<Section>,
}

impl Document {
    /// A section by its exact name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.get(name)
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
        for section in self.sections.values_mut() {
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

    /// Reads one more file; `file` is the name errors show. What is well formed is there even after an error.
    pub fn read(&mut self, file: &str, text: &str) -> Result<(), Malformed> {
        self.read_sections(file, text, |_| true)
    }

    /// As [`Document::read`], but other sections than `[DEFAULT]` and those that `is_wanted` names are only checked.
    pub fn read_sections(&mut self, file: &str, text: &str, is_wanted: fn(&str) -> bool) -> Result<(), Malformed> {
        let mut parser = Parser {
            document: self,
            is_wanted,
            file: file.into(),
            current: None,
            open: None,
            indent: 0,
            bad: Vec::new(),
        };
        for (index, line) in Lines(text.strip_prefix('\u{feff}').unwrap_or(text)).enumerate() {
            parser.line(index + 1, &line);
        }
        parser.close();
        let Parser { file, bad, .. } = parser;
        if bad.is_empty() { Ok(()) } else { Err(Malformed { file, lines: bad }) }
    }

    /// Forgets a value, wherever [`Document::get`] finds it, and says what it was.
    pub fn take(&mut self, section: &str, key: &str) -> Option<Located> {
        let owner = self.sections.get_mut(section);
        let found = |one: &mut Section| {
            let index = one.entries.iter().position(|(name, _)| name == key)?;
            Some(one.entries.remove(index).1)
        };
        owner.and_then(found).or_else(|| self.defaults.as_mut().and_then(found))
    }

    /// Sets a value of a section that is there.
    pub fn put(&mut self, section: &str, key: &str, value: Located) {
        if let Some(section) = self.sections.get_mut(section) {
            section.set(key.to_owned(), value);
        }
    }

    fn at(&mut self, place: Place) -> Option<&mut Section> {
        match place {
            Place::Nowhere => None,
            Place::Defaults => self.defaults.as_mut(),
            Place::Section(index) => self.sections.get_index_mut(index).map(|(_, section)| section),
        }
    }

    fn open_section(&mut self, name: &str, file: &Arc<str>, line: usize) -> Place {
        let new = || Section { name: name.to_owned(), file: file.clone(), line, entries: Vec::new() };
        if let Some(index) = self.sections.get_index_of(name) {
            return Place::Section(index);
        }
        if name == DEFAULT {
            self.defaults.get_or_insert_with(new);
            return Place::Defaults;
        }
        Place::Section(self.sections.insert_full(name.to_owned(), new()).0)
    }
}

/// Lines ended by `\n`, `\r\n` or `\r`, each with a final `\n` if it had any ending.
struct Lines<'a>(&'a str);

impl<'a> Iterator for Lines<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        if self.0.is_empty() {
            return None;
        }
        let Some(end) = self.0.bytes().position(|byte| matches!(byte, b'\r' | b'\n')) else {
            return Some(std::mem::take(&mut self.0).into());
        };
        let (line, rest) = self.0.split_at(end);
        if rest.starts_with('\n') {
            let (line, rest) = self.0.split_at(end + 1);
            self.0 = rest;
            return Some(line.into());
        }
        self.0 = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
        Some(format!("{line}\n").into())
    }
}

/// Where entries go.
#[derive(Clone, Copy)]
enum Place {
    /// In a section that nobody wants.
    Nowhere,
    Defaults,
    Section(usize),
}

struct Parser<'a> {
    document: &'a mut Document,
    is_wanted: fn(&str) -> bool,
    file: Arc<str>,
    current: Option<Place>,
    /// Index of the entry that continuation lines extend.
    open: Option<usize>,
    /// Indentation of the last key or header, in characters.
    indent: usize,
    bad: Vec<BadLine>,
}

impl Parser<'_> {
    fn line(&mut self, number: usize, line: &str) {
        let comment = comment_start(line);
        let (kept, cut) = line.split_at(comment.unwrap_or(line.len()));
        let text = python::trim(kept);
        if text.is_empty() {
            if comment.is_none() {
                self.extend("", None);
            }
            return;
        }
        let cut = comment.map(|_| format!("{}{}", &kept[python::trim_end(kept).len()..], python::trim_end(cut)));
        let indent = line.chars().take_while(|c| python::is_space(*c)).count();
        if self.open.is_some() && indent > self.indent {
            return self.extend(text, cut);
        }
        self.indent = indent;
        if let Some(name) = header(text) {
            self.close();
            self.current = Some(match name == DEFAULT || (self.is_wanted)(name) {
                true => self.document.open_section(name, &self.file, number),
                false => Place::Nowhere,
            });
            return;
        }
        let Some(place) = self.current else {
            // Everything up to the first header is wrong for the same reason: said once.
            if self.bad.is_empty() {
                self.bad.push(BadLine { line: number, column: indent + 1, text: line.to_owned(), is_headless: true });
            }
            return;
        };
        let pair = text.split_once(['=', ':']).map(|(key, value)| (python::trim(key), value));
        if pair.is_some() {
            self.close();
        }
        let Some((key, value)) = pair.filter(|(key, _)| !key.is_empty()) else {
            return self.bad.push(BadLine {
                line: number,
                column: indent + 1,
                text: line.to_owned(),
                is_headless: false,
            });
        };
        let Some(section) = self.document.at(place) else {
            // A value that is not kept is continued as any other.
            self.open = Some(0);
            return;
        };
        let blanks = value.chars().take_while(|c| python::is_space(*c)).count();
        let before_value = text[..text.len() - value.len()].chars().count();
        let column = indent + before_value + blanks + 1;
        let text = python::trim(value).to_owned();
        let comments = cut.into_iter().collect();
        let value = Located { file: self.file.clone(), line: number, column, text, comments };
        self.open = Some(section.set(key.to_lowercase(), value));
    }

    fn open_value(&mut self) -> Option<&mut Located> {
        let (place, index) = (self.current?, self.open?);
        self.document.at(place)?.entries.get_mut(index).map(|(_, value)| value)
    }

    fn extend(&mut self, text: &str, comment: Option<String>) {
        if let Some(value) = self.open_value() {
            value.text.push('\n');
            value.text.push_str(text);
            value.comments.extend(comment);
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

/// The lines of a file that are neither headers nor `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    file: Arc<str>,
    /// At least one.
    lines: Vec<BadLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct BadLine {
    line: usize,
    column: usize,
    /// With its line end.
    text: String,
    /// It stands above the first section header.
    is_headless: bool,
}

impl Malformed {
    /// One error for the file, in the words of Python's parser, which gives up at a line above the first header and
    /// collects all others.
    pub fn error(&self) -> ConfigError {
        match self.lines.first() {
            Some(line) if line.is_headless => self.headless(line),
            _ => self.without_key(&self.lines),
        }
    }

    /// One error for each line.
    pub fn each(&self) -> impl Iterator<Item = ConfigError> + '_ {
        self.lines.iter().map(|line| match line.is_headless {
            true => self.headless(line),
            false => self.without_key(std::slice::from_ref(line)),
        })
    }

    fn headless(&self, bad: &BadLine) -> ConfigError {
        let (name, shown) = (repr::text(&self.file), repr::text(&bad.text));
        let text = format!("File contains no section headers.\nfile: {name}, line: {}\n{shown}", bad.line);
        let error = ConfigError::in_file(&self.file, Some((bad.line, bad.column)), text);
        error.advise("put a section header such as [supervisord] above this line")
    }

    fn without_key(&self, lines: &[BadLine]) -> ConfigError {
        let mut text = format!("Source contains parsing errors: {}", repr::text(&self.file));
        for bad in lines {
            text.push_str(&format!("\n\t[line {:>2}]: {}", bad.line, repr::text(&bad.text)));
        }
        let error = ConfigError::in_file(&self.file, lines.first().map(|bad| (bad.line, bad.column)), text);
        error.advise("write key=value; start a comment with ; and indent a line that continues the value above")
    }
}
