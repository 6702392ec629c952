//! A daemon that is killed, and the one that comes after it, without a service manager: nobody keeps the pipes, but no program is
//! started twice, and a record that cannot be trusted is not half believed.

use std::fs;
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use supervisor_kit::daemon::recovery::Whole;

use super::fixture::{Daemon, Site, is_alive, wait_until};

const PROGRAMS: &str = "[program:sleeper]\ncommand=sleep 3600\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n\
    [program:stopped]\ncommand=sleep 3600\nstartsecs=0\n";

/// A daemon with a program that runs and one that was stopped by hand, killed. Answers its directory and the pid that runs on.
fn killed(config: &str) -> (Arc<Site>, i32) {
    let mut daemon = Daemon::start(&format!("{PROGRAMS}{config}"));
    daemon.wait_for_state("stopped", "RUNNING");
    daemon.ask("stopProcess", &["stopped".into()]);
    let pid = daemon.pid_of("sleeper");
    daemon.signal(Signal::SIGKILL);
    daemon.wait();
    assert!(is_alive(pid));
    (Arc::clone(&daemon.site), pid)
}

fn end(pid: i32) {
    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
}

#[test]
fn the_next_one_takes_programs_back_by_pid() {
    let (site, pid) = killed("");
    let daemon = Daemon::start_in(site);
    daemon.wait_for_log("took back 1 programs");
    assert_eq!(daemon.pid_of("sleeper"), pid);
    assert_eq!(daemon.state("stopped"), "STOPPED");
    // It is told how it ended as far as that can be known, and started again.
    end(pid);
    daemon.wait_for_log("exited: sleeper (exit status not known");
    daemon.wait_for_state("sleeper", "RUNNING");
    assert_ne!(daemon.pid_of("sleeper"), pid);
    let path = daemon.path("supervisord.pid.state");
    assert!(path.exists());
    let site = Arc::clone(&daemon.site);
    drop(daemon);
    assert!(!site.path("supervisord.pid.state").exists() && !site.path("supervisord.pid.inflight").exists());
}

#[test]
fn who_has_ended_meanwhile_is_started_again() {
    let (site, pid) = killed("");
    end(pid);
    wait_until("it is gone", || !is_alive(pid));
    let daemon = Daemon::start_in(site);
    daemon.wait_for_log("took back 0 programs of a supervisord that ended without shutting down; 1 had ended since");
    daemon.wait_for_state("sleeper", "RUNNING");
    assert_eq!(daemon.state("stopped"), "STOPPED");
}

#[test]
fn the_policy_decides() {
    let (site, pid) = killed("[supervisord]\non_crash=kill\n");
    let daemon = Daemon::start_in(site);
    wait_until("the old one is stopped", || !is_alive(pid));
    // In between nobody is answered.
    wait_until("all begins anew", || daemon.log().matches("spawned: 'stopped'").count() == 2);
    daemon.wait_for_state("sleeper", "RUNNING");
    daemon.wait_for_state("stopped", "RUNNING");
    drop(daemon);
    let (site, pid) = killed("[supervisord]\non_crash=leave\n");
    let daemon = Daemon::start_in(site);
    daemon.wait_for_state("sleeper", "RUNNING");
    assert!(is_alive(pid) && daemon.pid_of("sleeper") != pid);
    end(pid);
}

/// Cut anywhere, or with any byte changed: the record is refused, or what stands before the damage is believed and no more.
#[test]
fn a_damaged_record_is_never_half_read() {
    let (site, pid) = killed("");
    end(pid);
    let text = site.read("supervisord.pid.state");
    let whole = Whole::read(&text).unwrap();
    assert_eq!(whole.core.running().len(), 1);
    let document_bytes = text.find("\nend=").unwrap();
    let mut refused = 0;
    for at in (0..text.len()).step_by(7) {
        let cut = text.get(..at).map(Whole::read);
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let changed = String::from_utf8(bytes).unwrap();
        for outcome in [cut, Some(Whole::read(&changed))].into_iter().flatten() {
            match outcome {
                Err(_) => refused += 1,
                Ok(_) => assert!(at > document_bytes, "damage at byte {at} of the document is not noticed"),
            }
        }
    }
    assert!(refused > document_bytes / 7);
}

#[test]
fn a_record_edited_by_hand_is_refused_with_a_reason() {
    let (site, pid) = killed("");
    let path = site.path("supervisord.pid.state");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("STOPPED", "RUNNING", 1)).unwrap();
    let daemon = Daemon::start_in(site);
    daemon.wait_for_log(
        "cannot take back the programs of the supervisord before this one: the snapshot is cut off or damaged",
    );
    daemon.wait_for_state("sleeper", "RUNNING");
    end(pid);
}

#[test]
fn a_record_that_cannot_be_written_is_told_once_and_stops_nothing() {
    let site = Arc::new(Site::new(PROGRAMS));
    // Whatever stands in the way of the new record.
    fs::create_dir(site.path("supervisord.pid.state.new")).unwrap();
    let daemon = Daemon::start_in(site);
    daemon.wait_for_log("cannot keep the record");
    for _ in 0..3 {
        daemon.ask("stopProcess", &["sleeper".into()]);
        daemon.ask("startProcess", &["sleeper".into()]);
    }
    assert_eq!(daemon.state("sleeper"), "RUNNING");
    assert_eq!(daemon.log().matches("cannot keep the record").count(), 1);
    fs::remove_dir(daemon.path("supervisord.pid.state.new")).unwrap();
    daemon.ask("stopProcess", &["sleeper".into()]);
    wait_until("the record is kept again", || daemon.path("supervisord.pid.state").exists());
}
