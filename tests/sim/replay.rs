//! Our process machine held against every recorded step of stock Supervisor, with no mismatch allowed.
//!
//! # Where we differ on purpose
//!
//! Marked in the trace; each has a rule here that says what ours does instead, so these steps are checked as well.
//!
//! | id | Supervisor 4.3.0 | ours | why |
//! |---|---|---|---|
//! | `same-instant` | an exit at the clock reading of the start counts as RUNNING then EXITED, with a warning about a start in the future | too quick like any early exit, no warning | a coarse clock would hide a crash loop |
//! | `stop-resets` | a stop keeps the count of failed tries, and in BACKOFF also the old stop time, or none | a stop resets the count and is the stop time | the next start by hand deserves all its retries, and `Jan 01` is no stop time (D36) |
//! | `kill-refused` | a signal refused with anything but ESRCH makes the process UNKNOWN, and its exit then ends supervisord | the state stays, a stop is tried again with SIGKILL, the refusal is logged | D20 |
//! | `sigkill-storm` | with stopwaitsecs=0 SIGKILL goes out each turn | at most once a second | D21 |
//! | `restart-interval` | autorestart starts a program again at once | no sooner than a second after its last start | D21 |
//!
//! Never recorded, because nothing of ours corresponds to it: a wall clock that is set back (D22: our deadlines are
//! monotonic), the exit of an UNKNOWN process (nothing of ours enters UNKNOWN), a start of a STOPPING process (refused as a
//! request before it gets this far), and a mood that goes back to RUNNING.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use supervisor_kit::config::{Autorestart, Level, ProcessConfig};
use supervisor_kit::core::{
    Closed, Kernel, Mono, Mood, Now, Outbox, Pid, ProcId, Process, SignalError, SpawnError, SpawnPlan, State, Target,
    Tell, Tree,
};

use crate::record;
use crate::trace::{self, Action, Line, Snapshot, Step};

/// One trace file and one thread each.
const SEEDS: [u32; 4] = [1, 2, 3, 4];
/// Steps in each trace.
const STEPS_PER_SEED: u32 = 130_000;
/// Wall clock at the beginning of every life, as in `doubles.py`.
const EPOCH_SECS: i64 = 1_000_000_000;
/// Least milliseconds between two SIGKILLs to one process.
const KILL_INTERVAL_MS: u64 = 1000;

const NANOS_PER_MS: u64 = 1_000_000;
const SIGKILL: i32 = 9;

/// How often each thing was seen, to prove that the traces reach everything.
type Seen = BTreeMap<String, u32>;

#[test]
fn every_recorded_step_of_stock_supervisor_is_ours_too() {
    let mut seen = Seen::new();
    std::thread::scope(|scope| {
        let replays = SEEDS.map(|seed| scope.spawn(move || replay(&record::trace(seed, STEPS_PER_SEED))));
        for replay in replays {
            let counts = replay.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            counts.into_iter().for_each(|(key, count)| *seen.entry(key).or_default() += count);
        }
    });
    assert!(seen["steps"] >= 500_000, "{seen:?}");
    for rare in [
        "# same-instant",
        "# stop-resets",
        "# kill-refused",
        "# sigkill-storm",
        "# restart-interval",
        "STARTING",
        "RUNNING",
        "BACKOFF",
        "STOPPING",
        "STOPPED",
        "EXITED",
        "FATAL",
    ] {
        assert!(seen.get(rare).is_some_and(|count| *count >= 20), "the traces hardly reach {rare}: {seen:?}");
    }
}

/// Replays one file; panics at the first step in which ours differs.
fn replay(path: &Path) -> Seen {
    let mut seen = Seen::new();
    let mut life: Option<Life> = None;
    let mut history = String::new();
    for (index, line) in BufReader::new(File::open(path).unwrap()).lines().enumerate() {
        let line = line.unwrap();
        match trace::parse(&line) {
            Line::Program(config, group) => {
                life = Some(Life::new(*config, group));
                history.clear();
            }
            Line::Step(step) => {
                *seen.entry("steps".to_owned()).or_default() += 1;
                *seen.entry(step.after.state.to_owned()).or_default() += 1;
                if let Some(divergence) = step.divergence {
                    *seen.entry(format!("# {divergence}")).or_default() += 1;
                }
                if let Err(difference) = life.as_mut().unwrap().take(step) {
                    panic!("{}:{}: ours differs\n{history}{line}\n\n{difference}", path.display(), index + 1);
                }
            }
        }
        history += &line;
        history.push('\n');
    }
    seen
}

