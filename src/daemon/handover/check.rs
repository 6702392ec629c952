//! `supervisord --check-resume`: reads a document from the standard input and says whether this image could go on from it.
//! A running daemon asks a newer program this before it makes room for it.

use std::io::Read;

use super::held::Descriptors;
use super::resume::Resumed;
use super::settings;
use crate::KIT_VERSION;
use crate::daemon::programs::Programs;
use crate::daemon::recovery::Whole;
use crate::sys::poller::Poller;

/// The option.
pub const OPTION: &str = "--check-resume";

/// Largest document, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 256 << 20;

/// What begins the line of an image that could go on; its version follows.
pub const CAN_RESUME: &str = "can resume: supervisor-kit ";

/// Runs the check. Answers the exit code: 0 if it could.
pub fn main() -> i32 {
    let mut text = String::new();
    let outcome = match std::io::stdin().take(DOCUMENT_BYTES_MAX).read_to_string(&mut text) {
        Ok(_) => try_on(&text),
        Err(error) => Err(format!("cannot read the document: {error}")),
    };
    match outcome {
        Ok(()) => {
            println!("{CAN_RESUME}{KIT_VERSION}");
            0
        }
        Err(reason) => {
            println!("supervisor-kit {KIT_VERSION} cannot resume: {reason}");
            1
        }
    }
}

/// As a resume, but without any descriptor: each is missed, which is no reason to refuse.
///
/// # Errors
/// Why it could not.
pub fn try_on(text: &str) -> Result<(), String> {
    let Whole { document, core, .. } = Whole::read(text).map_err(|error| error.to_string())?;
    let poller = Poller::open().map_err(|error| error.to_string())?;
    settings::read(&document).map_err(|error| error.to_string())?;
    let programs = Programs::new(false, "supervisord", None, None).map_err(|error| error.to_string())?;
    Resumed::read(&document, &core, programs, &mut Descriptors::Trial, &poller)
        .map(drop)
        .map_err(|error| error.to_string())
}
