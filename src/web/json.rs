//! What the API answers: the same views as JSON.

use serde_json::{Value, json};

use super::journal::{Change, Entry, Exit, Happening};
use super::model::{Detail, Facts, LogPiece, LogSearch, Outcome, Overview, Plan, PlanLine, Process, Program};
use super::samples::{POINT_SECS, Usage};
use crate::config::Setting;
use crate::core::{Action, ExitStatus};
use crate::{KIT_VERSION, SUPERVISOR_VERSION};

/// `GET /api/v1/programs`.
pub fn overview(view: &Overview) -> Value {
    json!({
        "seq": view.seq,
        "now": view.now_secs,
        "daemon": view.mood.name(),
        "programs": view.programs.iter().map(program).collect::<Vec<_>>(),
    })
}

/// One program.
pub fn program(view: &Program) -> Value {
    json!({
        "name": view.namespec,
        "group": view.group,
        "process": view.name,
        "state": view.state.name(),
        "pid": view.pid,
        "start": view.start_secs,
        "stop": view.stop_secs,
        "starts": view.starts,
        "trouble": view.trouble,
        "last_exit": view.last_exit.as_ref().map(exit),
        "usage": view.usage.map(usage),
    })
}

fn exit(exit: &Exit) -> Value {
    let mut value = status(exit.status);
    value["when"] = exit.when_secs.into();
    value["expected"] = exit.is_expected.into();
    value
}

fn status(status: ExitStatus) -> Value {
    match status {
        ExitStatus::Code(code) => json!({ "code": code }),
        ExitStatus::Signal { number, core_dumped } => {
            json!({ "signal": crate::config::signal::name(number), "core_dumped": core_dumped })
        }
        ExitStatus::Missed => json!({ "missed": true }),
        ExitStatus::Unknown(raw) => json!({ "raw": raw }),
    }
}

/// Processor in thousandths of one, and memory.
pub fn usage(usage: Usage) -> Value {
    json!([usage.cpu_permille, usage.rss_kib])
}

/// `GET /api/v1/programs/{name}`.
pub fn detail(view: &Detail) -> Value {
    json!({
        "program": program(&view.program),
        "now": view.now_secs,
        "settings": view.settings.iter().map(setting).collect::<Vec<_>>(),
        "settings_trouble": view.settings_trouble,
        "differing": view.differing,
        "environment": view.environment.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>(),
        "processes": view.tree.iter().map(process).collect::<Vec<_>>(),
        "history": view.history.iter().map(change).collect::<Vec<_>>(),
        "point_secs": POINT_SECS,
        "points": view.points.iter().copied().map(usage).collect::<Vec<_>>(),
        "logs": { "stdout": view.logs[0], "stderr": view.logs[1] },
    })
}

fn setting(setting: &Setting) -> Value {
    let origin = setting.origin.as_ref().map(|(file, line)| json!({ "file": file, "line": line }));
    json!({ "key": setting.key, "value": setting.value, "origin": origin })
}

fn process(process: &Process) -> Value {
    json!({
        "pid": process.pid,
        "depth": process.depth,
        "command": process.command,
        "state": process.state.to_string(),
        "rss_kib": process.rss_kib,
        "cpu_millis": process.cpu_millis,
    })
}

fn change(change: &Change) -> Value {
    json!({
        "when": change.when_secs,
        "from": change.from.name(),
        "to": change.to.name(),
        "pid": change.pid,
        "exit": change.exit.map(status),
    })
}

/// One entry of the feed.
pub fn entry(entry: &Entry) -> Value {
    let mut value = match &entry.what {
        Happening::Program { name, change: of_program } => {
            let mut value = change(of_program);
            value["kind"] = "program".into();
            value["name"] = name.as_str().into();
            value
        }
        Happening::GroupAdded(name) => json!({ "kind": "group_added", "name": name }),
        Happening::GroupRemoved(name) => json!({ "kind": "group_removed", "name": name }),
        Happening::Started => json!({ "kind": "daemon_started" }),
        Happening::Stopping => json!({ "kind": "daemon_stopping" }),
        Happening::Action { who, what, is_done } => {
            json!({ "kind": "action", "who": who, "what": what, "done": is_done })
        }
    };
    value["seq"] = entry.seq.into();
    value["when"] = entry.when_secs.into();
    value
}

/// `GET /api/v1/changes`.
pub fn plan(plan: &Plan) -> Value {
    match plan {
        Ok(lines) => json!({ "plan": lines.iter().map(plan_line).collect::<Vec<_>>(), "error": null }),
        Err(text) => json!({ "plan": [], "error": text }),
    }
}

fn plan_line(line: &PlanLine) -> Value {
    let action = match line.action {
        Action::Keep => "keep",
        Action::Apply => "apply",
        Action::Restart => "restart",
        Action::Start => "start",
        Action::Stop => "stop",
    };
    json!({ "group": line.group, "process": line.name, "action": action, "keys": line.keys, "up": line.is_up })
}

/// `POST /api/v1/actions`.
pub fn outcomes(outcomes: &[Outcome]) -> Value {
    let one = |outcome: &Outcome| match &outcome.result {
        Ok(()) => json!({ "name": outcome.name, "ok": true, "code": 80, "text": "OK" }),
        Err((code, text)) => json!({ "name": outcome.name, "ok": false, "code": code, "text": text }),
    };
    json!({ "results": outcomes.iter().map(one).collect::<Vec<_>>() })
}

/// `GET /api/v1/host`.
pub fn facts(facts: &Facts) -> Value {
    let own = &facts.daemon;
    let load = facts.load.map(|hundredths| hundredths as f64 / 100.0);
    json!({
        "host": facts.host,
        "system": facts.system,
        "kernel": facts.kernel,
        "architecture": facts.machine,
        "processors": facts.processors,
        "uptime_secs": facts.uptime_secs,
        "load": load,
        "memory_kib": { "total": facts.memory_kib[0], "available": facts.memory_kib[1] },
        "log_disk_kib": { "directory": facts.log_dir, "total": facts.disk_kib[0], "free": facts.disk_kib[1] },
        "daemon": {
            "pid": own.pid,
            "identifier": own.identifier,
            "config": own.config,
            "log": own.log,
            "start": own.start_secs,
            "rss_kib": own.rss_kib,
            "cpu_millis": own.cpu_millis,
            "descriptors": own.descriptors,
        },
        "version": KIT_VERSION,
        "supervisor_version": SUPERVISOR_VERSION,
    })
}

/// `GET /api/v1/log`.
pub fn piece(piece: &LogPiece) -> Value {
    json!({
        "path": piece.path,
        "file": piece.file,
        "age": piece.age,
        "size": piece.size,
        "start": piece.start,
        "end": piece.end,
        "lines": piece.lines,
        "older": piece.older,
        "newer": piece.newer,
    })
}

/// `GET /api/v1/log/search`.
pub fn search(search: &LogSearch) -> Value {
    let hits = search.hits.iter().map(|hit| json!({ "file": hit.file, "start": hit.start, "line": hit.line }));
    let rest = search.rest.as_ref().map(|(file, before)| json!({ "file": file, "before": before }));
    json!({ "hits": hits.collect::<Vec<_>>(), "rest": rest })
}

/// What went wrong, for a program.
pub fn error(code: &str, text: &str) -> Value {
    json!({ "error": { "code": code, "text": text } })
}
