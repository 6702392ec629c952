//! What the release binaries cost a host: their size, and what the daemon takes when nothing happens.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::bundle::{self, in_project};

/// Both programs that reach a host, together: 5 MiB before there was a web console.
const PROGRAMS_BYTES_MAX: u64 = 6 << 20;
const BUNDLE_BYTES_MAX: u64 = 3 << 20;
/// Proportional set size of a daemon with one program, at rest.
const PSS_BYTES_MAX: u64 = 1_500_000;
/// How long the daemon is watched for wake-ups.
const IDLE: Duration = Duration::from_secs(10);
/// How long anything that is waited for may take.
const DEADLINE: Duration = Duration::from_secs(60);

const CONFIG: &str = "\
[unix_http_server]
file={dir}/s.sock
[supervisord]
nodaemon=true
silent=true
user=root
logfile={dir}/s.log
pidfile={dir}/s.pid
childlogdir={dir}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{dir}/s.sock
[program:sleep]
command=sleep infinity
";

#[test]
fn the_programs_are_static_and_small() {
    let mut sum = 0;
    for name in ["supervisord", "install"] {
        let program = in_project("target/dist/bin").join(name);
        sum += fs::metadata(&program).unwrap().len();
        let headers = Command::new("readelf").args(["-lW"]).arg(&program).output().unwrap();
        let headers = String::from_utf8(headers.stdout).unwrap();
        assert!(headers.contains("LOAD") && !headers.contains("INTERP"), "{name} needs a loader:\n{headers}");
    }
    assert!(sum <= PROGRAMS_BYTES_MAX, "supervisord and install together: {sum} bytes");
    let bundle = fs::metadata(bundle::path()).unwrap().len();
    assert!(bundle <= BUNDLE_BYTES_MAX, "the bundle: {bundle} bytes");
}

#[test]
fn a_daemon_at_rest_is_small_and_never_wakes() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path());
    daemon.wait_for("RUNNING", || daemon.ctl("status").contains("RUNNING"));
    // At rest is when it has gone back to sleep after the last request: no wake-up within the whole time that is watched.
    daemon.wait_for("a rest without wake-ups", || {
        let before = daemon.context_switches();
        std::thread::sleep(IDLE);
        daemon.context_switches() == before
    });
    let pss = daemon.pss_bytes();
    println!("PSS at rest: {pss} bytes");
    assert!(pss <= PSS_BYTES_MAX, "PSS at rest: {pss} bytes");
}

struct Daemon {
    process: Child,
    config: String,
}

impl Daemon {
    fn start(dir: &Path) -> Self {
        let config = dir.join("supervisord.conf");
        fs::write(&config, CONFIG.replace("{dir}", &dir.display().to_string())).unwrap();
        let config = config.display().to_string();
        let program = in_project("target/dist/bin/supervisord");
        let process = Command::new(program).args(["-c", &config]).spawn().unwrap();
        Daemon { process, config }
    }

    fn ctl(&self, command: &str) -> String {
        let program = in_project("target/dist/bin/supervisorctl");
        let output = Command::new(program).args(["-c", &self.config, command]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn wait_for(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !condition() {
            assert!(Instant::now() < deadline, "waited too long for {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Voluntary and involuntary ones.
    fn context_switches(&self) -> u64 {
        self.sum_of("status", "ctxt_switches")
    }

    fn pss_bytes(&self) -> u64 {
        self.sum_of("smaps_rollup", "Pss:") * 1024
    }

    /// The sum of the first numbers of all lines of a file in `/proc/PID` that hold `key`.
    fn sum_of(&self, file: &str, key: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).unwrap();
        let lines = text.lines().filter(|line| line.contains(key));
        lines.map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()).sum()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.process.id().cast_signed());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}
