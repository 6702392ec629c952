//! One process: its settings and how far it is.

use super::SnapshotError;
use super::settings::{one, read_process, some, write_process};
use super::text::{Section, Writer};
use crate::core::rest::{End, Rest};
use crate::core::{ExitStatus, Now, Process, State};

impl Process {
    pub(super) fn write_snapshot(&self, to: &mut Writer) {
        // No `..`: what is new must be written too.
        let Process {
            id,
            group,
            config,
            state: _,
            pid: _,
            backoff: _,
            spawn_error: _,
            exit_status: _,
            last_start: _,
            last_stop_wall_secs: _,
            deadline: _,
            is_barred: _,
            rest: _,
        } = self;
        to.section("process");
        to.put("id", &[id]);
        to.put("group", &[group]);
        self.write_state(to);
        write_process(config, to);
    }

    /// Writes what changes while its settings stay.
    fn write_state(&self, to: &mut Writer) {
        to.put("state", &[&self.state.name()]);
        to.put("pid", &[&self.pid]);
        to.put("backoff", &[&self.backoff]);
        to.put_some("spawn_error", self.spawn_error.as_ref().map(|text| text as _));
        to.put("exit_status", &[&self.exit_status]);
        if let Some(Now { mono, wall_secs, wall_nanos }) = &self.last_start {
            to.put("started", &[&to.time(*mono), wall_secs, wall_nanos]);
        }
        to.put("stopped_wall_secs", &[&self.last_stop_wall_secs]);
        to.put_some("deadline", self.deadline.map(|due| to.time(due)).as_ref().map(|due| due as _));
        to.put("barred", &[&self.is_barred]);
        if let Some(rest) = &self.rest {
            write_rest(rest, to);
        }
    }

    /// A change of its state alone, as a section of its own.
    pub(super) fn write_change(&self, to: &mut Writer) {
        to.section("change");
        to.put("id", &[&self.id]);
        self.write_state(to);
    }

    /// Takes on what [`Process::write_state`] wrote.
    pub(super) fn read_state(&mut self, from: &Section<'_>) -> Result<(), SnapshotError> {
        let started: Option<(i128, i64, u32)> = from.maybe("started")?;
        self.state = state_named(&one(from, "state")?).ok_or_else(|| from.bad("state"))?;
        self.pid = from.get::<(_,)>("pid")?.0;
        self.backoff = from.get::<(_,)>("backoff")?.0;
        self.spawn_error = some(from, "spawn_error")?;
        self.exit_status = from.get::<(_,)>("exit_status")?.0;
        self.last_start =
            started.map(|(mono, wall_secs, wall_nanos)| Now { mono: from.time(mono), wall_secs, wall_nanos });
        self.last_stop_wall_secs = from.get::<(_,)>("stopped_wall_secs")?.0;
        self.deadline = from.maybe::<(_,)>("deadline")?.map(|(due,)| from.time(due));
        self.is_barred = from.get::<(_,)>("barred")?.0;
        self.rest = read_rest(from)?;
        Ok(())
    }

    pub(super) fn read_snapshot(from: &Section<'_>) -> Result<Process, SnapshotError> {
        let mut process = Process::new(from.get::<(_,)>("id")?.0, &one(from, "group")?, read_process(from)?);
        process.read_state(from)?;
        Ok(process)
    }
}

fn state_named(name: &str) -> Option<State> {
    State::ALL.into_iter().find(|known| known.name() == name)
}

fn write_rest(rest: &Rest, to: &mut Writer) {
    let Rest { end: End { pid, status, from, is_too_quick }, kill_at } = rest;
    to.put("rest", &[pid, &from.name(), is_too_quick, &to.time(*kill_at)]);
    match status {
        ExitStatus::Code(code) => to.put("rest_status", &[&"code", code, &false]),
        ExitStatus::Signal { number, core_dumped } => to.put("rest_status", &[&"signal", number, core_dumped]),
        ExitStatus::Unknown(raw) => to.put("rest_status", &[&"unknown", raw, &false]),
        ExitStatus::Missed => to.put("rest_status", &[&"missed", &0, &false]),
    }
}

fn read_rest(from: &Section<'_>) -> Result<Option<Rest>, SnapshotError> {
    let Some((pid, state, is_too_quick, kill_at)) = from.maybe::<(i32, String, bool, i128)>("rest")? else {
        return Ok(None);
    };
    let (kind, number, core_dumped): (String, i32, bool) = from.get("rest_status")?;
    let status = match kind.as_str() {
        "code" => ExitStatus::Code(number),
        "signal" => ExitStatus::Signal { number, core_dumped },
        "unknown" => ExitStatus::Unknown(number),
        "missed" => ExitStatus::Missed,
        _ => return Err(from.bad("rest_status")),
    };
    let state = state_named(&state).ok_or_else(|| from.bad("rest"))?;
    Ok(Some(Rest { end: End { pid, status, from: state, is_too_quick }, kill_at: from.time(kill_at) }))
}
