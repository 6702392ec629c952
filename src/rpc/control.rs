//! Methods that change something: each becomes a request for the core.

use super::params::Params;
use super::{Outcome, Surroundings};
use crate::core::{Core, Request};
use crate::xmlrpc::Fault;

type Result = std::result::Result<Outcome, Fault>;

pub(super) fn start_process(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(1, 2)?;
    Ok(Outcome::Request(Request::Start { name: params.text(0)?, wait: params.wait(1) }))
}

pub(super) fn start_process_group(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(1, 2)?;
    Ok(Outcome::Request(Request::StartGroup { group: params.text(0)?, wait: params.wait(1) }))
}

pub(super) fn start_all_processes(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 1)?;
    Ok(Outcome::Request(Request::StartAll { wait: params.wait(0) }))
}

pub(super) fn stop_process(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(1, 2)?;
    Ok(Outcome::Request(Request::Stop { name: params.text(0)?, wait: params.wait(1) }))
}

pub(super) fn stop_process_group(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(1, 2)?;
    Ok(Outcome::Request(Request::StopGroup { group: params.text(0)?, wait: params.wait(1) }))
}

pub(super) fn stop_all_processes(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 1)?;
    Ok(Outcome::Request(Request::StopAll { wait: params.wait(0) }))
}

pub(super) fn signal_process(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(2, 2)?;
    Ok(Outcome::Request(Request::Signal { name: params.text(0)?, signal: params.signal(1)? }))
}

pub(super) fn signal_process_group(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(2, 2)?;
    Ok(Outcome::Request(Request::SignalGroup { group: params.text(0)?, signal: params.signal(1)? }))
}

pub(super) fn signal_all_processes(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(1, 1)?;
    Ok(Outcome::Request(Request::SignalAll { signal: params.signal(0)? }))
}

pub(super) fn reload_config(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Request(Request::Reread))
}

pub(super) fn add_process_group(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(1, 1)?;
    Ok(Outcome::Request(Request::AddGroup(params.text(0)?)))
}

pub(super) fn remove_process_group(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(1, 1)?;
    Ok(Outcome::Request(Request::RemoveGroup(params.text(0)?)))
}

pub(super) fn shutdown(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Request(Request::Shutdown))
}

pub(super) fn restart(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Request(Request::Restart))
}

pub(super) fn send_remote_comm_event(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(2, 2)?;
    Ok(Outcome::Request(Request::RemoteCommunication { kind: params.text(0)?, data: params.text(1)? }))
}
