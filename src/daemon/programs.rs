//! The registry: every descriptor of every child, by role and process. Nothing else opens or closes one.

mod hold;
pub mod park;
mod tree;

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::channel_log::{ChannelLog, Sinks, Writer};
use super::follow::Feed;
use super::output::{Chunk, FLOOD_BYTES_MAX, Output, READ_BYTES};
use super::stdin::{Stdin, StdinError};
use super::trees::Trees;
use crate::config::{ChannelConfig, Level, LogFile};
use crate::core::{Channel, Closed, Pid, ProcId, Process};
use crate::logs::{ActivityLog, Filter, RotatingFile, Syslog, auto};
use crate::sys::fd_store::FdStore;
use crate::sys::in_flight::InFlight;
use crate::sys::poller::{Interest, Poller};
use crate::sys::spawn::Child;

/// Most pipes of ended runs that one program's surviving grandchildren may keep open.
pub const LINGERING_PIPES_MAX: usize = 8;

/// Most bytes that a child says about why it cannot become its program.
const STATUS_BYTES_MAX: usize = 4096;

/// What a pipe of a dead child can still hold: the largest pipe the kernel makes without privileges.
const PIPE_BYTES_MAX: usize = 1024 * 1024;

/// Names a descriptor in the poller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// The queue of signals.
    Signals,
    /// An output pipe, by its place in the registry.
    Output(usize),
    /// The input pipe of the process in a slot.
    Stdin(u32),
    /// The pipe that tells why the process in a slot could not become its program.
    Status(u32),
    /// The handle of the process in a slot, which is not our child.
    Adopted(u32),
}

impl Token {
    const STDIN_BIT: u64 = 1 << 62;
    const STATUS_BIT: u64 = 1 << 61;
    const ADOPTED_BIT: u64 = 1 << 60;

    /// As the poller carries it.
    pub fn to_bits(self) -> u64 {
        match self {
            Token::Signals => u64::MAX,
            Token::Output(index) => index as u64,
            Token::Stdin(slot) => Self::STDIN_BIT | u64::from(slot),
            Token::Status(slot) => Self::STATUS_BIT | u64::from(slot),
            Token::Adopted(slot) => Self::ADOPTED_BIT | u64::from(slot),
        }
    }

    /// From what the poller carries.
    pub fn from_bits(bits: u64) -> Self {
        match bits {
            u64::MAX => Token::Signals,
            bits if bits & Self::STDIN_BIT != 0 => Token::Stdin(bits as u32),
            bits if bits & Self::STATUS_BIT != 0 => Token::Status(bits as u32),
            bits if bits & Self::ADOPTED_BIT != 0 => Token::Adopted(bits as u32),
            bits => Token::Output(bits as usize),
        }
    }
}

/// What the shell keeps of one process.
#[derive(Debug)]
struct Program {
    id: ProcId,
    name: String,
    group: String,
    /// Its standard output is what it says to the supervisor.
    is_listener: bool,
    redirect_stderr: bool,
    capture_maxbytes: [i64; 2],
    /// The process that runs; 0 when none does.
    pid: Pid,
    /// When the kernel started it, once somebody has asked.
    born: Cell<Option<u64>>,
    stdin: Option<Stdin>,
    status: Option<File>,
    /// Why the running child could not become its program.
    failure: Option<String>,
    logs: [ChannelLog; 2],
    /// Its pipes, oldest first, by their place in the registry.
    outputs: Vec<usize>,
}

/// All of them.
#[derive(Debug)]
pub struct Programs {
    slots: Vec<Option<Program>>,
    outputs: Vec<Option<Output>>,
    vacant: Vec<usize>,
    /// Where they are, and what those with `killmode=tree` have started.
    trees: Trees,
    /// The slots of children that run.
    running: HashMap<Pid, ProcId>,
    /// Where a record is between its pipe and its log.
    buffer: InFlight,
    /// Keeps copies of the pipes, should we be killed.
    store: Option<FdStore>,
    /// Feeds of removed processes that somebody still follows: a process with the same log takes them over.
    left_feeds: Vec<(PathBuf, Rc<Feed>)>,
    syslog: Syslog,
    strip_ansi: bool,
}

