//! `[eventlistener:x]`: a program that is told about events. Its own keys; the others are those of a program.

use std::sync::Arc;

use super::error::ConfigError;
use super::load::Context;
use super::model::{DEFAULT_RESULT_HANDLER, GroupConfig, GroupKind, LengthUnit, Notice};
use super::section::Reader;
use super::{program, repr, values};

/// Every event type (`Supervisor: events.py EventTypes`); those without a detail stand for all that begin like them.
pub const EVENT_TYPES: &[&str] = &[
    "EVENT",
    "PROCESS_STATE",
    "PROCESS_STATE_STOPPED",
    "PROCESS_STATE_EXITED",
    "PROCESS_STATE_STARTING",
    "PROCESS_STATE_STOPPING",
    "PROCESS_STATE_BACKOFF",
    "PROCESS_STATE_FATAL",
    "PROCESS_STATE_RUNNING",
    "PROCESS_STATE_UNKNOWN",
    "PROCESS_COMMUNICATION",
    "PROCESS_COMMUNICATION_STDOUT",
    "PROCESS_COMMUNICATION_STDERR",
    "PROCESS_LOG",
    "PROCESS_LOG_STDOUT",
    "PROCESS_LOG_STDERR",
    "REMOTE_COMMUNICATION",
    "SUPERVISOR_STATE_CHANGE",
    "SUPERVISOR_STATE_CHANGE_RUNNING",
    "SUPERVISOR_STATE_CHANGE_STOPPING",
    "TICK",
    "TICK_5",
    "TICK_60",
    "TICK_3600",
    "PROCESS_GROUP",
    "PROCESS_GROUP_ADDED",
    "PROCESS_GROUP_REMOVED",
];

/// The pool that a section makes (`Supervisor: options.py process_groups_from_parser`).
pub(super) fn pool(
    reader: Reader<'_>,
    context: &Context<'_>,
    notices: &mut Vec<Notice>,
) -> Result<GroupConfig, ConfigError> {
    let section = &reader.section.name;
    let name = section.split_once(':').map_or("", |(_, name)| name).to_owned();
    let names = context.names.with("here", &context.here);
    let priority = reader.or("priority", &names, -1, values::integer)?;
    let buffer_size = reader.or("buffer_size", &names, 10, values::integer)?;
    if buffer_size < 1 {
        let text = format!("[{section}] section sets invalid buffer_size ({buffer_size})");
        return Err(reader.error("buffer_size", text).advise("write 1 or more"));
    }
    let result_handler = reader.text("result_handler", &names)?.unwrap_or_else(|| DEFAULT_RESULT_HANDLER.to_owned());
    let events = events(reader, &reader.text("events", &names)?.unwrap_or_default())?;
    if reader.or("redirect_stderr", &names, false, values::boolean)? {
        let text = format!(
            "[{section}] section sets redirect_stderr=true but this is not allowed because it will interfere \
             with the eventlistener protocol"
        );
        return Err(reader.error("redirect_stderr", text).advise("remove the line"));
    }
    let length_unit = reader.or("payload_length_unit", &names, LengthUnit::Characters, length_unit)?;
    let processes = program::processes(reader, &name, context, notices)?;
    if result_handler != DEFAULT_RESULT_HANDLER {
        let notice = Notice::critical(format!(
            "[{section}] cannot run: its result_handler {result_handler} is not part of this program, \
             which runs no Python plug-ins"
        ));
        notices.push(notice.at(reader.place("result_handler")));
    }
    let kind = GroupKind::EventListener { events, buffer_size, length_unit, result_handler };
    let sections = vec![section.clone(); processes.len()];
    let processes = processes.into_iter().map(Arc::new).collect();
    Ok(GroupConfig { name, priority, kind, processes, sections })
}

fn length_unit(text: &str) -> Result<LengthUnit, String> {
    match text {
        "characters" => Ok(LengthUnit::Characters),
        "bytes" => Ok(LengthUnit::Bytes),
        _ => Err(format!("not characters or bytes: {}", repr::text(text))),
    }
}

fn events(reader: Reader<'_>, text: &str) -> Result<Vec<String>, ConfigError> {
    let section = &reader.section.name;
    let mut events: Vec<String> = Vec::new();
    for event in values::strings(text).into_iter().map(|word| word.to_uppercase()) {
        if !EVENT_TYPES.contains(&event.as_str()) {
            let text = format!("Unknown event type {event} in [{section}] events");
            return Err(reader.error("events", text).advise("for example events=PROCESS_STATE,TICK_60"));
        }
        if !events.contains(&event) {
            events.push(event);
        }
    }
    if events.is_empty() {
        let text = format!("[{section}] section requires an \"events\" line");
        return Err(reader.error("events", text).advise("for example events=PROCESS_STATE,TICK_60"));
    }
    Ok(events)
}
