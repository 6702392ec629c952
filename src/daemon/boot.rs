//! From a command line to a running loop, and from a restart request to the next one.
//!
//! The order of a start (`Supervisor: supervisord.py main()`), changed where the original harms a daemon that already
//! runs: the lock comes before any side effect, and the sockets before old AUTO logs are removed (divergence D7).

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::environment::Inherited;
use super::fcgi::{self, FcgiSockets};
use super::http::Server;
use super::listen::{Listeners, listen};
use super::perform::Shell;
use super::programs::{Programs, Token};
use super::rpc_call::{INBOX_REQUESTS_MAX, Loop};
use super::run::{Daemon, rest_when_parked};
use crate::config::{self, Config, ConfigError, Invocation, Level, Notice, Options};
use crate::core::{Core, Mood, Outbox};
use crate::logs::{ActivityLog, Rotation, auto};
use crate::sys::code_pages::CodePages;
use crate::sys::daemonize::{Startup, daemonize};
use crate::sys::host::Machine;
use crate::sys::limits::{self, Limit};
use crate::sys::lock::{InstanceLock, LockError};
use crate::sys::pidfile::{self, PidFile};
use crate::sys::poller::{Interest, Poller};
use crate::sys::privileges::{self, Identity};
use crate::sys::signals::Signals;
use crate::sys::{notify, users};
use crate::{KIT_VERSION, SUPERVISOR_VERSION};

/// Exit code of a start that cannot be.
const USAGE_CODE: i32 = 2;

/// A start that cannot be: the sentence after `Error: `.
struct Refused(String);

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
        Invocation::Run(options) => return start(options, host),
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
    match supervise(options, config, Rc::new(host)) {
        Ok(()) => 0,
        Err(Refused(text)) => usage(&program, &text),
    }
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

