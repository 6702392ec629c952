//! The socket keys of `[fcgi-program:x]`; its other keys are those of a program.

use super::error::ConfigError;
use super::load::Context;
use super::model::{Address, FcgiSocket};
use super::section::Reader;
use super::{paths, python, values};

/// Largest `socket_backlog`.
const BACKLOG_MAX: u16 = u16::MAX;

/// The socket of a section. A Unix one belongs to the account of the program unless the section says otherwise
/// (`Supervisor: options.py parse_fcgi_socket`).
pub(super) fn socket(reader: Reader<'_>, program: &str, context: &Context<'_>) -> Result<FcgiSocket, ConfigError> {
    let host = context.host;
    let names = context.names.with("here", &context.here);
    let user = reader.optional("user", &names, |text| values::user(text, host))?;
    let backlog = reader.optional("socket_backlog", &names, |text| {
        let number = values::integer(text)?;
        u16::try_from(number)
            .ok()
            .filter(|number| (1..=BACKLOG_MAX).contains(number))
            .ok_or_else(|| format!("Invalid socket_backlog value {number}"))
    })?;
    let owner = |text: &str| values::owner(text, host).map_err(|_| format!("Invalid socket_owner value {text}"));
    let owner = reader.optional("socket_owner", &names, owner)?;
    let mode = |text: &str| values::octal(text).map_err(|_| format!("Invalid socket_mode value {text}"));
    let mode = reader.optional("socket_mode", &names, mode)?;
    let section = reader.section.name.clone();
    let url = reader.text("socket", &names.with("program_name", program))?.filter(|url| !url.is_empty());
    let url = url.ok_or_else(|| {
        let text = format!("[{section}] section requires a \"socket\" line");
        reader.error("socket", text).advise("add socket=unix:///run/x.sock or socket=tcp://127.0.0.1:9000")
    })?;
    let wrong = |text: String| reader.error("socket", format!("{text} in [{section}] socket"));
    let address = if let Some(path) = url.strip_prefix("unix://") {
        if !path.starts_with('/') {
            return Err(wrong(format!("Unix socket path {path} is not an absolute path"))
                .advise("write three slashes: unix:///run/x.sock"));
        }
        let of_user = user.filter(|user| user.uid != host.uid()).map(|user| (user.uid, Some(user.gid)));
        let (uid, gid) = owner.or(of_user).map_or((None, None), |(uid, gid)| (Some(uid), gid));
        Address::Unix { path: paths::normal(path).into(), mode: mode.unwrap_or(0o700), uid, gid }
    } else if owner.is_some() || mode.is_some() {
        return Err(wrong("socket_owner and socket_mode params should only be used with a Unix domain socket".into()));
    } else {
        tcp(&url).map_err(|text| wrong(text).advise("write unix:///path or tcp://host:port"))?
    };
    Ok(FcgiSocket { section: reader.section.name.clone(), address, backlog })
}

/// `tcp://host:port`; the host has no colon and no blank.
fn tcp(url: &str) -> Result<Address, String> {
    let bad = || format!("Bad socket format {url}");
    let (host, port) = url.strip_prefix("tcp://").and_then(|rest| rest.split_once(':')).ok_or_else(bad)?;
    if host.is_empty() || host.contains(python::is_space) || !port.starts_with(|c: char| c.is_numeric()) {
        return Err(bad());
    }
    let digits_only = port.chars().all(char::is_numeric);
    let port = if digits_only { values::port(port)? } else { return Err(bad()) };
    Ok(Address::Inet { host: host.to_lowercase(), port })
}
