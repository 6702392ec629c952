//! The value types (`Supervisor: datatypes.py`). Errors are the sentences users know.

use super::model::{Address, Autorestart, Level, OnCrash, User};
use super::{Host, paths, python, repr};

/// An integer.
pub fn integer(text: &str) -> Result<i64, String> {
    python::int(text, 10)
}

/// `yes true on 1` or `no false off 0`, in any case.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err(format!("not a valid boolean value: {}", repr::text(text))),
    }
}

/// A boolean or `unexpected`.
pub fn autorestart(text: &str) -> Result<Autorestart, String> {
    let lower = text.to_lowercase();
    match (lower.as_str(), boolean(&lower)) {
        ("unexpected", _) => Ok(Autorestart::Unexpected),
        (_, Ok(true)) => Ok(Autorestart::Always),
        (_, Ok(false)) => Ok(Autorestart::Never),
        (_, Err(_)) => Err(format!("invalid 'autorestart' value {}", repr::text(&lower))),
    }
}

/// Bytes, with an optional suffix `kb`, `mb` or `gb` (powers of 1024).
pub fn byte_size(text: &str) -> Result<i64, String> {
    let lower = text.to_lowercase();
    for (suffix, unit) in [("kb", 1_i64 << 10), ("mb", 1 << 20), ("gb", 1 << 30)] {
        if let Some(number) = lower.strip_suffix(suffix) {
            return Ok(integer(number)?.saturating_mul(unit));
        }
    }
    integer(&lower)
}

/// Mode bits in octal, cut to the twelve that exist (`-1` is all of them, as the system calls take it).
pub fn octal(text: &str) -> Result<u32, String> {
    let bits = python::int(text, 8).map_err(|_| format!("{text} can not be converted to an octal type"))?;
    Ok((bits & 0o7777) as u32)
}

/// Comma-separated exit codes; an empty text is no code at all.
pub fn exit_codes(text: &str) -> Result<Vec<i32>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let code = |part| integer(part).ok().filter(|code| (0..=255).contains(code)).map(|code| code as i32);
    let codes: Option<Vec<i32>> = text.split(',').map(code).collect();
    codes.ok_or_else(|| format!("not a valid list of exit codes: {}", repr::text(text)))
}

/// Comma-separated words, each trimmed; an empty text is no word, a comma at the end adds an empty one.
pub fn strings(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|part| python::trim(part).to_owned()).collect()
}

/// A log level by name.
pub fn level(text: &str) -> Result<Level, String> {
    Ok(match text.to_lowercase().as_str() {
        "critical" => Level::Critical,
        "error" => Level::Error,
        "warn" => Level::Warn,
        "info" => Level::Info,
        "debug" => Level::Debug,
        "trace" => Level::Trace,
        "blather" => Level::Blather,
        _ => return Err(format!("bad logging level name {}", repr::text(text))),
    })
}

/// What becomes of the programs of a daemon that was killed.
pub fn on_crash(text: &str) -> Result<OnCrash, String> {
    let text = text.to_lowercase();
    let known = OnCrash::ALL.into_iter().find(|known| known.name() == text);
    known.ok_or_else(|| format!("invalid value for on_crash: {}; it is adopt, kill or leave", repr::text(&text)))
}

/// A program, group or process name, trimmed: no blank, colon or slash, which namespecs and URLs use.
pub fn name(text: &str) -> Result<String, String> {
    let trimmed = python::trim(text);
    match [' ', ':', '/'].into_iter().find(|bad| trimmed.contains(*bad)) {
        None => Ok(trimmed.to_owned()),
        Some(bad) => {
            Err(format!("Invalid name: {} because of character: {}", repr::text(text), repr::text(&bad.to_string())))
        }
    }
}

/// A directory that exists, with `~` expanded.
pub fn directory(text: &str, host: &dyn Host) -> Result<String, String> {
    let path = paths::expand_user(text, host);
    if host.is_dir(path.as_ref()) { Ok(path) } else { Err(format!("{text} is not an existing directory")) }
}

/// A path whose directory part, if any, exists; `~` is expanded.
pub fn file_path(text: &str, host: &dyn Host) -> Result<String, String> {
    let path = paths::expand_user(text, host);
    let directory = paths::dirname(&path);
    if directory.is_empty() || host.is_dir(directory.as_ref()) {
        return Ok(path);
    }
    Err(format!("The directory named as part of the path {text} does not exist"))
}

/// An account by name or number.
pub fn user(text: &str, host: &dyn Host) -> Result<User, String> {
    match integer(text) {
        Ok(uid) => u32::try_from(uid)
            .ok()
            .and_then(|uid| host.user_by_uid(uid))
            .ok_or_else(|| format!("Invalid user id {text}")),
        Err(_) => host.user_by_name(text).ok_or_else(|| format!("Invalid user name {text}")),
    }
}

/// `user` or `user:group`, each by name or number; no group leaves the group alone.
pub fn owner(text: &str, host: &dyn Host) -> Result<(u32, Option<u32>), String> {
    let Some((user_part, group_part)) = text.split_once(':') else { return Ok((user(text, host)?.uid, None)) };
    let uid = user(user_part, host)?.uid;
    let gid = match integer(group_part) {
        Ok(gid) => u32::try_from(gid).ok().filter(|gid| host.group_exists(*gid)),
        Err(_) => host.group_by_name(group_part),
    };
    gid.map(|gid| (uid, Some(gid))).ok_or_else(|| format!("Invalid group name {group_part}"))
}

/// `port`, `:port`, `*:port` or `host:port`. An IPv6 host keeps its brackets.
pub fn inet_address(text: &str) -> Result<Address, String> {
    let Some((host, port)) = text.rsplit_once(':') else {
        let port = port(text).map_err(|_| format!("not a valid port number: {} ", repr::text(text)))?;
        return Ok(Address::Inet { host: String::new(), port });
    };
    if port.is_empty() {
        return Err("no port number specified in ''".to_owned());
    }
    let port = self::port(port)?;
    let host = if host == "*" { String::new() } else { host.to_lowercase() };
    Ok(Address::Inet { host, port })
}

/// A URL: a scheme, and a host or a path after it. The text is kept as it is.
pub fn url(text: &str) -> Result<String, String> {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => {
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            if rest.is_empty() || rest.starts_with(['?', '#']) { Err(()) } else { Ok(text.to_owned()) }
        }
        _ => Err(()),
    }
    .map_err(|()| format!("value {} is not a URL", repr::text(text)))
}

/// 1 to 65535.
pub fn port(text: &str) -> Result<u16, String> {
    match integer(text)? {
        number @ ..1 => Err(format!("{number} is below lower bound (1)")),
        number => u16::try_from(number).map_err(|_| format!("{number} is above upper bound (65535)")),
    }
}