/// Everything that is set up once and stays over restarts.
fn supervise(options: Options, config: Config, host: Rc<Machine>) -> Result<(), Refused> {
    let mut notices = Vec::new();
    let lock = take_lock(&config, &mut notices)?;
    drop_privileges(&config, &mut notices)?;
    for (limit, least) in
        [(Limit::OpenFiles, config.supervisord.minfds), (Limit::Processes, config.supervisord.minprocs)]
    {
        notices.extend(limits::raise(limit, least)?.map(Notice::info));
    }
    let signals = Signals::open()?;
    let mut generation = Generation { options, host, config, signals, epoch: Instant::now(), first: true };
    while generation.run(std::mem::take(&mut notices))? == Mood::Restarting {
        generation.first = false;
        generation.config = generation.next_config(&mut notices);
    }
    if let Some(lock) = lock {
        lock.release();
    }
    Ok(())
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

/// One life between two restarts.
struct Generation {
    options: Options,
    /// Remembers the working directory at start, which relative paths go by.
    host: Rc<Machine>,
    config: Config,
    signals: Signals,
    epoch: Instant,
    first: bool,
}

impl Generation {
    fn run(&mut self, notices: Vec<Notice>) -> Result<Mood, Refused> {
        let settings = &self.config.supervisord;
        let mut log = open_log(&self.config)?;
        let mut notices = [notices, self.config.notices.clone()].concat();
        notices.sort_by_key(|notice| std::cmp::Reverse(notice.level));
        notices.iter().for_each(|notice| log.write(notice.level, &notice.text));
        // At a restart in the background the log is the only place where anybody can read it.
        let listeners = match listen(&self.config, &mut log) {
            Ok(listeners) => listeners,
            Err(error) => {
                log.write(Level::Critical, &error.to_string());
                return Err(error.into());
            }
        };
        if !settings.nocleanup {
            for warning in auto::clean_up(&settings.childlogdir, &settings.identifier) {
                log.write(Level::Warn, &warning);
            }
        }
        if let Err(error) = fcgi::check(&self.config, &mut log) {
            log.write(Level::Critical, &error.to_string());
            // After a restart the programs that need no socket must run; the others say in `status` why they do not.
            if self.first {
                listeners_gone(&listeners, &mut log);
                return Err(error.into());
            }
        }
        let startup = self.go_to_background(&mut log)?;
        match self.serve(log, listeners, startup) {
            Ok(mood) => Ok(mood),
            Err(error) => Err(Refused(format!("cannot run the event loop: {error}"))),
        }
    }

    /// Daemonises at the first start, unless it stays in the foreground.
    fn go_to_background(&self, log: &mut ActivityLog) -> Result<Option<Startup>, Refused> {
        let settings = &self.config.supervisord;
        if settings.nodaemon || !self.first {
            return Ok(None);
        }
        log.write(Level::Info, "daemonizing the supervisord process");
        let daemonized = daemonize(settings.directory.as_deref(), settings.umask)?;
        if let Some(directory) = settings.directory.as_deref().map(Path::display) {
            match &daemonized.directory {
                Ok(()) => log.write(Level::Info, &format!("set current directory: '{directory}'")),
                Err(error) => log.write(Level::Critical, &format!("can't chdir into '{directory}': {error}")),
            }
        }
        Ok(Some(daemonized.startup))
    }

    fn serve(
        &mut self,
        mut log: ActivityLog,
        mut listeners: Listeners,
        startup: Option<Startup>,
    ) -> std::io::Result<Mood> {
        let pidfile = write_pidfile(&self.config.supervisord.pidfile, &mut log);
        log.write(Level::Info, &format!("supervisord started with pid {}", std::process::id()));
        log.write(Level::Info, &format!("supervisor-kit {KIT_VERSION} serves as Supervisor {SUPERVISOR_VERSION}"));
        let poller = Poller::open()?;
        poller.add(&self.signals, Token::Signals.to_bits(), Interest::Read)?;
        let mut out = Outbox::new();
        let core = Core::new(self.config.groups.clone(), &mut out);
        let shell = Shell {
            programs: Programs::new(self.config.supervisord.strip_ansi, "supervisord"),
            fcgi: FcgiSockets::default(),
            poller,
            log,
            late: Outbox::new(),
            logged: None,
            inherited: Inherited::capture(&self.config),
            waiting: std::collections::HashMap::new(),
            last_ticket: 0,
            halted: None,
            config: self.config.clone(),
            options: self.options.clone(),
            host: Rc::clone(&self.host),
        };
        let mut daemon =
            Daemon { core, shell, out, signals: &self.signals, epoch: self.epoch, rested: false, rest: Arc::default() };
        let (rest, code) = (Arc::clone(&daemon.rest), CodePages::find());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(move || rest_when_parked(&rest, &code))
            .build()?;
        let tasks = tokio::task::LocalSet::new();
        let mood = tasks.block_on(&runtime, async {
            let pollers = daemon.shell.poller.watch()?;
            let (sender, inbox) = mpsc::channel(INBOX_REQUESTS_MAX);
            listeners.serve(|credentials| Rc::new(Server { credentials, inbox: Loop(sender.clone()) }))?;
            drop(sender);
            announce(startup);
            Ok::<_, std::io::Error>(daemon.run(inbox, pollers).await)
        })?;
        // Answers that were just given get their way out before the servers are gone.
        tasks.block_on(&runtime, async { tokio::task::yield_now().await });
        drop(tasks);
        listeners_gone(&listeners, &mut daemon.shell.log);
        if let Some(pidfile) = pidfile
            && let Err(error) = pidfile.remove()
        {
            daemon.shell.log(Level::Warn, &format!("could not remove the pidfile: {error}"));
        }
        Ok(mood)
    }

    /// The configuration to start over with. It was valid when the restart was asked for; should it have been broken
    /// since, the old one serves on.
    fn next_config(&self, notices: &mut Vec<Notice>) -> Config {
        config::load(&self.options, &*self.host).unwrap_or_else(|error| {
            notices.push(Notice::critical(format!("kept the old configuration: {}", error.located())));
            self.config.clone()
        })
    }
}

fn open_log(config: &Config) -> Result<ActivityLog, Refused> {
    let settings = &config.supervisord;
    let rotation = Rotation::new(settings.logfile_maxbytes, settings.logfile_backups);
    let echo = settings.nodaemon && !settings.silent;
    Ok(ActivityLog::open(&settings.logfile, settings.loglevel, rotation, echo, "supervisord")?)
}

fn write_pidfile(path: &Path, log: &mut ActivityLog) -> Option<PidFile> {
    let left_behind = pidfile::read(path).filter(|pid| pid.cast_unsigned() != std::process::id());
    match PidFile::write(path) {
        Ok(pidfile) => {
            if let Some(pid) = left_behind {
                log.write(Level::Warn, &explain_left_behind(pid));
            }
            Some(pidfile)
        }
        Err(error) => {
            log.write(Level::Critical, &format!("could not write pidfile {}: {error}", path.display()));
            None
        }
    }
}

/// Why a pidfile was there although nobody holds its lock.
fn explain_left_behind(pid: i32) -> String {
    match nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None) {
        Err(nix::errno::Errno::ESRCH) => {
            format!("replaced a stale pidfile: process {pid} is not running any more")
        }
        Ok(()) | Err(_) => format!(
            "replaced the pidfile of process {pid}: it runs but does not hold the lock, so it is another program that was \
             given the number of a supervisord that ended without cleaning up, or a supervisord of another make"
        ),
    }
}

/// Tells whoever started us that we are up.
fn announce(startup: Option<Startup>) {
    if let Some(startup) = startup {
        startup.ready();
    }
    // Without a service manager there is nobody to tell.
    let _ = notify::ready("supervising");
}

/// Removes the socket files that are still ours.
fn listeners_gone(listeners: &Listeners, log: &mut ActivityLog) {
    for error in listeners.unlink() {
        log.write(Level::Warn, &format!("could not remove a socket: {error}"));
    }
}