impl Programs {
    /// None yet. `ident` names the lines in the system log. `in_flight` is where the bytes on their way into a log outlive us,
    /// and `store` keeps the pipes.
    ///
    /// # Errors
    /// No memory.
    pub fn new(strip_ansi: bool, ident: &str, in_flight: Option<&Path>, store: Option<FdStore>) -> io::Result<Self> {
        Ok(Programs {
            slots: Vec::new(),
            outputs: Vec::new(),
            vacant: Vec::new(),
            trees: Trees::new(),
            running: HashMap::new(),
            buffer: InFlight::open(in_flight, FLOOD_BYTES_MAX)?,
            store,
            left_feeds: Vec::new(),
            syslog: Syslog::new(ident),
            strip_ansi,
        })
    }

    /// Takes a process in and makes its AUTO logs.
    pub fn add(
        &mut self,
        process: &Process,
        is_listener: bool,
        childlogdir: &Path,
        identifier: &str,
        log: &mut ActivityLog,
    ) {
        let config = &process.config;
        let mut channel = |channel: Channel, settings: &ChannelConfig| {
            let path = match &settings.file {
                LogFile::None => None,
                LogFile::Path(path) => Some(path.clone()),
                LogFile::Auto => auto::create(childlogdir, &config.name, channel.name(), identifier)
                    .inspect_err(|error| {
                        let (what, dir) = (channel.name(), childlogdir.display());
                        let text = format!("could not make a {what} log for {} in {dir}: {error}", config.name);
                        log.write(Level::Warn, &text);
                    })
                    .ok(),
            };
            let mut made = ChannelLog::new(settings, path);
            let same_log = |(path, _): &(PathBuf, _)| made.path.as_ref() == Some(path);
            if let Some(index) = self.left_feeds.iter().position(same_log) {
                made.written = Some(self.left_feeds.swap_remove(index).1);
            }
            made
        };
        let logs = [channel(Channel::Stdout, &config.stdout), channel(Channel::Stderr, &config.stderr)];
        let slot = process.id.slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        self.slots[slot] = Some(Program::new(process, is_listener, logs));
    }

    /// Takes on the settings that a process has now, as far as they are about what it writes.
    pub fn adapt(&mut self, process: &Process) {
        let Programs { slots, outputs, .. } = self;
        let Some(program) = slot_mut(slots, process.id) else { return };
        for (channel, settings) in
            [(Channel::Stdout, &process.config.stdout), (Channel::Stderr, &process.config.stderr)]
        {
            program.logs[channel as usize].adapt(settings);
            program.capture_maxbytes[channel as usize] = settings.capture_maxbytes;
            if program.is_listener && channel == Channel::Stdout {
                continue;
            }
            let own = program.outputs.iter().filter_map(|index| outputs.get(*index)?.as_ref().map(|_| *index));
            for index in own.collect::<Vec<_>>() {
                if let Some(output) = outputs[index].as_mut().filter(|output| output.channel == channel) {
                    output.filter.set_capture(settings.capture_maxbytes);
                }
            }
        }
    }

    /// Forgets a process. Pipes that grandchildren keep are closed.
    pub fn remove(&mut self, id: ProcId, poller: &Poller, sinks: &mut Sinks<'_>) {
        let Some(program) = self.program(id) else { return };
        for index in program.outputs.clone() {
            self.close_output(index, poller, sinks);
        }
        let Some(program) = self.slots[id.slot as usize].take() else { return };
        if let Some(stdin) = program.stdin {
            self.unpark(&stdin);
            stdin.close(poller);
        }
        self.left_feeds.retain(|(_, feed)| feed.is_followed());
        for log in program.logs {
            if let (Some(path), Some(feed)) = (log.path, log.written) {
                self.left_feeds.push((path, feed));
            }
        }
    }

