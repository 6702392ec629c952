//! The registry: every descriptor of every child, by role and process. Nothing else opens or closes one.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tokio::sync::Notify;

use super::channel_log::{ChannelLog, Sinks, Writer};
use super::output::{Chunk, Output};
use super::stdin::{Stdin, StdinError};
use crate::config::{ChannelConfig, Level, LogFile};
use crate::core::{Channel, Pid, ProcId, Process};
use crate::logs::{ActivityLog, Filter, Syslog, auto};
use crate::sys::poller::{Interest, Poller};
use crate::sys::spawn::Child;

/// Most bytes of one read, and so of one record in a log: what a pipe holds by default.
pub const READ_BYTES_MAX: usize = 64 * 1024;

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
}

impl Token {
    const STDIN_BIT: u64 = 1 << 62;
    const STATUS_BIT: u64 = 1 << 61;

    /// As the poller carries it.
    pub fn to_bits(self) -> u64 {
        match self {
            Token::Signals => u64::MAX,
            Token::Output(index) => index as u64,
            Token::Stdin(slot) => Self::STDIN_BIT | u64::from(slot),
            Token::Status(slot) => Self::STATUS_BIT | u64::from(slot),
        }
    }

    /// From what the poller carries.
    pub fn from_bits(bits: u64) -> Self {
        match bits {
            u64::MAX => Token::Signals,
            bits if bits & Self::STDIN_BIT != 0 => Token::Stdin(bits as u32),
            bits if bits & Self::STATUS_BIT != 0 => Token::Status(bits as u32),
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
    redirect_stderr: bool,
    capture_maxbytes: [i64; 2],
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
    /// The slots of children that run.
    running: HashMap<Pid, ProcId>,
    buffer: Box<[u8]>,
    /// Bells of removed processes that somebody still listens to: a process with the same log takes them over.
    left_bells: Vec<(PathBuf, Rc<Notify>)>,
    syslog: Syslog,
    strip_ansi: bool,
}

impl Programs {
    /// None yet. `ident` names the lines in the system log.
    pub fn new(strip_ansi: bool, ident: &str) -> Self {
        Programs {
            slots: Vec::new(),
            outputs: Vec::new(),
            vacant: Vec::new(),
            running: HashMap::new(),
            buffer: vec![0; READ_BYTES_MAX].into_boxed_slice(),
            left_bells: Vec::new(),
            syslog: Syslog::new(ident),
            strip_ansi,
        }
    }

    /// Takes a process in and makes its AUTO logs.
    pub fn add(&mut self, process: &Process, childlogdir: &Path, identifier: &str, log: &mut ActivityLog) {
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
            if let Some(index) = self.left_bells.iter().position(same_log) {
                made.written = Some(self.left_bells.swap_remove(index).1);
            }
            made
        };
        let logs = [channel(Channel::Stdout, &config.stdout), channel(Channel::Stderr, &config.stderr)];
        let slot = process.id.slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        self.slots[slot] = Some(Program {
            id: process.id,
            name: config.name.clone(),
            group: process.group.clone(),
            redirect_stderr: config.redirect_stderr,
            capture_maxbytes: [config.stdout.capture_maxbytes, config.stderr.capture_maxbytes],
            stdin: None,
            status: None,
            failure: None,
            logs,
            outputs: Vec::new(),
        });
    }

    /// Forgets a process. Pipes that grandchildren keep are closed.
    pub fn remove(&mut self, id: ProcId, poller: &Poller, sinks: &mut Sinks<'_>) {
        let Some(program) = self.program(id) else { return };
        for index in program.outputs.clone() {
            self.close_output(index, poller, sinks);
        }
        let Some(program) = self.slots[id.slot as usize].take() else { return };
        if let Some(stdin) = program.stdin {
            stdin.close(poller);
        }
        self.left_bells.retain(|(_, bell)| Rc::strong_count(bell) > 1);
        for log in program.logs {
            if let (Some(path), Some(bell)) = (log.path, log.written) {
                self.left_bells.push((path, bell));
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
            program.failure = None;
            poller.add(&status, token, Interest::Read)?;
            program.status = Some(status.into());
        }
        self.add_output(id, pid, Channel::Stdout, stdout, poller)?;
        stderr.map_or(Ok(()), |stderr| self.add_output(id, pid, Channel::Stderr, stderr, poller))
    }

    /// A pipe can be read: takes one record from it.
    pub fn read(&mut self, index: usize, poller: &Poller, sinks: &mut Sinks<'_>) {
        self.read_one(index, poller, sinks);
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
        if let Some(stdin) = program.stdin.take_if(|stdin| stdin.is_read_by(pid)) {
            stdin.close(poller);
        }
        for index in program.outputs.clone() {
            if self.outputs[index].as_ref().is_none_or(|output| output.pid != pid) {
                continue;
            }
            // No more than one pipeful is the dead child's; a grandchild that floods must not hold us here.
            for _ in 0..=PIPE_BYTES_MAX / READ_BYTES_MAX {
                if !self.read_one(index, poller, sinks) {
                    break;
                }
            }
        }
        failure
    }

    /// Takes one record from a pipe; false when it is empty or closed.
    fn read_one(&mut self, index: usize, poller: &Poller, sinks: &mut Sinks<'_>) -> bool {
        let Some(output) = self.outputs.get_mut(index).and_then(Option::as_mut) else { return false };
        match output.read(&mut self.buffer) {
            Chunk::Bytes(count) => {
                self.record(index, count, sinks);
                true
            }
            Chunk::Empty => false,
            Chunk::End => {
                self.close_output(index, poller, sinks);
                false
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

    /// A bell that rings after each write to a log.
    pub fn follow(&mut self, id: ProcId, channel: Channel) -> Option<Rc<Notify>> {
        let log = &mut self.program_mut(id)?.logs[channel as usize];
        Some(Rc::clone(log.written.get_or_insert_with(Default::default)))
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
            let filter = Filter::new(program.capture_maxbytes[channel as usize], strip_ansi);
            self.outputs[index] = Some(Output::new(reader, id, pid, channel, filter));
        }
        Ok(())
    }

    fn close_output(&mut self, index: usize, poller: &Poller, sinks: &mut Sinks<'_>) {
        self.finish(index, sinks);
        let Some(output) = self.outputs[index].take() else { return };
        output.forget(poller);
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
    fn record(&mut self, index: usize, count: usize, sinks: &mut Sinks<'_>) {
        let Programs { slots, outputs, buffer, syslog, .. } = self;
        let Some(output) = &mut outputs[index] else { return };
        let Some(program) = slot_mut(slots, output.id) else { return };
        let (log, writer) = program.log_and_writer(output.pid, output.channel);
        output.filter.feed(&buffer[..count], &mut |piece| log.take(piece, writer, syslog, sinks));
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
    fn log_and_writer(&mut self, pid: Pid, channel: Channel) -> (&mut ChannelLog, Writer<'_>) {
        let Program { name, group, logs, .. } = self;
        (&mut logs[channel as usize], Writer { process: name, group, pid, channel })
    }
}

fn slot_mut(slots: &mut [Option<Program>], id: ProcId) -> Option<&mut Program> {
    slots.get_mut(id.slot as usize)?.as_mut().filter(|program| program.id == id)
}
