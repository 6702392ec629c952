//! A directory with a daemon in it, whose processes all go when it is dropped.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::proc;

/// How long anything may take before a scenario fails.
pub const DEADLINE: Duration = Duration::from_secs(180);
pub const PAUSE: Duration = Duration::from_millis(20);

/// The environment variable by which the processes of a world are known.
pub const MARK: &str = "PARITY_WORLD";

const PROGRAMS: [(&str, &str); 4] = [
    ("supervisord", "supervisord"),
    ("supervisorctl", "supervisorctl"),
    ("pidproxy", "pidproxy"),
    ("echo_supervisord_conf", "confecho"),
];

/// Clients for scenarios that look closer than `http` and `rpc` do: what each takes is written in it.
const TOOLS: [&str; 2] = ["raw", "call"];

/// What `{head}` in a configuration stands for; sections that are there twice are merged.
const HEAD: &str = "[supervisord]\nlogfile={dir}/supervisord.log\npidfile={dir}/supervisord.pid\nchildlogdir={dir}/logs\n\
    minfds=64\nminprocs=16\n[unix_http_server]\nfile={dir}/s.sock\n[supervisorctl]\nserverurl=unix://{dir}/s.sock\n\
    [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface";

/// The event listener of the scenarios: it writes down what it is told.
const LISTENER: &str = include_str!("listener.py");

/// Whose programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The newest release of Supervisor.
    Stock430,
    /// What the older hosts run.
    Stock422,
    /// This crate's.
    Ours,
}

impl Who {
    pub const ALL: [Who; 3] = [Who::Stock430, Who::Stock422, Who::Ours];

    /// As `expect` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Who::Stock430 => "4.3.0",
            Who::Stock422 => "4.2.2",
            Who::Ours => "ours",
        }
    }

    /// The virtual environment of a stock one.
    fn venv(self) -> Option<PathBuf> {
        let (variable, folder) = match self {
            Who::Stock430 => ("SUPERVISOR_STOCK", "target/stock"),
            Who::Stock422 => ("SUPERVISOR_STOCK_422", "target/stock-4.2.2"),
            Who::Ours => return None,
        };
        let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        Some(std::env::var_os(variable).map_or_else(default, PathBuf::from))
    }

    /// Fails when it is not installed; writes its programs, once for all worlds.
    ///
    /// A program that a world writes while other threads fork would be busy when it is to be executed.
    pub fn prepare(self) {
        if let Some(venv) = self.venv() {
            let output = Command::new(venv.join("bin/supervisord")).arg("-v").output();
            let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
            let is_there = matches!(&said, Ok(version) if version == self.name());
            assert!(is_there, "Supervisor {} is not in {}: run scripts/setup", self.name(), venv.display());
            fs::create_dir_all(self.programs()).unwrap();
            for (program, module) in PROGRAMS {
                let text = format!(
                    "#!{}/bin/python\nimport warnings\nwarnings.filterwarnings('ignore', 'pkg_resources')\n\
                     from supervisor.{module} import main\nmain()\n",
                    venv.display()
                );
                let path = self.programs().join(program);
                fs::write(&path, text).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
    }

    /// The folder with the programs of a stock one.
    fn programs(self) -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("parity-{}", self.name()))
    }

    /// Puts the four programs into a folder, so that all three have the same path.
    fn install(self, bin: &Path) {
        fs::create_dir(bin).unwrap();
        for (program, _) in PROGRAMS {
            let target = match self {
                Who::Ours => PathBuf::from(env!("CARGO_BIN_EXE_supervisord")),
                Who::Stock430 | Who::Stock422 => self.programs().join(program),
            };
            symlink(target, bin.join(program)).unwrap();
        }
    }
}

pub struct World {
    pub who: Who,
    pub dir: TempDir,
    pub port: u16,
    /// In the foreground.
    pub daemon: Option<Child>,
    /// Of the last daemon, also of one in the background.
    pub daemon_pid: Option<i32>,
}