    /// Where a log is; `None` when there is no file.
    pub fn log_path(&self, id: ProcId, channel: Channel) -> Option<&PathBuf> {
        self.program(id)?.logs[channel as usize].path.as_ref()
    }

    /// Opens the log files of a process that is about to start.
    ///
    /// # Errors
    /// The first that cannot be opened.
    pub fn open_logs(&mut self, id: ProcId) -> io::Result<()> {
        self.program_mut(id).map_or(Ok(()), |program| program.logs.iter_mut().try_for_each(ChannelLog::open))
    }

    /// Takes in the pipes of a new child.
    ///
    /// # Errors
    /// The poller refuses; the child is left without supervision of its output.
    pub fn attach(&mut self, id: ProcId, child: Child, poller: &Poller, sinks: &mut Sinks<'_>) -> io::Result<()> {
        self.limit_lingering(id, poller, sinks);
        let Child { pid, stdin, stdout, stderr, status } = child;
        self.running.insert(pid, id);
        let token = Token::Status(id.slot).to_bits();
        if let Some(program) = self.program_mut(id) {
            program.stdin = stdin.map(|stdin| Stdin::new(stdin, pid));
            (program.pid, program.failure) = (pid, None);
            program.born.set(None);
            poller.add(&status, token, Interest::Read)?;
            program.status = Some(status.into());
        }
        self.add_output(id, pid, Channel::Stdout, stdout, poller)?;
        stderr.map_or(Ok(()), |stderr| self.add_output(id, pid, Channel::Stderr, stderr, poller))
    }

    /// A pipe can be read: takes one record from it, and answers its bytes.
    pub fn read(&mut self, index: usize, poller: &Poller, sinks: &mut Sinks<'_>) -> usize {
        self.read_one(index, poller, sinks).unwrap_or(0)
    }

    /// A child has become its program, or says why it cannot.
    pub fn read_status(&mut self, slot: u32, poller: &Poller) {
        let Some(Some(program)) = self.slots.get_mut(slot as usize) else { return };
        let Some(mut status) = program.status.take() else { return };
        let mut text = [0; STATUS_BYTES_MAX];
        let count = status.read(&mut text).unwrap_or(0);
        if count > 0 {
            program.failure = Some(String::from_utf8_lossy(&text[..count]).into_owned());
        }
        // Before closing: a child just forked may still hold a copy.
        let _ = poller.remove(&status);
    }

    /// A child was reaped: takes everything it left in its pipes, before anybody hears of its end. A pipe that a grandchild
    /// keeps stays open and is read on. Answers why the child did not become its program, if it did not.
    pub fn drain(&mut self, pid: Pid, poller: &Poller, sinks: &mut Sinks<'_>) -> Option<String> {
        let id = self.running.remove(&pid)?;
        self.read_status(id.slot, poller);
        let program = self.program_mut(id)?;
        let failure = program.failure.take();
        if program.pid == pid {
            program.pid = 0;
        }
        let outputs = program.outputs.clone();
        if let Some(stdin) = program.stdin.take_if(|stdin| stdin.is_read_by(pid)) {
            self.unpark(&stdin);
            stdin.close(poller);
        }
        for index in outputs {
            if self.outputs[index].as_ref().is_none_or(|output| output.pid != pid) {
                continue;
            }
            // No more than one pipeful is the dead child's; a grandchild that floods must not hold us here.
            for _ in 0..=PIPE_BYTES_MAX / READ_BYTES {
                if self.read_one(index, poller, sinks).is_none() {
                    break;
                }
            }
        }
        failure
    }

