//! The text of a snapshot: `key=value` lines in sections, a first line with the version, a last one with a sum over all before.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::SnapshotError;
use crate::core::{Mono, ProcId};

/// The format that is written, and the newest that can be read.
pub const FORMAT: u32 = 1;

/// The oldest format whose readers understand what is written here. Raised only when skipping what they do not know would be
/// wrong.
pub const FORMAT_READER_MIN: u32 = 1;

/// Ends a record behind a snapshot; its sum follows.
const RECORD_END: &str = "record=";

/// Ends a snapshot; its sum follows.
const END: &str = "end=";

/// Lines are longer than this on average, so memory is asked for once; their bytes are counted, not the lines.
const LINE_BYTES_LEAST: usize = 16;

const TITLE: &str = "supervisor-kit snapshot";

/// Writes a snapshot.
#[derive(Debug)]
pub struct Writer {
    text: String,
    now: Mono,
}

impl Writer {
    /// Times are written as they are seen from `now`.
    pub fn new(now: Mono) -> Self {
        Writer { text: format!("{TITLE} format={FORMAT} reader={FORMAT_READER_MIN}\n"), now }
    }

    /// Writes what stands behind a snapshot that was taken at `now`.
    pub fn behind(now: Mono) -> Self {
        Writer { text: String::new(), now }
    }

    /// Ends a record behind a snapshot, and leaves room for the next.
    pub fn seal_record(&mut self) -> String {
        let mut text = std::mem::take(&mut self.text);
        let sum = sum(text.as_bytes());
        let _ = writeln!(text, "{RECORD_END}{sum:016x}");
        text
    }

    /// Begins a section.
    pub fn section(&mut self, name: &str) {
        let _ = writeln!(self.text, "[{name}]");
    }

    /// Writes one line: `key=` and its columns.
    pub fn put(&mut self, key: &str, columns: &[&dyn Column]) {
        self.text.push_str(key);
        for (index, column) in columns.iter().enumerate() {
            self.text.push(if index == 0 { '=' } else { '\t' });
            column.write(&mut self.text);
        }
        self.text.push('\n');
    }

    /// Writes one line if there is something to write.
    pub fn put_some(&mut self, key: &str, column: Option<&dyn Column>) {
        if let Some(column) = column {
            self.put(key, &[column]);
        }
    }

    /// A time as a column: nanoseconds from now, negative for the past.
    pub fn time(&self, time: Mono) -> i128 {
        i128::from(time.0) - i128::from(self.now.0)
    }

    /// Ends the snapshot.
    pub fn seal(mut self) -> String {
        let sum = sum(self.text.as_bytes());
        let _ = writeln!(self.text, "{END}{sum:016x}");
        self.text
    }
}

/// A snapshot whose form is right: whole, undamaged, of a format that can be read.
#[derive(Debug)]
pub struct Document<'a> {
    sections: Vec<Section<'a>>,
}

/// One section.
#[derive(Debug)]
pub struct Section<'a> {
    /// Its name.
    pub name: &'a str,
    now: Mono,
    line: usize,
    /// The fields of all sections that were read with it: programs wait while a snapshot is read, and a list for each section
    /// costs twice the time of the reading.
    all: Rc<Vec<(&'a str, &'a str)>>,
    own: Range<usize>,
}

impl<'a> Document<'a> {
    /// Reads the form of a snapshot; times are seen from `now`.
    ///
    /// # Errors
    /// It is none, it is too new, or it is not as it was written.
    pub fn read(text: &'a str, now: Mono) -> Result<Self, SnapshotError> {
        let title = text.lines().next().unwrap_or_default();
        let versions = title.strip_prefix(TITLE).ok_or(SnapshotError::NotASnapshot)?;
        let reader = versions.split(' ').find_map(|word| word.strip_prefix("reader="));
        let reader: u32 = reader.and_then(|reader| reader.parse().ok()).ok_or(SnapshotError::NotASnapshot)?;
        if reader > FORMAT {
            return Err(SnapshotError::TooNew { reader });
        }
        let body = text.strip_suffix('\n').and_then(|text| text.rsplit_once('\n')).ok_or(SnapshotError::Damaged)?;
        let (body, end) = (&text[..body.0.len() + 1], body.1);
        if end.strip_prefix(END) != Some(&format!("{:016x}", sum(body.as_bytes()))) {
            return Err(SnapshotError::Damaged);
        }
        Ok(Document { sections: read_sections(body, 1, now)? })
    }

