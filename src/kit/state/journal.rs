//! The journal of a change: lines of JSON, each on the disk before the thing that it takes back is done.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Verb;

/// The version of the format that this program writes and reads.
const FORMAT: u32 = 1;

/// How to take one thing back. Each can be done again without harm: a take-back may be killed and repeated.
/// Paths are absolute paths of the host, whatever the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "kebab-case")]
pub enum Undoing {
    /// Remove a file or link, if it is there.
    RemoveFile {
        /// The file.
        path: String,
    },
    /// Remove a directory, unless something is in it by now.
    RemoveDir {
        /// The directory.
        path: String,
    },
    /// Put a kept file back in its place.
    RestoreFile {
        /// The place.
        path: String,
        /// Its number below `files/`.
        kept: u32,
        /// Its SHA-256, hexadecimal: a kept file that was damaged is not put back.
        sha256: String,
        /// When its bytes were last changed, in seconds since 1970: package managers compare that. 0 when not known.
        #[serde(default)]
        modified_wall_secs: i64,
        /// Permission bits.
        mode: u32,
        /// User.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// Make a link again.
    RestoreLink {
        /// The place.
        path: String,
        /// What it holds.
        target: String,
    },
    /// Make a directory again.
    RestoreDir {
        /// The place.
        path: String,
        /// Permission bits.
        mode: u32,
        /// User.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// Give what was renamed its name back, if it still has the other one.
    Rename {
        /// The name it has.
        from: String,
        /// The name it had.
        path: String,
    },
    /// Run a command that undoes another. Its failure is reported and stops nothing.
    Run {
        /// Program and arguments.
        command: Vec<String>,
    },
    /// Start a daemon again that no unit started; not at a boot, where nobody would have started it.
    StartProcess {
        /// Its command line.
        command: Vec<String>,
        /// Its working directory.
        cwd: String,
    },
    /// Let a halted daemon go on, with the programs that are still its own. If ours has taken its place, start it again.
    GiveBack {
        /// Its process.
        pid: u32,
        /// When the kernel started it.
        born: u64,
        /// The pidfile beside which the record of it is.
        pidfile: String,
        /// The units that ran it.
        units: Vec<String>,
        /// Its command line, when no unit ran it.
        command: Vec<String>,
        /// Its working directory.
        cwd: String,
    },
    /// Take a service out of the boot.
    Disable {
        /// The unit.
        unit: String,
    },
    /// Stop a service.
    Stop {
        /// The unit.
        unit: String,
    },
    /// Make systemd read its unit files again, after all files are as they were.
    Reload,
    /// Set SELinux labels of files that were put back, after all of them are.
    Label,
    /// Start a service with the machine again, after all files are as they were.
    Enable {
        /// The unit.
        unit: String,
    },
    /// Start a service again, after all files are as they were.
    Start {
        /// The unit.
        unit: String,
    },
    /// Let a daemon become the program that is in place again, unless it is, after all files are as they were.
    Reexec {
        /// The unit.
        unit: String,
        /// The program.
        program: String,
        /// The client.
        client: String,
        /// The configuration.
        config: String,
    },
    /// Restart a service if it runs, after all files are as they were.
    Restart {
        /// The unit.
        unit: String,
    },
}

impl Undoing {
    /// The path of a file, link or directory that it puts right; `None` when it only asks systemd or another program.
    /// A change whose files could not all be put right is not forgotten.
    pub fn place(&self) -> Option<&str> {
        match self {
            Undoing::RemoveFile { path }
            | Undoing::RemoveDir { path }
            | Undoing::RestoreFile { path, .. }
            | Undoing::RestoreLink { path, .. }
            | Undoing::RestoreDir { path, .. }
            | Undoing::Rename { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Whether it comes after everything else, in the order it was recorded: systemd must see the old files then.
    pub fn is_last(&self) -> bool {
        match self {
            Undoing::Reload
            | Undoing::Label
            | Undoing::Enable { .. }
            | Undoing::Start { .. }
            | Undoing::StartProcess { .. }
            | Undoing::GiveBack { .. }
            | Undoing::Reexec { .. }
            | Undoing::Restart { .. } => true,
            Undoing::RemoveFile { .. }
            | Undoing::RemoveDir { .. }
            | Undoing::RestoreFile { .. }
            | Undoing::RestoreLink { .. }
            | Undoing::RestoreDir { .. }
            | Undoing::Rename { .. }
            | Undoing::Run { .. }
            | Undoing::Disable { .. }
            | Undoing::Stop { .. } => false,
        }
    }
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    format: u32,
    verb: Verb,
    /// Version of the bundle, or of what is removed.
    version: String,
    /// Seconds since 1970.
    begun: u64,
}

/// A journal that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// What was asked for.
    pub verb: Verb,
    /// Version of the bundle, or of what is removed.
    pub version: String,
    /// When it began, in seconds since 1970.
    pub begun_wall_secs: u64,
    /// What to take back, the first thing first.
    pub done: Vec<Undoing>,
}

impl Journal {
    /// Reads a journal. `None` when not even its first line was completed: then nothing had been done.
    ///
    /// # Errors
    /// It cannot be read, or a line before the last is not one that this program wrote. A torn last line is none: what it
    /// announced was never begun.
    pub fn read(path: &Path) -> io::Result<Option<Journal>> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        // What follows the last newline is empty, or torn.
        lines.pop();
        let Some((head, rest)) = lines.split_first() else { return Ok(None) };
        let bad = |number: usize, reason: String| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {number}: {reason}"))
        };
        let head: Head = serde_json::from_slice(head).map_err(|error| bad(1, error.to_string()))?;
        if head.format != FORMAT {
            return Err(bad(1, format!("format {} is not the one this installer reads", head.format)));
        }
        let mut done = Vec::with_capacity(rest.len());
        for (index, line) in rest.iter().enumerate() {
            done.push(serde_json::from_slice(line).map_err(|error| bad(index + 2, error.to_string()))?);
        }
        Ok(Some(Journal { verb: head.verb, version: head.version, begun_wall_secs: head.begun, done }))
    }
}

/// A journal being written.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
}

impl Writer {
    /// Begins one.
    pub(super) fn begin(path: &Path, verb: Verb, version: &str, begun: u64) -> io::Result<Writer> {
        let file = OpenOptions::new().create_new(true).append(true).open(path)?;
        let mut writer = Writer { file };
        writer.line(&Head { format: FORMAT, verb, version: version.to_owned(), begun })?;
        Ok(writer)
    }

    /// Adds a line; it is on the disk when this returns.
    pub(super) fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.file.write_all(&bytes)?;
        self.file.sync_data()
    }
}
