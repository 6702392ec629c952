//! Updating a group so that only what differs is touched, scaling one, and the daemon itself so that nothing is touched.
//! Supervisor has no such methods.

use super::params::Params;
use super::{Job, Outcome, Surroundings};
use crate::core::{Action, Change, Core, Request};
use crate::xmlrpc::{Fault, Value, code};

type Result = std::result::Result<Outcome, Fault>;

pub(super) fn update_process_group(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(1, 1)?;
    Ok(Outcome::Request(Request::UpdateGroup(params.text(0)?)))
}

pub(super) fn plan_update(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Value(Value::Array(core.plan_update().into_iter().map(describe).collect())))
}

pub(super) fn upgrade(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Job(Job::Upgrade))
}

pub(super) fn scale_process_group(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    params.count(2, 2)?;
    let (group, numprocs) = (params.text(0)?, params.int(1)?);
    if !core.groups().iter().any(|active| active.name == group) {
        return Err(Fault::with(code::BAD_NAME, group));
    }
    if numprocs < 0 {
        return Err(Fault::with(code::BAD_ARGUMENTS, format!("numprocs {numprocs} is less than 0")));
    }
    Ok(Outcome::Job(Job::Scale { group, numprocs }))
}

fn describe(change: Change) -> Value {
    let action = match change.action {
        Action::Keep => "keep",
        Action::Apply => "apply",
        Action::Restart => "restart",
        Action::Start => "start",
        Action::Stop => "stop",
    };
    Value::Struct(vec![
        ("group".into(), Value::Str(change.group)),
        ("process".into(), Value::Str(change.process)),
        ("action".into(), action.into()),
        ("keys".into(), Value::Array(change.keys.into_iter().map(Value::from).collect())),
        ("up".into(), change.is_up.into()),
    ])
}
