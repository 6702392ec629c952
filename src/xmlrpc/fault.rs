//! The faults a method may answer with (`Supervisor: xmlrpc.py Faults`).

use thiserror::Error;

/// A fault as it goes over the wire: `faultString` is the name, or `NAME: extra`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text}")]
pub struct Fault {
    /// `faultCode`.
    pub code: i32,
    /// `faultString`.
    pub text: String,
}

macro_rules! faults {
    ($($name:ident = $code:literal),* $(,)?) => {
        /// Fault codes by their name.
        pub mod code {
            $(#[doc = concat!("`", stringify!($name), "`")] pub const $name: i32 = $code;)*
        }
        /// The name of a code, as it appears in `faultString`.
        pub fn name_of(code: i32) -> &'static str {
            match code { $($code => stringify!($name),)* _ => "UNKNOWN" }
        }
    };
}

faults! {
    UNKNOWN_METHOD = 1, INCORRECT_PARAMETERS = 2, BAD_ARGUMENTS = 3, SIGNATURE_UNSUPPORTED = 4, SHUTDOWN_STATE = 6,
    BAD_NAME = 10, BAD_SIGNAL = 11, NO_FILE = 20, NOT_EXECUTABLE = 21, FAILED = 30, ABNORMAL_TERMINATION = 40,
    SPAWN_ERROR = 50, ALREADY_STARTED = 60, NOT_RUNNING = 70, SUCCESS = 80, ALREADY_ADDED = 90, STILL_RUNNING = 91,
    CANT_REREAD = 92,
}

impl Fault {
    /// A fault whose text is its name alone.
    pub fn new(code: i32) -> Self {
        Fault { code, text: name_of(code).to_owned() }
    }

    /// A fault with an explanation after its name.
    pub fn with(code: i32, extra: impl std::fmt::Display) -> Self {
        Fault { code, text: format!("{}: {extra}", name_of(code)) }
    }
}
