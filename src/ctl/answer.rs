//! The answers of the server, with types.

use super::client::CallError;
use super::namespec::Namespec;
use crate::xmlrpc::Value;

/// One row of `getAllProcessInfo`, as far as the commands look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessInfo {
    /// Group name.
    pub group: String,
    /// Process name.
    pub name: String,
    /// State number, see [`is_stopped`](Self::is_stopped).
    pub state: i64,
    /// State name, such as `RUNNING`.
    pub statename: String,
    /// What `status` shows after the state.
    pub description: String,
    /// Process id, 0 when there is none.
    pub pid: i64,
}

impl ProcessInfo {
    /// Reads one struct.
    pub fn read(value: &Value) -> Result<Self, CallError> {
        Ok(ProcessInfo {
            group: text(value, "group")?,
            name: text(value, "name")?,
            state: int(value, "state")?,
            statename: text(value, "statename")?,
            description: text(value, "description")?,
            pid: int(value, "pid")?,
        })
    }

    /// How the process is called in output.
    pub fn namespec(&self) -> Namespec<'_> {
        Namespec::of(&self.group, &self.name)
    }

    /// STOPPED, EXITED, FATAL or UNKNOWN (`Supervisor: states.py STOPPED_STATES`).
    pub fn is_stopped(&self) -> bool {
        matches!(self.state, 0 | 100 | 200 | 1000)
    }
}

/// What became of one process, when a method acted on several.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Group name.
    pub group: String,
    /// Process name.
    pub name: String,
    /// A fault code, or 80 for success.
    pub status: i32,
    /// The text of the fault, or `OK`.
    pub description: String,
}

impl Outcome {
    /// Reads one struct.
    pub fn read(value: &Value) -> Result<Self, CallError> {
        Ok(Outcome {
            group: text(value, "group")?,
            name: text(value, "name")?,
            status: i32::try_from(int(value, "status")?).map_err(|_| CallError::misunderstood("status"))?,
            description: text(value, "description")?,
        })
    }

    /// How the process is called in output.
    pub fn namespec(&self) -> Namespec<'_> {
        Namespec::of(&self.group, &self.name)
    }
}

/// Reads every item of an array.
pub fn rows<T>(value: &Value, read: impl Fn(&Value) -> Result<T, CallError>) -> Result<Vec<T>, CallError> {
    value.as_array().ok_or_else(|| CallError::misunderstood("array"))?.iter().map(read).collect()
}

/// A text that is the whole answer, or an item of an array.
pub fn whole_text(value: &Value) -> Result<String, CallError> {
    value.as_str().map(str::to_owned).ok_or_else(|| CallError::misunderstood("string"))
}

/// A text member of a struct.
pub fn text(value: &Value, key: &str) -> Result<String, CallError> {
    value.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| CallError::misunderstood(key))
}

/// A number member of a struct.
pub fn int(value: &Value, key: &str) -> Result<i64, CallError> {
    value.get(key).and_then(Value::as_int).ok_or_else(|| CallError::misunderstood(key))
}

/// A truth member of a struct.
pub fn truth(value: &Value, key: &str) -> Result<bool, CallError> {
    match value.get(key) {
        Some(Value::Bool(truth)) => Ok(*truth),
        _ => Err(CallError::misunderstood(key)),
    }
}
