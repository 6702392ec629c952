//! One life of the daemon between two restarts: from a configuration, or from what another image left, to a running loop.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::boot::{Refused, Standing};
use super::console::Console;
use super::environment::Inherited;
use super::fcgi::{self, FcgiSockets};
use super::handover::resume::{Head, Resumed};
use super::handover::upgrade::Upgrade;
use super::handover::{Descriptors, Past};
use super::listen::{Listeners, listen};
use super::perform::Shell;
use super::programs::{Programs, Token};
use super::recovery::{self, Adopted, Intent, Left, Orphans, Record, Whole};
use super::rpc_call::{INBOX_REQUESTS_MAX, Loop};
use super::run::{Daemon, rest_when_parked};
use crate::config::{self, Config, Level, Notice, OnCrash, Options};
use crate::core::{Core, Mood, Outbox, Pid, ProcId};
use crate::logs::{ActivityLog, Rotation, auto};
use crate::sys::code_pages::CodePages;
use crate::sys::daemonize::{Startup, daemonize};
use crate::sys::exec_self::ObjectId;
use crate::sys::fd_store::FdStore;
use crate::sys::host::Machine;
use crate::sys::pidfile::{self, PidFile};
use crate::sys::poller::{Interest, Poller};
use crate::sys::signals::Signals;
use crate::sys::spawn::Seats;
use crate::sys::{clock, notify};
use crate::{KIT_VERSION, SUPERVISOR_VERSION};

/// How long the thread that compares passwords waits for another one before it ends.
const PASSWORD_THREAD_KEPT: Duration = Duration::from_secs(1);

/// One life between two restarts.
pub(super) struct Generation {
    options: Options,
    /// Remembers the working directory at start, which relative paths go by.
    host: Rc<Machine>,
    config: Config,
    standing: Standing,
    signals: Signals,
    epoch: Instant,
    first: bool,
    /// Number of the next event: a restart does not begin anew.
    next_serial: u64,
    /// What another image left to go on from.
    past: Option<Past>,
}

/// What a life begins with.
struct Beginning {
    core: Core,
    out: Outbox,
    programs: Programs,
    fcgi: FcgiSockets,
    poller: Poller,
    listeners: Listeners,
    pidfile: Option<PidFile>,
    startup: Option<Startup>,
    /// What it goes on from.
    origin: Origin,
}

/// What a life goes on from.
enum Origin {
    /// Nothing: everything begins.
    Start,
    /// Another image of this process, with what that said of itself, the programs that are not our children, and the starts of
    /// which it could not say how they ended.
    Upgrade(Head, Vec<(ProcId, Pid, u64)>, Vec<Intent>),
    /// A daemon that was killed.
    Crash(Orphans),
}

impl Generation {
    /// The first life of this process.
    pub(super) fn new(
        options: Options,
        host: Rc<Machine>,
        config: Config,
        standing: Standing,
        past: Option<Past>,
    ) -> Result<Self, Refused> {
        let (signals, epoch) = (Signals::open()?, clock::zero());
        let first = past.is_none();
        Ok(Generation { options, host, config, standing, signals, epoch, first, next_serial: 0, past })
    }

    /// One life after the other, until the daemon is to end.
    pub(super) fn live(mut self, mut notices: Vec<Notice>) -> Result<(), Refused> {
        while self.run(std::mem::take(&mut notices))? == Mood::Restarting {
            self.first = false;
            self.config = self.next_config(&mut notices);
        }
        if let Some(lock) = self.standing.lock {
            lock.release();
        }
        Ok(())
    }

    fn run(&mut self, notices: Vec<Notice>) -> Result<Mood, Refused> {
        let mut log = open_log(&self.config)?;
        let beginning = match self.past.take() {
            None => self.begin(notices, &mut log)?,
            Some(Past::Upgrade(text)) => self.resume(&text, &mut log)?,
            Some(Past::Crash(left, kept)) => self.recover(&left, kept, notices, &mut log)?,
        };
        self.serve(log, beginning).map_err(|error| Refused(format!("cannot run the event loop: {error}")))
    }

