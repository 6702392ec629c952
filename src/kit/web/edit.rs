//! The block in the configuration. Pure: bytes in, bytes out.

use super::{Account, Console};
use crate::password::{self, Kind};

const BEGIN: &str = "; >>> web console, written by supervisor-install web; \"supervisor-install web off\" removes it";
const END: &str = "; <<< web console";
const PASSWORD: &str = "password=";
const SECTION: &[u8] = b"[inet_http_server]";

/// A server section that is not ours, on this line (counted from 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Existing(pub usize);

/// The configuration with this console, or with none. Only our own block changes.
///
/// # Errors
/// There is a server section outside it.
pub fn edit(config: &[u8], console: Option<&Console>) -> Result<Vec<u8>, Existing> {
    let ending: &[u8] = if config.windows(2).any(|pair| pair == b"\r\n") { b"\r\n" } else { b"\n" };
    let (mut kept, mut is_inside, mut had_block) = (Vec::with_capacity(config.len()), false, false);
    let mut stored = None;
    for (index, line) in config.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let words = line.trim_ascii();
        if words == BEGIN.as_bytes() {
            (is_inside, had_block) = (true, true);
        } else if is_inside {
            is_inside = words != END.as_bytes();
            stored = stored.or_else(|| words.strip_prefix(PASSWORD.as_bytes()));
        } else {
            if words.starts_with(SECTION) && console.is_some() {
                return Err(Existing(index + 1));
            }
            kept.extend_from_slice(line);
        }
    }
    // The newline that our block needed and the file did not have belongs to the block.
    if had_block && kept.ends_with(&[ending, MADE_LINE].concat()) {
        kept.truncate(kept.len() - ending.len() - MADE_LINE.len());
    }
    let Some(console) = console else { return Ok(kept) };
    if !kept.is_empty() && !kept.ends_with(b"\n") {
        kept.extend_from_slice(ending);
        kept.extend_from_slice(MADE_LINE);
    }
    let stored = stored.and_then(|hash| std::str::from_utf8(hash).ok());
    for line in block(console, stored) {
        kept.extend_from_slice(line.as_bytes());
        kept.extend_from_slice(ending);
    }
    Ok(kept)
}

/// Marks that the last line of the file had no newline before our block came.
const MADE_LINE: &[u8] = b"; (no newline before)\n";

fn block(console: &Console, stored: Option<&str>) -> Vec<String> {
    let mut lines = vec![BEGIN.to_owned(), "[inet_http_server]".to_owned(), format!("port={}", console.address)];
    if let Some(account) = &console.account {
        lines.push(format!("username={}", account.user));
        lines.push(format!("{PASSWORD}{}", hash(account, stored)));
    }
    lines.push(END.to_owned());
    lines
}

/// Each hash of a password is another one: the one that is there stays when it is right, so that nothing is changed.
fn hash<'a>(account: &'a Account, stored: Option<&'a str>) -> &'a str {
    let is_current = |stored: &&str| {
        password::kind(stored) == Kind::Bcrypt && bool::from(password::is_right(stored, account.password.as_bytes()))
    };
    stored.filter(is_current).unwrap_or(&account.hash)
}
