//! Where one output of a program goes: its log file, the system log, event listeners, the activity log.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::SystemTime;

use super::follow::Feed;
use crate::config::{ChannelConfig, Level, repr};
use crate::core::event::{Written, shown};
use crate::core::{Channel, Event, EventKind, Input, Outbox, Pid};
use crate::logs::{ActivityLog, Filter, Piece, RotatingFile, Rotation, Syslog};

/// What is worth telling goes here.
pub struct Sinks<'a> {
    /// The activity log.
    pub log: &'a mut ActivityLog,
    /// Events for listeners.
    pub out: &'a mut Outbox,
    /// What listeners said, for the core.
    pub heard: &'a mut Vec<Input>,
}

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// Process name.
    pub process: &'a str,
    /// Group name.
    pub group: &'a str,
    /// The process that was started.
    pub pid: Pid,
    /// Its output.
    pub channel: Channel,
}

/// The log of one channel.
#[derive(Debug)]
pub struct ChannelLog {
    /// Where the file is, if there is to be one.
    pub path: Option<PathBuf>,
    /// Told after each write; made when somebody follows.
    pub written: Option<Rc<Feed>>,
    /// How many of the files that were begun its followers know of.
    told_files: Cell<u64>,
    /// Most programs have no file for one of their outputs.
    file: Option<Box<RotatingFile>>,
    rotation: Rotation,
    syslog: bool,
    events_enabled: bool,
    /// Bytes lost since writing last worked; a warning was given for the first.
    lost_bytes: Option<u64>,
}

impl ChannelLog {
    /// As the configuration says, with the file at `path`; not open yet.
    pub fn new(config: &ChannelConfig, path: Option<PathBuf>) -> Self {
        ChannelLog {
            path,
            written: None,
            told_files: Cell::new(0),
            file: None,
            rotation: Rotation::new(config.maxbytes, config.backups),
            syslog: config.syslog,
            events_enabled: config.events_enabled,
            lost_bytes: None,
        }
    }

    /// Goes on with the file of an earlier image of the daemon, opened again if it did not come along, and with its count of
    /// lost bytes.
    pub fn resume(&mut self, file: Option<File>, lost_bytes: Option<u64>) {
        self.lost_bytes = lost_bytes;
        if let (Some(file), Some(path)) = (file, &self.path) {
            self.file = RotatingFile::resume(path, file, self.rotation).ok().map(Box::new);
        }
        if self.file.is_none() {
            // As at a start: what cannot be opened now is lost, and the log says so at the first write.
            let _ = self.open();
        }
    }

    /// The file, while it is open.
    pub fn file(&self) -> Option<&RotatingFile> {
        self.file.as_deref()
    }

    /// Bytes lost since writing last worked.
    pub fn lost_bytes(&self) -> Option<u64> {
        self.lost_bytes
    }

    /// Takes on other settings; the file stays the one it is.
    pub fn adapt(&mut self, config: &ChannelConfig) {
        self.rotation = Rotation::new(config.maxbytes, config.backups);
        if let Some(file) = &mut self.file {
            file.set_rotation(self.rotation);
        }
        self.syslog = config.syslog;
        self.events_enabled = config.events_enabled;
    }

