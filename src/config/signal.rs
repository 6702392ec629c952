//! Signals by name and number, as Linux counts them on every architecture built for.

use super::{python, repr};

/// Every named signal. Where a number has two names, the first is the one printed (`Supervisor: options.py signame`).
const NAMES: &[(&str, i32)] = &[
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGIOT", 6),
    ("SIGBUS", 7),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGSTKFLT", 16),
    ("SIGCHLD", 17),
    ("SIGCLD", 17),
    ("SIGCONT", 18),
    ("SIGSTOP", 19),
    ("SIGTSTP", 20),
    ("SIGTTIN", 21),
    ("SIGTTOU", 22),
    ("SIGURG", 23),
    ("SIGXCPU", 24),
    ("SIGXFSZ", 25),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGWINCH", 28),
    ("SIGPOLL", 29),
    ("SIGIO", 29),
    ("SIGPWR", 30),
    ("SIGSYS", 31),
    ("SIGRTMIN", 34),
    ("SIGRTMAX", 64),
];

/// SIGKILL.
pub const KILL: i32 = 9;

/// A signal by number, or by name with or without `SIG` in any case. 0, which only asks whether a process is there,
/// is accepted; numbers without a name are not (`Supervisor: datatypes.py signal_number`).
pub fn number(text: &str) -> Result<i32, String> {
    match python::int(text, 10) {
        Ok(0) => Ok(0),
        Ok(number) => NAMES
            .iter()
            .map(|(_, known)| *known)
            .find(|known| i64::from(*known) == number)
            .ok_or_else(|| format!("value {} is not a valid signal number", repr::text(text))),
        Err(_) => {
            let upper = python::trim(text).to_uppercase();
            let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
            let found = NAMES.iter().find(|(known, _)| known.strip_prefix("SIG") == Some(bare));
            found
                .map(|(_, number)| *number)
                .ok_or_else(|| format!("value {} is not a valid signal name", repr::text(text)))
        }
    }
}

/// The name of a signal that has one.
pub fn known_name(number: i32) -> Option<&'static str> {
    NAMES.iter().find(|(_, candidate)| *candidate == number).map(|(name, _)| *name)
}

/// The name of a signal, or `signal <n>`.
pub fn name(number: i32) -> String {
    known_name(number).map_or_else(|| format!("signal {number}"), str::to_owned)
}
