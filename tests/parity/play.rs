//! Plays the steps of a scenario in one world.

use std::any::Any;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Output};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use supervisor_kit::xmlrpc::Value;

use crate::client::Connection;
use crate::script::{Action, Scenario};
use crate::transcript;
use crate::world::{Who, World};

/// What a step left in the transcript; nothing for steps that only wait or write.
pub type Outcome = Option<String>;

/// The outcome of every step, made comparable. A step that cannot be taken ends the scenario with its reason.
pub fn play(who: Who, scenario: &Scenario) -> Vec<Outcome> {
    let mut world = World::new(who, scenario.conf.as_deref());
    let mut outcomes = Vec::new();
    for step in &scenario.steps {
        let take = std::panic::AssertUnwindSafe(|| take(&mut world, &step.action));
        let taken = std::panic::catch_unwind(take);
        let is_over = taken.is_err();
        let outcome = taken.unwrap_or_else(|panic| died(&*panic));
        outcomes.push(outcome.map(|text| transcript::comparable(&world, &text)));
        if is_over {
            break;
        }
    }
    outcomes
}

/// The outcome of a step that failed.
pub fn died(panic: &(dyn Any + Send)) -> Outcome {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Some(format!("BROKEN OFF: {}", text.unwrap_or_default()))
}

fn take(world: &mut World, action: &Action) -> Outcome {
    match action {
        Action::Start(options) => start(world, &format!("-n -c supervisord.conf {options}")),
        Action::Launch(words) => start(world, words),
        Action::Background(words) => background(world, words),
        Action::Shell(script) => Some(said(&world.output(world.shell(script)))),
        Action::Try(text) => {
            world.write("try.conf", text);
            Some(said(&world.output(world.shell("exec timeout 20 supervisord -n -c {dir}/try.conf"))))
        }
        Action::Until(script) => {
            world.wait_for(script, |world| world.output(world.shell(script)).status.success());
            None
        }
        Action::Ctl(words) => {
            let client = world.shell(&format!("exec {{dir}}/ours/supervisorctl -s unix://{{dir}}/s.sock {words}"));
            Some(said(&world.output(client)))
        }
        Action::Rpc(words) => Some(call(world, words)),
        Action::Http(path) => Some(get(world, path)),
        Action::Signal(name, process) => {
            signal(world, name, process.as_deref());
            None
        }
        Action::State(name, state) => {
            world.wait_for(&format!("{name} to be {state}"), |world| state_of(world, name).as_deref() == Some(state));
            None
        }
        Action::Log(count, text) => {
            let text = world.fill(text);
            world.wait_for(&format!("{text:?} in the log"), |world| world.log().matches(&text).count() >= *count);
            None
        }
        Action::Show(texts) => {
            let log = world.log();
            let wanted = |line: &&str| texts.is_empty() || texts.iter().any(|text| line.contains(text));
            Some(log.lines().filter(wanted).map(|line| format!("{line}\n")).collect())
        }
        Action::Exit => {
            let mut status = None;
            world.wait_for("the daemon's end", |world| {
                status = world.daemon.as_mut().unwrap().try_wait().unwrap();
                status.is_some()
            });
            world.daemon = None;
            Some(format!("{}{}\n", world.read("err"), described(status.unwrap())))
        }
        Action::Write(name, text) => {
            world.write(name, text);
            None
        }
    }
}

fn start(world: &mut World, words: &str) -> Outcome {
    world.start(words);
    let ended = world.daemon.as_mut().and_then(|daemon| daemon.try_wait().unwrap())?;
    world.daemon = None;
    Some(format!("{}{}\n", world.read("err"), described(ended)))
}

/// A daemon is known by its pidfile, which stock writes after its parent has ended.
fn background(world: &mut World, words: &str) -> Outcome {
    // Its programs would keep a pipe open.
    let script = format!("{{dir}}/bin/supervisord {words} >out 2>err; code=$?; cat out; cat err >&2; exit $code");
    let output = world.output(world.shell(&script));
    if output.status.success() {
        world.wait_for("the pidfile", |world| world.read("supervisord.pid").ends_with('\n'));
        world.daemon_pid = world.read("supervisord.pid").trim().parse().ok();
    }
    Some(said(&output))
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut said = text(&output.stdout);
    for line in text(&output.stderr).lines() {
        said.push_str(&format!("stderr: {line}\n"));
    }
    said + &described(output.status) + "\n"
}

fn described(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("[{code}]"),
        (None, Some(number)) => format!("[signal {number}]"),
        (None, None) => "[?]".to_owned(),
    }
}

fn call(world: &World, words: &str) -> String {
    let (words, members) = words.split_once(" | ").unwrap_or((words, ""));
    let mut words = words.split(' ');
    let method = format!("supervisor.{}", words.next().unwrap_or_default());
    let params: Vec<Value> = words.map(|word| param(&world.fill(word))).collect();
    match Connection::unix(&world.path("s.sock")).call(&method, &params) {
        Ok(value) => written(&only(value, members), 0).trim_start().to_owned() + "\n",
        Err(fault) => format!("fault {}: {}\n", fault.code, fault.text),
    }
}

/// A struct, or every struct of an array, with just these members; with all when none is named.
fn only(value: Value, members: &str) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(|item| only(item, members)).collect()),
        Value::Struct(all) if !members.is_empty() => {
            Value::Struct(all.into_iter().filter(|(name, _)| members.split(' ').any(|wanted| wanted == name)).collect())
        }
        other => other,
    }
}

/// Numbers and truth values by their look, `_` for a space, everything else as text.
fn param(word: &str) -> Value {
    match (word, word.parse::<i64>()) {
        ("true", _) => true.into(),
        ("false", _) => false.into(),
        (_, Ok(number)) => number.into(),
        _ => word.replace('_', " ").into(),
    }
}

fn written(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let lines = |lines: Vec<String>| format!("\n{}", lines.join("\n"));
    match value {
        Value::Array(items) => {
            lines(items.iter().map(|item| format!("{indent}- {}", written(item, depth + 1).trim_start())).collect())
        }
        Value::Struct(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            let member = |(name, value): &&(std::borrow::Cow<'_, str>, Value)| {
                format!("{indent}{name}: {}", written(value, depth + 1))
            };
            lines(members.iter().map(member).collect())
        }
        Value::Str(text) => format!("{text:?}"),
        Value::Int(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Double(number) => number.to_string(),
        Value::DateTime(text) => text.clone(),
        Value::Nil => "nil".to_owned(),
    }
}

fn info(world: &World, name: &str) -> Option<Value> {
    // Between two lives of the daemon there is nobody to ask.
    UnixStream::connect(world.path("s.sock")).ok()?;
    Connection::unix(&world.path("s.sock")).call("supervisor.getProcessInfo", &[name.into()]).ok()
}

fn state_of(world: &World, name: &str) -> Option<String> {
    info(world, name)?.get("statename").and_then(Value::as_str).map(str::to_owned)
}

fn signal(world: &World, name: &str, process: Option<&str>) {
    let signal: Signal = format!("SIG{name}").parse().unwrap();
    let pid = match process {
        Some(process) => info(world, process).unwrap().get("pid").and_then(Value::as_int).unwrap() as i32,
        None => world.daemon_pid.unwrap(),
    };
    kill(Pid::from_raw(pid), signal).unwrap();
}

fn get(world: &World, path: &str) -> String {
    let mut connection = Connection::unix(&world.path("s.sock"));
    let response = connection.get(&world.fill(path));
    format!("{}\n{}\n", response.status, response.text())
}
