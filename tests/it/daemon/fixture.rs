//! A daemon of its own for each test, in a directory of its own.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use supervisor_kit::xmlrpc::{Fault, Value};
use tempfile::TempDir;

use super::client::Connection;
use crate::program_file;

/// How long a condition may take to come true: long, for a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(180);

/// What every configuration begins with; sections that are there twice are merged.
const HEAD: &str = "[supervisord]\nnodaemon=true\nlogfile=%(here)s/supervisord.log\npidfile=%(here)s/supervisord.pid\n\
    childlogdir=%(here)s\nidentifier=it\nminfds=64\nminprocs=16\n[unix_http_server]\nfile=%(here)s/s.sock\n\
    [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n";

pub const BINARY: &str = env!("CARGO_BIN_EXE_supervisord");

/// Waits for a condition.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A directory with a configuration.
pub struct Site {
    pub dir: TempDir,
}

impl Site {
    pub fn new(config: &str) -> Self {
        let site = Site { dir: tempfile::tempdir().unwrap() };
        // Programs under another account need to get in.
        fs::set_permissions(site.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        site.configure(config);
        site
    }

    /// Writes the configuration; `config` comes after the usual head.
    pub fn configure(&self, config: &str) {
        fs::write(self.path("supervisord.conf"), format!("{HEAD}{config}")).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        let path = self.path(name);
        String::from_utf8_lossy(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
            .into_owned()
    }

    /// `supervisord -c` this configuration.
    pub fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("-c").arg(self.path("supervisord.conf")).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// The files whose names satisfy a condition, sorted.
    pub fn files(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
        let names = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut found: Vec<PathBuf> =
            names.filter(|path| is_wanted(path.file_name().unwrap().to_str().unwrap())).collect();
        found.sort();
        found
    }
}

/// A daemon in the foreground; it is stopped when the test ends.
pub struct Daemon {
    pub site: Arc<Site>,
    child: Child,
}

impl Daemon {
    pub fn start(config: &str) -> Self {
        Self::start_in(Site::new(config))
    }

    pub fn start_in(site: impl Into<Arc<Site>>) -> Self {
        let site = site.into();
        let command = site.command();
        Self::start_command(site, command)
    }

    pub fn start_command(site: impl Into<Arc<Site>>, mut command: Command) -> Self {
        let site = site.into();
        let child = command.stderr(fs::File::create(site.path("stderr")).unwrap()).spawn().unwrap();
        let mut daemon = Daemon { site, child };
        wait_until("the daemon is up", || {
            let ended = daemon.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", daemon.site.read("stderr"));
            // The socket is there before the programs are; an answer comes from the loop.
            answers(&daemon.socket())
        });
        daemon
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.site.path(name)
    }

    pub fn socket(&self) -> PathBuf {
        self.path("s.sock")
    }

    pub fn connect(&self) -> Connection {
        Connection::unix(&self.socket())
    }

    /// One call on a connection of its own.
    pub fn call(&self, method: &str, params: &[Value]) -> Result<Value, Fault> {
        self.connect().call(method, params)
    }

    /// A call of `supervisor.<method>` that has to succeed.
    pub fn ask(&self, method: &str, params: &[Value]) -> Value {
        self.call(&format!("supervisor.{method}"), params).unwrap_or_else(|fault| panic!("{method}: {fault}"))
    }

    /// The fault of a call of `supervisor.<method>` that has to fail, as code and text.
    pub fn fault(&self, method: &str, params: &[Value]) -> (i32, String) {
        match self.call(&format!("supervisor.{method}"), params) {
            Ok(value) => panic!("{method} succeeded: {value:?}"),
            Err(fault) => (fault.code, fault.text),
        }
    }

    pub fn info(&self, name: &str) -> Value {
        self.ask("getProcessInfo", &[name.into()])
    }

    pub fn state(&self, name: &str) -> String {
        self.info(name).get("statename").and_then(Value::as_str).unwrap().to_owned()
    }

    pub fn wait_for_state(&self, name: &str, state: &str) {
        wait_until(&format!("{name} is {state}"), || self.state(name) == state);
    }

    /// The pid of a program; 0 when it does not run.
    pub fn pid_of(&self, name: &str) -> i32 {
        self.info(name).get("pid").and_then(Value::as_int).unwrap() as i32
    }

    /// The activity log so far.
    pub fn log(&self) -> String {
        self.site.read("supervisord.log")
    }

    pub fn wait_for_log(&self, text: &str) {
        wait_until(&format!("the log says: {text}"), || self.log().contains(text));
    }

    /// Waits until a file holds a text, and answers all of it.
    pub fn wait_for_text(&self, file: &str, text: &str) -> String {
        wait_until(&format!("{file} holds {text:?}"), || {
            fs::read(self.path(file)).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text))
        });
        self.site.read(file)
    }

    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the daemon has ended", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::SIGTERM);
            let end = Instant::now() + PATIENCE;
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = self.child.kill();
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.path("supervisord.log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- end of the activity log ---\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}

/// Whether a process is there and not a zombie.
pub fn is_alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// How many descriptors a process has open, once that no longer changes.
pub fn settled_descriptors(pid: i32) -> usize {
    let mut last = 0;
    wait_until("the number of descriptors is steady", || {
        std::thread::sleep(Duration::from_millis(100));
        let now = descriptors(pid);
        now == std::mem::replace(&mut last, now)
    });
    last
}

/// How many descriptors a process has open.
pub fn descriptors(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Children of a process.
pub fn children_of(pid: i32) -> Vec<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// A script that can be executed.
pub fn script(path: &Path, text: &str) {
    program_file::write(path, format!("#!/bin/sh\n{text}\n").as_bytes());
}

/// Whether a server answers anything at all at `socket`.
fn answers(socket: &Path) -> bool {
    let Ok(mut stream) = std::os::unix::net::UnixStream::connect(socket) else { return false };
    let asked = stream.write_all(b"GET /ok.html HTTP/1.0\r\n\r\n");
    asked.is_ok() && matches!(stream.read(&mut [0; 16]), Ok(count) if count > 0)
}
