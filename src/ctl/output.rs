//! What goes to the standard output: lines for people and scripts, or one JSON document.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write, stdout};

use serde_json::{Map, Value};

/// The standard output. Lines are written together, at the latest before the client waits for something.
pub struct Output {
    lines: Vec<u8>,
    document: Option<Map<String, Value>>,
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// Whether states may be coloured: on a terminal, unless NO_COLOR is set (no-color.org).
    pub colours: bool,
}

/// Lines are written when they reach this length, in bytes.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

impl Output {
    /// `json`: nothing but a document is printed.
    pub fn new(json: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_terminal = stdout().is_terminal();
        Output { lines: Vec::new(), document: json.then(Map::new), is_terminal, colours: is_terminal && !no_color }
    }

    /// Whether a document is wanted.
    pub fn is_json(&self) -> bool {
        self.document.is_some()
    }

    /// Prints one line, unless a document is wanted.
    pub fn line(&mut self, text: impl Display) {
        if self.document.is_none() {
            // Writing to memory does not fail.
            let _ = writeln!(self.lines, "{text}");
            if self.lines.len() >= BUFFER_BYTES_MAX {
                self.flush();
            }
        }
    }

    /// Prints text without a line end, at once.
    pub fn prompt(&mut self, text: &str) {
        self.lines.extend_from_slice(text.as_bytes());
        self.flush();
    }

    /// A member of the document; nothing without one.
    pub fn member(&mut self, name: &str, value: Value) {
        if let Some(document) = &mut self.document {
            document.insert(name.to_owned(), value);
        }
    }

    /// What went wrong: a line, or an item of `errors` in the document.
    pub fn error(&mut self, text: impl Display) {
        let Some(document) = &mut self.document else { return self.line(text) };
        let errors = document.entry("errors").or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(errors) = errors {
            errors.push(Value::String(text.to_string()));
        }
    }

    /// Ends a command: its document is complete.
    pub fn finish(&mut self) {
        let document = self.document.as_mut().map(std::mem::take);
        if let Some(document) = document.filter(|document| !document.is_empty()) {
            let _ = writeln!(self.lines, "{}", Value::Object(document));
        }
        self.flush();
    }

    /// Writes what is waiting. A reader that went away does not stop the command: what was asked for is still done.
    pub fn flush(&mut self) {
        if !self.lines.is_empty() {
            let mut out = stdout().lock();
            let _ = out.write_all(&self.lines).and_then(|()| out.flush());
            self.lines.clear();
        }
    }

    /// Writes a piece of a log as it is, at once.
    ///
    /// # Errors
    /// Nobody reads any more.
    pub fn raw(&mut self, piece: &[u8]) -> io::Result<()> {
        self.flush();
        let mut out = stdout().lock();
        out.write_all(piece).and_then(|()| out.flush())
    }
}
