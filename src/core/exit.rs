//! How a child ended.

use std::fmt;

use crate::config::signal;

/// The status that `waitpid` gave (`Supervisor: options.py decode_wait_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It called `exit` with this code.
    Code(i32),
    /// A signal ended it.
    Signal {
        /// Signal number.
        number: i32,
        /// A core file was written.
        core_dumped: bool,
    },
    /// Neither; the raw status.
    Unknown(i32),
    /// It was the child of a daemon that ended before it, so nobody was told.
    Missed,
}

impl ExitStatus {
    /// The code compared with `exitcodes`; a death by signal is -1 and so never expected.
    pub fn code(self) -> i32 {
        match self {
            ExitStatus::Code(code) => code,
            ExitStatus::Signal { .. } | ExitStatus::Unknown(_) | ExitStatus::Missed => -1,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitStatus::Code(code) => write!(f, "exit status {code}"),
            ExitStatus::Signal { number, core_dumped } => {
                match signal::known_name(*number) {
                    Some(name) => write!(f, "terminated by {name}")?,
                    None => write!(f, "terminated by signal {number}")?,
                }
                if *core_dumped { write!(f, " (core dumped)") } else { Ok(()) }
            }
            ExitStatus::Unknown(raw) => write!(f, "unknown termination cause 0x{raw:04x}"),
            ExitStatus::Missed => write!(f, "exit status not known, it outlived the supervisord that had started it"),
        }
    }
}