    /// Takes one record from a pipe; `None` when it is empty or closed.
    fn read_one(&mut self, index: usize, poller: &Poller, sinks: &mut Sinks<'_>) -> Option<usize> {
        let Programs { slots, outputs, buffer, .. } = self;
        let output = outputs.get_mut(index).and_then(Option::as_mut)?;
        let log = slot_mut(slots, output.id).and_then(|program| program.logs[output.channel as usize].file());
        let bytes_max = output.bytes_max(log.map_or(u64::MAX, RotatingFile::room_bytes));
        let chunk = output.read(buffer.begin(bytes_max, output.object, log.map(RotatingFile::place)));
        match chunk {
            Chunk::Bytes(count) => {
                self.buffer.filled(count);
                self.record(index, sinks);
                self.buffer.end();
                Some(count)
            }
            Chunk::Empty => {
                self.buffer.filled(0);
                None
            }
            Chunk::End => {
                self.buffer.filled(0);
                self.close_output(index, poller, sinks);
                None
            }
        }
    }

    /// Writes to a program's standard input, now or when there is room.
    ///
    /// # Errors
    /// [`StdinError`].
    pub fn write_stdin(&mut self, id: ProcId, bytes: &[u8], poller: &Poller) -> Result<(), StdinError> {
        let stdin = self.program_mut(id).and_then(|program| program.stdin.as_mut()).ok_or(StdinError::Closed)?;
        stdin.write(bytes, Token::Stdin(id.slot).to_bits(), poller)
    }

    /// Puts an event into a listener's standard input, now or when there is room.
    ///
    /// # Errors
    /// The listener has closed it.
    pub fn deliver(&mut self, id: ProcId, event: &[u8], poller: &Poller) -> Result<(), Closed> {
        let stdin = self.program_mut(id).and_then(|program| program.stdin.as_mut()).ok_or(Closed)?;
        stdin.deliver(event, Token::Stdin(id.slot).to_bits(), poller)
    }

    /// There is room in an input pipe, or nobody reads it any more.
    pub fn flush_stdin(&mut self, slot: u32, poller: &Poller) {
        let Some(Some(program)) = self.slots.get_mut(slot as usize) else { return };
        if let Some(stdin) = &mut program.stdin {
            stdin.go_on(poller);
        }
    }

    /// Empties the log files of one process, running or not. Rolled files stay.
    ///
    /// # Errors
    /// The first that is not a regular file or cannot be written; the others are emptied all the same.
    pub fn clear_logs(&mut self, id: ProcId) -> io::Result<()> {
        let Some(program) = self.program_mut(id) else { return Ok(()) };
        program.logs.iter_mut().map(ChannelLog::clear).fold(Ok(()), io::Result::and)
    }

    /// Opens every log file again under its name (SIGUSR2).
    pub fn reopen_logs(&mut self, log: &mut ActivityLog) {
        for channel in self.slots.iter_mut().flatten().flat_map(|program| &mut program.logs) {
            channel.reopen(log);
        }
    }

    /// Where those who follow a log read along; `None` when there is no file.
    pub fn feed(&mut self, id: ProcId, channel: Channel) -> Option<Rc<Feed>> {
        let log = &mut self.program_mut(id)?.logs[channel as usize];
        let path = log.path.clone()?;
        log.ring();
        Some(Rc::clone(log.written.get_or_insert_with(|| Rc::new(Feed::new(path)))))
    }

    fn program(&self, id: ProcId) -> Option<&Program> {
        self.slots.get(id.slot as usize)?.as_ref().filter(|program| program.id == id)
    }

    fn program_mut(&mut self, id: ProcId) -> Option<&mut Program> {
        slot_mut(&mut self.slots, id)
    }

