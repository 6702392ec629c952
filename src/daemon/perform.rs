//! Carries out what the core tells, and what RPC methods ask of the shell.

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;

use super::channel_log::Sinks;
use super::console::Console;
use super::environment::Inherited;
use super::fcgi::FcgiSockets;
use super::follow::Feed;
use super::kernel::SystemKernel;
use super::programs::Programs;
use super::recovery::{Adopted, Record};
use super::stdin::StdinError;
use crate::config::{Config, GroupConfig, Level, Options};
use crate::core::{Core, Input, Mood, Now, Outbox, ProcId, Refusal, Status, Tell, Ticket};
use crate::logs::{ActivityLog, read};
use crate::rpc::{self, Channel, Job, LocalTime, LogSource, Surroundings};
use crate::sys::host::Machine;
use crate::sys::local_time::local_time;
use crate::sys::poller::Poller;
use crate::sys::spawn::Seats;
use crate::xmlrpc::{Fault, Value, code};

/// What a client gets.
pub type Answer = Result<Value, Fault>;

/// The shell's side of everything: descriptors, logs, clients.
pub struct Shell {
    /// The configuration that the daemon runs with.
    pub config: Config,
    /// The command line, for reading the configuration again.
    pub options: Options,
    /// What the configuration may ask of the machine.
    pub host: Rc<Machine>,
    /// Children's descriptors and logs.
    pub programs: Programs,
    /// For starts without a fork, where the kernel knows them.
    pub seats: Option<Seats>,
    /// Where FastCGI programs listen.
    pub fcgi: FcgiSockets,
    /// Watches them, and the signals.
    pub poller: Poller,
    /// Programs that are not our children.
    pub adopted: Adopted,
    /// What another daemon would go on from, should this one be killed.
    pub record: Record,
    /// The activity log.
    pub log: ActivityLog,
    /// Events of closing what an earlier run left open, while the core was deciding.
    pub late: Outbox,
    /// Rings after each line of the activity log, when somebody follows it.
    pub logged: Option<Rc<Feed>>,
    /// How many of the files that the activity log has begun its followers know of.
    pub told_files: u64,
    /// What the web console keeps.
    pub console: Rc<Console>,
    /// What children inherit.
    pub inherited: Inherited,
    /// Clients whose answer the core has not given yet.
    pub waiting: HashMap<Ticket, oneshot::Sender<Answer>>,
    /// Answers for clients of another image of the daemon, until their connections fetch them.
    pub left_answers: HashMap<Ticket, oneshot::Receiver<Answer>>,
    /// The last ticket given out.
    pub last_ticket: Ticket,
    /// Set when everything has stopped.
    pub halted: Option<Mood>,
}

impl Shell {
    /// Hands one happening to the core.
    pub fn handle(&mut self, core: &mut Core, now: Now, input: Input, out: &mut Outbox) {
        out.append(&mut self.late);
        let mut kernel = self.kernel();
        core.handle(now, input, &mut kernel, out);
        self.perform(core, now, out);
    }

    /// Lets the core do what is due.
    pub fn tick(&mut self, core: &mut Core, now: Now, out: &mut Outbox) {
        loop {
            out.append(&mut self.late);
            let mut kernel = self.kernel();
            core.tick(now, &mut kernel, out);
            self.perform(core, now, out);
            // Events that came of what was done are handed out in this turn too.
            if self.late.is_empty() {
                return;
            }
        }
    }

