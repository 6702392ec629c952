//! Stock Supervisor is replaced while its programs run: by the programs alone, without installer and service manager.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use supervisor_kit::daemon::recovery::Whole;
use supervisor_kit::daemon::takeover::{LetGo, let_go};

use super::fixture::{BINARY, Daemon, Site, is_alive, wait_until};

/// Stock Supervisor, by its directory below `target`.
const STOCK: [&str; 2] = ["stock-4.2.2", "stock"];

const WRITER: &str = "import sys, time\nnumber = 0\nwhile True:\n    number += 1\n    print(number, flush=True)\n    \
    print(number, file=sys.stderr, flush=True)\n    time.sleep(0.001)\n";

const CONFIG: &str = "[supervisorctl]\nserverurl=unix://%(here)s/s.sock\n[program:writer]\ncommand=python3 %(here)s/writer.py\n\
    startsecs=0\nstdout_logfile=%(here)s/out.log\nstderr_logfile=%(here)s/err.log\n\
    [program:reader]\ncommand=cat\nstartsecs=0\nredirect_stderr=true\n\
    [program:never]\ncommand=cat\nautostart=false\n";

/// A running stock daemon; it is killed when the test ends.
struct Stock {
    site: Arc<Site>,
    child: Child,
}

impl Stock {
    fn start(version: &str, more: &str) -> Self {
        let site = Arc::new(Site::new(&format!("{CONFIG}{more}")));
        fs::write(site.path("writer.py"), WRITER).unwrap();
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(version).join("bin/python");
        assert!(python.exists(), "{} is missing: run scripts/setup", python.display());
        let mut command = Command::new(python);
        command.args(["-m", "supervisor.supervisord", "-c"]).arg(site.path("supervisord.conf"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let stock = Stock { site, child };
        wait_until("the writer writes", || stock.lines("out.log") > 100 && stock.pid_of("reader").is_some());
        stock
    }

    fn lines(&self, file: &str) -> usize {
        fs::read_to_string(self.site.path(file)).map_or(0, |text| text.lines().count())
    }

    fn pid_of(&self, name: &str) -> Option<i32> {
        let log = self.site.read("supervisord.log");
        let line = log.lines().find(|line| line.contains(&format!("spawned: '{name}'")))?.to_owned();
        line.rsplit(' ').next()?.parse().ok()
    }

    fn take_over(&self) -> Output {
        let pid = self.child.id().to_string();
        let mut command = Command::new(BINARY);
        command.args(["--take-over", &pid, "-n", "-c"]).arg(self.site.path("supervisord.conf")).output().unwrap()
    }

    fn state(&self) -> String {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        stat.rsplit(") ").next().unwrap()[..1].to_owned()
    }

    /// Whether this account may see what a process waits for.
    fn is_seen(&self) -> bool {
        let seen = Command::new("cat").arg(format!("/proc/{}/syscall", self.child.id())).output().unwrap();
        if !seen.status.success() {
            eprintln!("NOT TESTED: a live takeover needs root, or a kernel that shows what processes wait for");
        }
        seen.status.success()
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        let programs = ["writer", "reader"].into_iter().filter_map(|name| self.pid_of(name));
        programs.for_each(|pid| {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        });
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every number once, in order.
#[track_caller]
fn is_whole(text: &str) {
    let numbers: Vec<usize> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len()), "{} lines, not all in order", numbers.len());
}

#[test]
fn programs_stay_the_same_processes_and_no_line_is_lost() {
    for version in STOCK {
        let mut stock = Stock::start(version, "");
        if !stock.is_seen() {
            return;
        }
        let pids = ["writer", "reader"].map(|name| stock.pid_of(name).unwrap());
        let output = stock.take_over();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(stock.state(), "T");
        let daemon = Daemon::start_in(Arc::clone(&stock.site));
        stock.child.wait().unwrap();
        assert_eq!(["writer", "reader"].map(|name| daemon.pid_of(name)), pids);
        assert_eq!(daemon.state("never"), "STOPPED");
        let lines = stock.lines("out.log");
        wait_until("the writer is heard again", || stock.lines("out.log") > lines + 100);
        daemon.ask("sendProcessStdin", &["reader".into(), "heard\n".into()]);
        wait_until("the reader has said it", || {
            daemon.ask("readProcessStdoutLog", &["reader".into(), 0.into(), 0.into()]).as_str() == Some("heard\n")
        });
        daemon.ask("stopAllProcesses", &[]);
        assert!(pids.iter().all(|pid| !is_alive(*pid)));
        ["out.log", "err.log"].iter().for_each(|file| is_whole(&stock.site.read(file)));
    }
}

#[test]
fn who_ended_while_it_stood_still_is_started_again() {
    let stock = Stock::start(STOCK[1], "");
    if !stock.is_seen() {
        return;
    }
    assert!(stock.take_over().status.success());
    let pid = stock.pid_of("writer").unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    let daemon = Daemon::start_in(Arc::clone(&stock.site));
    daemon.wait_for_log("took back 1 programs");
    daemon.wait_for_log("exited: writer (exit status not known");
    daemon.wait_for_state("writer", "RUNNING");
    assert_ne!(daemon.pid_of("writer"), pid);
}

#[test]
fn the_old_one_goes_on_when_it_is_let_go() {
    let stock = Stock::start(STOCK[0], "");
    if !stock.is_seen() {
        return;
    }
    assert!(stock.take_over().status.success());
    let record = stock.site.path("supervisord.pid.state");
    assert!(Whole::read(&fs::read_to_string(&record).unwrap()).is_ok());
    let pid = i32::try_from(stock.child.id()).unwrap();
    let born = supervisor_kit::sys::proc::start_time(pid).unwrap();
    let gone_on = let_go(pid, born, &stock.site.path("supervisord.pid"));
    assert_eq!(gone_on, LetGo::GoesOn);
    assert!(!record.exists());
    let lines = stock.lines("out.log");
    wait_until("it logs again", || stock.lines("out.log") > lines + 100);
    is_whole(stock.site.read("out.log").rsplit_once('\n').unwrap().0);
}

#[test]
fn what_stands_in_the_way_is_told_and_nothing_is_halted() {
    let shared = "[fcgi-program:web]\ncommand=sleep 3600\nsocket=unix://%(here)s/f.sock\nstartsecs=0\n";
    let stock = Stock::start(STOCK[1], shared);
    let refused = |word: &str| {
        let output = stock.take_over();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(word), "{output:?}");
        assert_ne!(stock.state(), "T");
        assert!(!stock.site.path("supervisord.pid.state").exists());
    };
    refused("FastCGI programs share a socket");
    stock.site.configure(&format!("{CONFIG}{shared}[program:late]\ncommand=cat\n"));
    refused("late:late");
    stock.site.configure(&format!("{CONFIG}{shared}[supervisord]\non_crash=leave\n"));
    refused("on_crash=leave");
    let other = CONFIG.replace("s.sock", "none.sock");
    stock.site.configure(&format!("{other}{shared}[unix_http_server]\nfile=%(here)s/none.sock\n"));
    refused("does not say what it runs");
}
