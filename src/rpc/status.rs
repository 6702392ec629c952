//! Methods that say how things are.

use super::params::Params;
use super::{Channel, Outcome, Surroundings};
use crate::SUPERVISOR_VERSION;
use crate::core::{Core, Process, State};
use crate::xmlrpc::{Fault, Value, code};

type Result = std::result::Result<Outcome, Fault>;

/// The version of the RPC interface; clients refuse any other.
const API_VERSION: &str = "3.0";

/// A moment in local time, as far as descriptions need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

impl LocalTime {
    /// `Nov 22 01:31 PM`, in English whatever the locale.
    fn stamp(self) -> String {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let month = MONTHS.get(usize::from(self.month).wrapping_sub(1)).copied().unwrap_or("???");
        let half = if self.hour < 12 { "AM" } else { "PM" };
        let hour = if self.hour.is_multiple_of(12) { 12 } else { self.hour % 12 };
        format!("{month} {:02} {hour:02}:{:02} {half}", self.day, self.minute)
    }
}

/// A run time as Python prints one: `0:00:05`, `1 day, 0:00:00`. Never negative.
pub fn uptime(secs: i64) -> String {
    let mut text = String::new();
    push_uptime(&mut text, secs);
    text
}

/// Digit by digit: with the formatter, the answer about a thousand running programs takes a tenth longer.
fn push_uptime(text: &mut String, secs: i64) {
    let secs = secs.max(0);
    let (days, rest) = (secs / 86_400, secs % 86_400);
    match days {
        0 => {}
        1 => text.push_str("1 day, "),
        _ => {
            text.push_str(itoa::Buffer::new().format(days));
            text.push_str(" days, ");
        }
    }
    text.push_str(itoa::Buffer::new().format(rest / 3600));
    for sixtieths in [rest % 3600 / 60, rest % 60] {
        text.push(':');
        text.extend([sixtieths / 10, sixtieths % 10].map(|digit| char::from(b'0' + digit as u8)));
    }
}

pub(super) fn api_version(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Value(API_VERSION.into()))
}

pub(super) fn supervisor_version(params: &Params, _: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Value(SUPERVISOR_VERSION.into()))
}

pub(super) fn identification(params: &Params, _: &Core, around: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Value(around.identifier().into()))
}

pub(super) fn state(params: &Params, core: &Core, _: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Value(Value::Struct(vec![
        ("statecode".into(), core.mood().code().into()),
        ("statename".into(), core.mood().name().into()),
    ])))
}

pub(super) fn pid(params: &Params, _: &Core, around: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    Ok(Outcome::Value(i64::from(around.pid()).into()))
}

pub(super) fn process_info(params: &Params, core: &Core, around: &dyn Surroundings) -> Result {
    params.count(1, 1)?;
    let name = params.text(0)?;
    let process = core.find_process(&name).ok_or_else(|| Fault::with(code::BAD_NAME, name))?;
    Ok(Outcome::Value(info(process, around)))
}

/// Sorted by group name, then process name.
pub(super) fn all_process_info(params: &Params, core: &Core, around: &dyn Surroundings) -> Result {
    params.count(0, 0)?;
    let mut processes: Vec<&Process> = core.processes().collect();
    processes.sort_by(|a, b| (&a.group, &a.config.name).cmp(&(&b.group, &b.config.name)));
    Ok(Outcome::Value(Value::Array(processes.into_iter().map(|process| info(process, around)).collect())))
}

fn info(process: &Process, around: &dyn Surroundings) -> Value {
    let stdout = around.log_path(process.id, Channel::Stdout).unwrap_or_default();
    let stderr = around.log_path(process.id, Channel::Stderr).unwrap_or_default();
    let now = around.wall_secs();
    let members: [(&str, Value); 14] = [
        ("name", process.config.name.as_str().into()),
        ("group", process.group.as_str().into()),
        ("start", process.start_wall_secs().into()),
        ("stop", process.stop_wall_secs().into()),
        ("now", now.into()),
        ("state", process.state().code().into()),
        ("statename", process.state().name().into()),
        ("spawnerr", process.spawn_error().unwrap_or_default().into()),
        ("exitstatus", i64::from(process.exit_status().unwrap_or(0)).into()),
        ("logfile", stdout.as_str().into()),
        ("stdout_logfile", stdout.into()),
        ("stderr_logfile", stderr.into()),
        ("pid", i64::from(process.pid()).into()),
        ("description", describe(process, now, around).into()),
    ];
    Value::Struct(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// The third column of `status` (`Supervisor: rpcinterface.py _interpretProcessInfo`).
fn describe(process: &Process, now: i64, around: &dyn Surroundings) -> String {
    match process.state() {
        State::Running => {
            let mut text = String::with_capacity("pid 4194304, uptime 23:59:59".len());
            text.push_str("pid ");
            text.push_str(itoa::Buffer::new().format(process.pid()));
            text.push_str(", uptime ");
            push_uptime(&mut text, now - process.start_wall_secs());
            text
        }
        State::Fatal | State::Backoff => match process.spawn_error() {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => format!("unknown error (try \"tail {}\")", process.config.name),
        },
        State::Stopped | State::Exited if process.start_wall_secs() == 0 => "Not started".to_owned(),
        State::Stopped | State::Exited => around.local_time(process.stop_wall_secs()).stamp(),
        State::Starting | State::Stopping | State::Unknown => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::uptime;

    /// As `str(datetime.timedelta(seconds=…))` prints them.
    #[test]
    fn uptimes_read_as_pythons() {
        const DAY: i64 = 86_400;
        for (secs, text) in [
            (-5, "0:00:00"),
            (0, "0:00:00"),
            (59, "0:00:59"),
            (754, "0:12:34"),
            (DAY - 1, "23:59:59"),
            (DAY, "1 day, 0:00:00"),
            (DAY + 36_000, "1 day, 10:00:00"),
            (2 * DAY + 3_661, "2 days, 1:01:01"),
            (12_345 * DAY, "12345 days, 0:00:00"),
        ] {
            assert_eq!(uptime(secs), text);
        }
    }
}
