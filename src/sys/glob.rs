//! Shell patterns over the file system, with the rules of Python's `glob.glob`.

use std::path::{Path, PathBuf};

/// Paths that match, sorted bytewise. `*`, `?` and `[...]` never match a slash, nor a leading dot unless the pattern
/// has one; `**` is `*`. Directories that cannot be read match nothing.
pub fn glob(pattern: &str) -> Vec<PathBuf> {
    let mut found = if pattern.starts_with('/') { vec![PathBuf::from("/")] } else { vec![PathBuf::new()] };
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        found = found.iter().flat_map(|directory| matches_in(directory, part)).collect();
    }
    found.retain(|path| !path.as_os_str().is_empty());
    found.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    found
}

/// The entries of one directory that match one part of a pattern.
fn matches_in(directory: &Path, part: &str) -> Vec<PathBuf> {
    if !part.contains(['*', '?', '[']) {
        let path = directory.join(part);
        return if path.symlink_metadata().is_ok() { vec![path] } else { Vec::new() };
    }
    let pattern: Vec<char> = part.chars().collect();
    let listed = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let Ok(entries) = std::fs::read_dir(listed) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .filter(|name| {
            let name: Vec<char> = name.to_string_lossy().chars().collect();
            (name.first() != Some(&'.') || pattern[0] == '.') && matches(&pattern, &name)
        })
        .map(|name| directory.join(name))
        .collect()
}

/// Whether a whole text fits a pattern; here nothing is special about slashes and dots.
pub fn fits(pattern: &str, text: &str) -> bool {
    matches(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}

/// `fnmatch`: on a mismatch, the last `*` takes one character more.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match step(&pattern[at..], name[from]) {
            Step::Star => {
                star = Some((at, from));
                at += 1;
            }
            Step::Match(length) => {
                at += length;
                from += 1;
            }
            Step::Mismatch => {
                let Some((star_at, star_from)) = star else { return false };
                star = Some((star_at, star_from + 1));
                (at, from) = (star_at + 1, star_from + 1);
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// What the head of a pattern says about one character.
enum Step {
    Star,
    /// It fits; the head is this long.
    Match(usize),
    Mismatch,
}

fn step(pattern: &[char], c: char) -> Step {
    let (fits, length) = match pattern.first() {
        None => (false, 0),
        Some('*') => return Step::Star,
        Some('?') => (true, 1),
        Some('[') => bracket(pattern, c).unwrap_or((c == '[', 1)),
        Some(other) => (*other == c, 1),
    };
    if fits { Step::Match(length) } else { Step::Mismatch }
}

/// `[abc]`, `[a-z]`, `[!a]`: whether it holds the character, and its length; `None` without a closing bracket.
fn bracket(pattern: &[char], c: char) -> Option<(bool, usize)> {
    let negated = pattern.get(1) == Some(&'!');
    let start = if negated { 2 } else { 1 };
    // A `]` right at the start stands for itself.
    let end = (start + 1..pattern.len()).find(|at| pattern[*at] == ']')?;
    let mut set = &pattern[start..end];
    let mut holds = false;
    while let [first, rest @ ..] = set {
        match rest {
            ['-', last, rest @ ..] => {
                holds |= (*first..=*last).contains(&c);
                set = rest;
            }
            _ => {
                holds |= *first == c;
                set = rest;
            }
        }
    }
    Some((holds != negated, end + 1))
}
