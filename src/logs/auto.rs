//! Child logs whose name is left to the daemon (`stdout_logfile = AUTO`).

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How often a name that is taken is replaced by another one.
const ATTEMPTS_MAX: u32 = 100;

/// Random characters in a name, and what they are chosen from (Python's `tempfile`).
const RANDOM_CHARS: usize = 8;
const ALPHABET: &[u8; 37] = b"abcdefghijklmnopqrstuvwxyz0123456789_";

/// Only the daemon's user may read it.
const MODE: u32 = 0o600;

/// Makes the empty file `<directory>/<process>-<channel>---<identifier>-<8 random>.log`, mode 0600
/// (`Supervisor: options.py get_autochildlog_name()`).
///
/// # Errors
/// The directory is missing or may not be written.
pub fn create(directory: &Path, process: &str, channel: &str, identifier: &str) -> io::Result<PathBuf> {
    for _ in 0..ATTEMPTS_MAX {
        let path = directory.join(format!("{process}-{channel}---{identifier}-{}.log", random_name()));
        match File::options().write(true).create_new(true).mode(MODE).open(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Removes the AUTO logs of an earlier run, rotated ones too. Returns what is worth a warning in the activity log. Call it
/// only while holding the instance lock: the files of a daemon that still runs look the same.
pub fn clean_up(directory: &Path, identifier: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else {
        return vec!["Could not clear childlog dir".to_owned()];
    };
    entries
        .flatten()
        .filter(|entry| is_auto_name(&entry.file_name().to_string_lossy(), identifier))
        .filter_map(|entry| {
            let path = entry.path();
            fs::remove_file(&path).err().map(|_| format!("Failed to clean up '{}'", path.display()))
        })
        .collect()
}

/// Whether `name` begins as an AUTO log of `identifier`: something, `---<identifier>-`, characters but no blanks, `.log`
/// (`Supervisor: options.py clear_autochildlogdir()`, a prefix match, so `.log.1` counts as well).
fn is_auto_name(name: &str, identifier: &str) -> bool {
    let marker = format!("---{identifier}-");
    name.match_indices(&marker).any(|(start, _)| {
        let tail = &name[start + marker.len()..];
        let word = tail.split(char::is_whitespace).next().unwrap_or_default();
        start > 0 && word.rfind(".log").is_some_and(|at| at > 0)
    })
}

fn random_name() -> String {
    // Each RandomState has keys of its own, seeded by the operating system.
    let mut number = RandomState::new().build_hasher().finish();
    (0..RANDOM_CHARS)
        .map(|_| {
            let digit = number % ALPHABET.len() as u64;
            number /= ALPHABET.len() as u64;
            char::from(ALPHABET[digit as usize])
        })
        .collect()
}
