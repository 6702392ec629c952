//! What the daemon costs: nothing when nothing happens, and never more with time.

use std::fs;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::fixture::{Daemon, children_of, descriptors, settled_descriptors, wait_until};

/// How often the daemon was put on a processor.
fn switches(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let count = |line: &str| line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
    status.lines().filter(|line| line.contains("ctxt_switches")).filter_map(count).sum()
}

#[test]
fn it_does_not_wake_when_nothing_happens() {
    let daemon = Daemon::start("[program:a]\ncommand=sleep 1000\n[program:b]\ncommand=sleep 1000\n");
    daemon.wait_for_state("a", "RUNNING");
    daemon.wait_for_state("b", "RUNNING");
    // A second after the last happening it gives memory back, once.
    std::thread::sleep(Duration::from_secs(3));
    let before = switches(daemon.pid());
    std::thread::sleep(Duration::from_secs(10));
    assert_eq!(switches(daemon.pid()) - before, 0);
    assert_eq!(fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap().count(), 1, "one thread");
}

#[test]
fn starts_and_stops_leak_no_descriptor_and_no_zombie() {
    let daemon = Daemon::start(
        "[program:cat]\ncommand=cat\nstartsecs=0\nautostart=false\n\
         [program:brief]\ncommand=sh -c 'exec >&- 2>&-; exec sleep 0.01'\nstartsecs=0\nautostart=false\nautorestart=false\n",
    );
    let mut connection = daemon.connect();
    let before = settled_descriptors(daemon.pid());
    for round in 0..200 {
        connection.call("supervisor.startProcess", &["cat".into()]).unwrap();
        if round % 10 == 0 {
            connection.call("supervisor.startProcess", &["brief".into()]).unwrap();
        }
        connection.call("supervisor.stopProcess", &["cat".into()]).unwrap();
        if round % 10 == 0 {
            daemon.wait_for_state("brief", "EXITED");
        }
    }
    wait_until("everything is closed again", || descriptors(daemon.pid()) == before);
    assert_eq!(children_of(daemon.pid()), Vec::<i32>::new());
}

#[test]
fn idle_connections_do_not_shut_others_out() {
    let daemon = Daemon::start("[supervisord]\nminfds=1024\n");
    let before = settled_descriptors(daemon.pid());
    let idle: Vec<UnixStream> = (0..500).map(|_| UnixStream::connect(daemon.socket()).unwrap()).collect();
    wait_until("all are accepted", || descriptors(daemon.pid()) == before + idle.len());
    assert_eq!(daemon.ask("getAPIVersion", &[]), "3.0".into());
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: u64 = resident.split_whitespace().next().unwrap().parse().unwrap();
    assert!(kibibytes < 20 * 1024, "{kibibytes} KiB");
    drop(idle);
    wait_until("all are closed", || descriptors(daemon.pid()) == before);
}

#[test]
fn clients_over_the_limit_wait_and_keep_no_program_from_starting() {
    let daemon =
        Daemon::start("[supervisord]\nminfds=1024\n[program:p]\ncommand=sleep 0.01\nstartsecs=0\nautorestart=true\n");
    let idle: Vec<UnixStream> = (0..600).map(|_| UnixStream::connect(daemon.socket()).unwrap()).collect();
    let starts = || daemon.log().matches("spawned: 'p'").count();
    let before = starts();
    wait_until("programs are started", || starts() > before + 1);
    std::thread::scope(|scope| {
        let late = scope.spawn(|| daemon.ask("getAPIVersion", &[]));
        drop(idle);
        assert_eq!(late.join().unwrap(), "3.0".into());
    });
}

#[test]
fn a_reread_config_leaks_nothing() {
    let daemon = Daemon::start("[program:p]\ncommand=cat\nstartsecs=0\n");
    daemon.wait_for_state("p", "RUNNING");
    let before = settled_descriptors(daemon.pid());
    for _ in 0..50 {
        daemon.ask("reloadConfig", &[]);
        daemon.ask("stopProcessGroup", &["p".into()]);
        daemon.ask("removeProcessGroup", &["p".into()]);
        daemon.ask("addProcessGroup", &["p".into()]);
        daemon.wait_for_state("p", "RUNNING");
    }
    wait_until("everything is closed again", || descriptors(daemon.pid()) == before);
}
