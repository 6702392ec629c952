//! Methods about logs and standard input: each becomes a job for the shell.

use super::params::Params;
use super::{Channel, Job, LogSource, Outcome, Surroundings};
use crate::core::{Core, Process};
use crate::xmlrpc::{Fault, Value, code};

type Result = std::result::Result<Outcome, Fault>;

fn process<'a>(core: &'a Core, name: &str) -> std::result::Result<&'a Process, Fault> {
    core.find_process(name).ok_or_else(|| Fault::with(code::BAD_NAME, name))
}

pub(super) fn read_log(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(2, 2)?;
    Ok(Outcome::Job(Job::ReadLog(LogSource::Main, params.int(0)?, params.int(1)?)))
}

pub(super) fn read_stdout(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    read_process(params, core, Channel::Stdout)
}

pub(super) fn read_stderr(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    read_process(params, core, Channel::Stderr)
}

fn read_process(params: &Params, core: &Core, channel: Channel) -> Result {
    params.count(3, 3)?;
    let id = process(core, &params.text(0)?)?.id;
    Ok(Outcome::Job(Job::ReadLog(LogSource::Process(id, channel), params.int(1)?, params.int(2)?)))
}

pub(super) fn tail_stdout(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    tail_process(params, core, Channel::Stdout)
}

pub(super) fn tail_stderr(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    tail_process(params, core, Channel::Stderr)
}

fn tail_process(params: &Params, core: &Core, channel: Channel) -> Result {
    params.count(3, 3)?;
    let id = process(core, &params.text(0)?)?.id;
    Ok(Outcome::Job(Job::TailLog(LogSource::Process(id, channel), params.int(1)?, params.int(2)?)))
}

pub(super) fn clear_log(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Job(Job::ClearMainLog))
}

pub(super) fn clear_process_logs(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    params.count(1, 1)?;
    let name = params.text(0)?;
    Ok(Outcome::Job(Job::ClearLogs(process(core, &name)?.id, name)))
}

pub(super) fn clear_all_process_logs(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Job(Job::ClearAllLogs(core.by_priority())))
}

pub(super) fn send_process_stdin(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    params.count(2, 2)?;
    let name = params.text(0)?;
    let text = params.text(1).map_err(|fault| match params.0.get(1) {
        // The original says what it was given.
        Some(Value::Int(number)) => Fault::with(fault.code, number),
        _ => fault,
    })?;
    let process = process(core, &name)?;
    if process.pid() == 0 || !process.state().is_signallable() {
        return Err(Fault::with(code::NOT_RUNNING, name));
    }
    Ok(Outcome::Job(Job::WriteStdin(process.id, name, text.into_bytes())))
}
