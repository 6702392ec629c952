//! Ctrl-C, SIGTERM and a lost terminal, for a program that must not stop in the middle of a change.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// What asks a program to stop.
const REQUESTS: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];
/// The exit code for it, as of shells.
const EXIT_CODE: i32 = 130;
/// Shows the cursor, which a dialogue may have hidden.
const SHOW_CURSOR: &[u8] = b"\x1b[?25h\n";

/// Whether a change is under way.
static IS_HELD: AtomicBool = AtomicBool::new(false);
/// The signal that came, or 0.
static CAME: AtomicI32 = AtomicI32::new(0);
/// Whether people look at standard error.
static HAS_TERMINAL: AtomicBool = AtomicBool::new(false);

/// Answers these signals from now on: outside a change by ending with a clean terminal.
pub fn install() {
    HAS_TERMINAL.store(std::io::IsTerminal::is_terminal(&std::io::stderr()), Ordering::Relaxed);
    let action = SigAction::new(SigHandler::Handler(on_request), SaFlags::SA_RESTART, SigSet::empty());
    for request in REQUESTS {
        // SAFETY: the handler only uses atomics, write(2) and _exit(2), which are safe in a signal handler.
        let _ = unsafe { sigaction(request, &action) };
    }
}

/// A change begins: a request is only remembered from now on.
pub fn hold() {
    IS_HELD.store(true, Ordering::SeqCst);
}

/// Whether a request came while a change was under way.
pub fn came() -> bool {
    CAME.load(Ordering::SeqCst) != 0
}

extern "C" fn on_request(number: libc::c_int) {
    if IS_HELD.load(Ordering::SeqCst) {
        CAME.store(number, Ordering::SeqCst);
        return;
    }
    if HAS_TERMINAL.load(Ordering::Relaxed) {
        // SAFETY: the bytes are static; what write(2) answers does not matter any more.
        let _ = unsafe { libc::write(2, SHOW_CURSOR.as_ptr().cast(), SHOW_CURSOR.len()) };
    }
    // SAFETY: ends the process at once, without running anything of it.
    unsafe { libc::_exit(EXIT_CODE) }
}
