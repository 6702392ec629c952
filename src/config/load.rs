//! From a command line to a whole [`Config`].

use super::error::ConfigError;
use super::expand::Names;
use super::ini::Document;
use super::model::{Config, Level, Notice};
use super::section::Reader;
use super::{Host, Options, environment, group, http_server, include, locate, paths, repr, rpcinterface, supervisord};

/// What every section is read with.
pub(super) struct Context<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) document: &'a Document,
    /// Directory of the main file.
    pub(super) here: String,
    pub(super) node_name: String,
    /// `ENV_*`: the process environment and, once it is read, `[supervisord] environment`.
    pub(super) names: Names,
}

/// Reads the file that `options` name, or the first one found, with its includes. What the command line says
/// overrides what the file says. For a reload, set `options.config_file` to the [`Config::path`] of the first load.
pub fn load(options: &Options, host: &dyn Host) -> Result<Config, ConfigError> {
    let file = match &options.config_file {
        Some(file) => file.clone(),
        None => locate::required(&options.program, host)?,
    };
    let mut document = Document::default();
    let mut notices = Vec::new();
    read_main(&mut document, &file, host)?;
    let path = paths::absolute(&file, host);
    let (here, node_name) = (paths::dirname(&path).to_owned(), host.node_name());
    let names = Names::of_environment(&host.environment());
    let include_names = names.with("here", &here).with("host_node_name", &node_name);
    include::read(&mut document, &here, &include_names, host, &mut notices)?;

    let Some(section) = document.section("supervisord") else {
        let error = ConfigError::in_file(&file, None, ".ini file does not include supervisord section");
        return Err(error.advise("add a section [supervisord]"));
    };
    let mut context = Context { host, document: &document, here, node_name, names };
    let reader = Reader { document: &document, section };
    let mut supervisord = supervisord::read(reader, &context)?;
    context.names.add_environment(&supervisord.environment);
    let has_supervisor_rpc = rpcinterface::read(&context, &mut notices)?;
    let mut groups = group::read(&context, &mut notices)?;
    for process in groups.iter_mut().flat_map(|group| &mut group.processes) {
        let own = std::mem::replace(&mut process.environment, supervisord.environment.clone());
        for (name, value) in &own {
            environment::set(&mut process.environment, name, value);
        }
    }
    let servers = http_server::read(&context)?;
    supervisord.user = supervisord::account(reader, options, &context)?;
    supervisord::override_by(options, &mut supervisord, host);
    sort_notices(&mut notices);
    Ok(Config { path: path.into(), supervisord, groups, servers, has_supervisor_rpc, notices })
}

/// Critical lines, then warnings, then the rest (`Supervisor: supervisord.py setup`).
fn sort_notices(notices: &mut [Notice]) {
    notices.sort_by_key(|notice| match notice.level {
        Level::Critical => 0,
        Level::Warn => 1,
        _ => 2,
    });
}

/// Reads the main file, under the name the user gave it.
pub(super) fn read_main(document: &mut Document, file: &str, host: &dyn Host) -> Result<(), ConfigError> {
    if !host.exists(file.as_ref()) {
        return Err(ConfigError::new(format!("could not find config file {file}")).advise("check the path after -c"));
    }
    let bytes = host
        .read(file.as_ref())
        .map_err(|why| ConfigError::in_file(file, None, format!("could not read config file {file}")).advise(why))?;
    document.read(file, decode(file, &bytes)?)
}

/// The text of a file, which must be UTF-8.
pub(super) fn decode<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, ConfigError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let position = error.valid_up_to();
        let byte = bytes.get(position).copied().unwrap_or(0);
        let reason = match (error.error_len(), byte) {
            (None, _) => "unexpected end of data",
            (Some(_), 0xc2..=0xf4) => "invalid continuation byte",
            (Some(_), _) => "invalid start byte",
        };
        let line = 1 + bytes[..position].iter().filter(|byte| **byte == b'\n').count();
        let text = format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {position}: {reason}");
        ConfigError::in_file(file, Some(line), text).advise(format!("save {} as UTF-8", repr::text(file)))
    })
}
