//! The record of a daemon that keeps none itself, in the form in which ours keeps its own.

use std::path::Path;

use super::survey::{Program, Survey};
use crate::KIT_VERSION;
use crate::config::Config;
use crate::core::snapshot::text::Writer;
use crate::core::{Core, Now, Outbox, ProcId};
use crate::daemon::handover::settings;
use crate::sys::proc::PipeEnd;

/// The text. The settings are those of the configuration as we read it; descriptors have their numbers in the old daemon.
pub fn compose(survey: &Survey, config: &Config, now: Now, directory: &Path) -> String {
    let mut out = Outbox::new();
    let mut core = Core::new(config.groups.clone(), &config.supervisord.identifier, 0, &mut out);
    let of = |program: &Program| {
        let process =
            core.processes().find(|process| process.group == program.group && process.config.name == program.name);
        process.map(|process| process.id)
    };
    let known: Vec<(ProcId, &Program)> =
        survey.programs.iter().filter_map(|program| Some((of(program)?, program))).collect();
    for (id, program) in &known {
        core.succeed(now, *id, &program.report, &mut out);
    }
    let mut to = Writer::new(now.mono);
    to.section("daemon");
    to.put("version", &[&KIT_VERSION]);
    to.put("clock", &[&now.mono.0]);
    to.put("pid", &[&survey.pid]);
    to.put("is_record", &[&true]);
    to.put_some("boot", super::boot().as_ref().map(|boot| boot as _));
    to.put("directory", &[&directory]);
    to.put("last_ticket", &[&0_u64]);
    to.section(super::predecessor::SECTION);
    to.put("process", &[&survey.pid, &survey.born]);
    settings::write(config, &mut to);
    core.write_snapshot(&mut to);
    known.iter().for_each(|(id, program)| write_program(*id, program, &mut to));
    to.seal()
}

fn write_program(id: ProcId, program: &Program, to: &mut Writer) {
    let Program { report, born, is_listener, logs, pipes, .. } = program;
    let [stdout, stderr] = logs;
    to.section("program");
    to.put("id", &[&id]);
    if report.pid != 0 {
        to.put("born", &[born]);
    }
    for (name, path) in [("stdout", stdout), ("stderr", stderr)] {
        let Some(path) = path else { continue };
        to.put(&format!("{name}_path"), &[path]);
        if report.pid != 0 {
            to.put(&format!("{name}_open"), &[&true]);
        }
    }
    // A listener begins anew: what is said to it and by it from now on is nobody's.
    let spoken = !is_listener;
    if let Some(end) = pipes.stdin.filter(|_| spoken) {
        to.put("stdin_of", &[&report.pid]);
        put_end(to, "stdin", end);
    }
    for (channel, end) in [("stdout", pipes.stdout.filter(|_| spoken)), ("stderr", pipes.stderr)] {
        if let Some(end) = end {
            to.section("output");
            to.put("of", &[&id, &report.pid]);
            to.put("channel", &[&channel]);
            put_end(to, "pipe", end);
        }
    }
}

fn put_end(to: &mut Writer, key: &str, end: PipeEnd) {
    to.put(key, &[&end.number, &end.object.device, &end.object.inode]);
}
