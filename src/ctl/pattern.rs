//! Names by pattern: `web-*`, `group:web-?`, `*:worker`. Supervisor knows `group:*` only, which stays as it is.

use super::answer::{ProcessInfo, processes};
use super::client::CallError;
use super::namespec::Namespec;
use super::session::Session;
use crate::sys::glob;

/// Replaces each pattern by the processes that it fits, in the order of the server. A pattern that fits none stays,
/// for the command to complain about; so does a word that is the name of a process.
///
/// Without a colon a pattern is compared with the name that `status` shows; with one, group and process each with
/// their part.
pub fn expand(session: &mut Session, words: &[&str]) -> Result<Vec<String>, CallError> {
    if !words.iter().any(|word| is_pattern(word)) {
        return Ok(words.iter().map(|word| (*word).to_owned()).collect());
    }
    let processes = processes(session.call("getAllProcessInfo", &[])?)?;
    Ok(words.iter().flat_map(|word| matching(word, &processes)).collect())
}

/// What one word stands for.
pub fn matching(word: &str, processes: &[ProcessInfo]) -> Vec<String> {
    let is_name = |process: &ProcessInfo| Namespec::parse(word) == process.namespec();
    if !is_pattern(word) || processes.iter().any(is_name) {
        return vec![word.to_owned()];
    }
    let names: Vec<String> =
        processes.iter().filter(|process| fits(word, process)).map(|process| process.namespec().to_string()).collect();
    if names.is_empty() { vec![word.to_owned()] } else { names }
}

/// Whether a word is a pattern beyond what Supervisor gives a meaning.
pub fn is_pattern(word: &str) -> bool {
    let Namespec { group, process } = Namespec::parse(word);
    let has_wildcard = |part: &str| part.contains(['*', '?', '[']);
    has_wildcard(group) || process.is_some_and(has_wildcard)
}

fn fits(pattern: &str, process: &ProcessInfo) -> bool {
    match pattern.split_once(':') {
        Some((group, name)) => {
            glob::fits(group, &process.group) && (name.is_empty() || glob::fits(name, &process.name))
        }
        None => glob::fits(pattern, &process.namespec().to_string()),
    }
}
