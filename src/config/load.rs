//! From a command line to a whole [`Config`].

use std::sync::Arc;

use super::decode::{self, Decoded};
use super::error::ConfigError;
use super::expand::Names;
use super::ini::{Document, Malformed};
use super::model::{Config, Level, Notice};
use super::section::Reader;
use super::{Host, Options, environment, group, http_server, include, locate, paths, rpcinterface, supervisord, user};

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

/// The main file and its includes, merged, before any value is looked at.
pub(super) struct Source {
    pub(super) document: Document,
    /// Main file as named by the user or the search.
    pub(super) file: String,
    /// Absolute path of the main file.
    pub(super) path: String,
    /// What reading the files wants in the activity log.
    pub(super) notices: Vec<Notice>,
}

/// What becomes of an error in a file: it ends the reading, or it is put on a list and reading goes on.
pub(super) struct Strictness<'a>(pub(super) Option<&'a mut Vec<ConfigError>>);

impl Strictness<'_> {
    pub(super) fn judge<T: Default>(&mut self, result: Result<T, ConfigError>) -> Result<T, ConfigError> {
        match (result, &mut self.0) {
            (Err(error), Some(list)) => {
                list.push(error);
                Ok(T::default())
            }
            (result, _) => result,
        }
    }

    fn judge_lines(&mut self, result: Result<(), Malformed>) -> Result<(), ConfigError> {
        match (result, &mut self.0) {
            (Err(malformed), Some(list)) => {
                list.extend(malformed.each());
                Ok(())
            }
            (result, _) => result.map_err(|malformed| malformed.error()),
        }
    }
}

/// Reads the file that `options` name, or the first one found, with its includes. What the command line says
/// overrides what the file says. For a reload, set `options.config_file` to the [`Config::path`] of the first load.
pub fn load(options: &Options, host: &dyn Host) -> Result<Config, ConfigError> {
    resolve(&gather(options, host, &mut Strictness(None))?, options, host)
}

/// Finds and reads the files.
pub(super) fn gather(
    options: &Options,
    host: &dyn Host,
    strictness: &mut Strictness<'_>,
) -> Result<Source, ConfigError> {
    let file = match &options.config_file {
        Some(file) => file.clone(),
        None => locate::required(&options.program, host)?,
    };
    let path = paths::absolute(&file, host);
    let mut source = Source { document: Document::default(), file, path, notices: Vec::new() };
    let bytes = main_bytes(&source.file, host)?;
    read_file(&mut source.document, &source.file, &bytes, &mut source.notices, strictness)?;
    include::read(&mut source, host, strictness)?;
    Ok(source)
}

/// Gives every value its meaning.
pub(super) fn resolve(source: &Source, options: &Options, host: &dyn Host) -> Result<Config, ConfigError> {
    let document = &source.document;
    let mut notices = source.notices.clone();
    let Some(section) = document.section("supervisord") else {
        let error = ConfigError::in_file(&source.file, None, ".ini file does not include supervisord section");
        return Err(error.advise("add a section [supervisord]"));
    };
    let names = Names::of_environment(&host.environment());
    let here = paths::dirname(&source.path).to_owned();
    let mut context = Context { host, document, here, node_name: host.node_name(), names };
    let reader = Reader { document, section };
    let mut supervisord = supervisord::read(reader, &context)?;
    context.names.add_environment(&supervisord.environment);
    let rpcinterface::Interfaces { has_supervisor_rpc, twiddler } = rpcinterface::read(&context, &mut notices)?;
    let mut groups = group::read(&context, &mut notices)?;
    for process in groups.iter_mut().flat_map(|group| &mut group.processes) {
        let process = Arc::make_mut(process);
        let own = std::mem::replace(&mut process.environment, supervisord.environment.clone());
        for (name, value) in &own {
            environment::set(&mut process.environment, name, value);
        }
    }
    let servers = http_server::read(&context)?;
    let users = user::read(&context)?;
    supervisord.user = supervisord::account(reader, options, &context)?;
    supervisord::override_by(options, &mut supervisord, host);
    sort_notices(&mut notices);
    let path = source.path.clone().into();
    Ok(Config { path, supervisord, groups, servers, has_supervisor_rpc, twiddler, users, notices })
}

/// Critical lines, then warnings, then the rest (`Supervisor: supervisord.py setup`).
fn sort_notices(notices: &mut [Notice]) {
    notices.sort_by_key(|notice| match notice.level {
        Level::Critical => 0,
        Level::Warn => 1,
        _ => 2,
    });
}

/// The bytes of the main file, under the name the user gave it.
pub(super) fn main_bytes(file: &str, host: &dyn Host) -> Result<Vec<u8>, ConfigError> {
    if !host.exists(file.as_ref()) {
        return Err(ConfigError::new(format!("could not find config file {file}")).advise("check the path after -c"));
    }
    host.read(file.as_ref())
        .map_err(|why| ConfigError::in_file(file, None, format!("could not read config file {file}")).advise(why))
}

/// Reads the bytes of one file into the document.
pub(super) fn read_file(
    document: &mut Document,
    file: &str,
    bytes: &[u8],
    notices: &mut Vec<Notice>,
    strictness: &mut Strictness<'_>,
) -> Result<(), ConfigError> {
    let Decoded { text, notice } = strictness.judge(decode::text(file, bytes))?;
    notices.extend(notice);
    strictness.judge_lines(document.read(file, &text))
}