    /// A snapshot with records behind it: the snapshot, and the sections of each record that is whole, in order. A record that
    /// is not was being written when its writer ended, and whatever comes after it is of no use.
    ///
    /// # Errors
    /// Those of the snapshot, as [`Document::read`].
    pub fn read_with_records(text: &'a str, now: Mono) -> Result<(Self, Vec<Vec<Section<'a>>>), SnapshotError> {
        let at = text.find(&format!("\n{END}")).ok_or(SnapshotError::Damaged)? + 1;
        let length = text[at..].find('\n').ok_or(SnapshotError::Damaged)? + 1;
        let (snapshot, mut rest) = text.split_at(at + length);
        let document = Self::read(snapshot, now)?;
        let mut records = Vec::new();
        while let Some(at) = rest.find(&format!("\n{RECORD_END}")).map(|at| at + 1)
            && let Some(length) = rest[at..].find('\n')
        {
            let (body, end) = (&rest[..at], &rest[at..at + length]);
            let Ok(sections) = read_sections(body, 0, now) else { break };
            if end.strip_prefix(RECORD_END) != Some(&format!("{:016x}", sum(body.as_bytes()))) {
                break;
            }
            records.push(sections);
            rest = &rest[at + length + 1..];
        }
        Ok((document, records))
    }

    /// Times are seen from `now` instead.
    pub fn see_from(&mut self, now: Mono) {
        self.sections.iter_mut().for_each(|section| section.see_from(now));
    }

    /// Leaves out sections that say what is no longer so.
    pub fn retain(&mut self, is_kept: impl Fn(&Section<'a>) -> bool) {
        self.sections.retain(is_kept);
    }

    /// Adds sections of a record.
    pub fn extend(&mut self, record: Vec<Section<'a>>) {
        self.sections.extend(record);
    }

    /// Every section, in order.
    pub fn sections(&self) -> impl Iterator<Item = &Section<'a>> {
        self.sections.iter()
    }

    /// The sections of one name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Section<'a>> {
        self.sections.iter().filter(move |section| section.name == name)
    }

    /// The one section of a name.
    ///
    /// # Errors
    /// There is none.
    pub fn one(&self, name: &'static str) -> Result<&Section<'a>, SnapshotError> {
        self.named(name).next().ok_or(SnapshotError::Missing { what: name })
    }
}

fn read_sections(body: &str, skipped: usize, now: Mono) -> Result<Vec<Section<'_>>, SnapshotError> {
    let mut all: Vec<(&str, &str)> = Vec::with_capacity(body.len() / LINE_BYTES_LEAST);
    let mut heads: Vec<(&str, usize, usize)> = Vec::new();
    for (index, text) in body.lines().enumerate().skip(skipped) {
        let line = index + 1;
        if let Some(name) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            heads.push((name, line, all.len()));
            continue;
        }
        let field = text.split_once('=').filter(|_| !heads.is_empty());
        all.push(field.ok_or(SnapshotError::BadLine { line })?);
    }
    let ends: Vec<usize> = heads.iter().skip(1).map(|(_, _, start)| *start).chain([all.len()]).collect();
    let all = Rc::new(all);
    let section = |((name, line, start), end)| Section { name, now, line, all: Rc::clone(&all), own: start..end };
    Ok(heads.into_iter().zip(ends).map(section).collect())
}

impl<'a> Section<'a> {
    fn fields(&self) -> &[(&'a str, &'a str)] {
        self.all.get(self.own.clone()).unwrap_or_default()
    }

    /// Times are seen from `now` instead.
    pub fn see_from(&mut self, now: Mono) {
        self.now = now;
    }

    /// Every line of a key.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn rows<R: Row>(&self, key: &str) -> Result<Vec<R>, SnapshotError> {
        let fields = self.fields().iter().filter(|(name, _)| *name == key);
        fields.map(|(_, text)| R::read(text).ok_or_else(|| self.bad(key))).collect()
    }

    /// The line of a key, if there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn maybe<R: Row>(&self, key: &str) -> Result<Option<R>, SnapshotError> {
        let field = self.fields().iter().find(|(name, _)| *name == key);
        field.map(|(_, text)| R::read(text).ok_or_else(|| self.bad(key))).transpose()
    }

    /// The line of a key.
    ///
    /// # Errors
    /// It is missing or cannot be read.
    pub fn get<R: Row>(&self, key: &str) -> Result<R, SnapshotError> {
        self.maybe(key)?.ok_or_else(|| self.bad(key))
    }

    /// The time that a column stands for.
    pub fn time(&self, nanos: i128) -> Mono {
        let time = nanos.saturating_add(i128::from(self.now.0));
        Mono(u64::try_from(time.max(0)).unwrap_or(u64::MAX))
    }

    /// A key of this section says what cannot be.
    pub fn bad(&self, key: &str) -> SnapshotError {
        SnapshotError::BadField { line: self.line, section: self.name.to_owned(), key: key.to_owned() }
    }
}