/// One program of ours that goes through the steps of one of theirs.
struct Life {
    process: Process,
    mood: Mood,
    /// When SIGKILL last went out in the stop that is under way.
    last_sigkill_ms: Option<u64>,
}

/// The comparable part of a step.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    state: String,
    backoff: u32,
    pid: Pid,
    exit_status: Option<i32>,
    start_wall_secs: i64,
    stop_wall_secs: i64,
    spawn_error: Option<String>,
    tells: Vec<String>,
    kills: Vec<(Pid, i32)>,
}

impl Outcome {
    fn new(after: &Snapshot<'_>, tells: Vec<String>, kills: Vec<(Pid, i32)>) -> Self {
        Outcome {
            state: after.state.to_owned(),
            backoff: after.backoff,
            pid: after.pid,
            exit_status: after.exit_status,
            start_wall_secs: after.start_wall_secs,
            stop_wall_secs: after.stop_wall_secs,
            spawn_error: after.spawn_error.map(str::to_owned),
            tells,
            kills,
        }
    }
}

impl Life {
    fn new(config: ProcessConfig, group: &str) -> Self {
        let id = ProcId { slot: 0, generation: 0 };
        Life { process: Process::new(id, group, config), mood: Mood::Running, last_sigkill_ms: None }
    }

    /// Does one step; `Err` shows both sides where they differ.
    fn take(&mut self, step: Step<'_>) -> Result<(), String> {
        let expected = self.expect(&step);
        let ours = self.perform(&step);
        if ours.kills.iter().any(|(_, signal)| *signal == SIGKILL) {
            self.last_sigkill_ms = Some(step.at_ms);
        }
        if self.process.state() != State::Stopping {
            self.last_sigkill_ms = None;
        }
        if ours == expected { Ok(()) } else { Err(format!("expected {expected:#?}\n     got {ours:#?}")) }
    }

    fn perform(&mut self, step: &Step<'_>) -> Outcome {
        let now = Now {
            mono: Mono((EPOCH_SECS as u64 * 1000 + step.at_ms) * NANOS_PER_MS),
            wall_secs: EPOCH_SECS + (step.at_ms / 1000) as i64,
            wall_nanos: 0,
        };
        let process = &mut self.process;
        let mut kernel = ScriptedKernel { step, kills: Vec::new() };
        let mut out = Outbox::watching();
        match step.action {
            Action::Transition => process.transition(now, self.mood, &mut kernel, &mut out),
            Action::Spawn => process.spawn(now, &mut kernel, &mut out),
            // The answer to the client is the text that is in the log as well.
            Action::Stop => drop(process.stop(now, &mut kernel, &mut out)),
            Action::Signal(number) => drop(process.signal(number, &mut kernel, &mut out)),
            Action::GiveUp => process.give_up(&mut out),
            Action::Finish(status) => process.finish(now, status, &mut kernel, &mut out),
            Action::Mood(code) => self.mood = if code == 0 { Mood::Restarting } else { Mood::Shutdown },
        }
        let tells = out.drain().map(describe).collect();
        Outcome::new(&snapshot(process), tells, kernel.kills)
    }

    /// What the trace says, but for the divergences listed at the top.
    fn expect(&self, step: &Step<'_>) -> Outcome {
        let theirs = Outcome::new(&step.after, step.tells.clone(), step.kills.clone());
        match step.divergence {
            // The recorder has done to theirs what ours does.
            None | Some("stop-resets") => theirs,
            Some("same-instant") => self.expect_same_instant(step, theirs),
            Some("kill-refused") => self.expect_kill_refused(step, theirs),
            Some("sigkill-storm") => {
                let is_early = self.last_sigkill_ms.is_some_and(|last| step.at_ms - last < KILL_INTERVAL_MS);
                if is_early { self.expect_nothing() } else { theirs }
            }
            Some("restart-interval") => {
                assert_ne!(self.process.config.autorestart, Autorestart::Never);
                self.expect_nothing()
            }
            Some(unknown) => panic!("no rule for the divergence {unknown}"),
        }
    }

