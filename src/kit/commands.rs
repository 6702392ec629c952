//! Foreign programs, and the few other questions about the running host that a test must be able to answer itself.

use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Where programs are looked for: sudo and cron often leave out the sbin directories.
const SEARCH_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// How often a running command is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How long the output of a command that has ended may still be coming (a child may hold the pipe).
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit code; `None` when a signal or the time limit ended it.
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
            (true, None) => "ended by a signal or the time limit".to_string(),
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

    /// Whether process `pid` runs exactly the file at `program` (same device and inode).
    fn runs(&self, pid: u32, program: &Path) -> bool;

    /// Waits.
    fn pause(&mut self, time: Duration);
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
        let running = identity(Path::new(&format!("/proc/{pid}/exe")));
        running.is_some() && running == identity(program)
    }

    fn pause(&mut self, time: Duration) {
        thread::sleep(time);
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
            return Ok(status.code());
        }
        if started.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL_INTERVAL);
    }
}