    /// From the configuration.
    fn begin(&mut self, notices: Vec<Notice>, log: &mut ActivityLog) -> Result<Beginning, Refused> {
        let settings = &self.config.supervisord;
        let mut notices = [notices, self.config.notices.clone()].concat();
        notices.sort_by_key(|notice| std::cmp::Reverse(notice.level));
        notices.iter().for_each(|notice| log.write(notice.level, &notice.text));
        // At a restart in the background the log is the only place where anybody can read it.
        let listeners = match listen(&self.config, log) {
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
        if let Err(error) = fcgi::check(&self.config, log) {
            log.write(Level::Critical, &error.to_string());
            // After a restart the programs that need no socket must run; the others say in `status` why they do not.
            if self.first {
                listeners_gone(&listeners, log);
                return Err(error.into());
            }
        }
        let startup = self.go_to_background(log)?;
        let pidfile = write_pidfile(&settings.pidfile, log);
        log.write(Level::Info, &format!("supervisord started with pid {}", std::process::id()));
        log.write(Level::Info, &format!("supervisor-kit {KIT_VERSION} serves as Supervisor {SUPERVISOR_VERSION}"));
        let mut out = Outbox::watching_for(Console::wanted());
        // The core keeps them from here on.
        let groups = std::mem::take(&mut self.config.groups);
        let core = Core::new(groups, &self.config.supervisord.identifier, self.next_serial, &mut out);
        Ok(Beginning {
            core,
            out,
            programs: self.programs()?,
            fcgi: FcgiSockets::default(),
            poller: Poller::open()?,
            listeners,
            pidfile,
            startup,
            origin: Origin::Start,
        })
    }

    /// From what another image of this process left.
    fn resume(&mut self, text: &str, log: &mut ActivityLog) -> Result<Beginning, Refused> {
        let Whole { head, document, core, intents } = Whole::read(text)?;
        let (poller, mut descriptors) = (Poller::open()?, Descriptors::Inherited);
        let Resumed { programs, fcgi, lost } =
            Resumed::read(&document, &core, self.programs()?, &mut descriptors, &poller)?;
        let listeners = Listeners::restore(&document, &mut descriptors, &self.config, log)?;
        let (from, pid, running) = (&head.version, std::process::id(), core.running().len());
        let text =
            format!("supervisor-kit {KIT_VERSION} goes on as pid {pid} where {from} was; {running} programs run on");
        log.write(Level::Info, &text);
        lost.iter().for_each(|line| log.write(Level::Critical, line));
        let path = &self.config.supervisord.pidfile;
        let pidfile = PidFile::resume(path)
            .inspect_err(|error| {
                log.write(Level::Critical, &format!("could not write pidfile {}: {error}", path.display()))
            })
            .ok();
        let adopted = document.named("adopted").map(|from| from.get("process")).collect::<Result<_, _>>()?;
        let origin = Origin::Upgrade(head, adopted, intents);
        let out = Outbox::watching_for(Console::wanted());
        Ok(Beginning { core, out, programs, fcgi, poller, listeners, pidfile, startup: None, origin })
    }

    /// From what a daemon that was killed left. Should that not be possible, from the configuration.
    fn recover(
        &mut self,
        left: &Left,
        kept: HashMap<ObjectId, OwnedFd>,
        notices: Vec<Notice>,
        log: &mut ActivityLog,
    ) -> Result<Beginning, Refused> {
        let Whole { head, document, mut core, intents } = match Whole::read(&left.text) {
            Ok(whole) => whole,
            Err(error) => {
                let text = format!(
                    "cannot take back the programs of the supervisord before this one: {error}; look for processes that it left"
                );
                log.write(Level::Critical, &text);
                return self.begin(notices, log);
            }
        };
        core.forget_clients();
        notices.iter().for_each(|notice| log.write(notice.level, &notice.text));
        let startup = self.go_to_background(log)?;
        let (poller, mut descriptors) = (Poller::open()?, Descriptors::Parked(kept));
        let Resumed { programs, fcgi, lost } =
            Resumed::read(&document, &core, self.programs()?, &mut descriptors, &poller)?;
        let predecessor = left.predecessor();
        // From here on there is no way back, and its pidfile and sockets are free.
        predecessor.into_iter().for_each(|old| old.end(&self.config.supervisord.pidfile));
        let pidfile = write_pidfile(&self.config.supervisord.pidfile, log);
        let how = if predecessor.is_some() { "a supervisord of another make" } else { "which was killed" };
        log.write(Level::Info, &format!("supervisord started with pid {}", std::process::id()));
        let text = format!("supervisor-kit {KIT_VERSION} takes the place of pid {}, {how}", head.pid);
        log.write(Level::Warn, &text);
        lost.iter().for_each(|line| log.write(Level::Critical, line));
        let listeners = Listeners::restore(&document, &mut descriptors, &self.config, log)?;
        if let (Descriptors::Parked(rest), Some(store)) = (descriptors, FdStore::open()) {
            rest.keys().for_each(|object| drop(store.forget(*object)));
        }
        let orphans = Orphans::of(&document, &core, intents, left.in_flight.clone())?;
        let (out, origin) = (Outbox::watching_for(Console::wanted()), Origin::Crash(orphans));
        Ok(Beginning { core, out, programs, fcgi, poller, listeners, pidfile, startup, origin })
    }

    /// No programs yet, and what keeps them should we be killed.
    fn programs(&self) -> std::io::Result<Programs> {
        let settings = &self.config.supervisord;
        let is_kept = settings.on_crash != OnCrash::Leave;
        let in_flight = is_kept.then(|| recovery::in_flight_path(&settings.pidfile));
        let store = if is_kept { FdStore::open() } else { None };
        Programs::new(settings.strip_ansi, "supervisord", in_flight.as_deref(), store)
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

    fn shell(&self, log: ActivityLog, programs: Programs, fcgi: FcgiSockets, poller: Poller, record: Record) -> Shell {
        Shell {
            programs,
            seats: Seats::reserve(),
            fcgi,
            poller,
            log,
            late: Outbox::new(),
            logged: None,
            told_files: 0,
            console: Console::new(&self.config.path, &self.config.supervisord.identifier),
            inherited: Inherited::capture(&self.config),
            waiting: std::collections::HashMap::new(),
            left_answers: std::collections::HashMap::new(),
            last_ticket: 0,
            adopted: Adopted::default(),
            record,
            halted: None,
            config: self.config.clone(),
            options: self.options.clone(),
            host: Rc::clone(&self.host),
        }
    }

    fn serve(&mut self, log: ActivityLog, beginning: Beginning) -> std::io::Result<Mood> {
        let Beginning { core, out, programs, fcgi, poller, listeners, pidfile, startup, origin } = beginning;
        let settings = &self.config.supervisord;
        let record = match settings.on_crash {
            OnCrash::Adopt | OnCrash::Kill => Record::beside(&settings.pidfile),
            OnCrash::Leave => Record::default(),
        };
        let store = if settings.on_crash == OnCrash::Leave { None } else { FdStore::open() };
        if let Some(store) = &store {
            listeners.park(store);
        }
        poller.add(&self.signals, Token::Signals.to_bits(), Interest::Read)?;
        let shell = self.shell(log, programs, fcgi, poller, record);
        let mut daemon = Daemon {
            core,
            shell,
            out,
            signals: &self.signals,
            epoch: self.epoch,
            standing: &self.standing,
            servers: Rc::new(listeners),
            upgrade: Upgrade::default(),
            rested: false,
            rest: Arc::default(),
        };
        daemon.shell.console.know(&daemon.core);
        match origin {
            Origin::Start => {}
            Origin::Upgrade(head, adopted, intents) => daemon.take_up(head, adopted, intents),
            Origin::Crash(orphans) => daemon.take_back(orphans),
        }
        let (rest, code) = (Arc::clone(&daemon.rest), CodePages::find());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // For comparing passwords, one after the other.
            .max_blocking_threads(1)
            .thread_keep_alive(PASSWORD_THREAD_KEPT)
            .on_thread_park(move || rest_when_parked(&rest, &code))
            .build()?;
        let tasks = tokio::task::LocalSet::new();
        let mood = tasks.block_on(&runtime, async {
            let pollers = daemon.shell.poller.watch()?;
            let (sender, inbox) = mpsc::channel(INBOX_REQUESTS_MAX);
            let asks = Loop::new(sender, daemon.shell.config.supervisord.loglevel);
            daemon.servers.serve(&asks, &daemon.shell.console, &self.config)?;
            announce(startup, daemon.shell.programs.unit());
            Ok::<_, std::io::Error>(daemon.run_guarded(inbox, pollers).await)
        })?;
        self.next_serial = daemon.core.next_serial();
        // Should the next configuration be broken.
        self.config.groups = daemon.core.configured().to_vec();
        // Answers that were just given get their way out before the servers are gone.
        tasks.block_on(&runtime, async { tokio::task::yield_now().await });
        if let Some(store) = &store {
            daemon.servers.retire(store);
        }
        drop(tasks);
        daemon.shell.record.remove();
        listeners_gone(&daemon.servers, &mut daemon.shell.log);
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

/// Tells whoever started us that we are up, and where `systemctl` shows the programs if they are not with us.
fn announce(startup: Option<Startup>, programs_unit: Option<String>) {
    if let Some(startup) = startup {
        startup.ready();
    }
    // Without a service manager there is nobody to tell.
    let _ = notify::ready(&match programs_unit {
        Some(unit) => format!("supervising; programs: systemctl status {unit}"),
        None => "supervising".to_owned(),
    });
}

/// Removes the socket files that are still ours.
fn listeners_gone(listeners: &Listeners, log: &mut ActivityLog) {
    for error in listeners.unlink() {
        log.write(Level::Warn, &format!("could not remove a socket: {error}"));
    }
}
