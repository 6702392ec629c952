//! From a command line to a running loop, and from a restart request to the next one.
//!
//! The order of a start (`Supervisor: supervisord.py main()`), changed where the original harms a daemon that already
//! runs: the lock comes before any side effect, and the sockets before old AUTO logs are removed (divergence D7).

use std::path::PathBuf;
use std::rc::Rc;

use super::generation::Generation;
use super::handover::{self, Descriptors, Past};
use super::recovery::{self, Whole};
use crate::config::{self, Config, ConfigError, Invocation, Notice, OnCrash, Options};
use crate::sys::host::Machine;
use crate::sys::limits::{self, Limit};
use crate::sys::lock::{InstanceLock, LockError};
use crate::sys::privileges::{self, Identity};
use crate::sys::{exec_self, fd_store, proc, users};
use crate::{KIT_VERSION, SUPERVISOR_VERSION};

/// Exit code of a start that cannot be.
const USAGE_CODE: i32 = 2;

/// A start that cannot be: the sentence after `Error: `.
pub(super) struct Refused(pub(super) String);

/// What stays over restarts, and over an upgrade.
#[derive(Debug)]
pub struct Standing {
    /// Keeps a second daemon from the same pidfile; `None` where it was not to be had.
    pub lock: Option<InstanceLock>,
    /// Where this program is installed, and where a newer one would be.
    pub image: PathBuf,
    /// This boot of the machine.
    pub boot: Option<String>,
}

impl Standing {
    fn new(lock: Option<InstanceLock>) -> std::io::Result<Self> {
        Ok(Standing { lock, image: exec_self::installed_path()?, boot: proc::boot_id().ok() })
    }
}

impl<E: std::error::Error> From<E> for Refused {
    fn from(error: E) -> Self {
        Refused(error.to_string())
    }
}

/// `supervisord`. Answers the exit code.
pub fn main(argv: &[String]) -> i32 {
    let program = argv.first().map_or("supervisord", String::as_str);
    let host = Machine::new();
    let invocation = match Options::parse(program, argv.get(1..).unwrap_or_default(), &host) {
        Ok(invocation) => invocation,
        Err(error) => return usage(program, &error.text),
    };
    match invocation {
        Invocation::Help => print!("{}", config::help(program)),
        Invocation::Version => println!("{SUPERVISOR_VERSION}"),
        Invocation::BuildInfo => println!("supervisor-kit {KIT_VERSION} (Supervisor {SUPERVISOR_VERSION})"),
        Invocation::Check(options, report) => {
            let check = config::check(&options, report, &host);
            print!("{}", check.text);
            return check.exit_code;
        }
        Invocation::Run(options) => {
            exec_self::close_inherited_on_exec();
            return match exec_self::inherited_document() {
                Ok(None) => start(options, host),
                Ok(Some(text)) => go_on(argv, text),
                Err(error) => usage(program, &error.to_string()),
            };
        }
    }
    0
}

fn usage(program: &str, text: &str) -> i32 {
    eprintln!("Error: {text}\nFor help, use {program} -h");
    USAGE_CODE
}

fn start(mut options: Options, host: Machine) -> i32 {
    let program = options.program.clone();
    if options.config_file.is_none() && nix::unistd::geteuid().is_root() {
        eprintln!("{}", config::ROOT_SEARCH_WARNING);
    }
    let config = match config::load(&options, &host) {
        Ok(config) => config,
        Err(error) => return explain(&program, &error),
    };
    options.config_file = Some(config.path.display().to_string());
    finish(&program, set_up(options, config, Rc::new(host)))
}

/// The text that scripts know first, then where it is and what to do.
fn explain(program: &str, error: &ConfigError) -> i32 {
    let code = usage(program, &error.text);
    if error.place.is_some() {
        eprintln!("{}", error.located());
    }
    if let Some(next_step) = &error.next_step {
        eprintln!("next step: {next_step}");
    }
    code
}

