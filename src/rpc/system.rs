//! The methods about methods (`Supervisor: xmlrpc.py SystemNamespaceRPCInterface`).

use super::params::Params;
use super::{Outcome, Surroundings, methods};
use crate::core::Core;
use crate::xmlrpc::{Call, Fault, Value, code};

type Result = std::result::Result<Outcome, Fault>;

pub(super) fn list_methods(params: &Params, _: &Core, around: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    let mut names: Vec<&str> = methods(around).map(|method| method.name).collect();
    names.sort_unstable();
    Ok(Outcome::Value(Value::Array(names.into_iter().map(Value::from).collect())))
}

pub(super) fn method_help(params: &Params, _: &Core, around: &dyn Surroundings) -> Result {
    Ok(Outcome::Value(find(params, around)?.help.into()))
}

pub(super) fn method_signature(params: &Params, _: &Core, around: &dyn Surroundings) -> Result {
    let signature = find(params, around)?.signature;
    Ok(Outcome::Value(Value::Array(signature.iter().map(|kind| Value::from(*kind)).collect())))
}

fn find(params: &Params, around: &dyn Surroundings) -> std::result::Result<&'static super::Method, Fault> {
    params.count(1, 1)?;
    let name = params.text(0)?;
    methods(around).find(|method| method.name == name).ok_or_else(|| Fault::new(code::SIGNATURE_UNSUPPORTED))
}

/// Calls run strictly one after the other; the shell does that, since any of them may have to wait.
pub(super) fn multicall(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(1, 1)?;
    let Some(Value::Array(calls)) = params.0.first() else { return Err(Fault::new(code::INCORRECT_PARAMETERS)) };
    Ok(Outcome::Multicall(calls.iter().map(read_member).collect()))
}

fn read_member(member: &Value) -> std::result::Result<Call, Fault> {
    let method = match member.get("methodName").and_then(Value::as_str) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => return Err(Fault::with(code::INCORRECT_PARAMETERS, "No methodName")),
    };
    if method == "system.multicall" {
        return Err(Fault::with(code::INCORRECT_PARAMETERS, "Recursive system.multicall forbidden"));
    }
    let params = member.get("params").and_then(Value::as_array).unwrap_or_default().to_vec();
    Ok(Call { method, params })
}
