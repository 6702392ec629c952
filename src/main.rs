//! One file, four programs: the name it is called by decides which.

use std::ffi::OsString;
use std::path::Path;

use supervisor_kit::{ctl, daemon, echo_conf, pidproxy};

#[allow(clippy::disallowed_methods)]
fn main() {
    let argv: Vec<OsString> = std::env::args_os().collect();
    let name = argv.first().and_then(|program| Path::new(program).file_name()).unwrap_or_default();
    let status = match name.to_str() {
        Some("supervisorctl") => ctl::main(&as_text(&argv)),
        Some("pidproxy") => pidproxy::main(&argv),
        Some("echo_supervisord_conf") => echo_conf::main(&as_text(&argv)),
        _ => daemon::main(&as_text(&argv)),
    };
    std::process::exit(status)
}

/// Arguments that are not UTF-8 cannot name anything in a configuration; they are shown with a replacement character.
fn as_text(argv: &[OsString]) -> Vec<String> {
    argv.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}
