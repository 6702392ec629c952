//! The registry: every descriptor of every child, by role and process. Nothing else opens or closes one.

use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::SystemTime;

use tokio::sync::Notify;

use super::stdin::{Stdin, StdinError};
use crate::config::{ChannelConfig, Level, LogFile};
use crate::core::{Pid, ProcId, Process};
use crate::logs::{ActivityLog, AnsiStripper, RotatingFile, Rotation, Syslog, auto};
use crate::rpc::Channel;
use crate::sys::poller::{Interest, Poller};
use crate::sys::spawn::Child;

/// Most bytes of one read, and so of one record in a log: what a pipe holds by default.
pub const READ_BYTES_MAX: usize = 64 * 1024;

/// Most pipes of ended runs that one program's surviving grandchildren may keep open.
pub const LINGERING_PIPES_MAX: usize = 8;

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
}

impl Token {
    const STDIN_BIT: u64 = 1 << 62;

    /// As the poller carries it.
    pub fn to_bits(self) -> u64 {
        match self {
            Token::Signals => u64::MAX,
            Token::Output(index) => index as u64,
            Token::Stdin(slot) => Self::STDIN_BIT | u64::from(slot),
        }
    }

    /// From what the poller carries.
    pub fn from_bits(bits: u64) -> Self {
        match bits {
            u64::MAX => Token::Signals,
            bits if bits & Self::STDIN_BIT != 0 => Token::Stdin(bits as u32),
            bits => Token::Output(bits as usize),
        }
    }
}

/// One output pipe. It outlives its process while a grandchild holds the other end.
#[derive(Debug)]
struct Output {
    reader: std::fs::File,
    id: ProcId,
    pid: Pid,
    channel: Channel,
}

/// The log of one channel.
#[derive(Debug, Default)]
struct ChannelLog {
    path: Option<PathBuf>,
    rotation: Option<Rotation>,
    file: Option<RotatingFile>,
    stripper: Option<AnsiStripper>,
    syslog: bool,
    /// Told after each write; made when somebody follows.
    written: Option<Rc<Notify>>,
    /// A write failed and none has worked since: one warning is enough.
    failing: bool,
}

/// What the shell keeps of one process.
#[derive(Debug)]
struct Program {
    id: ProcId,
    name: String,
    redirect_stderr: bool,
    stdin: Option<Stdin>,
    logs: [ChannelLog; 2],
}