    /// Opens the file, unless it is open.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(&mut self) -> io::Result<()> {
        if let (None, Some(path)) = (&self.file, &self.path) {
            self.file = Some(Box::new(RotatingFile::open(path, self.rotation)?));
            self.told_files.set(0);
            if let Some(written) = &self.written {
                written.ring(1);
            }
        }
        Ok(())
    }

    /// Opens the file again under its name (SIGUSR2).
    pub fn reopen(&mut self, log: &mut ActivityLog) {
        if let Some(file) = &mut self.file
            && let Err(error) = file.reopen()
        {
            log.write(Level::Warn, &format!("could not reopen {}: {error}", file.path().display()));
        }
        self.ring();
    }

    /// Empties the file, open or not. Rolled files stay.
    ///
    /// # Errors
    /// It is not a regular file, or cannot be written.
    pub fn clear(&mut self) -> io::Result<()> {
        let cleared = match (&mut self.file, &self.path) {
            (Some(file), _) => file.clear(),
            (None, Some(path)) => crate::logs::rotate::clear(path),
            (None, None) => Ok(()),
        };
        self.ring();
        cleared
    }

    /// Nobody writes any more.
    pub fn close(&mut self, process: &str, log: &mut ActivityLog) {
        if let (Some(lost), Some(path)) = (self.lost_bytes.take(), &self.path) {
            log.write(Level::Warn, &format!("{lost} bytes for the log {} of {process} were lost", path.display()));
        }
        self.file = None;
    }

    /// Wakes whoever follows the log.
    pub fn ring(&self) {
        let begun = self.file().map_or(0, RotatingFile::begun_files);
        let untold = begun.saturating_sub(self.told_files.replace(begun));
        if let Some(written) = &self.written {
            written.ring(untold);
        }
    }

    /// Takes in a part of the stream (`Supervisor: dispatchers.py _log()`, `toggle_capturemode()`).
    pub fn take(&mut self, piece: Piece<'_>, writer: Writer<'_>, syslog: &mut Syslog, sinks: &mut Sinks<'_>) {
        let name = writer.process;
        match piece {
            Piece::Text(bytes) => {
                self.append(bytes, name, sinks.log);
                if self.syslog {
                    for line in String::from_utf8_lossy(bytes).lines() {
                        // A system log that is away loses lines; the file, if any, has them.
                        let _ = syslog.send(SystemTime::now(), &format!("{name} {line}"));
                    }
                }
                self.announce(bytes, writer, sinks);
            }
            // Listeners get parts of messages as output too, as ever, whatever the manual says (decision Q12).
            Piece::Captured(bytes) => self.announce(bytes, writer, sinks),
            Piece::Message(data) => {
                let kind = EventKind::of_communication(writer.channel);
                sinks.out.event(kind, || Event::ProcessCommunication(written(writer, data)));
                let text = || format!("'{name}' {} emitted a comm event", writer.channel.name());
                sinks.log.write_with(Level::Debug, text);
            }
            Piece::Unfinished(count) => {
                let channel = writer.channel.name();
                let text = format!("'{name}' {channel} ended inside a message: {count} bytes are dropped");
                sinks.log.write(Level::Warn, &text);
            }
        }
    }

    /// Takes in what a listener says to the supervisor: it is logged in the file without colours, and nobody else is told
    /// (`Supervisor: dispatchers.py PEventListenerDispatcher`).
    pub fn take_said(&mut self, bytes: &[u8], filter: &mut Filter, writer: Writer<'_>, sinks: &mut Sinks<'_>) {
        let name = writer.process;
        let text = || format!("'{name}' {} output:\n{}", writer.channel.name(), repr::bytes(bytes));
        sinks.log.write_with(Level::Debug, text);
        filter.feed(bytes, &mut |piece| {
            if let Piece::Text(bytes) = piece {
                self.append(bytes, name, sinks.log);
            }
        });
        sinks.heard.push(Input::ListenerOutput(writer.pid, bytes.to_vec()));
    }

    /// A program that cannot be logged runs on: one warning at the first loss, one line when it is over.
    fn append(&mut self, bytes: &[u8], process: &str, log: &mut ActivityLog) {
        let Some(file) = &mut self.file else { return };
        let lost_before = file.lost_bytes();
        let result = file.write(bytes);
        let (lost, path) = (file.lost_bytes() - lost_before, file.path().display());
        match (result, &mut self.lost_bytes) {
            (Err(_), Some(total)) => *total += lost,
            (Err(error), None) if lost > 0 => {
                log.write(Level::Warn, &format!("could not write the log {path} of {process}: {error}"));
                self.lost_bytes = Some(lost);
            }
            (Err(error), None) => {
                log.write(Level::Warn, &format!("could not roll the log {path} of {process}: {error}"));
            }
            (Ok(()), Some(total)) => {
                let text = format!("the log {path} of {process} can be written again; {total} bytes were lost");
                log.write(Level::Warn, &text);
                self.lost_bytes = None;
            }
            (Ok(()), None) => {}
        }
    }

    fn announce(&self, bytes: &[u8], writer: Writer<'_>, sinks: &mut Sinks<'_>) {
        let text = || format!("'{}' {} output:\n{}", writer.process, writer.channel.name(), shown(bytes));
        sinks.log.write_with(Level::Debug, text);
        if self.events_enabled {
            let kind = EventKind::of_log(writer.channel);
            sinks.out.event(kind, || Event::ProcessLog(written(writer, bytes.to_vec())));
        }
    }
}

fn written(writer: Writer<'_>, data: Vec<u8>) -> Written {
    let Writer { process, group, pid, channel } = writer;
    Written { process: process.to_owned(), group: group.to_owned(), pid, channel, data }
}