    fn expect_nothing(&self) -> Outcome {
        Outcome::new(&snapshot(&self.process), Vec::new(), Vec::new())
    }

    fn expect_same_instant(&self, step: &Step<'_>, mut theirs: Outcome) -> Outcome {
        theirs.tells.retain(|tell| !tell.contains("laststart time is in the future"));
        if self.process.state() != State::Starting || self.process.config.startsecs <= 0 {
            return theirs;
        }
        let Action::Finish(status) = step.action else { panic!("only an exit can come too early: {step:?}") };
        let Process { config, group, .. } = &self.process;
        let (name, tries) = (&config.name, self.process.backoff() + 1);
        Outcome {
            state: "BACKOFF".to_owned(),
            backoff: tries,
            exit_status: None,
            spawn_error: Some("Exited too quickly (process log may have details)".to_owned()),
            tells: vec![
                format!(
                    "E PROCESS_STATE_BACKOFF processname:{name} groupname:{group} from_state:STARTING tries:{tries}"
                ),
                format!("L WARN exited: {name} ({status}; not expected)"),
            ],
            ..theirs
        }
    }

    fn expect_kill_refused(&self, step: &Step<'_>, mut theirs: Outcome) -> Outcome {
        let is_signal = matches!(step.action, Action::Signal(_));
        theirs.state = if is_signal { self.process.state().name() } else { "STOPPING" }.to_owned();
        theirs.tells.retain(|tell| !tell.starts_with("E PROCESS_STATE_UNKNOWN"));
        // Supervisor ends the line with a Python traceback, ours with the error.
        let refusal = theirs.tells.last_mut().unwrap();
        assert!(refusal.starts_with("L CRIT unknown problem "), "{refusal}");
        refusal.push_str(trace::NOT_PERMITTED);
        theirs
    }
}

fn snapshot(process: &Process) -> Snapshot<'_> {
    Snapshot {
        state: process.state().name(),
        backoff: process.backoff(),
        pid: process.pid(),
        exit_status: process.exit_status(),
        start_wall_secs: process.start_wall_secs(),
        stop_wall_secs: process.stop_wall_secs(),
        spawn_error: process.spawn_error(),
    }
}

/// A tell as the trace writes it.
fn describe(tell: Tell) -> String {
    match tell {
        Tell::Log(level @ (Level::Debug | Level::Info | Level::Warn | Level::Critical), text) => {
            format!("L {} {text}", level.tag())
        }
        Tell::Event(event) => format!("E {} {}", event.kind().name(), event.payload()),
        other => panic!("one process alone says no such thing: {other:?}"),
    }
}

/// A kernel that answers what the step says, and keeps what it was asked to signal.
struct ScriptedKernel<'a> {
    step: &'a Step<'a>,
    kills: Vec<(Pid, i32)>,
}

impl Kernel for ScriptedKernel<'_> {
    fn check_command(&mut self, _plan: &SpawnPlan<'_>) -> Result<(), supervisor_kit::core::CommandError> {
        panic!("a process is only started here, its command is not looked up beforehand");
    }

    fn spawn(&mut self, plan: &SpawnPlan<'_>) -> Result<Pid, SpawnError> {
        self.step.spawn_answer(&plan.config.name)
    }

    fn signal(&mut self, target: Target, signal: i32) -> Result<(), SignalError> {
        let pid = match target {
            Target::Process(pid) => pid,
            Target::Group(pid) => -pid,
        };
        self.kills.push((pid, signal));
        self.step.kill_answer()
    }

    fn signal_tree(&mut self, _: &Tree<'_>, _: i32) -> usize {
        0
    }

    fn deliver(&mut self, _listener: ProcId, _event: &[u8]) -> Result<(), Closed> {
        panic!("a process alone has no pool");
    }
}
