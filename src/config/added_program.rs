//! A program that a client adds to a running group (`supervisor_twiddler: addProgramToGroup`).

use super::error::ConfigError;
use super::expand::Names;
use super::ini::{Document, Located, Section};
use super::load::Context;
use super::model::{Config, ProcessConfig};
use super::section::Reader;
use super::{Host, environment, paths, program};

/// What errors name as the file.
const SOURCE: &str = "addProgramToGroup";

/// The processes of a program with these keys and values, as if it stood in the file that `config` was read from.
///
/// # Errors
/// What a section `[program:x]` may have wrong.
pub fn added_program(
    config: &Config,
    host: &dyn Host,
    group: &str,
    name: &str,
    settings: &[(String, String)],
) -> Result<Vec<ProcessConfig>, ConfigError> {
    let entries = settings.iter().map(|(key, text)| {
        let located = Located { file: SOURCE.into(), line: 0, column: 0, text: text.clone(), comments: Vec::new() };
        (key.to_lowercase(), located)
    });
    let section = Section { name: format!("program:{name}"), file: SOURCE.into(), line: 0, entries: entries.collect() };
    let document = Document { sections: [(section.name.clone(), section)].into(), defaults: None };
    let mut names = Names::of_environment(&host.environment());
    names.add_environment(&config.supervisord.environment);
    let here = paths::dirname(&config.path.display().to_string()).to_owned();
    let context = Context { host, document: &document, here, node_name: host.node_name(), names };
    let reader = Reader { document: &document, section: &document.sections[0] };
    let mut processes = program::processes(reader, group, &context, &mut Vec::new())?;
    for process in &mut processes {
        let own = std::mem::replace(&mut process.environment, config.supervisord.environment.clone());
        for (name, value) in &own {
            environment::set(&mut process.environment, name, value);
        }
    }
    Ok(processes)
}
