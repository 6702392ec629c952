//! Signals to the daemon: the end, the restart, new log files.

use std::fs;

use nix::sys::signal::Signal;

use super::fixture::{Daemon, children_of, is_alive, wait_until};

#[test]
fn a_signal_ends_everything_cleanly() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT] {
        let mut daemon =
            Daemon::start("[program:a]\ncommand=cat\nstartsecs=0\n[program:b]\ncommand=sleep 100\nstartsecs=10\n");
        wait_until("both run", || children_of(daemon.pid()).len() == 2);
        let children = children_of(daemon.pid());
        daemon.signal(signal);
        assert_eq!(daemon.wait().code(), Some(0));
        assert!(children.iter().all(|pid| !is_alive(*pid)));
        assert!(!daemon.socket().exists() && !daemon.path("supervisord.pid").exists());
        assert_eq!(daemon.site.files(|name| name.contains(".lock")), Vec::<std::path::PathBuf>::new());
        let log = daemon.log();
        assert!(log.contains(&format!("WARN received {signal} indicating exit request\n")), "{log}");
        assert!(log.contains("INFO waiting for a, b to die\n"), "{log}");
    }
}

#[test]
fn the_answer_to_a_shutdown_arrives() {
    for _ in 0..10 {
        let mut daemon = Daemon::start("");
        assert_eq!(daemon.ask("shutdown", &[]), true.into());
        assert!(daemon.wait().success());
    }
}

#[test]
fn everything_stops_in_descending_priority() {
    let mut config = String::new();
    for (name, priority) in [("first", 900), ("second", 500), ("third", 500), ("last", 1)] {
        config += &format!(
            "[program:{name}]\ncommand=sh -c 'trap \"sleep 0.2; exit 0\" TERM; echo {name} ready; while :; do sleep 0.05; done'\n\
             priority={priority}\nstartsecs=0\nstdout_logfile=%(here)s/{name}.out\n"
        );
    }
    let mut daemon = Daemon::start(&config);
    for name in ["first", "second", "third", "last"] {
        daemon.wait_for_text(&format!("{name}.out"), "ready");
    }
    let log = daemon.log();
    let started: Vec<&str> =
        log.lines().filter_map(|line| line.split("spawned: '").nth(1)?.split('\'').next()).collect();
    assert_eq!(started, ["last", "second", "third", "first"]);
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait().success());
    let log = daemon.log();
    let mut stopped: Vec<&str> =
        log.lines().filter_map(|line| line.split("stopped: ").nth(1)?.split(' ').next()).collect();
    assert_eq!(stopped.len(), 4, "{log}");
    // Equal priorities stop at the same time, so either may be the first.
    stopped[1..3].sort_unstable();
    assert_eq!(stopped, ["first", "second", "third", "last"]);
}

#[test]
fn hangup_with_a_broken_configuration_changes_nothing() {
    let daemon = Daemon::start("[program:cat]\ncommand=cat\nstartsecs=0\n");
    daemon.wait_for_state("cat", "RUNNING");
    let pid = daemon.pid_of("cat");
    daemon.site.configure("[program:cat]\ncommand=cat\nstartsecs=soon\n");
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_log("CRIT ignored SIGHUP indicating restart request");
    assert!(daemon.log().contains("soon"), "{}", daemon.log());
    assert_eq!((daemon.state("cat"), daemon.pid_of("cat")), ("RUNNING".to_owned(), pid));
    let (code, text) = daemon.fault("restart", &[]);
    assert_eq!(code, 92, "{text}");
    assert_eq!(daemon.pid_of("cat"), pid);
}

