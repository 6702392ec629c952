//! Carries out what somebody asks for at the console: to its end, even when the browser leaves, and with a line in the activity log
//! that says who it was.

use std::rc::Rc;

use super::Console;
use crate::config::{Level, signal};
use crate::core::groups::{Named, split_namespec};
use crate::core::{Core, Request};
use crate::daemon::http::Visitor;
use crate::daemon::perform::{Answer, Shell, wall_secs};
use crate::daemon::rpc_call::Loop;
use crate::rpc::Job;
use crate::web::model::Outcome;
use crate::xmlrpc::{Fault, Value, code};

/// Most actions that are under way at a time.
pub const ACTIONS_MAX: usize = 32;

/// Most programs or groups that one action names.
pub const TARGETS_MAX: usize = 10_000;

/// Most names that the line in the activity log lists.
const NAMES_LOGGED_MAX: usize = 20;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// Start what does not run.
    Start,
    /// Stop what runs.
    Stop,
    /// Stop, then start again what was running; one program that is named is started in any case.
    Restart,
    /// Send this signal.
    Signal(String),
    /// Empty the log files.
    Clear,
    /// Bring groups to the configuration as it is now.
    Update,
}

impl Verb {
    /// By its name; `signal` is for the verb that needs one.
    pub fn named(name: &str, signal: Option<&str>) -> Option<Verb> {
        Some(match name {
            "start" => Verb::Start,
            "stop" => Verb::Stop,
            "restart" => Verb::Restart,
            "signal" => Verb::Signal(signal.filter(|signal| !signal.is_empty())?.to_owned()),
            "clear" => Verb::Clear,
            "update" => Verb::Update,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Verb::Start => "start",
            Verb::Stop => "stop",
            Verb::Restart => "restart",
            Verb::Signal(_) => "signal",
            Verb::Clear => "clear",
            Verb::Update => "update",
        }
    }
}

/// Whom an action is about, as namespecs: `name`, `group:name`, `group:*`, and `*` for all.
pub type Targets = Vec<String>;

/// Does it. `None` when too many actions are under way.
pub async fn run(
    console: &Rc<Console>,
    inbox: &Loop,
    who: &Visitor,
    verb: Verb,
    targets: Targets,
) -> Option<Vec<Outcome>> {
    if console.actions.get() >= ACTIONS_MAX {
        return None;
    }
    console.actions.set(console.actions.get() + 1);
    let (console, inbox, who) = (Rc::clone(console), inbox.clone(), who.clone());
    // In a task of its own: half a restart would be a stop.
    let running = tokio::task::spawn_local(async move {
        let outcomes = carry_out(&inbox, &verb, &targets).await;
        write_down(&console, &inbox, &who, &verb, &targets, &outcomes).await;
        console.actions.set(console.actions.get().saturating_sub(1));
        outcomes
    });
    Some(running.await.unwrap_or_default())
}

async fn carry_out(inbox: &Loop, verb: &Verb, targets: &[String]) -> Vec<Outcome> {
    match verb {
        Verb::Start => each(inbox, targets, start).await,
        Verb::Stop => each(inbox, targets, stop).await,
        Verb::Restart => restart(inbox, targets).await,
        Verb::Signal(signal) => each(inbox, targets, |target| send(target, signal)).await,
        Verb::Clear => clear(inbox, targets).await,
        Verb::Update => update(inbox, targets).await,
    }
}

fn start(target: &str) -> Request {
    match target {
        "*" => Request::StartAll { wait: true },
        _ => Request::Start { name: target.to_owned(), wait: true },
    }
}

fn stop(target: &str) -> Request {
    match target {
        "*" => Request::StopAll { wait: true },
        _ => Request::Stop { name: target.to_owned(), wait: true },
    }
}

fn send(target: &str, signal: &str) -> Request {
    let signal = signal.to_owned();
    match target {
        "*" => Request::SignalAll { signal },
        _ => Request::Signal { name: target.to_owned(), signal },
    }
}

/// Asks for all at once, then waits for one after the other: they proceed side by side.
async fn each(inbox: &Loop, targets: &[String], request: impl Fn(&str) -> Request) -> Vec<Outcome> {
    let mut asked = Vec::with_capacity(targets.len());
    for target in targets {
        asked.push((target, inbox.request(request(target)).await));
    }
    let mut outcomes = Vec::new();
    for (target, reply) in asked {
        outcomes.extend(read(target, reply.answer().await));
    }
    outcomes
}

/// What an answer says, program by program.
fn read(target: &str, answer: Answer) -> Vec<Outcome> {
    match answer {
        Ok(Value::Array(lines)) => lines.iter().map(read_status).collect(),
        Ok(_) => vec![Outcome { name: target.to_owned(), result: Ok(()) }],
        Err(Fault { code, text }) => vec![Outcome { name: target.to_owned(), result: Err((code, text)) }],
    }
}

fn read_status(line: &Value) -> Outcome {
    let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (group, process) = (text("group"), text("name"));
    let name = if group == process { group } else { format!("{group}:{process}") };
    let number = line.get("status").and_then(Value::as_int).unwrap_or(0);
    let is_done = number == i64::from(code::SUCCESS);
    let failure = (i32::try_from(number).unwrap_or(code::FAILED), text("description"));
    Outcome { name, result: if is_done { Ok(()) } else { Err(failure) } }
}

async fn restart(inbox: &Loop, targets: &[String]) -> Vec<Outcome> {
    let stopped = each(inbox, targets, stop).await;
    let was_down = |outcome: &Outcome| matches!(outcome.result, Err((code::NOT_RUNNING, _)));
    let (to_start, failed): (Vec<Outcome>, Vec<Outcome>) =
        stopped.into_iter().partition(|outcome| outcome.result.is_ok() || was_down(outcome));
    // What stopped last starts first.
    let names: Vec<String> = to_start.into_iter().rev().map(|outcome| outcome.name).collect();
    let mut outcomes = failed;
    outcomes.extend(each(inbox, &names, start).await);
    outcomes
}

async fn clear(inbox: &Loop, targets: &[String]) -> Vec<Outcome> {
    let targets = targets.to_vec();
    let cleared =
        inbox.look(move |core, shell| targets.iter().flat_map(|target| clear_one(core, shell, target)).collect());
    cleared.await.unwrap_or_default()
}

fn clear_one(core: &Core, shell: &mut Shell, target: &str) -> Vec<Outcome> {
    let ids = match (target, core.find(target)) {
        ("*", _) => core.by_priority(),
        (_, Some(Named::Process(id))) => vec![id],
        (_, Some(Named::Group(index))) => core.groups()[index].members.clone(),
        (_, None) => {
            return vec![Outcome {
                name: target.to_owned(),
                result: Err((code::BAD_NAME, format!("BAD_NAME: {target}"))),
            }];
        }
    };
    let mut outcomes = Vec::new();
    for process in ids.iter().filter_map(|id| core.process(*id)) {
        let name = process.namespec();
        let answer = shell.run_job(core, Job::ClearLogs(process.id, name.clone()));
        outcomes.extend(read(&name, answer));
    }
    outcomes
}

/// Reads the files, then does with each group what the plan says.
async fn update(inbox: &Loop, targets: &[String]) -> Vec<Outcome> {
    if let Err(fault) = inbox.request(Request::Reread).await.answer().await {
        return vec![Outcome { name: "reread".into(), result: Err((fault.code, fault.text)) }];
    }
    let wanted = targets.to_vec();
    let steps = inbox.look(move |core, _| {
        let mut groups: Vec<(String, bool, bool)> = Vec::new();
        let configured = |name: &str| core.configured().iter().any(|group| group.name == name);
        let active = |name: &str| core.groups().iter().any(|group| group.name == name);
        for change in core.plan_update().into_iter().filter(|change| change.action != crate::core::Action::Keep) {
            let is_wanted = wanted.iter().any(|target| target == "*" || *target == change.group);
            if is_wanted && !groups.iter().any(|(name, ..)| *name == change.group) {
                let (is_configured, is_active) = (configured(&change.group), active(&change.group));
                groups.push((change.group, is_configured, is_active));
            }
        }
        groups
    });
    let mut outcomes = Vec::new();
    for (group, is_configured, is_active) in steps.await.unwrap_or_default() {
        let answer = match (is_configured, is_active) {
            (true, true) => inbox.request(Request::UpdateGroup(group.clone())).await.answer().await,
            (true, false) => inbox.request(Request::AddGroup(group.clone())).await.answer().await,
            (false, _) => remove(inbox, &group).await,
        };
        let result = answer.map(|_| ()).map_err(|fault| (fault.code, fault.text));
        outcomes.push(Outcome { name: group, result });
    }
    outcomes
}

async fn remove(inbox: &Loop, group: &str) -> Answer {
    inbox.request(Request::StopGroup { group: group.to_owned(), wait: true }).await.answer().await?;
    inbox.request(Request::RemoveGroup(group.to_owned())).await.answer().await
}

async fn write_down(
    console: &Console,
    inbox: &Loop,
    who: &Visitor,
    verb: &Verb,
    targets: &[String],
    outcomes: &[Outcome],
) {
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.result.is_err()).collect();
    let what = match verb {
        Verb::Signal(name) => format!("signal {} {}", shown_signal(name), shown(targets)),
        verb => format!("{} {}", verb.name(), shown(targets)),
    };
    let verdict = match failed.first() {
        None => "done".to_owned(),
        Some(Outcome { name, result: Err((_, text)) }) => {
            let more = if failed.len() > 1 { format!(" and {} more", failed.len() - 1) } else { String::new() };
            format!("failed for {}: {}{more}", plain(name), plain(text))
        }
        Some(_) => String::new(),
    };
    let level = if failed.is_empty() { Level::Info } else { Level::Warn };
    let person = plain(&who.to_string());
    inbox.note(level, format!("console: {person}: {what}: {verdict}")).await;
    console.journal.borrow_mut().acted(wall_secs(), person, &format!("{what}: {verdict}"), failed.is_empty());
    console.changed.notify_waiters();
}

