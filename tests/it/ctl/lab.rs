//! A supervisord in a temporary directory, stock or ours, and a supervisorctl to talk to it, stock or ours.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// How long anything may take before a test gives up.
pub const DEADLINE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);

/// Whose program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Supervisor 4.3.0 from PyPI.
    Stock,
    /// This crate's.
    Ours,
}

impl Whose {
    /// A command line that begins with one of the programs.
    pub fn program(self, name: &str) -> Command {
        match self {
            Whose::Stock => Command::new(stock().join("bin").join(name)),
            Whose::Ours => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_supervisord"));
                command.arg0(name);
                command
            }
        }
    }
}

/// The virtual environment with stock Supervisor.
fn stock() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/stock");
    let stock = std::env::var_os("SUPERVISOR_STOCK").map_or_else(default, PathBuf::from);
    let program = stock.join("bin/supervisord");
    assert!(program.exists(), "{} is missing: run scripts/setup, or set SUPERVISOR_STOCK", program.display());
    stock
}

/// What a client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub stdout: String,
    pub stderr: String,
    pub status: Option<i32>,
}

/// A running daemon. It is stopped when dropped.
pub struct Lab {
    pub dir: TempDir,
    pub port: u16,
    daemon: Child,
}

impl Lab {
    /// Starts a daemon with this configuration, in which `{dir}` and `{port}` are replaced, and waits until it answers.
    pub fn start(whose: Whose, files: &[(&str, &str)]) -> Lab {
        let dir = TempDir::with_prefix("ctl-").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for (name, text) in files {
            fs::write(dir.path().join(name), fill(text, dir.path(), port)).unwrap();
        }
        // For the log of a program that cannot be spawned once this directory is gone.
        fs::create_dir(dir.path().join("gone")).unwrap();
        let output = fs::File::create(dir.path().join("daemon.out")).unwrap();
        let daemon = whose
            .program("supervisord")
            .args(["-n", "-c"])
            .arg(dir.path().join("supervisord.conf"))
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let lab = Lab { dir, port, daemon };
        lab.wait_for("the socket", || lab.dir.path().join("s.sock").exists());
        lab
    }

    /// Replaces `{dir}` and `{port}`.
    pub fn fill(&self, text: &str) -> String {
        fill(text, self.dir.path(), self.port)
    }

    /// A client, not yet started.
    pub fn client(&self, whose: Whose, args: &[&str]) -> Command {
        let mut command = whose.program("supervisorctl");
        command.args(args.iter().map(|word| self.fill(word))).current_dir("/").stdin(Stdio::null());
        command
    }

    /// Runs a client to its end.
    pub fn run(&self, whose: Whose, args: &[&str]) -> Answer {
        let output = self.client(whose, args).output().unwrap();
        self.answer(&output.stdout, &output.stderr, output.status.code())
    }

    /// Runs a client that reads `input`.
    pub fn run_with_input(&self, whose: Whose, args: &[&str], input: &str) -> Answer {
        let file = self.dir.path().join("input");
        fs::write(&file, self.fill(input)).unwrap();
        let output = self.client(whose, args).stdin(fs::File::open(file).unwrap()).output().unwrap();
        self.answer(&output.stdout, &output.stderr, output.status.code())
    }

    /// Runs a client until it has printed `needle`, then presses Ctrl-C.
    pub fn run_until_printed(&self, whose: Whose, args: &[&str], needle: &str) -> Answer {
        let mut client = self.client(whose, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_raw(client.id() as i32);
        let (done, watch) = channel::<()>();
        let watchdog = spawn(move || {
            if watch.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
                kill(pid, Signal::SIGKILL).unwrap();
            }
        });
        let (mut stdout, mut seen) = (client.stdout.take().unwrap(), Vec::new());
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&seen).contains(needle) {
            let count = stdout.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "{args:?} ended before it printed {needle:?}: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&buffer[..count]);
        }
        kill(pid, Signal::SIGINT).unwrap();
        stdout.read_to_end(&mut seen).unwrap();
        drop(done);
        watchdog.join().unwrap();
        let output = client.wait_with_output().unwrap();
        self.answer(&seen, &output.stderr, output.status.code())
    }

    /// Waits for a condition.
    pub fn wait_for(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !condition() {
            let log = fs::read_to_string(self.dir.path().join("daemon.out")).unwrap_or_default();
            assert!(Instant::now() < deadline, "waited too long for {what}; the daemon said:\n{log}");
            sleep(PAUSE);
        }
    }

    /// Ends the programs of the daemon, also those that ignore a stop.
    pub fn kill_programs(&self) {
        let pid = self.daemon.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            // One that has just ended by itself is as good.
            let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
        }
    }

    fn answer(&self, stdout: &[u8], stderr: &[u8], status: Option<i32>) -> Answer {
        let text = |bytes| {
            String::from_utf8_lossy(bytes)
                .replace(&self.dir.path().display().to_string(), "{dir}")
                .replace(&self.port.to_string(), "{port}")
        };
        Answer { stdout: text(stdout), stderr: text(stderr), status }
    }
}

fn fill(text: &str, dir: &Path, port: u16) -> String {
    text.replace("{dir}", &dir.display().to_string()).replace("{port}", &port.to_string())
}

impl Drop for Lab {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.daemon.id() as i32);
        let deadline = Instant::now() + DEADLINE;
        while matches!(self.daemon.try_wait(), Ok(None)) {
            let signal = if Instant::now() < deadline { Signal::SIGTERM } else { Signal::SIGKILL };
            let _ = kill(pid, signal);
            self.kill_programs();
            sleep(PAUSE);
        }
    }
}