#[test]
fn hangup_restarts_in_the_same_process_with_the_new_configuration() {
    let daemon = Daemon::start("[program:old]\ncommand=cat\nstartsecs=0\n");
    daemon.wait_for_state("old", "RUNNING");
    let old = daemon.pid_of("old");
    for (round, restart) in [("one", true), ("two", false)] {
        daemon.site.configure(&format!(
            "[supervisord]\nidentifier={round}\nlogfile=%(here)s/{round}.log\n[program:{round}]\ncommand=cat\nstartsecs=0\n"
        ));
        if restart {
            daemon.signal(Signal::SIGHUP);
        } else {
            assert_eq!(daemon.ask("restart", &[]), true.into());
        }
        let started = format!("INFO supervisord started with pid {}\n", daemon.pid());
        let log = daemon.wait_for_text(&format!("{round}.log"), &started);
        assert!(log.contains("RPC interface 'supervisor' initialized"), "{log}");
        wait_until("it listens again", || std::os::unix::net::UnixStream::connect(daemon.socket()).is_ok());
        assert_eq!(daemon.ask("getIdentification", &[]), round.into());
        daemon.wait_for_state(round, "RUNNING");
        assert_eq!(children_of(daemon.pid()), [daemon.pid_of(round)]);
        assert_eq!(daemon.site.read("supervisord.pid"), format!("{}\n", daemon.pid()));
    }
    assert!(!is_alive(old));
    assert!(daemon.log().contains("WARN received SIGHUP indicating restart request\n"));
    assert!(daemon.log().contains("WARN stopped: old (terminated by SIGTERM)\n"));
}

#[test]
fn a_restart_that_cannot_be_is_in_the_log() {
    let mut daemon = Daemon::start("");
    daemon.site.configure("[unix_http_server]\nfile=%(here)s/no-such-directory/s.sock\n");
    daemon.signal(Signal::SIGHUP);
    assert_eq!(daemon.wait().code(), Some(2));
    let log = daemon.log();
    assert!(log.contains("CRIT") && log.contains("no-such-directory"), "{log}");
    assert!(!daemon.path("supervisord.pid").exists());
}

#[test]
fn renamed_logs_are_opened_again() {
    let daemon = Daemon::start("[program:cat]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/cat.out\n");
    daemon.wait_for_state("cat", "RUNNING");
    let say = |text: &str| daemon.ask("sendProcessStdin", &["cat".into(), format!("{text}\n").into()]);
    say("before");
    daemon.wait_for_text("cat.out", "before");
    fs::rename(daemon.path("cat.out"), daemon.path("cat.out.old")).unwrap();
    fs::rename(daemon.path("supervisord.log"), daemon.path("supervisord.log.old")).unwrap();
    say("between");
    daemon.wait_for_text("cat.out.old", "between");
    daemon.signal(Signal::SIGUSR2);
    wait_until("the logs are there again", || {
        daemon.path("supervisord.log").exists() && daemon.path("cat.out").exists()
    });
    say("after");
    assert_eq!(daemon.wait_for_text("cat.out", "after"), "after\n");
    assert_eq!(daemon.site.read("cat.out.old"), "before\nbetween\n");
    assert!(daemon.site.read("supervisord.log.old").contains("INFO received SIGUSR2 indicating log reopen request\n"));
}

const STUBBORN: &str = "[program:stubborn]\ncommand=sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.1; done'\nstartsecs=0\n\
    stopwaitsecs=2\nkillasgroup=true\nstdout_logfile=%(here)s/out\n";

#[test]
fn a_hangup_cannot_undo_a_shutdown() {
    let mut daemon = Daemon::start(STUBBORN);
    daemon.wait_for_text("out", "ready");
    daemon.signal(Signal::SIGTERM);
    daemon.wait_for_log("received SIGTERM");
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_log("WARN ignored SIGHUP indicating restart request (shutdown in progress)\n");
    assert_eq!(daemon.wait().code(), Some(0));
}

#[test]
fn a_termination_turns_a_restart_into_a_shutdown() {
    let mut daemon = Daemon::start(STUBBORN);
    daemon.wait_for_text("out", "ready");
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_log("WARN received SIGHUP indicating restart request\n");
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait().code(), Some(0));
    assert_eq!(daemon.log().matches("supervisord started with pid").count(), 1);
}