    fn add_output(
        &mut self,
        id: ProcId,
        pid: Pid,
        channel: Channel,
        reader: OwnedFd,
        poller: &Poller,
    ) -> io::Result<()> {
        let strip_ansi = self.strip_ansi;
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.outputs.push(None);
            self.outputs.len() - 1
        });
        if let Err(error) = poller.add(&reader, Token::Output(index).to_bits(), Interest::Read) {
            self.vacant.push(index);
            return Err(error);
        }
        if let Some(program) = self.program_mut(id) {
            program.outputs.push(index);
            let is_said = program.is_listener && channel == Channel::Stdout;
            let capture_maxbytes = if is_said { 0 } else { program.capture_maxbytes[channel as usize] };
            let filter = Filter::new(capture_maxbytes, strip_ansi);
            self.outputs[index] = Some(Output::new(reader, id, pid, channel, filter));
        }
        Ok(())
    }

    fn close_output(&mut self, index: usize, poller: &Poller, sinks: &mut Sinks<'_>) {
        self.finish(index, sinks);
        let Some(output) = self.outputs[index].take() else { return };
        output.forget(poller);
        self.unpark(&output);
        self.vacant.push(index);
        let Some(program) = slot_mut(&mut self.slots, output.id) else { return };
        program.outputs.retain(|other| *other != index);
        let is_same = |index: &usize| self.outputs[*index].as_ref().is_some_and(|o| o.channel == output.channel);
        if program.outputs.iter().any(is_same) {
            return;
        }
        program.logs[output.channel as usize].close(&program.name, sinks.log);
        if program.redirect_stderr && output.channel == Channel::Stdout {
            program.logs[Channel::Stderr as usize].close(&program.name, sinks.log);
        }
    }

    /// Closes the oldest pipes of ended runs when there are too many of them.
    fn limit_lingering(&mut self, id: ProcId, poller: &Poller, sinks: &mut Sinks<'_>) {
        let lingering = self.program(id).map(|program| program.outputs.clone()).unwrap_or_default();
        let surplus = lingering.len().saturating_sub(LINGERING_PIPES_MAX);
        for index in lingering.into_iter().take(surplus) {
            self.close_output(index, poller, sinks);
        }
    }

    /// Hands what is in the buffer to the log of the channel.
    fn record(&mut self, index: usize, sinks: &mut Sinks<'_>) {
        let Programs { slots, outputs, buffer, syslog, .. } = self;
        let Some(output) = &mut outputs[index] else { return };
        let Some(program) = slot_mut(slots, output.id) else { return };
        let is_said = program.is_listener && output.channel == Channel::Stdout;
        let (log, writer) = program.log_and_writer(output.pid, output.channel);
        if is_said {
            log.take_said(buffer.record(), &mut output.filter, writer, sinks);
        } else {
            output.filter.feed(buffer.record(), &mut |piece| log.take(piece, writer, syslog, sinks));
        }
        log.ring();
    }

    /// Hands out what a pipe at its end still held back.
    fn finish(&mut self, index: usize, sinks: &mut Sinks<'_>) {
        let Programs { slots, outputs, syslog, .. } = self;
        let Some(output) = &mut outputs[index] else { return };
        let Some(program) = slot_mut(slots, output.id) else { return };
        let (log, writer) = program.log_and_writer(output.pid, output.channel);
        output.filter.finish(&mut |piece| log.take(piece, writer, syslog, sinks));
        log.ring();
    }
}

impl Program {
    fn new(process: &Process, is_listener: bool, logs: [ChannelLog; 2]) -> Self {
        let config = &process.config;
        Program {
            id: process.id,
            name: config.name.clone(),
            group: process.group.clone(),
            is_listener,
            redirect_stderr: config.redirect_stderr,
            capture_maxbytes: [config.stdout.capture_maxbytes, config.stderr.capture_maxbytes],
            pid: 0,
            born: Cell::new(None),
            stdin: None,
            status: None,
            failure: None,
            logs,
            outputs: Vec::new(),
        }
    }

    fn log_and_writer(&mut self, pid: Pid, channel: Channel) -> (&mut ChannelLog, Writer<'_>) {
        let Program { name, group, logs, .. } = self;
        (&mut logs[channel as usize], Writer { process: name, group, pid, channel })
    }
}

fn slot_mut(slots: &mut [Option<Program>], id: ProcId) -> Option<&mut Program> {
    slots.get_mut(id.slot as usize)?.as_mut().filter(|program| program.id == id)
}
