//! `supervisord --after-stop`: what the service's unit runs when the daemon has ended.
//!
//! The unit lets the service manager end the daemon alone (`KillMode=process`), because whatever it ends with the daemon
//! cannot be taken back. After an orderly stop nothing but what programs have left behind is there, and it is ended here, as
//! the service manager would have. After a crash the record is still there, and nobody is touched.

use std::path::Path;

use super::record;
use crate::config::{self, Invocation, Options};
use crate::core::snapshot::text::Document;
use crate::core::{Core, Mono};
use crate::core::{Mood, Pid, Target};
use crate::sys::cgroup::members::members;
use crate::sys::cgroup::place::Place;
use crate::sys::cgroup::programs;
use crate::sys::host::Machine;
use crate::sys::kill;

/// The option.
pub const OPTION: &str = "--after-stop";

/// Most rounds in which everything in a control group is ended: what multiplies faster wins.
const ROUNDS_MAX: usize = 100;

/// Runs it. The other words are those of the daemon. Answers the exit code, always 0: nothing depends on it.
pub fn main(argv: &[String]) -> i32 {
    let words: Vec<String> = argv.iter().skip(1).filter(|word| *word != OPTION).cloned().collect();
    let host = Machine::new();
    if let Ok(Invocation::Run(options)) = Options::parse("supervisord", &words, &host)
        && !is_to_be_taken_back(&options, &host)
    {
        for unit in Place::all_of_ours().iter().filter_map(Place::of_unit) {
            end_all(&unit.dir());
            programs::beside(&unit).for_each(|programs| end_all(&programs.dir()));
        }
    }
    0
}

/// Whether the next daemon takes the programs of the last one back. Should the configuration be broken, nobody is touched.
fn is_to_be_taken_back(options: &Options, host: &Machine) -> bool {
    let Ok(config) = config::load(options, host) else { return true };
    let Ok(text) = std::fs::read_to_string(record::path(&config.supervisord.pidfile)) else { return false };
    let whole = Document::read_with_records(&text, Mono(0)).and_then(|(document, _)| Core::read_snapshot(&document));
    // One that was ended in the middle of an orderly stop was to leave nobody behind.
    whole.is_ok_and(|core| core.mood() == Mood::Running)
}

/// Ends everybody in a group and in groups inside it, but for ourselves.
fn end_all(group: &Path) {
    for _ in 0..ROUNDS_MAX {
        let ours = std::process::id().cast_signed();
        let others: Vec<Pid> = members(group).into_iter().filter(|pid| *pid != ours).collect();
        if others.is_empty() {
            return;
        }
        for pid in others {
            // It may have ended by itself.
            let _ = kill::send(Target::Process(pid), libc::SIGKILL);
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
