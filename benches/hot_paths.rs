//! What is done a thousand times: `cargo bench`. Instruction counts, which other work on the machine does not change, with
//! `scripts/bench/instructions`.

// As in tests: they touch the machine, and what fails ends the run.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::hint::black_box;

use divan::{Bencher, counter::BytesCount};
use supervisor_kit::config::ini::Document;
use supervisor_kit::config::{ChannelConfig, GroupConfig, GroupKind, LogFile, ProcessConfig};
use supervisor_kit::core::{Core, Input, Mono, Mood, Now, Outbox, Pid, ProcId, Process, Request};
use supervisor_kit::logs::{RotatingFile, Rotation};
use supervisor_kit::xmlrpc::{Value, read_response, write_response};

#[path = "../tests/sim/obliging.rs"]
mod obliging;

use obliging::Obliging;

const PROGRAMS: usize = 1000;

fn main() {
    divan::main();
}

fn now(secs: u64) -> Now {
    Now { mono: Mono(secs * 1_000_000_000), wall_secs: 1_700_000_000 + secs.cast_signed(), wall_nanos: 0 }
}

fn program(index: usize) -> ProcessConfig {
    let blank = ProcessConfig::blank();
    let log = |path: String| ChannelConfig {
        file: LogFile::Path(path.into()),
        maxbytes: 50 * 1024 * 1024,
        backups: 10,
        ..blank.stdout.clone()
    };
    ProcessConfig {
        name: format!("program{index:04}"),
        command: format!("/opt/app/bin/serve --port {index}"),
        exitcodes: vec![0],
        environment: vec![("LANG".into(), "C.UTF-8".into())],
        stdout: log(format!("/var/log/app/{index}.out")),
        stderr: log(format!("/var/log/app/{index}.err")),
        ..blank
    }
}

fn groups() -> Vec<GroupConfig> {
    let group = |index| {
        let process = program(index);
        let (name, sections) = (process.name.clone(), vec![format!("program:{}", process.name)]);
        GroupConfig { name, priority: 999, kind: GroupKind::Program, processes: vec![process.into()], sections }
    };
    (0..PROGRAMS).map(group).collect()
}

/// The lexer of the configuration: sections, keys and values of a thousand programs.
#[divan::bench]
fn lex_configuration(bencher: Bencher<'_, '_>) {
    let section =
        |index| format!("[program:p{index:04}]\ncommand=/bin/serve --port {index} ; its own\nautorestart = true\n\n");
    let text: String = (0..PROGRAMS).map(section).collect();
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let mut document = Document::default();
        document.read("supervisord.conf", black_box(&text)).is_ok()
    });
}

/// What a reread asks: a thousand programs against the same thousand.
#[divan::bench]
fn difference(bencher: Bencher<'_, '_>) {
    let core = Core::new(groups(), "supervisor", 0, &mut Outbox::new());
    bencher.bench_local(|| black_box(&core).difference());
}

/// What an update asks.
#[divan::bench]
fn plan_update(bencher: Bencher<'_, '_>) {
    let core = Core::new(groups(), "supervisor", 0, &mut Outbox::new());
    bencher.bench_local(|| black_box(&core).plan_update());
}

/// One program from STOPPED over STARTING to RUNNING.
#[divan::bench]
fn transition(bencher: Bencher<'_, '_>) {
    let id = ProcId { slot: 0, generation: 0 };
    bencher.with_inputs(|| Process::new(id, "group", program(0))).bench_values(|mut process| {
        let (mut kernel, mut out) = (Obliging(1), Outbox::new());
        process.transition(now(1), Mood::Running, &mut kernel, &mut out);
        process.transition(now(3), Mood::Running, &mut kernel, &mut out);
        process.state()
    });
}

/// A thousand programs are started, asked to stop, and reaped.
#[divan::bench]
fn start_and_stop_all(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(groups).bench_values(|groups| {
        let (mut kernel, mut out) = (Obliging(1), Outbox::new());
        let mut core = Core::new(groups, "supervisor", 0, &mut out);
        for _ in 0..PROGRAMS {
            core.tick(now(1), &mut kernel, &mut out);
            out.drain();
        }
        core.handle(now(2), Input::ExitSignal("SIGTERM".into()), &mut kernel, &mut out);
        for pid in 2..2 + PROGRAMS as Pid {
            core.tick(now(2), &mut kernel, &mut out);
            core.handle(now(2), Input::Exited(pid, supervisor_kit::core::ExitStatus::Code(0)), &mut kernel, &mut out);
            out.drain();
        }
        core
    });
}

/// What `getAllProcessInfo` answers.
fn process_infos() -> Value {
    let info = |index: usize| {
        let text = |name: &'static str, value: String| (name.into(), Value::Str(value));
        let int = |name: &'static str, value: i64| (name.into(), Value::Int(value));
        Value::Struct(vec![
            text("name", format!("program{index:04}")),
            text("group", format!("program{index:04}")),
            int("start", 1_700_000_000),
            int("stop", 0),
            int("now", 1_700_000_100),
            int("state", 20),
            text("statename", "RUNNING".into()),
            text("spawnerr", String::new()),
            int("exitstatus", 0),
            text("logfile", format!("/var/log/app/{index}.out")),
            text("stdout_logfile", format!("/var/log/app/{index}.out")),
            text("stderr_logfile", format!("/var/log/app/{index}.err")),
            int("pid", 4000 + index as i64),
            text("description", format!("pid {}, uptime 0:01:40", 4000 + index)),
        ])
    };
    Value::Array((0..PROGRAMS).map(info).collect())
}

/// The answer of `getAllProcessInfo`, written by the daemon.
#[divan::bench]
fn write_process_infos(bencher: Bencher<'_, '_>) {
    let infos = process_infos();
    bencher.bench(|| write_response(black_box(&infos)));
}

/// The same answer, read by `supervisorctl`.
#[divan::bench]
fn read_process_infos(bencher: Bencher<'_, '_>) {
    let answer = write_response(&process_infos());
    bencher.bench(|| read_response(black_box(&answer)).is_ok());
}

/// Sixteen MiB in records of 64 KiB, rolled every MiB.
#[divan::bench(sample_count = 20)]
fn append_with_rotation(bencher: Bencher<'_, '_>) {
    let record =
        b"a line of a hundred bytes that says what a program has to say when it has got nothing to say at all\n"
            .repeat(655);
    let folder = std::env::temp_dir().join(format!("supervisor-kit-bench.{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut log = RotatingFile::open(&folder.join("log"), Rotation { bytes_max: 1024 * 1024, backups: 3 }).unwrap();
    bencher.counter(BytesCount::new(256 * record.len())).bench_local(|| {
        (0..256).for_each(|_| log.write(black_box(&record)).unwrap());
    });
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A call that every client makes.
#[divan::bench]
fn start_request(bencher: Bencher<'_, '_>) {
    let mut core = Core::new(groups(), "supervisor", 0, &mut Outbox::new());
    let (mut kernel, mut out) = (Obliging(1), Outbox::new());
    bencher.bench_local(move || {
        let request = Request::Signal { name: format!("program{:04}", PROGRAMS - 1), signal: "HUP".into() };
        core.handle(now(1), Input::Request(1, request), &mut kernel, &mut out);
        out.drain().count()
    });
}
