//! Reading calls (the daemon) and responses (`supervisorctl`).

use super::document::{Root, Tag, read_document, unmarshallable};
use super::{Fault, ReadError, Value};

/// Largest call, in bytes. The longest honest ones are `sendProcessStdin` and `system.multicall`.
pub const REQUEST_BYTES_MAX: usize = 4 << 20;
/// Most elements of one call: a multicall of some five thousand calls.
pub const REQUEST_ELEMENTS_MAX: usize = 65_536;
/// Largest response, in bytes: `maintail -N` returns whole logs.
pub const RESPONSE_BYTES_MAX: usize = 256 << 20;
/// Most elements of one response: `getAllConfigInfo` of some twenty thousand programs.
pub const RESPONSE_ELEMENTS_MAX: usize = 2 << 20;

/// A method call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Such as `supervisor.getState`; never empty.
    pub method: String,
    /// Its parameters; none when `<params>` is missing, as PHP and Java clients leave it out.
    pub params: Vec<Value>,
}

/// Reads the body of a request.
///
/// # Errors
/// [`ReadError::Unmarshallable`] for anything that is not a call within the limits, [`ReadError::NoMethodName`] for a
/// call without a name. Both are HTTP status 400 (`Supervisor: xmlrpc.py continue_request()`).
pub fn read_call(bytes: &[u8]) -> Result<Call, ReadError> {
    let mut root = read_document(bytes, REQUEST_BYTES_MAX, REQUEST_ELEMENTS_MAX)?;
    let method = match root.take(Tag::MethodName) {
        Some(Value::Str(name)) if !name.is_empty() => name,
        _ => return Err(ReadError::NoMethodName),
    };
    let params = take_params(&mut root);
    Ok(Call { method, params })
}

/// Reads the body of a response: the value, or the fault that the method answered with.
///
/// # Errors
/// [`ReadError::Unmarshallable`] for anything that is neither.
pub fn read_response(bytes: &[u8]) -> Result<Result<Value, Fault>, ReadError> {
    let mut root = read_document(bytes, RESPONSE_BYTES_MAX, RESPONSE_ELEMENTS_MAX)?;
    if let Some(fault) = root.take(Tag::Fault) {
        return read_fault(&fault).map(Err);
    }
    match take_params(&mut root).into_iter().next() {
        Some(value) => Ok(Ok(value)),
        None => Err(unmarshallable("a response without a value")),
    }
}

fn take_params(root: &mut Root) -> Vec<Value> {
    match root.take(Tag::Params) {
        Some(Value::Array(params)) => params,
        _ => Vec::new(),
    }
}

fn read_fault(fault: &Value) -> Result<Fault, ReadError> {
    let code = fault.get("faultCode").and_then(Value::as_int).and_then(|code| i32::try_from(code).ok());
    match (code, fault.get("faultString").and_then(Value::as_str)) {
        (Some(code), Some(text)) => Ok(Fault { code, text: text.to_owned() }),
        _ => Err(unmarshallable("a fault without faultCode and faultString")),
    }
}
