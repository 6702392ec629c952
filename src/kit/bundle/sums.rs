//! `SHA256SUMS`: lines of `sha256sum`, a hash, two spaces and a file name in the same directory.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// One line for each (name, bytes).
pub fn format<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    files.into_iter().fold(String::new(), |mut text, (name, bytes)| {
        let _ = writeln!(text, "{}  {name}", sha256(bytes));
        text
    })
}

/// File names with their hashes.
///
/// # Errors
/// What is wrong with a line, naming its number. A name with a slash is refused: a bundle is one directory.
pub fn parse(bytes: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_string())?;
    let whole = text.strip_suffix('\n').ok_or("its last line is not complete")?;
    let mut listed = BTreeMap::new();
    for (index, line) in whole.split('\n').enumerate() {
        let wrong = || format!("line {} is not \"<sha256>  <file name>\"", index + 1);
        let (hash, name) = line.split_once("  ").ok_or_else(wrong)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash || name.is_empty() || name.contains(['/', '\r']) || name == ".." {
            return Err(wrong());
        }
        if listed.insert(name.to_string(), hash.to_string()).is_some() {
            return Err(format!("line {} names {name} again", index + 1));
        }
    }
    Ok(listed)
}