/// What can be written into a column.
pub trait Column {
    /// Appends it.
    fn write(&self, text: &mut String);
}

/// What can be read from a column.
pub trait FromColumn: Sized {
    /// From its text, unless it means something else.
    fn read(text: &str) -> Option<Self>;
}

/// What can be read from the columns of a line. Further columns are those of a newer format: they are skipped.
pub trait Row: Sized {
    /// From its text.
    fn read(text: &str) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Column for $number {
            fn write(&self, text: &mut String) {
                let _ = write!(text, "{self}");
            }
        }
        impl FromColumn for $number {
            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
        impl Column for Option<$number> {
            fn write(&self, text: &mut String) {
                let _ = self.map(|number| write!(text, "{number}"));
            }
        }
        impl FromColumn for Option<$number> {
            fn read(text: &str) -> Option<Self> {
                if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
            }
        }
    )*};
}
numbers!(u16, u32, u64, i32, i64, i128, usize);

impl Column for bool {
    fn write(&self, text: &mut String) {
        text.push_str(if *self { "yes" } else { "no" });
    }
}

impl FromColumn for bool {
    fn read(text: &str) -> Option<Self> {
        match text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }
}

impl Column for &str {
    fn write(&self, text: &mut String) {
        escape(self.as_bytes(), text);
    }
}

impl Column for String {
    fn write(&self, text: &mut String) {
        escape(self.as_bytes(), text);
    }
}

impl FromColumn for String {
    fn read(text: &str) -> Option<Self> {
        String::from_utf8(unescape(text)?).ok()
    }
}

impl Column for Vec<u8> {
    fn write(&self, text: &mut String) {
        escape(self, text);
    }
}

impl FromColumn for Vec<u8> {
    fn read(text: &str) -> Option<Self> {
        unescape(text)
    }
}

impl Column for &Path {
    fn write(&self, text: &mut String) {
        escape(self.as_os_str().as_encoded_bytes(), text);
    }
}

impl FromColumn for PathBuf {
    fn read(text: &str) -> Option<Self> {
        use std::os::unix::ffi::OsStringExt;
        unescape(text).map(|bytes| std::ffi::OsString::from_vec(bytes).into())
    }
}

impl Column for ProcId {
    fn write(&self, text: &mut String) {
        let _ = write!(text, "{}.{}", self.slot, self.generation);
    }
}

impl FromColumn for ProcId {
    fn read(text: &str) -> Option<Self> {
        let (slot, generation) = text.split_once('.')?;
        Some(ProcId { slot: slot.parse().ok()?, generation: generation.parse().ok()? })
    }
}

impl<A: FromColumn> Row for (A,) {
    fn read(text: &str) -> Option<Self> {
        Some((A::read(text.split('\t').next()?)?,))
    }
}

impl<A: FromColumn, B: FromColumn> Row for (A, B) {
    fn read(text: &str) -> Option<Self> {
        let mut columns = text.split('\t');
        Some((A::read(columns.next()?)?, B::read(columns.next()?)?))
    }
}

impl<A: FromColumn, B: FromColumn, C: FromColumn> Row for (A, B, C) {
    fn read(text: &str) -> Option<Self> {
        let mut columns = text.split('\t');
        Some((A::read(columns.next()?)?, B::read(columns.next()?)?, C::read(columns.next()?)?))
    }
}

impl<A: FromColumn, B: FromColumn, C: FromColumn, D: FromColumn> Row for (A, B, C, D) {
    fn read(text: &str) -> Option<Self> {
        let mut columns = text.split('\t');
        let (a, b) = (A::read(columns.next()?)?, B::read(columns.next()?)?);
        Some((a, b, C::read(columns.next()?)?, D::read(columns.next()?)?))
    }
}

/// What would end a column or a line is written as an escape, and so is what is not UTF-8.
fn escape(bytes: &[u8], text: &mut String) {
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                letter => text.push(letter),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (escape, behind) = rest.split_first()?;
        rest = behind;
        bytes.push(match escape {
            b'\\' => b'\\',
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())?;
                rest = &rest[2..];
                u8::from_str_radix(digits, 16).ok()?
            }
            _ => return None,
        });
    }
    Some(bytes)
}

/// FNV-1a, 64 bits. No change of one byte leaves it as it is; it is no protection against malice, which the directory of the
/// snapshot is.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
