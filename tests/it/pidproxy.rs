//! `pidproxy`: what it passes on and how it ends.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::program_file;

const DEADLINE: Duration = Duration::from_secs(60);

fn pidproxy(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_supervisord"));
    command.arg0("/opt/bin/pidproxy").args(args).current_dir(dir).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    pidproxy(dir, args).output().unwrap()
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn too_few_words_show_the_usage() {
    let dir = TempDir::new().unwrap();
    for args in [&[][..], &["x.pid"]] {
        let output = run(dir.path(), args);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            String::from_utf8(output.stdout).unwrap().contains("Usage: /opt/bin/pidproxy <pidfile name> <command>")
        );
    }
}

#[test]
fn the_status_of_the_command_is_passed_on_in_silence() {
    let dir = TempDir::new().unwrap();
    for (script, status) in [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)] {
        let output = run(dir.path(), &["x.pid", "/bin/sh", "-c", script]);
        assert_eq!(output.status.code(), Some(status), "{script}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn a_command_is_found_here_then_in_path_and_keeps_its_name() {
    let dir = TempDir::new().unwrap();
    assert_eq!(run(dir.path(), &["x.pid", "sh", "-c", "exit 4"]).status.code(), Some(4));
    program_file::copy(Path::new("/bin/sh"), &dir.path().join("sh"));
    let output = run(dir.path(), &["x.pid", "sh", "-c", "echo $0; readlink /proc/$$/exe"]);
    let here = dir.path().canonicalize().unwrap().join("sh");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("sh\n{}\n", here.display()));
}

#[test]
fn a_command_that_cannot_run_is_reported() {
    let dir = TempDir::new().unwrap();
    for (command, status) in [("/nowhere", 127), ("nowhere-in-path", 127), ("/etc/passwd", 126)] {
        let output = run(dir.path(), &["x.pid", command]);
        assert_eq!(output.status.code(), Some(status), "{command}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with(&format!("pidproxy: cannot run {command}: ")), "{stderr}");
    }
}

/// Starts a proxy whose pidfile names a process that logs the signals it gets, then sends `signals` to the proxy.
fn log_of_signals(signals: &[Signal]) -> (String, Option<i32>) {
    let dir = TempDir::new().unwrap();
    let script = "for s in HUP INT QUIT USR1 USR2 TERM; do trap \"echo $s >> log\" $s; done; \
                  echo $$ > target.pid; while [ ! -e end ]; do sleep 0.02; done; exit 5";
    let proxy = pidproxy(dir.path(), &["target.pid", "/bin/sh", "-c", script]).spawn().unwrap();
    let pidfile = dir.path().join("target.pid");
    wait_for("the pidfile", || fs::read_to_string(&pidfile).is_ok_and(|text| text.ends_with('\n')));
    for (count, signal) in signals.iter().enumerate() {
        kill(Pid::from_raw(proxy.id() as i32), *signal).unwrap();
        let log = dir.path().join("log");
        wait_for("the signal", || fs::read_to_string(&log).is_ok_and(|text| text.lines().count() == count + 1));
    }
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    fs::write(dir.path().join("end"), "").unwrap();
    (log, proxy.wait_with_output().unwrap().status.code())
}

#[test]
fn signals_reach_the_process_of_the_pidfile() {
    assert_eq!(
        log_of_signals(&[Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2]),
        ("HUP\nUSR1\nUSR2\n".into(), Some(5))
    );
}

#[test]
fn a_stop_signal_ends_the_proxy_at_once() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT] {
        let (log, status) = log_of_signals(&[signal]);
        assert_eq!((format!("SIG{}", log.trim()), status), (signal.to_string(), Some(0)));
    }
}

#[test]
fn without_a_pidfile_the_command_gets_the_signal() {
    let dir = TempDir::new().unwrap();
    let script = "trap 'echo hup >> log' HUP; trap 'exit 5' TERM; echo ready > ready; while :; do sleep 0.02; done";
    let proxy = pidproxy(dir.path(), &["none.pid", "/bin/sh", "-c", script]).spawn().unwrap();
    wait_for("the command", || dir.path().join("ready").exists());
    // Zero would be our own process group, so it is as good as no pidfile.
    fs::write(dir.path().join("none.pid"), "0\n").unwrap();
    kill(Pid::from_raw(proxy.id() as i32), Signal::SIGHUP).unwrap();
    wait_for("the first signal", || dir.path().join("log").exists());
    kill(Pid::from_raw(proxy.id() as i32), Signal::SIGTERM).unwrap();
    let output = proxy.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "Can't read child pidfile none.pid!\n".repeat(2));
}
