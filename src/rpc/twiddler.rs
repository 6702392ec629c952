//! The methods of `supervisor_twiddler` 1.0, which change what runs without a change of the configuration file. They exist
//! when `[rpcinterface:twiddler]` names its factory.

use super::params::Params;
use super::{Job, Method, Outcome, Surroundings};
use crate::config::Level;
use crate::core::{Core, Mood, Request};
use crate::xmlrpc::{Fault, Value, code};

type Result = std::result::Result<Outcome, Fault>;

/// The version of this interface.
const API_VERSION: &str = "1.0";

/// A method that the `whitelist` leaves out; no other interface has this code, so it has no name.
const NOT_IN_WHITELIST: i32 = 230;

/// The table, sorted by name.
pub(super) const METHODS: &[Method] = &[
    Method {
        name: "twiddler.addProgramToGroup",
        signature: &["boolean", "string", "string", "struct"],
        help: "Adds a program to a group that runs, with the keys and values of a program section. Its processes start if it says so.",
        is_ours: false,
        works_in_shutdown: false,
        run: add_program,
    },
    Method {
        name: "twiddler.getAPIVersion",
        signature: &["int"],
        help: "The version of this interface.",
        is_ours: false,
        works_in_shutdown: false,
        run: api_version,
    },
    Method {
        name: "twiddler.getGroupNames",
        signature: &["array"],
        help: "The names of the groups that run.",
        is_ours: false,
        works_in_shutdown: false,
        run: group_names,
    },
    Method {
        name: "twiddler.log",
        signature: &["boolean", "string", "string|int"],
        help: "Writes a line to the activity log, at a level given by name or number; INFO when it is left out.",
        is_ours: false,
        works_in_shutdown: false,
        run: log,
    },
    Method {
        name: "twiddler.removeProcessFromGroup",
        signature: &["boolean", "string", "string"],
        help: "Removes a stopped process from its group.",
        is_ours: false,
        works_in_shutdown: false,
        run: remove_process,
    },
];

/// What holds for each of them: not at the very end, and only what the configuration allows.
pub(super) fn admit(name: &str, core: &Core, around: &dyn Surroundings) -> std::result::Result<(), Fault> {
    if core.mood() == Mood::Shutdown {
        return Err(Fault::new(code::SHUTDOWN_STATE));
    }
    let short = name.trim_start_matches("twiddler.");
    match around.twiddler() {
        Some(allowed) if !allowed.is_empty() && !allowed.iter().any(|one| one == short) => {
            Err(Fault::with(NOT_IN_WHITELIST, short))
        }
        _ => Ok(()),
    }
}

fn api_version(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Value(API_VERSION.into()))
}

fn group_names(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    let names = core.groups().iter().map(|group| group.name.as_str().into());
    Ok(Outcome::Value(Value::Array(names.collect())))
}

fn log(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(1, 2)?;
    let level = match params.0.get(1) {
        None => Some(Level::Info),
        Some(Value::Int(number)) => Level::ALL.into_iter().find(|level| *level as i64 == *number),
        Some(Value::Str(name)) => Level::ALL.into_iter().find(|level| level.tag().eq_ignore_ascii_case(name)),
        Some(_) => None,
    };
    let level = level.ok_or_else(|| Fault::new(code::INCORRECT_PARAMETERS))?;
    Ok(Outcome::Job(Job::Log(level, params.text(0)?)))
}

fn add_program(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    params.count(3, 3)?;
    let (group, name) = (params.text(0)?, params.text(1)?);
    if !core.groups().iter().any(|active| active.name == group) {
        return Err(Fault::with(code::BAD_NAME, format!("group: {group}")));
    }
    let Some(Value::Struct(members)) = params.0.get(2) else { return Err(Fault::new(code::INCORRECT_PARAMETERS)) };
    let settings = members.iter().map(|(key, value)| match value {
        Value::Str(text) => Ok((key.clone().into_owned(), text.clone())),
        _ => Err(Fault::new(code::INCORRECT_PARAMETERS)),
    });
    Ok(Outcome::Job(Job::AddProgram { group, name, settings: settings.collect::<std::result::Result<_, _>>()? }))
}

fn remove_process(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(2, 2)?;
    Ok(Outcome::Request(Request::RemoveProcess { group: params.text(0)?, name: params.text(1)? }))
}