    fn kernel(&mut self) -> SystemKernel<'_> {
        let Shell { programs, seats, fcgi, poller, inherited, adopted, record, log, late, .. } = self;
        SystemKernel { programs, seats, fcgi, poller, adopted, record, inherited, log, out: late }
    }

    /// A ticket for one more client, and where its answer comes.
    pub fn expect_answer(&mut self) -> (Ticket, oneshot::Receiver<Answer>) {
        self.last_ticket += 1;
        (self.last_ticket, self.expect_answer_to(self.last_ticket))
    }

    /// The same for a ticket that was given out before.
    pub fn expect_answer_to(&mut self, ticket: Ticket) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.insert(ticket, sender);
        receiver
    }

    /// Writes a line to the activity log and wakes whoever follows it.
    pub fn log(&mut self, level: Level, text: &str) {
        #[cfg(debug_assertions)]
        break_down_at(text);
        self.log.write(level, text);
        self.ring();
    }

    /// Wakes whoever follows the activity log: what reads pipes writes to it too.
    pub fn ring(&mut self) {
        let begun = self.log.begun_files();
        let untold = begun - std::mem::replace(&mut self.told_files, begun);
        if let Some(logged) = &self.logged {
            logged.ring(untold);
        }
    }

    /// Carries out every tell, in order, until none is left.
    pub fn perform(&mut self, core: &mut Core, now: Now, out: &mut Outbox) {
        let mut rereads: Vec<Ticket> = Vec::new();
        for tell in out.drain() {
            match tell {
                Tell::Log(level, text) => self.log(level, &text),
                // The core has handed it to the pools.
                Tell::Event(event) => self.console.note(&event),
                Tell::Reply(ticket, reply) => {
                    if let Some(client) = self.waiting.remove(&ticket) {
                        // A client that has gone away needs no answer.
                        let _ = client.send(rpc::encode(reply));
                    }
                }
                Tell::Changed(id) => self.record.note(id),
                Tell::Added(ids) => {
                    self.record.note_whole();
                    self.late.subscribe(core.subscriptions());
                    for process in ids.iter().filter_map(|id| core.process(*id)) {
                        self.console.added(process);
                        let (settings, is_listener) = (&self.config.supervisord, core.is_listener(process.id));
                        let (dir, identifier) = (&settings.childlogdir, &settings.identifier);
                        self.programs.add(process, is_listener, dir, identifier, &mut self.log);
                    }
                }
                Tell::Removed(ids) => {
                    self.record.note_whole();
                    ids.iter().for_each(|id| self.console.removed(*id));
                    let Shell { programs, poller, log, late, .. } = self;
                    late.subscribe(core.subscriptions());
                    let sinks = &mut Sinks { log, out: late, heard: &mut Vec::new() };
                    ids.iter().for_each(|id| programs.remove(*id, poller, sinks));
                }
                Tell::Adapted(id) => {
                    self.record.note_whole();
                    if let Some(process) = core.process(id) {
                        self.programs.adapt(process);
                        self.console.adapted(id);
                    }
                }
                Tell::ReadConfig(ticket) => rereads.push(ticket),
                Tell::Halt(mood) => self.halted = Some(mood),
            }
        }
        for ticket in rereads {
            self.record.note_whole();
            let result = self.read_groups();
            self.handle(core, now, Input::ConfigRead(ticket, result), out);
        }
    }

    /// Reads the configuration again. Only the groups count: the daemon's own settings change at a restart
    /// (divergence D6).
    fn read_groups(&mut self) -> Result<Vec<GroupConfig>, String> {
        let config = self.read_config()?;
        for notice in &config.notices {
            self.log(notice.level, &notice.text);
        }
        Ok(config.groups)
    }

    /// Reads the configuration again.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn read_config(&self) -> Result<Config, String> {
        crate::config::load(&self.options, &*self.host).map_err(|error| error.to_string())
    }

    /// Does what an RPC method asks of the shell.
    ///
    /// # Errors
    /// The method's faults.
    pub fn run_job(&mut self, core: &Core, job: Job) -> Answer {
        match job {
            Job::ReadLog(source, offset, length) => self.read_log(source, offset, length),
            Job::TailLog(source, offset, length) => Ok(self.tail_log(source, offset, length)),
            Job::ClearMainLog => self.clear_main_log(),
            Job::ClearLogs(id, name) => match self.programs.clear_logs(id) {
                Ok(()) => Ok(Value::Bool(true)),
                Err(error) => Err(Fault::with(code::FAILED, format!("{name}: {error}"))),
            },
            Job::ClearAllLogs(ids) => Ok(self.clear_all_logs(core, &ids)),
            Job::Log(level, text) => {
                self.log(level, &text);
                Ok(Value::Bool(true))
            }
            // The loop's own affair.
            Job::AddProgram { .. } | Job::Scale { .. } | Job::Upgrade => Err(Fault::new(code::FAILED)),
            Job::WriteStdin(id, name, bytes) => match self.programs.write_stdin(id, &bytes, &self.poller) {
                Ok(()) => Ok(Value::Bool(true)),
                Err(StdinError::Closed) => Err(Fault::with(code::NO_FILE, name)),
                Err(StdinError::Full) => {
                    Err(Fault::with(code::FAILED, format!("{name} does not read its standard input, try again later")))
                }
            },
        }
    }

    /// The file behind a log, if there is one.
    pub fn path_of(&self, source: LogSource) -> Option<PathBuf> {
        match source {
            LogSource::Main => self.log.path().map(PathBuf::from),
            LogSource::Process(id, channel) => self.programs.log_path(id, channel).cloned(),
        }
    }

    /// Where those who follow a log read along.
    pub fn feed_of(&mut self, source: LogSource) -> Option<Rc<Feed>> {
        match source {
            LogSource::Main => {
                let path = self.log.path()?.to_owned();
                self.ring();
                Some(Rc::clone(self.logged.get_or_insert_with(|| Rc::new(Feed::new(path)))))
            }
            LogSource::Process(id, channel) => self.programs.feed(id, channel),
        }
    }

    fn read_log(&self, source: LogSource, offset: i64, length: i64) -> Answer {
        let path = self.path_of(source).ok_or_else(|| Fault::new(code::NO_FILE))?;
        match read::read_slice(&path, offset, length) {
            Ok(slice) => Ok(slice.text().into()),
            Err(read::ReadError::BadArguments) => Err(Fault::new(code::BAD_ARGUMENTS)),
            Err(_) if !path.exists() => Err(Fault::with(code::NO_FILE, path.display())),
            Err(_) => Err(Fault::new(code::FAILED)),
        }
    }

    fn tail_log(&self, source: LogSource, offset: i64, length: i64) -> Value {
        match self.path_of(source).filter(|path| path.exists()) {
            Some(path) => {
                let tail = read::tail(&path, offset, length);
                Value::Array(vec![tail.slice.text().into(), tail.offset.into(), tail.overflow.into()])
            }
            None => Value::Array(vec!["".into(), 0.into(), false.into()]),
        }
    }

    fn clear_main_log(&mut self) -> Answer {
        let path = self.log.path().filter(|path| path.exists());
        let path = path.ok_or_else(|| Fault::new(code::NO_FILE))?.display().to_string();
        // Before it, as ever: who reads the emptied file finds nothing.
        self.log(Level::Info, "reopening log file");
        self.log.clear().map_err(|error| Fault::with(code::FAILED, format!("{path}: {error}")))?;
        self.ring();
        Ok(Value::Bool(true))
    }

    fn clear_all_logs(&mut self, core: &Core, ids: &[ProcId]) -> Value {
        let mut lines = Vec::new();
        for process in ids.iter().filter_map(|id| core.process(*id)) {
            let outcome = self
                .programs
                .clear_logs(process.id)
                .map_err(|error| Refusal::Failed(format!("{}: {error}", process.namespec())));
            lines.push(rpc::status_struct(Status {
                name: process.config.name.clone(),
                group: process.group.clone(),
                outcome,
            }));
        }
        Value::Array(lines)
    }
}

