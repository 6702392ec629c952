//! Pieces of a log: of the file that grows and of those it was rotated into. However large a file is, only a piece of it is read.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::web::model::{LogHit, LogPiece, LogSearch};

/// Bytes of a piece unless somebody asks for another number.
pub const PIECE_BYTES: u64 = 64 * 1024;

/// Most bytes of a piece.
pub const PIECE_BYTES_MAX: u64 = 512 * 1024;

/// Most bytes that one search looks at; the next one goes on from there.
pub const SEARCH_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Most hits of one search.
pub const HITS_MAX: usize = 100;

/// Longest text that can be searched for.
pub const NEEDLE_BYTES_MAX: usize = 256;

/// Rotated files that are looked for.
const AGES_MAX: usize = 200;

/// Bytes that a search holds at a time.
const BLOCK_BYTES: u64 = 256 * 1024;

/// Longest part of a line that a hit shows, before and behind what was found.
const HIT_BYTES_MAX: usize = 400;

/// Where a piece begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It ends here, or at the end of the file if that is before.
    Before(u64),
    /// It begins here.
    After(u64),
}

/// A file of a log.
#[derive(Debug)]
pub struct Part {
    /// The open file.
    pub file: File,
    /// Its name now.
    pub path: PathBuf,
    /// Device and inode, whatever its name becomes.
    pub name: String,
    /// How often it was rotated.
    pub age: usize,
    /// Its size when it was opened.
    pub size: u64,
}

/// Device and inode as a word.
pub fn name_of(metadata: &Metadata) -> String {
    format!("{:x}-{:x}", metadata.dev(), metadata.ino())
}

/// Opens the file that grows, or the one with this name wherever rotation has put it.
///
/// # Errors
/// There is none, it cannot be read, or it is not a regular file.
pub fn open(log: &Path, name: Option<&str>) -> io::Result<Part> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return open_age(log, 0) };
    for age in 0..=AGES_MAX {
        let path = aged(log, age);
        match std::fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() && name_of(&metadata) == name => return open_age(log, age),
            Ok(_) => {}
            // The file that grows may be missing for a moment; behind the first gap there are no more.
            Err(_) if age == 0 => {}
            Err(_) => break,
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Without waiting: a named pipe would hold the daemon.
fn open_age(log: &Path, age: usize) -> io::Result<Part> {
    let path = aged(log, age);
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(&path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(Part { file, path, name: name_of(&metadata), age, size: metadata.len() })
}

fn aged(log: &Path, age: usize) -> PathBuf {
    if age == 0 {
        return log.to_owned();
    }
    let mut path = log.as_os_str().to_owned();
    path.push(format!(".{age}"));
    path.into()
}

fn name_at(log: &Path, age: usize) -> Option<String> {
    let metadata = std::fs::metadata(aged(log, age)).ok().filter(Metadata::is_file)?;
    Some(name_of(&metadata))
}

/// Reads whole lines on one side of an offset.
///
/// # Errors
/// As [`open`], or the file cannot be read.
pub fn piece(log: &Path, name: Option<&str>, side: Side, bytes: u64) -> io::Result<LogPiece> {
    let part = open(log, name)?;
    let bytes = bytes.clamp(1, PIECE_BYTES_MAX);
    let (start, end) = match side {
        Side::Before(end) => (end.min(part.size).saturating_sub(bytes), end.min(part.size)),
        Side::After(start) => (start.min(part.size), start.saturating_add(bytes).min(part.size)),
    };
    let mut held = read_at(&part.file, start, end)?;
    let (mut start, mut end) = (start, start + held.len() as u64);
    match side {
        Side::Before(_) if start > 0 => {
            // The rest of a line; a single one that is longer than the piece stays.
            if let Some(newline) = held.iter().position(|byte| *byte == b'\n').filter(|at| at + 1 < held.len()) {
                held.drain(..=newline);
                start += newline as u64 + 1;
            }
        }
        Side::After(_) if end < part.size => {
            if let Some(newline) = held.iter().rposition(|byte| *byte == b'\n') {
                held.truncate(newline + 1);
                end = start + held.len() as u64;
            }
        }
        _ => {}
    }
    Ok(LogPiece {
        path: part.path.display().to_string(),
        older: name_at(log, part.age + 1),
        newer: part.age.checked_sub(1).and_then(|age| name_at(log, age)),
        lines: lines(&held),
        file: part.name,
        age: part.age,
        size: part.size,
        start,
        end,
    })
}

fn read_at(file: &File, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let mut held = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or(0)];
    let mut filled = 0;
    while filled < held.len() {
        match file.read_at(&mut held[filled..], start + filled as u64)? {
            // It has shrunk since.
            0 => break,
            count => filled += count,
        }
    }
    held.truncate(filled);
    Ok(held)
}

/// The lines of some bytes, without their ends.
fn lines(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|byte| *byte == b'\n').map(text).collect()
}