impl World {
    pub fn new(who: Who, conf: Option<&str>) -> World {
        let dir = TempDir::with_prefix("parity-").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Programs under another account need to get in.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(dir.path().join("logs")).unwrap();
        who.install(&dir.path().join("bin"));
        for tool in TOOLS {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/tools").join(tool);
            symlink(from, dir.path().join("bin").join(tool)).unwrap();
        }
        // One client for all daemons; that the clients are alike is shown elsewhere.
        Who::Ours.install(&dir.path().join("ours"));
        let world = World { who, dir, port, daemon: None, daemon_pid: None };
        fs::write(world.path("listener.py"), LISTENER).unwrap();
        if let Some(conf) = conf {
            world.write("supervisord.conf", conf);
        }
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Replaces `{head}`, `{dir}` and `{port}`.
    pub fn fill(&self, text: &str) -> String {
        let (dir, port) = (self.dir.path().display().to_string(), self.port.to_string());
        text.replace("{head}", HEAD).replace("{dir}", &dir).replace("{port}", &port)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, self.fill(text)).unwrap();
    }

    /// What a file holds now; nothing when it is not there.
    pub fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    /// The activity log: the file, or what the foreground shows of it.
    pub fn log(&self) -> String {
        let file = self.read("supervisord.log");
        if file.is_empty() { self.read("out") } else { file }
    }

    /// A shell command in the directory, in an environment that is the same for all.
    pub fn shell(&self, script: &str) -> Command {
        let dir = self.dir.path();
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(self.fill(script)).current_dir(dir).stdin(Stdio::null()).env_clear();
        let path = format!("{}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", dir.display());
        command.env("PATH", path).env("HOME", dir).env("LANG", "C.UTF-8").env("TZ", "UTC").env(MARK, dir);
        command.env("PID", self.daemon_pid.unwrap_or_default().to_string());
        command
    }

    /// Runs a command to its end; at the deadline everything in this world dies, also what holds its output open.
    pub fn output(&self, mut command: Command) -> Output {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (done, watch) = channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                if watch.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
                    proc::kill_all_of(self.dir.path());
                }
            });
            let output = child.wait_with_output().unwrap();
            drop(done);
            output
        })
    }

    /// Starts a daemon in the foreground and waits until it has started, or ended.
    pub fn start(&mut self, words: &str) {
        assert!(self.daemon.is_none(), "a daemon runs already");
        let said = || fs::File::options().create(true).append(true).open(self.path("out")).unwrap();
        let errors = fs::File::create(self.path("err")).unwrap();
        let mut command = self.shell(&format!("exec {{dir}}/bin/supervisord {words}"));
        let child = command.stdout(said()).stderr(errors).spawn().unwrap();
        self.daemon_pid = Some(child.id() as i32);
        self.daemon = Some(child);
        let line = format!("supervisord started with pid {}", self.daemon_pid.unwrap_or_default());
        let has_server = self.read("supervisord.conf").contains("/s.sock");
        self.wait_for("the start", |world| {
            let has_ended = world.daemon.as_mut().is_none_or(|daemon| daemon.try_wait().unwrap().is_some());
            // Who answers has come to the loop; the line in the log is a little earlier.
            has_ended || if has_server { world.answers() } else { world.read("out").contains(&line) }
        });
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = UnixStream::connect(self.path("s.sock")) else { return false };
        let request = "GET /ok.html HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(request.as_bytes()).is_ok() && stream.read(&mut [0; 16]).is_ok_and(|count| count > 0)
    }

    pub fn wait_for(&mut self, what: &str, mut condition: impl FnMut(&mut World) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !condition(self) {
            if Instant::now() >= end {
                let log = self.log();
                let lines: Vec<&str> = log.lines().collect();
                let tail = lines[lines.len().saturating_sub(15)..].join("\n");
                panic!("waited in vain for {what}; the log ends with:\n{tail}\nstderr: {}", self.read("err"));
            }
            sleep(PAUSE);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The daemon first: it would start its programs again.
        self.daemon_pid.into_iter().for_each(proc::kill);
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.wait();
        }
        proc::kill_all_of(self.dir.path());
    }
}
