//! Reading os-release (format: os-release(5)).
//!
//! The `os-release` crate holds the result, but it must not see the file itself: it panics on the line `NAME="`, keeps
//! quotes in keys it does not know, and knows no escapes, comments or byte-order mark. So the shell quoting is undone
//! here, and each value is handed over in the one form that the crate always reads right: between double quotes.

use os_release::OsRelease;

use super::Root;

/// Where the file is, in the order of os-release(5).
const PATHS: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// The host's os-release; empty when there is none.
pub fn read(root: &Root) -> OsRelease {
    let text = PATHS.iter().find_map(|path| root.read(path));
    parse(&String::from_utf8_lossy(&text.unwrap_or_default()))
}

/// Reads the text of an os-release file. Never fails: a line that is no assignment is skipped.
pub fn parse(text: &str) -> OsRelease {
    text.trim_start_matches('\u{feff}').lines().filter_map(assignment).collect()
}

/// The value of a key that the crate has no field for; empty when it is not there.
pub fn extra<'a>(os: &'a OsRelease, key: &str) -> &'a str {
    let quoted = os.extra.get(key).map_or("", String::as_str);
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted)
}

/// `KEY="value"` with the value's quoting undone.
fn assignment(line: &str) -> Option<String> {
    let (key, value) = line.trim().split_once('=')?;
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_key.then(|| format!("{key}=\"{}\"", unquote(value)))
}

/// Undoes shell quoting as far as os-release(5) allows it: quotes, and backslashes before the next character.
/// An unquoted blank or `#` ends the value; a quote that is never closed ends with the line.
fn unquote(value: &str) -> String {
    let mut plain = String::new();
    let mut quote = None;
    let mut rest = value.chars();
    while let Some(next) = rest.next() {
        match (quote, next) {
            (None, '"' | '\'') => quote = Some(next),
            (Some(open), _) if open == next => quote = None,
            (Some('\''), _) => plain.push(next),
            (Some(_), '\\') => plain.push(unescape_in_quotes(&mut rest)),
            (None, '\\') => plain.extend(rest.next()),
            (None, ' ' | '\t' | '#') => break,
            _ => plain.push(next),
        }
    }
    plain
}

/// In double quotes a backslash is special only before the four characters that need it.
fn unescape_in_quotes(rest: &mut std::str::Chars<'_>) -> char {
    match rest.clone().next() {
        Some(next @ ('"' | '\\' | '$' | '`')) => {
            rest.next();
            next
        }
        _ => '\\',
    }
}
