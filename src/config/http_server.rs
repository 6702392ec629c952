//! `[inet_http_server]` and `[unix_http_server]`, each also with `:name`.

use super::error::ConfigError;
use super::ini::Section;
use super::load::Context;
use super::model::{Address, Credentials, SESSION_IDLE_SECS, ServerConfig};
use super::section::Reader;
use super::{paths, python, values};

/// TCP servers in file order, then Unix ones. Any section whose name starts with the word counts
/// (`Supervisor: options.py server_configs_from_parser`).
pub(super) fn read(context: &Context<'_>) -> Result<Vec<ServerConfig>, ConfigError> {
    let mut servers = Vec::new();
    for section in sections(context, "inet_http_server") {
        servers.push(inet(Reader { document: context.document, section }, context)?);
    }
    for section in sections(context, "unix_http_server") {
        servers.push(unix(Reader { document: context.document, section }, context)?);
    }
    Ok(servers)
}

fn sections<'a>(context: &Context<'a>, prefix: &'static str) -> impl Iterator<Item = &'a Section> {
    context.document.sections.values().filter(move |section| section.name.starts_with(prefix))
}

fn inet(reader: Reader<'_>, context: &Context<'_>) -> Result<ServerConfig, ConfigError> {
    let section = reader.section.name.clone();
    let credentials = credentials(reader, context)?;
    let address = reader.optional("port", &context.names, values::inet_address)?.ok_or_else(|| {
        reader.error("port", format!("section [{section}] has no port value")).advise("add port=127.0.0.1:9001")
    })?;
    let (metrics_auth, session_idle_secs) = console(reader, context)?;
    Ok(ServerConfig { section, address, credentials, metrics_auth, session_idle_secs })
}

fn unix(reader: Reader<'_>, context: &Context<'_>) -> Result<ServerConfig, ConfigError> {
    let section = reader.section.name.clone();
    let names = context.names.with("here", &context.here);
    let file = reader.text("file", &names)?.ok_or_else(|| {
        let text = format!("section [{section}] has no file value");
        reader.error("file", text).advise("add file=/run/supervisor/supervisor.sock")
    })?;
    let path = paths::resolve(python::trim(&file), context.host).into();
    let credentials = credentials(reader, context)?;
    let owner = |text: &str| values::owner(text, context.host).map_err(|_| format!("Invalid sockchown value {text}"));
    let owner = reader.optional("chown", &context.names, owner)?;
    let mode = |text: &str| values::octal(text).map_err(|_| format!("Invalid chmod value {text}"));
    let mode = reader.or("chmod", &context.names, 0o700, mode)?;
    let (uid, gid) = owner.map_or((None, None), |(uid, gid)| (Some(uid), gid));
    let (metrics_auth, session_idle_secs) = console(reader, context)?;
    let address = Address::Unix { path, mode, uid, gid };
    Ok(ServerConfig { section, address, credentials, metrics_auth, session_idle_secs })
}

/// What Supervisor does not know: keys of the console.
fn console(reader: Reader<'_>, context: &Context<'_>) -> Result<(bool, i64), ConfigError> {
    let metrics_auth = reader.or("metrics_auth", &context.names, true, values::boolean)?;
    let idle = |text: &str| match text.parse::<i64>() {
        Ok(secs) if secs > 0 => Ok(secs),
        _ => Err(format!("session_idle_secs is {text}: it must be a number of seconds, 1 or more")),
    };
    let session_idle_secs = reader.or("session_idle_secs", &context.names, SESSION_IDLE_SECS, idle)?;
    Ok((metrics_auth, session_idle_secs))
}

/// Both or neither; an empty user name lets everybody in.
fn credentials(reader: Reader<'_>, context: &Context<'_>) -> Result<Option<Credentials>, ConfigError> {
    let username = reader.text("username", &context.names)?;
    let password = reader.text("password", &context.names)?;
    match (username, password) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) => {
            Ok(Some(Credentials { username, password }).filter(|credentials| !credentials.username.is_empty()))
        }
        (username, _) => {
            let missing = if username.is_none() { "username" } else { "password" };
            let text = format!(
                "Section [{}] contains incomplete authentication: If a username or a password is specified, \
                 both the username and password must be specified",
                reader.section.name
            );
            Err(reader.error(missing, text).advise(format!("add {missing}=...")))
        }
    }
}