/// All of them.
#[derive(Debug)]
pub struct Programs {
    slots: Vec<Option<Program>>,
    outputs: Vec<Option<Output>>,
    vacant: Vec<usize>,
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
            buffer: vec![0; READ_BYTES_MAX].into_boxed_slice(),
            left_bells: Vec::new(),
            syslog: Syslog::new(ident),
            strip_ansi,
        }
    }

    /// Takes a process in and makes its AUTO logs.
    pub fn add(&mut self, process: &Process, childlogdir: &std::path::Path, identifier: &str, log: &mut ActivityLog) {
        let config = &process.config;
        let mut channel = |name: &str, settings: &ChannelConfig| ChannelLog {
            path: match &settings.file {
                LogFile::None => None,
                LogFile::Path(path) => Some(path.clone()),
                LogFile::Auto => match auto::create(childlogdir, &config.name, name, identifier) {
                    Ok(path) => Some(path),
                    Err(error) => {
                        let dir = childlogdir.display();
                        log.write(
                            Level::Warn,
                            &format!("could not make a {name} log for {} in {dir}: {error}", config.name),
                        );
                        None
                    }
                },
            },
            rotation: Some(Rotation::new(settings.maxbytes, settings.backups)),
            syslog: settings.syslog,
            stripper: self.strip_ansi.then(AnsiStripper::default),
            ..ChannelLog::default()
        };
        let mut logs = [channel("stdout", &config.stdout), channel("stderr", &config.stderr)];
        for log in &mut logs {
            let same_log = |(path, _): &(PathBuf, _)| log.path.as_ref() == Some(path);
            if let Some(index) = self.left_bells.iter().position(same_log) {
                log.written = Some(self.left_bells.swap_remove(index).1);
            }
        }
        let slot = process.id.slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        let (id, name) = (process.id, config.name.clone());
        self.slots[slot] = Some(Program { id, name, redirect_stderr: config.redirect_stderr, stdin: None, logs });
    }

    /// Forgets a process. Pipes that grandchildren keep are closed.
    pub fn remove(&mut self, id: ProcId, poller: &Poller) {
        for index in 0..self.outputs.len() {
            if self.outputs[index].as_ref().is_some_and(|output| output.id == id) {
                self.close_output(index, poller);
            }
        }
        if self.program(id).is_none() {
            return;
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
        let Some(program) = self.program_mut(id) else { return Ok(()) };
        for log in &mut program.logs {
            if let (None, Some(path), Some(rotation)) = (&log.file, &log.path, log.rotation) {
                log.file = Some(RotatingFile::open(path, rotation)?);
            }
        }
        Ok(())
    }

    /// Takes in the pipes of a new child.
    ///
    /// # Errors
    /// The poller refuses; the child is left without supervision of its output.
    pub fn attach(&mut self, id: ProcId, child: Child, poller: &Poller) -> io::Result<()> {
        self.limit_lingering(id, poller);
        if let Some(program) = self.program_mut(id) {
            program.stdin = Some(Stdin::new(child.stdin, child.pid));
        }
        self.add_output(id, child.pid, Channel::Stdout, child.stdout, poller)?;
        child.stderr.map_or(Ok(()), |stderr| self.add_output(id, child.pid, Channel::Stderr, stderr, poller))
    }

    /// A pipe can be read: takes one record from it. Answers whether there may be more.
    pub fn read(&mut self, index: usize, poller: &Poller, log: &mut ActivityLog) -> bool {
        let Some(output) = self.outputs.get_mut(index).and_then(Option::as_mut) else { return false };
        match output.reader.read(&mut self.buffer) {
            Ok(0) => self.close_output(index, poller),
            Ok(count) => {
                let (id, channel) = (output.id, output.channel);
                self.record(id, channel, count, log);
                return count == READ_BYTES_MAX;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return true,
            Err(_) => self.close_output(index, poller),
        }
        false
    }

    /// A child was reaped: takes everything it left in its pipes, before anybody hears of its end. A pipe that a grandchild
    /// keeps stays open and is read on.
    pub fn drain(&mut self, pid: Pid, poller: &Poller, log: &mut ActivityLog) {
        let is_its_own = |stdin: &mut Stdin| stdin.is_read_by(pid);
        if let Some(stdin) = self.slots.iter_mut().flatten().find_map(|program| program.stdin.take_if(is_its_own)) {
            stdin.close(poller);
        }
        for index in 0..self.outputs.len() {
            if self.outputs[index].as_ref().is_none_or(|output| output.pid != pid) {
                continue;
            }
            // No more than one pipeful is the dead child's; a grandchild that floods must not hold us here.
            for _ in 0..=PIPE_BYTES_MAX / READ_BYTES_MAX {
                if !self.read_until_empty(index, poller, log) {
                    break;
                }
            }
        }
    }

    /// One more record of a pipe that is being drained; false when it is empty or closed.
    fn read_until_empty(&mut self, index: usize, poller: &Poller, log: &mut ActivityLog) -> bool {
        let Some(output) = self.outputs[index].as_mut() else { return false };
        match output.reader.read(&mut self.buffer) {
            Ok(0) => {
                self.close_output(index, poller);
                false
            }
            Ok(count) => {
                let (id, channel) = (output.id, output.channel);
                self.record(id, channel, count, log);
                true
            }
            Err(error) => error.kind() == ErrorKind::Interrupted,
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
        let mut result = Ok(());
        for log in &mut program.logs {
            let cleared = match (&mut log.file, &log.path) {
                (Some(file), _) => file.clear(),
                (None, Some(path)) => crate::logs::rotate::clear(path),
                (None, None) => Ok(()),
            };
            if let Some(written) = &log.written {
                written.notify_waiters();
            }
            result = result.and(cleared);
        }
        result
    }

    /// Opens every log file again under its name (SIGUSR2).
    pub fn reopen_logs(&mut self, log: &mut ActivityLog) {
        for program in self.slots.iter_mut().flatten() {
            for channel in &mut program.logs {
                if let Some(file) = &mut channel.file
                    && let Err(error) = file.reopen()
                {
                    log.write(Level::Warn, &format!("could not reopen {}: {error}", file.path().display()));
                }
            }
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
        self.slots.get_mut(id.slot as usize)?.as_mut().filter(|program| program.id == id)
    }

    fn add_output(
        &mut self,
        id: ProcId,
        pid: Pid,
        channel: Channel,
        reader: OwnedFd,
        poller: &Poller,
    ) -> io::Result<()> {
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.outputs.push(None);
            self.outputs.len() - 1
        });
        poller.add(&reader, Token::Output(index).to_bits(), Interest::Read)?;
        self.outputs[index] = Some(Output { reader: reader.into(), id, pid, channel });
        Ok(())
    }

    fn close_output(&mut self, index: usize, poller: &Poller) {
        let Some(output) = self.outputs[index].take() else { return };
        // Before closing: a child just forked may still hold a copy.
        let _ = poller.remove(&output.reader);
        self.vacant.push(index);
        let still_open =
            self.outputs.iter().flatten().any(|other| other.id == output.id && other.channel == output.channel);
        if !still_open && let Some(program) = self.program_mut(output.id) {
            let both = program.redirect_stderr && output.channel == Channel::Stdout;
            program.logs[output.channel as usize].close();
            if both {
                program.logs[Channel::Stderr as usize].close();
            }
        }
    }

    /// Closes the oldest pipes of ended runs when there are too many of them.
    fn limit_lingering(&mut self, id: ProcId, poller: &Poller) {
        let mut lingering: Vec<(Pid, usize)> = self
            .outputs
            .iter()
            .enumerate()
            .filter_map(|(index, output)| output.as_ref().filter(|o| o.id == id).map(|o| (o.pid, index)))
            .collect();
        lingering.sort_unstable();
        let surplus = lingering.len().saturating_sub(LINGERING_PIPES_MAX);
        for (_, index) in lingering.into_iter().take(surplus) {
            self.close_output(index, poller);
        }
    }

    /// Writes what is in the buffer wherever the channel wants it.
    fn record(&mut self, id: ProcId, channel: Channel, count: usize, log: &mut ActivityLog) {
        let Some(program) = self.slots.get_mut(id.slot as usize).and_then(Option::as_mut).filter(|p| p.id == id) else {
            return;
        };
        let channel_log = &mut program.logs[channel as usize];
        let raw = &self.buffer[..count];
        let stripped = channel_log.stripper.as_mut().map(|stripper| stripper.strip(raw));
        let bytes = stripped.as_deref().unwrap_or(raw);
        if let Some(file) = &mut channel_log.file {
            match file.write(bytes) {
                Ok(()) => channel_log.failing = false,
                Err(error) if !channel_log.failing => {
                    channel_log.failing = true;
                    let path = file.path().display();
                    log.write(Level::Warn, &format!("could not write the log {path} of {}: {error}", program.name));
                }
                Err(_) => {}
            }
        }
        if channel_log.syslog {
            for line in String::from_utf8_lossy(bytes).lines() {
                // A system log that is away loses lines; the file, if any, has them.
                let _ = self.syslog.send(SystemTime::now(), &format!("{} {line}", program.name));
            }
        }
        if let Some(written) = &channel_log.written {
            written.notify_waiters();
        }
        if log.is_enabled(Level::Debug) {
            let name = if channel == Channel::Stdout { "stdout" } else { "stderr" };
            log.write(Level::Debug, &format!("'{}' {name} output:\n{}", program.name, shown(bytes)));
        }
    }
}

impl ChannelLog {
    fn close(&mut self) {
        if let (Some(stripper), Some(file)) = (&mut self.stripper, &mut self.file) {
            // An escape sequence cut off by the end is no colour any more: it is text.
            let _ = file.write(&stripper.finish());
        }
        self.file = None;
    }
}

/// Child output as a debug line shows it: text, or the bytes as Python prints them.
fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("Undecodable: {}", crate::config::repr::bytes(bytes)),
    }
}
