//! Foreign programs, and the few other questions about the running host that a test must be able to answer itself.

use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::sys::stop_request;

/// Where programs are looked for: sudo and cron often leave out the sbin directories.
const SEARCH_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// How often a running command is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How long the output of a command that has ended may still be coming (a child may hold the pipe).
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// As in shells: a program that signal 9 ended has exit code 137.
pub const SIGNAL_BASE: i32 = 128;

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit code, or [`SIGNAL_BASE`] and the number of the signal that ended it; `None` when the time limit did.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Whether it exited with 0.
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// What it said on both channels, trimmed; its exit code when it said nothing.
    pub fn words(&self) -> String {
        let said = [self.stderr.trim(), self.stdout.trim()].map(str::to_string);
        let said: Vec<String> = said.into_iter().filter(|text| !text.is_empty()).collect();
        match (said.is_empty(), self.code) {
            (false, _) => said.join("\n"),
            (true, Some(code)) => format!("exit code {code}"),
            (true, None) => "ended by the time limit".to_string(),
        }
    }
}

/// The running host, as far as it is more than files.
pub trait Commands {
    /// Runs a program (a name, or an absolute path) without input until it ends; it is killed after `limit`.
    ///
    /// # Errors
    /// It is not there or the host refuses to run it.
    fn run(&mut self, program: &str, args: &[&str], limit: Duration) -> io::Result<Output>;

    /// Whether there is such a program.
    fn has(&self, program: &str) -> bool;

    /// Whether process `pid` runs the program at `program`: this very file, or one with the same bytes that was there before
    /// (a roll-back makes the old file anew, and the daemon may never have been another).
    fn runs(&self, pid: u32, program: &Path) -> bool;

    /// Waits.
    fn pause(&mut self, time: Duration);

    /// From now on Ctrl-C and SIGTERM do not end us at once; see [`Commands::is_interrupted`].
    fn begin_change(&mut self) {}

    /// Whether one of them came: then what was done is taken back.
    fn is_interrupted(&self) -> bool {
        false
    }
}

/// The machine we run on.
#[derive(Debug, Default)]
pub struct Machine;

impl Commands for Machine {
    fn run(&mut self, program: &str, args: &[&str], limit: Duration) -> io::Result<Output> {
        let path = which::which_in(program, Some(SEARCH_PATH), "/").unwrap_or_else(|_| program.into());
        let mut child = Command::new(path)
            .args(args)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for us alone: we then take back what was done.
            .process_group(0)
            .spawn()?;
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        let code = wait(&mut child, limit)?;
        let text = |output: Receiver<String>| output.recv_timeout(OUTPUT_GRACE).unwrap_or_default();
        Ok(Output { code, stdout: text(stdout), stderr: text(stderr) })
    }

    fn has(&self, program: &str) -> bool {
        which::which_in(program, Some(SEARCH_PATH), "/").is_ok()
    }

    fn runs(&self, pid: u32, program: &Path) -> bool {
        let identity = |path: &Path| std::fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).ok();
        let image = format!("/proc/{pid}/exe");
        let Some(running) = identity(Path::new(&image)) else { return false };
        let is_same =
            || std::fs::read(&image).is_ok_and(|bytes| std::fs::read(program).is_ok_and(|file| file == bytes));
        Some(running) == identity(program) || (program.is_file() && is_same())
    }

    fn pause(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_interrupted() && Instant::now() < until {
            thread::sleep(POLL_INTERVAL.min(until.saturating_duration_since(Instant::now())));
        }
    }

    fn begin_change(&mut self) {
        stop_request::hold();
    }

    fn is_interrupted(&self) -> bool {
        stop_request::came()
    }
}

/// Reads a pipe to its end on a thread of its own, so that a full pipe cannot block the command.
fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<i32>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code().or_else(|| status.signal().map(|number| SIGNAL_BASE + number)));
        }
        if started.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL_INTERVAL);
    }
}