/// One line as text: UTF-8 if it is, else GB18030 if it is that, else what can be read of it.
pub fn text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if let Ok(text) = std::str::from_utf8(line) {
        return text.to_owned();
    }
    match encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(line) {
        Some(text) => text.into_owned(),
        None => String::from_utf8_lossy(line).into_owned(),
    }
}

/// Looks for a text, letters of either case alike, from an offset of a file back to the oldest file, and stops after
/// [`SEARCH_BYTES_MAX`].
///
/// # Errors
/// As [`open`], or a file cannot be read.
pub fn search(log: &Path, name: Option<&str>, before: u64, needle: &str) -> io::Result<LogSearch> {
    let needles = needles(needle);
    let (mut found, mut left) = (LogSearch::default(), SEARCH_BYTES_MAX);
    let mut part = open(log, name)?;
    let mut before = before.min(part.size);
    loop {
        before = search_part(&part, before, &needles, &mut left, &mut found.hits)?;
        if found.hits.len() >= HITS_MAX || (left == 0 && before > 0) {
            found.rest = Some((part.name, before));
            return Ok(found);
        }
        match open_age(log, part.age + 1) {
            Ok(older) => (before, part) = (older.size, older),
            Err(_) => return Ok(found),
        }
        if left == 0 {
            found.rest = Some((part.name, before));
            return Ok(found);
        }
    }
}

/// The text as it stands in either encoding, in small letters.
fn needles(needle: &str) -> Vec<Vec<u8>> {
    let mut end = needle.len().min(NEEDLE_BYTES_MAX);
    while !needle.is_char_boundary(end) {
        end -= 1;
    }
    let needle = needle[..end].to_ascii_lowercase();
    let (chinese, _, is_lossy) = encoding_rs::GB18030.encode(&needle);
    let mut needles = vec![needle.clone().into_bytes()];
    if !is_lossy && *chinese != *needle.as_bytes() {
        needles.push(chinese.to_ascii_lowercase());
    }
    needles.retain(|needle| !needle.is_empty());
    needles
}

