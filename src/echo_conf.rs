//! `echo_supervisord_conf`: prints a sample configuration. Arguments are ignored, as in Supervisor, but for
//! `--lang zh`, which asks for Chinese explanations.

use std::io::Write;

/// The sample: every section and key, with the defaults.
pub const SAMPLE: &str = include_str!("../units/supervisord.sample.conf");

/// The same with Chinese explanations.
pub const SAMPLE_CHINESE: &str = include_str!("../units/supervisord.sample.zh.conf");

/// Prints the sample; 1 when it cannot be written (a full disk behind a redirection), else 0.
pub fn main(argv: &[String]) -> i32 {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(sample(argv).as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("echo_supervisord_conf: cannot write the sample: {error}");
            1
        }
    }
}

/// The sample that the arguments ask for.
pub fn sample(argv: &[String]) -> &'static str {
    let after = argv.iter().position(|word| word == "--lang").and_then(|at| argv.get(at + 1));
    let joined = argv.iter().find_map(|word| word.strip_prefix("--lang="));
    match joined.or(after.map(String::as_str)) {
        Some(language) if language.starts_with("zh") => SAMPLE_CHINESE,
        _ => SAMPLE,
    }
}