fn shown(targets: &[String]) -> String {
    let names: Vec<String> = targets.iter().take(NAMES_LOGGED_MAX).map(|target| plain(target)).collect();
    match targets.len().checked_sub(names.len()) {
        Some(more) if more > 0 => format!("{} and {more} more", names.join(", ")),
        _ => names.join(", "),
    }
}

fn shown_signal(name: &str) -> String {
    signal::number(name).map_or_else(|_| plain(name), signal::name)
}

/// Without what would make another line of it, or end it early.
fn plain(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    text.chars().take(CHARS_MAX).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Whether a target names all or a whole group.
pub fn is_many(target: &str) -> bool {
    target == "*" || split_namespec(target).1.is_none()
}

/// What old addresses ask for (`Supervisor: web.py StatusView`), and what they answer; `None` for what never existed.
pub async fn legacy(
    console: &Rc<Console>,
    inbox: &Loop,
    who: &Visitor,
    action: &str,
    name: &str,
    date: &str,
) -> Option<String> {
    let all = || vec!["*".to_owned()];
    let one = || vec![name.to_owned()];
    let (verb, targets, said) = match action {
        "refresh" => return Some(format!("Page refreshed at {date}")),
        "stopall" => (Verb::Stop, all(), format!("All stopped at {date}")),
        "restartall" => (Verb::Restart, all(), format!("All restarted at {date}")),
        _ if name.is_empty() => return None,
        "start" => (Verb::Start, one(), format!("Process {name} started")),
        "stop" => (Verb::Stop, one(), format!("Process {name} stopped")),
        "restart" => (Verb::Restart, one(), format!("Process {name} restarted")),
        "clearlog" => (Verb::Clear, one(), format!("Log for {name} cleared")),
        _ => return None,
    };
    let is_start = matches!(verb, Verb::Start | Verb::Restart);
    let wanted = name.to_owned();
    let is_known = inbox.look(move |core, _| core.find(&wanted).is_some()).await?;
    if targets[0] != "*" && !is_known {
        return Some(format!("No such process named {name}"));
    }
    let outcomes = run(console, inbox, who, verb, targets).await?;
    // Of many the page says no more than that it was done, as ever.
    let is_one = outcomes.len() == 1;
    let failure = outcomes.into_iter().filter(|_| is_one).find_map(|outcome| outcome.result.err());
    Some(failure.map_or(said, |(code, text)| explain(is_start, name, code, &text)))
}

fn explain(is_start: bool, name: &str, code: i32, text: &str) -> String {
    let known = match code {
        code::NO_FILE => "no such file",
        code::NOT_EXECUTABLE => "file not executable",
        code::ALREADY_STARTED => "already started",
        code::SPAWN_ERROR => "spawn error",
        code::ABNORMAL_TERMINATION => "abnormal termination",
        _ => "",
    };
    match (is_start, known) {
        (true, known) if !known.is_empty() => format!("ERROR: Process {name}: {known}"),
        (true, _) => format!("ERROR: Process {name}: unexpected rpc fault [{code}] {text}"),
        (false, _) => format!("unexpected rpc fault [{code}] {text}"),
    }
}
