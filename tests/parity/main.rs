//! The same lives of a daemon, lived by Supervisor 4.3.0, by 4.2.2 and by ours, must leave the same transcript.
//!
//! A folder of `scenarios/` is one life: `supervisord.conf`, `steps` (the language is in `script.rs`) and `expect` for the
//! steps where the three are meant to differ. `PARITY_ONLY=<part of a name>` plays fewer, `PARITY_SHOW=1` prints the
//! transcripts, `UPDATE_GOLDEN=1` writes `expect` and `docs/parity.md` anew: read what git shows afterwards.

// Tests touch the machine, and a failed `unwrap` is a failed test, in functions that they share as well.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

#[path = "../it/daemon/client.rs"]
#[allow(dead_code)]
mod client;
mod expect;
mod judge;
mod play;
mod proc;
mod script;
mod table;
mod transcript;
mod world;

use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;

use script::Scenario;
use world::Who;

/// Scenarios that are played at the same time; most of their time is waiting.
const WORKERS: usize = 5;

#[test]
fn every_scenario_sounds_the_same() {
    let only = std::env::var("PARITY_ONLY").unwrap_or_default();
    let wanted: Vec<PathBuf> = script::folders().into_iter().filter(|f| f.to_str().unwrap().contains(&only)).collect();
    assert!(!wanted.is_empty(), "no scenario is named like {only:?}");
    Who::ALL.into_iter().for_each(Who::prepare);
    let queue = Mutex::new(wanted.iter());
    let findings = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let Some(folder) = queue.lock().unwrap().next() else { return };
                    let found = scenario_findings(folder);
                    findings.lock().unwrap().extend(found);
                }
            });
        }
    });
    let findings = findings.into_inner().unwrap();
    let count = findings.len();
    assert!(findings.is_empty(), "{}\n\n{count} findings in {} scenarios", findings.join("\n"), wanted.len());
}

#[test]
fn the_parity_table_is_current() {
    table::check();
}

fn scenario_findings(folder: &std::path::Path) -> Vec<String> {
    let scenario = Scenario::read(folder);
    if scenario.needs_root && !nix::unistd::geteuid().is_root() {
        println!("{}: skipped, it needs root", scenario.name);
        return Vec::new();
    }
    let found = play_once(&scenario);
    if found.is_empty() {
        return found;
    }
    // Supervisor looks around once a second: on a busy machine one of its lives may go another way for once. What differs
    // because we differ differs again.
    println!("{}: played again, because of:\n{}", scenario.name, found.join("\n"));
    play_once(&scenario)
}

fn play_once(scenario: &Scenario) -> Vec<String> {
    let transcripts = thread::scope(|scope| {
        let players = Who::ALL.map(|who| scope.spawn(move || play::play(who, scenario)));
        players.map(|player| player.join().unwrap_or_else(|panic| vec![play::died(&*panic)]))
    });
    judge::judge(scenario, &transcripts)
}
