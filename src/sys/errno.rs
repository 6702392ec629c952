//! Names of error numbers.

use std::io;

use nix::errno::Errno;

/// The symbolic name of an error number, such as `EACCES`; the bare number when it has none.
pub fn errno_name(number: i32) -> String {
    match Errno::from_raw(number) {
        Errno::UnknownErrno => number.to_string(),
        errno => format!("{errno:?}"),
    }
}

/// [`errno_name`] of an I/O error; its text when it does not come from the operating system.
pub fn io_error_name(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), errno_name)
}

/// An operating-system error as Python words it: `[Errno 1] Operation not permitted`.
pub fn errno_text(errno: Errno) -> String {
    format!("[Errno {}] {}", errno as i32, errno.desc())
}
