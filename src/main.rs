//! One file, four programs: the name it is called by decides which.

use std::ffi::OsString;
use std::path::Path;

use supervisor_kit::{ctl, daemon, echo_conf, pidproxy, sys};

#[allow(clippy::disallowed_methods)]
fn main() {
    let argv: Vec<OsString> = std::env::args_os().collect();
    let name = argv.first().and_then(|program| Path::new(program).file_name()).unwrap_or_default();
    let status = match name.to_str() {
        Some("supervisorctl") => ctl::main(&as_text(&argv)),
        Some("pidproxy") => pidproxy::main(&argv),
        Some("echo_supervisord_conf") => echo_conf::main(&as_text(&argv)),
        _ if argv.get(1).is_some_and(|word| word == "--self-test") => sys::self_test::main(),
        _ if argv.get(1).is_some_and(|word| word == daemon::handover::check::OPTION) => daemon::handover::check::main(),
        _ if argv.get(1).is_some_and(|word| word == daemon::recovery::after_stop::OPTION) => {
            daemon::recovery::after_stop::main(&as_text(&argv))
        }
        _ if argv.get(1).is_some_and(|word| word == daemon::takeover::OPTION) => {
            daemon::takeover::main(&as_text(&argv))
        }
        _ if argv.get(1).is_some_and(|word| word == daemon::takeover::OPTION_LOOK) => {
            daemon::takeover::look(&as_text(&argv))
        }
        _ => daemon::main(&as_text(&argv)),
    };
    std::process::exit(status)
}

/// Arguments that are not UTF-8 cannot name anything in a configuration; they are shown with a replacement character.
fn as_text(argv: &[OsString]) -> Vec<String> {
    argv.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}
