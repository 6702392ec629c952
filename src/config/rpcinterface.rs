//! `[rpcinterface:x]` and `[ctlplugin:x]`: Python plug-ins. None can run here; the main interface and `supervisor_twiddler`
//! are built in.

use super::error::ConfigError;
use super::expand::Names;
use super::ini::{Document, Section};
use super::load::Context;
use super::model::Notice;
use super::section::Reader;
use super::{Host, python};

const FACTORY_KEY: &str = "supervisor.rpcinterface_factory";
const MAIN_FACTORY: &str = "supervisor.rpcinterface:make_main_rpcinterface";
const TWIDDLER_FACTORY: &str = "supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface";
const WHITELIST_KEY: &str = "whitelist";
const CTL_FACTORY_KEY: &str = "supervisor.ctl_factory";

/// The interfaces that are configured.
#[derive(Default)]
pub(super) struct Interfaces {
    pub(super) has_supervisor_rpc: bool,
    /// The methods that `whitelist` names.
    pub(super) twiddler: Option<Vec<String>>,
}

/// Finds those that are built in; every other plug-in is named in a critical notice and left out.
pub(super) fn read(context: &Context<'_>, notices: &mut Vec<Notice>) -> Result<Interfaces, ConfigError> {
    let mut interfaces = Interfaces::default();
    for section in context.document.sections.values() {
        let Some(name) = section.name.strip_prefix("rpcinterface:") else { continue };
        let reader = Reader { document: context.document, section };
        let factory = factory(reader, FACTORY_KEY, &context.names)?;
        let others = other_keys(reader, &context.names)?;
        let others: Vec<&str> = match (name, factory.as_str()) {
            ("supervisor", MAIN_FACTORY) => {
                interfaces.has_supervisor_rpc = true;
                others
            }
            ("twiddler", TWIDDLER_FACTORY) => {
                let whitelist = reader.text(WHITELIST_KEY, &context.names)?.unwrap_or_default();
                let names = whitelist.split(',').map(|name| python::trim(name).to_owned());
                interfaces.twiddler = Some(names.filter(|name| !name.is_empty()).collect());
                others.into_iter().filter(|key| *key != WHITELIST_KEY).collect()
            }
            _ => {
                notices.push(skipped(reader, FACTORY_KEY, &factory));
                continue;
            }
        };
        if !others.is_empty() {
            let keys = others.join(", ");
            let text = format!("[{}] takes no further keys, these have no effect: {keys}", section.name);
            notices.push(Notice::warn(text).at(reader.place(others[0])));
        }
    }
    Ok(interfaces)
}

/// Refuses a `[ctlplugin:x]` without a factory, as `supervisorctl` does; the plug-ins themselves are left out.
pub(super) fn check_ctl_plugins(document: &Document, host: &dyn Host) -> Result<(), ConfigError> {
    let names = Names::of_environment(&host.environment());
    for section in ctl_plugins(document) {
        factory(Reader { document, section }, CTL_FACTORY_KEY, &names)?;
    }
    Ok(())
}

/// What `supervisord -t` says of each `[ctlplugin:x]` that names a factory.
pub(super) fn ctl_plugin_notices(document: &Document) -> impl Iterator<Item = Notice> {
    ctl_plugins(document).filter_map(|section| {
        let reader = Reader { document, section };
        reader.raw(CTL_FACTORY_KEY).map(|factory| skipped(reader, CTL_FACTORY_KEY, &factory.text))
    })
}

fn ctl_plugins(document: &Document) -> impl Iterator<Item = &Section> {
    document.sections.values().filter(|section| is_ctl_plugin(&section.name))
}

/// Whether the section of this name is a plug-in of `supervisorctl`.
pub(super) fn is_ctl_plugin(section: &str) -> bool {
    section.starts_with("ctlplugin:")
}

fn skipped(reader: Reader<'_>, key: &str, factory: &str) -> Notice {
    let section = &reader.section.name;
    let text = format!(
        "[{section}] is skipped: its factory {factory} is not part of this program, which runs no Python plug-ins"
    );
    Notice::critical(text).at(reader.place(key))
}

fn factory(reader: Reader<'_>, key: &str, names: &Names) -> Result<String, ConfigError> {
    reader.text(key, names)?.ok_or_else(|| {
        let text = format!("section [{}] does not specify a {key}", reader.section.name);
        let error = reader.error(key, text);
        if key == FACTORY_KEY { error.advise(format!("add {key} = {MAIN_FACTORY}")) } else { error }
    })
}

/// The keys that would be arguments of the factory, `[DEFAULT]` included; each must expand.
fn other_keys<'a>(reader: Reader<'a>, names: &Names) -> Result<Vec<&'a str>, ConfigError> {
    let inherited = reader.document.defaults.iter().flat_map(|defaults| &defaults.entries);
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in reader.section.entries.iter().chain(inherited) {
        if key != FACTORY_KEY && !keys.contains(&key.as_str()) {
            reader.text(key, names)?;
            keys.push(key);
        }
    }
    Ok(keys)
}
