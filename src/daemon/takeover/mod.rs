//! Taking the place of a running Python supervisord, whose programs notice nothing of it.
//!
//! ```text
//! supervisord --take-over PID -c FILE                              supervisord -n -c FILE
//!   ask     what it says of its programs (XML-RPC)                   find the record, and the old daemon, halted
//!   halt    SIGSTOP, while it waits: nothing is half done            open the same ends of the same pipes, park them
//!   look    which end of which pipe it holds for whom                end the old daemon (SIGKILL): nobody is told to stop
//!   write   a record, as one of ours keeps it for its death  ─────►  take the programs back, as after a death of ours
//! ```
//!
//! Until our daemon ends it, the old one only stands still: SIGCONT and the record's removal undo everything. What is written
//! meanwhile waits in the pipes.
//!
//! | file | what |
//! |---|---|
//! | `survey` | what the old daemon has, and why it may not be had |
//! | `compose` | the record |
//! | `document` | a look as JSON |
//! | `predecessor` | the old daemon as seen by the new one |

mod compose;
mod document;
mod predecessor;
pub mod survey;

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::config::{self, Config, Invocation, Options};
use crate::core::{Mono, Now, Pid};
use crate::daemon::handover::check;
use crate::daemon::recovery;
use crate::sys::host::Machine;
use crate::sys::{clock, proc};

pub use predecessor::{LetGo, Predecessor, let_go};
pub use survey::{Obstacle, Survey};

/// The option; the pid of the old daemon follows.
pub const OPTION: &str = "--take-over";

/// The option that only looks: what there is, or what stands in the way, as a JSON document.
pub const OPTION_LOOK: &str = "--take-over-look";

/// Exit code when the old daemon runs on.
const REFUSED_CODE: i32 = 1;

/// Says what a takeover will find.
pub fn look(argv: &[String]) -> i32 {
    let looked = read(argv).map(|(pid, config, _)| match survey::look(pid, &config) {
        Ok(survey) => survey.json(&config),
        Err(obstacle) => obstacle.json(),
    });
    match looked {
        Ok(document) => {
            println!("{document}");
            0
        }
        Err(reason) => {
            eprintln!("{reason}");
            REFUSED_CODE
        }
    }
}

/// Halts the old daemon and leaves a record of it, for the daemon that is started next. Answers the exit code: 0, or 1 when the
/// old daemon runs on as before.
pub fn main(argv: &[String]) -> i32 {
    match prepare(argv) {
        Ok(survey) => {
            println!("{}", survey.programs.iter().filter(|program| program.report.pid != 0).count());
            0
        }
        Err(reason) => {
            eprintln!("cannot take over: {reason}");
            REFUSED_CODE
        }
    }
}

fn read(argv: &[String]) -> Result<(Pid, Config, Machine), String> {
    let pid: Option<Pid> = argv.get(2).and_then(|word| word.parse().ok()).filter(|pid| *pid > 1);
    let pid = pid.ok_or_else(|| format!("{OPTION} needs the pid of a running supervisord"))?;
    let words: Vec<String> = argv.iter().skip(3).cloned().collect();
    let host = Machine::new();
    let parsed = Options::parse("supervisord", &words, &host).map_err(|error| error.text)?;
    let Invocation::Run(options) = parsed else { return Err("the other options start no daemon".to_owned()) };
    let config = config::load(&options, &host).map_err(|error| error.located())?;
    Ok((pid, config, host))
}

fn prepare(argv: &[String]) -> Result<Survey, String> {
    let (pid, config, host) = read(argv)?;
    let survey = survey::halt(pid, &config).map_err(|obstacle| obstacle.to_string())?;
    let written = write(&survey, &config, host.directory());
    if let Err(reason) = written {
        let_go(pid, survey.born, &config.supervisord.pidfile);
        return Err(reason);
    }
    Ok(survey)
}

/// The record takes effect whole or not at all: it is proven first and renamed to its place.
fn write(survey: &Survey, config: &Config, directory: &Path) -> Result<(), String> {
    let now = now();
    let text = compose::compose(survey, config, now, directory);
    check::try_on(&text)?;
    let path = recovery::record_path(&config.supervisord.pidfile);
    let beside = path.with_extension("state.old");
    let _ = std::fs::remove_file(&beside);
    let mut options = std::fs::File::options();
    let written = options.write(true).create_new(true).mode(0o600).open(&beside).and_then(|mut file| {
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        std::fs::rename(&beside, &path)
    });
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn now() -> Now {
    let nanos = u64::try_from(clock::zero().elapsed().as_nanos()).unwrap_or(u64::MAX);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Now { mono: Mono(nanos), wall_secs: since.as_secs().cast_signed(), wall_nanos: since.subsec_nanos() }
}

/// The boot in which pids and start times mean something.
fn boot() -> Option<String> {
    proc::boot_id().ok()
}