/// Goes on in the place of another image of the daemon: nothing is set up that is set up already.
fn go_on(argv: &[String], text: String) -> i32 {
    let program = argv.first().map_or("supervisord", String::as_str);
    match resume(program, argv, text) {
        Ok(generation) => finish(program, generation.live(Vec::new())),
        Err(Refused(text)) => usage(program, &format!("cannot go on in the place of another supervisord: {text}")),
    }
}

fn resume(program: &str, argv: &[String], text: String) -> Result<Generation, Refused> {
    let Whole { head, document, .. } = Whole::read(&text)?;
    let config = handover::settings::read(&document)?;
    let host = Machine::seen_from(head.directory);
    let parsed = Options::parse(program, argv.get(1..).unwrap_or_default(), &host);
    let Invocation::Run(mut options) = parsed.map_err(|error| Refused(error.text))? else {
        return Err(Refused("its command line starts no daemon".to_owned()));
    };
    options.config_file = Some(config.path.display().to_string());
    let lock = head.lock.and_then(|seat| Descriptors::Inherited.take(seat));
    let lock = lock.and_then(|lock| InstanceLock::resume(&config.supervisord.pidfile, lock).ok());
    Generation::new(options, Rc::new(host), config, Standing::new(lock)?, Some(Past::Upgrade(text)))
}

fn finish(program: &str, outcome: Result<(), Refused>) -> i32 {
    match outcome {
        Ok(()) => 0,
        Err(Refused(text)) => usage(program, &text),
    }
}

/// Everything that is set up once and stays over restarts.
fn set_up(options: Options, config: Config, host: Rc<Machine>) -> Result<(), Refused> {
    let (mut notices, mut kept) = (Vec::new(), fd_store::take());
    let lock = take_lock(&config, &mut notices)?;
    // With the lock in hand: whoever kept that record runs no more, or stands still for us.
    let left = match config.supervisord.on_crash {
        OnCrash::Adopt | OnCrash::Kill => recovery::look(&config.supervisord.pidfile),
        OnCrash::Leave => None,
    };
    if let Some(left) = &left
        && let Some(predecessor) = left.predecessor()
    {
        let cannot = |error| Refused(format!("cannot take the place of a running supervisord: {error}"));
        kept.extend(predecessor.inherit(&left.text).map_err(cannot)?);
    }
    drop_privileges(&config, &mut notices)?;
    for (limit, least) in
        [(Limit::OpenFiles, config.supervisord.minfds), (Limit::Processes, config.supervisord.minprocs)]
    {
        notices.extend(limits::raise(limit, least)?.map(Notice::info));
    }
    let past = left.map(|left| Past::Crash(left, kept));
    Generation::new(options, host, config, Standing::new(lock)?, past)?.live(notices)
}

fn take_lock(config: &Config, notices: &mut Vec<Notice>) -> Result<Option<InstanceLock>, Refused> {
    match InstanceLock::take(&config.supervisord.pidfile) {
        Ok(lock) => Ok(Some(lock)),
        Err(error @ LockError::Held { .. }) => Err(error.into()),
        Err(error @ LockError::Unavailable { .. }) => {
            notices.push(Notice::warn(error.to_string()));
            Ok(None)
        }
    }
}

fn drop_privileges(config: &Config, notices: &mut Vec<Notice>) -> Result<(), Refused> {
    let Some(user) = &config.supervisord.user else {
        if nix::unistd::geteuid().is_root() {
            notices.push(Notice::critical(
                "Supervisor is running as root.  Privileges were not dropped because no user is specified in the config \
                 file.  If you intend to run as root, you can set user=root in the config file to avoid this message.",
            ));
        }
        return Ok(());
    };
    let groups = users::groups_of(&user.name, user.gid);
    privileges::switch(&Identity { uid: user.uid, gid: user.gid, groups })?;
    notices.push(Notice::info(format!("Set uid to user {} succeeded", user.uid)));
    Ok(())
}