/// Answers before which offset nothing was looked at.
fn search_part(
    part: &Part,
    mut before: u64,
    needles: &[Vec<u8>],
    left: &mut u64,
    hits: &mut Vec<LogHit>,
) -> io::Result<u64> {
    while before > 0 && *left > 0 && hits.len() < HITS_MAX {
        let start = before.saturating_sub(BLOCK_BYTES.min(*left));
        let mut block = read_at(&part.file, start, before)?;
        *left -= (before - start).min(*left);
        let mut first = start;
        // A block begins with a line, so that no line is cut; one that is longer than a block is taken as it is.
        if start > 0
            && let Some(newline) = block.iter().position(|byte| *byte == b'\n').filter(|at| at + 1 < block.len())
        {
            block.drain(..=newline);
            first += newline as u64 + 1;
        }
        let small = block.to_ascii_lowercase();
        let mut end = small.len();
        while end > 0 && hits.len() < HITS_MAX {
            let line = small[..end - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            if let Some(at) = needles.iter().find_map(|needle| find(&small[line..end], needle)) {
                let start = first + line as u64;
                hits.push(LogHit { file: part.name.clone(), start, line: text(around(&block[line..end], at)) });
            }
            end = line;
        }
        before = if hits.len() >= HITS_MAX { first + end as u64 } else { first };
    }
    Ok(before)
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = hay.get(from..)?.iter().position(|byte| *byte == first) {
        if hay[from + at..].starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// The line, or the part of a very long one that holds the hit.
fn around(line: &[u8], at: usize) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    if line.len() <= 2 * HIT_BYTES_MAX {
        return line;
    }
    &line[at.saturating_sub(HIT_BYTES_MAX)..(at + HIT_BYTES_MAX).min(line.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &[u8])]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        let log = dir.path().join("p.log");
        (dir, log)
    }

    #[test]
    fn pieces_are_whole_lines_that_join() {
        let all: String = (0..1000).map(|number| format!("line {number}\n")).collect();
        let (_dir, log) = site(&[("p.log", all.as_bytes())]);
        let mut before = Side::Before(u64::MAX);
        let mut found: Vec<String> = Vec::new();
        loop {
            let piece = piece(&log, None, before, 100).unwrap();
            found.splice(0..0, piece.lines);
            if piece.start == 0 {
                break;
            }
            before = Side::Before(piece.start);
        }
        assert_eq!(found.len(), 1000);
        assert_eq!((found[0].as_str(), found[999].as_str()), ("line 0", "line 999"));
        let piece = piece(&log, None, Side::After(0), 20).unwrap();
        assert_eq!((piece.lines, piece.end), (vec!["line 0".to_owned(), "line 1".to_owned()], 14));
    }

    #[test]
    fn rotated_files_are_found_by_what_they_are() {
        let (dir, log) = site(&[("p.log", b"new\n"), ("p.log.1", b"old\n")]);
        let newest = piece(&log, None, Side::Before(u64::MAX), 100).unwrap();
        let older = piece(&log, newest.older.as_deref(), Side::Before(u64::MAX), 100).unwrap();
        assert_eq!((older.lines, older.age), (vec!["old".to_owned()], 1));
        // Rotated once more, the name of a file means the same file.
        std::fs::rename(dir.path().join("p.log.1"), dir.path().join("p.log.2")).unwrap();
        std::fs::rename(&log, dir.path().join("p.log.1")).unwrap();
        std::fs::write(&log, "newer\n").unwrap();
        let same = piece(&log, newest.older.as_deref(), Side::Before(u64::MAX), 100).unwrap();
        assert_eq!((same.lines, same.age), (vec!["old".to_owned()], 2));
        assert!(piece(&log, Some("0-0"), Side::Before(1), 1).is_err());
    }

    #[test]
    fn either_encoding_is_read_and_found() {
        let (gbk, _, _) = encoding_rs::GB18030.encode("支付失败 Order 7\n");
        let bytes = [gbk.as_ref(), "支付成功\n".as_bytes(), b"\xff\xfe broken\n"].concat();
        let (_dir, log) = site(&[("p.log", &bytes)]);
        let piece = piece(&log, None, Side::Before(u64::MAX), 1000).unwrap();
        assert_eq!(piece.lines[..2], ["支付失败 Order 7".to_owned(), "支付成功".to_owned()]);
        let hits = |needle: &str| {
            let found = search(&log, None, u64::MAX, needle).unwrap();
            found.hits.into_iter().map(|hit| hit.line).collect::<Vec<_>>()
        };
        assert_eq!(hits("支付"), ["支付成功", "支付失败 Order 7"]);
        assert_eq!(hits("order 7"), ["支付失败 Order 7"]);
        assert_eq!(hits("absent"), [""; 0]);
    }

    #[test]
    fn a_search_goes_back_through_all_files_in_steps() {
        let filler = "x".repeat(99) + "\n";
        let big = format!("first needle\n{}", filler.repeat((SEARCH_BYTES_MAX / 100) as usize + 10));
        let (_dir, log) = site(&[("p.log", b"needle here\n"), ("p.log.1", big.as_bytes())]);
        let first = search(&log, None, u64::MAX, "needle").unwrap();
        assert_eq!(first.hits.len(), 1);
        let (file, before) = first.rest.unwrap();
        let second = search(&log, Some(&file), before, "needle").unwrap();
        assert_eq!(second.hits[0].line, "first needle");
        assert_eq!(second.hits[0].start, 0);
        assert_eq!(second.rest, None);
    }

    #[test]
    fn one_endless_line_is_no_trouble() {
        let (_dir, log) = site(&[("p.log", "y".repeat(1 << 20).as_bytes())]);
        let piece = piece(&log, None, Side::Before(u64::MAX), PIECE_BYTES).unwrap();
        assert_eq!(piece.lines.len(), 1);
        assert_eq!(piece.end - piece.start, PIECE_BYTES);
        assert_eq!(search(&log, None, u64::MAX, "z").unwrap().hits.len(), 0);
    }
}
