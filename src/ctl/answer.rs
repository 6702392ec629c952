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
    /// When it was started last, in seconds since 1970; 0 for never.
    pub start: i64,
    /// When it ended last, in seconds since 1970; 0 for never.
    pub stop: i64,
    /// The exit status of the last run, -1 after a signal.
    pub exitstatus: i64,
    /// Why it could not be started; empty when it could.
    pub spawnerr: String,
    /// Path of its log of stdout; empty when there is none.
    pub stdout_logfile: String,
    /// Path of its log of stderr; empty when there is none.
    pub stderr_logfile: String,
}

impl ProcessInfo {
    /// Reads one struct, and takes its texts instead of copying them: there may be thousands.
    pub fn read(mut value: Value) -> Result<Self, CallError> {
        Ok(ProcessInfo {
            state: int(&value, "state")?,
            pid: int(&value, "pid")?,
            start: int(&value, "start")?,
            stop: int(&value, "stop")?,
            exitstatus: int(&value, "exitstatus")?,
            group: take_text(&mut value, "group")?,
            name: take_text(&mut value, "name")?,
            statename: take_text(&mut value, "statename")?,
            description: take_text(&mut value, "description")?,
            spawnerr: take_text(&mut value, "spawnerr")?,
            stdout_logfile: take_text(&mut value, "stdout_logfile")?,
            stderr_logfile: take_text(&mut value, "stderr_logfile")?,
        })
    }

    /// How the process is called in output.
    pub fn namespec(&self) -> Namespec<'_> {
        Namespec::of(&self.group, &self.name)
    }

    /// The process in a JSON document.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "namespec": self.namespec().to_string(),
            "group": self.group,
            "name": self.name,
            "state": self.statename,
            "pid": self.pid,
            "start": self.start,
            "stop": self.stop,
            "exitstatus": self.exitstatus,
            "spawnerr": self.spawnerr,
            "description": self.description,
            "stdout_logfile": self.stdout_logfile,
            "stderr_logfile": self.stderr_logfile,
        })
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

/// Reads the answer to `getAllProcessInfo`.
pub fn processes(answer: Value) -> Result<Vec<ProcessInfo>, CallError> {
    match answer {
        Value::Array(items) => items.into_iter().map(ProcessInfo::read).collect(),
        _ => Err(CallError::misunderstood("array")),
    }
}

fn take_text(value: &mut Value, key: &str) -> Result<String, CallError> {
    let Value::Struct(members) = value else { return Err(CallError::misunderstood("struct")) };
    match members.iter_mut().find(|(name, _)| name == key) {
        Some((_, Value::Str(text))) => Ok(std::mem::take(text)),
        _ => Err(CallError::misunderstood(key)),
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
