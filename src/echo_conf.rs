//! `echo_supervisord_conf`: prints a sample configuration. Arguments are ignored, as in Supervisor.

use std::io::Write;

/// The sample: every section and key, with the defaults.
pub const SAMPLE: &str = include_str!("../units/supervisord.sample.conf");

/// Prints the sample; 1 when it cannot be written (a full disk behind a redirection), else 0.
pub fn main() -> i32 {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(SAMPLE.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("echo_supervisord_conf: cannot write the sample: {error}");
            1
        }
    }
}