impl Surroundings for Shell {
    fn wall_secs(&self) -> i64 {
        wall_secs()
    }

    fn local_time(&self, wall_secs: i64) -> LocalTime {
        let at = local_time(wall_secs);
        LocalTime { month: at.month as u8, day: at.day as u8, hour: at.hour as u8, minute: at.minute as u8 }
    }

    fn pid(&self) -> i32 {
        std::process::id().cast_signed()
    }

    fn identifier(&self) -> &str {
        &self.config.supervisord.identifier
    }

    fn log_path(&self, id: ProcId, channel: Channel) -> Option<String> {
        self.programs.log_path(id, channel).map(|path| path.to_string_lossy().into_owned())
    }

    fn twiddler(&self) -> Option<&[String]> {
        self.config.twiddler.as_deref()
    }

    fn has_supervisor_rpc(&self) -> bool {
        self.config.has_supervisor_rpc
    }
}

/// Where a test wants the daemon to break down: at a line with this text. Release builds have nothing of it.
#[cfg(debug_assertions)]
fn break_down_at(text: &str) {
    let wanted = std::env::var("SUPERVISORD_BREAK_DOWN_AT");
    assert!(!wanted.is_ok_and(|wanted| text.contains(&wanted)), "a test wants it");
}

/// Seconds since 1970.
pub fn wall_secs() -> i64 {
    wall_time().0
}

/// Seconds since 1970, and the nanoseconds of the next one that have passed.
pub fn wall_time() -> (i64, u32) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs().cast_signed(), since.subsec_nanos())
}
