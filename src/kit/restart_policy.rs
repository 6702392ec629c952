//! What becomes of a running daemon when its program is replaced: the rule of this host, for packages and upgrades.
//!
//! It stands where packages keep such settings, in the file of shell assignments that the init script reads as well:
//! `RESTART_ON_UPGRADE=never|reexec|always` in `/etc/sysconfig/supervisord`, `/etc/default/supervisord` or
//! `/etc/default/supervisor`; the later file wins.

use super::failure::Failure;
use super::host::Root;
use super::plan::Restart;

/// The files, the one that wins last.
pub const FILES: [&str; 3] = ["/etc/sysconfig/supervisord", "/etc/default/supervisord", "/etc/default/supervisor"];
/// The variable.
pub const KEY: &str = "RESTART_ON_UPGRADE";

/// The rule of a host; `None` when it has none.
///
/// # Errors
/// [`Failure::RestartPolicy`], when a file has another value: guessing could stop every program.
pub fn of(root: &Root) -> Result<Option<Restart>, Failure> {
    let mut policy = None;
    for path in FILES {
        let text = root.read(path).unwrap_or_default();
        policy = parse(path, &String::from_utf8_lossy(&text))?.or(policy);
    }
    Ok(policy)
}

/// The same from the text of one file: the last assignment counts, as in a shell.
///
/// # Errors
/// [`Failure::RestartPolicy`], for a value that is none of ours.
pub fn parse(path: &str, text: &str) -> Result<Option<Restart>, Failure> {
    let mut policy = None;
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim_start();
        let Some(value) = line.strip_prefix("export ").unwrap_or(line).trim_start().strip_prefix(KEY) else { continue };
        let Some(value) = value.strip_prefix('=') else { continue };
        policy = Some(word(unquoted(value)).ok_or_else(|| Failure::RestartPolicy {
            path: path.to_owned(),
            line: number,
            value: unquoted(value).to_owned(),
        })?);
    }
    Ok(policy)
}

/// Without quotes, and without the comment behind it.
fn unquoted(value: &str) -> &str {
    let quoted = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.split(quote).next());
    quoted.unwrap_or_else(|| value.split([' ', '\t', '#', ';']).next().unwrap_or_default())
}

fn word(value: &str) -> Option<Restart> {
    match value.to_ascii_lowercase().as_str() {
        "" | "no" | "never" | "false" | "0" => Some(Restart::Never),
        "reexec" => Some(Restart::Reexec),
        "yes" | "always" | "true" | "1" => Some(Restart::Always),
        _ => None,
    }
}
