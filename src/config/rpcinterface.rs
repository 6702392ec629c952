//! `[rpcinterface:x]`: which method namespaces there are. Python plug-ins cannot run here.

use super::error::ConfigError;
use super::load::Context;
use super::model::Notice;
use super::section::Reader;

const FACTORY_KEY: &str = "supervisor.rpcinterface_factory";
const MAIN_FACTORY: &str = "supervisor.rpcinterface:make_main_rpcinterface";

/// Whether `[rpcinterface:supervisor]` is there; every other plug-in is named in a critical notice and left out.
pub(super) fn read(context: &Context<'_>, notices: &mut Vec<Notice>) -> Result<bool, ConfigError> {
    let mut has_supervisor = false;
    for section in &context.document.sections {
        let Some(name) = section.name.strip_prefix("rpcinterface:") else { continue };
        let reader = Reader { document: context.document, section };
        let factory = reader.text(FACTORY_KEY, &context.names)?.ok_or_else(|| {
            let text = format!("section [{}] does not specify a {FACTORY_KEY}", section.name);
            reader.error(FACTORY_KEY, text).advise(format!("add {FACTORY_KEY} = {MAIN_FACTORY}"))
        })?;
        if name == "supervisor" && factory == MAIN_FACTORY {
            has_supervisor = true;
        } else {
            notices.push(Notice::critical(format!(
                "[{}] is skipped: its factory {factory} is not part of this program, which runs no Python plug-ins",
                section.name
            )));
        }
    }
    Ok(has_supervisor)
}
