//! The daemon's own log.

use std::io::{self, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{RotatingFile, Rotation, Syslog};
use crate::config::{Level, MainLog};
use crate::sys::local_time::local_time;

/// Where the lines go besides stdout.
#[derive(Debug)]
enum Sink {
    File(RotatingFile),
    Syslog(Syslog),
}

/// The activity log: lines `YYYY-MM-DD HH:MM:SS,mmm LEVL message` of at least one level, in local time
/// (`Supervisor: loggers.py`, `options.py make_logger()`).
#[derive(Debug)]
pub struct ActivityLog {
    level: Level,
    sink: Sink,
    echo: bool,
    lost_lines: u64,
    /// Of them, those that nothing in the log tells of yet.
    untold_lines: u64,
}

impl ActivityLog {
    /// Opens the log. `echo` repeats each line on stdout, as in the foreground unless `silent`; `ident` names the lines in the
    /// system log.
    ///
    /// # Errors
    /// The file cannot be opened: a message that names it.
    pub fn open(target: &MainLog, level: Level, rotation: Rotation, echo: bool, ident: &str) -> io::Result<Self> {
        let sink = match target {
            MainLog::File(path) => Sink::File(open_file(path, rotation)?),
            MainLog::Syslog => Sink::Syslog(Syslog::new(ident)),
        };
        Ok(Self { level, sink, echo, lost_lines: 0, untold_lines: 0 })
    }

    /// Writes one message, stamped with the time now, if `level` is severe enough. A message of several lines is written as it is.
    /// What cannot be written is counted.
    pub fn write(&mut self, level: Level, message: &str) {
        if self.is_enabled(level) {
            self.write_at(SystemTime::now(), level, message);
        }
    }

    /// [`ActivityLog::write`], for a message that is costly to make.
    pub fn write_with(&mut self, level: Level, message: impl FnOnce() -> String) {
        if self.is_enabled(level) {
            self.write(level, &message());
        }
    }

    /// Whether [`ActivityLog::write`] writes lines of `level`: for messages that are costly to make.
    pub fn is_enabled(&self, level: Level) -> bool {
        level >= self.level
    }

    /// Writes one message with the given time, whatever its level.
    pub fn write_at(&mut self, wall: SystemTime, level: Level, message: &str) {
        let written = self.send(wall, level, message);
        if written.is_err() {
            self.lost_lines += 1;
            self.untold_lines += 1;
        } else if self.untold_lines > 0 {
            let text = format!("this log can be written again; {} messages before were lost", self.untold_lines);
            if self.send(wall, Level::Warn, &text).is_ok() {
                self.untold_lines = 0;
            }
        }
    }

    fn send(&mut self, wall: SystemTime, level: Level, message: &str) -> io::Result<()> {
        let line = format_line(wall, level, message);
        let written = match &mut self.sink {
            Sink::File(file) => file.write(line.as_bytes()),
            Sink::Syslog(syslog) => {
                let stamp_bytes = line.len() - message.len() - 1;
                let stamp = &line[..stamp_bytes];
                message.split('\n').try_for_each(|part| syslog.send(wall, &format!("{stamp}{part}")))
            }
        };
        if self.echo {
            let mut stdout = io::stdout().lock();
            // A terminal that was closed must not stop the daemon.
            let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
        }
        written
    }

    /// Opens the file again under its name; nothing to do for the system log.
    ///
    /// # Errors
    /// The path cannot be opened; the old file stays in use.
    pub fn reopen(&mut self) -> io::Result<()> {
        self.file_mut().map_or(Ok(()), RotatingFile::reopen)
    }

    /// Empties the file.
    ///
    /// # Errors
    /// There is no file, it is not a regular one, or it cannot be written.
    pub fn clear(&mut self) -> io::Result<()> {
        self.file_mut().map_or_else(|| Err(io::ErrorKind::NotFound.into()), RotatingFile::clear)
    }

    /// The log file, to read it back; `None` with the system log.
    pub fn path(&self) -> Option<&Path> {
        match &self.sink {
            Sink::File(file) => Some(file.path()),
            Sink::Syslog(_) => None,
        }
    }

    /// As [`RotatingFile::begun_files`]; 0 with the system log.
    pub fn begun_files(&self) -> u64 {
        match &self.sink {
            Sink::File(file) => file.begun_files(),
            Sink::Syslog(_) => 0,
        }
    }

    /// How many messages were lost, in whole or in part.
    pub fn lost_lines(&self) -> u64 {
        self.lost_lines
    }

    fn file_mut(&mut self) -> Option<&mut RotatingFile> {
        match &mut self.sink {
            Sink::File(file) => Some(file),
            Sink::Syslog(_) => None,
        }
    }
}

fn open_file(path: &Path, rotation: Rotation) -> io::Result<RotatingFile> {
    RotatingFile::open(path, rotation).map_err(|error| {
        let text = format!(
            "cannot open the log file {}: {error}.  Make its directory writable, or set another \"logfile\" in [supervisord].",
            path.display()
        );
        io::Error::new(error.kind(), text)
    })
}

/// One line of the log, with its newline.
pub fn format_line(wall: SystemTime, level: Level, message: &str) -> String {
    let since_epoch = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = local_time(since_epoch.as_secs() as i64);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02},{:03} {} {message}\n",
        at.year,
        at.month,
        at.day,
        at.hour,
        at.minute,
        at.second,
        since_epoch.subsec_millis(),
        level.tag()
    )
}
