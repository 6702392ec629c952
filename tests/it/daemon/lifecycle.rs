//! Starting, failing, trying again, giving up, stopping: what the log says and what the states are.

use super::fixture::{Daemon, children_of, is_alive, wait_until};

/// The lines of the activity log that hold a text, without time and level.
fn lines(daemon: &Daemon, text: &str) -> Vec<String> {
    let log = daemon.log();
    log.lines().filter(|line| line.contains(text)).map(|line| line[24..].to_owned()).collect()
}

#[test]
fn a_failing_program_is_tried_and_given_up() {
    let daemon = Daemon::start("[program:bad]\ncommand=sh -c 'exit 3'\nstartretries=2\n");
    daemon.wait_for_log("gave up: bad");
    let story: Vec<String> =
        lines(&daemon, "bad").iter().map(|line| line.split(" with pid").next().unwrap().into()).collect();
    let (spawned, exited) = ("INFO spawned: 'bad'", "WARN exited: bad (exit status 3; not expected)");
    assert_eq!(
        story,
        [
            spawned,
            exited,
            spawned,
            exited,
            spawned,
            exited,
            "INFO gave up: bad entered FATAL state, too many start retries too quickly",
        ]
    );
    let info = daemon.info("bad");
    assert_eq!(info.get("statename"), Some(&"FATAL".into()));
    let text = "Exited too quickly (process log may have details)";
    assert_eq!(info.get("spawnerr"), Some(&text.into()));
    assert_eq!(info.get("description"), Some(&text.into()));
    assert_eq!(info.get("exitstatus"), Some(&0.into()));
}

#[test]
fn a_program_runs_after_startsecs() {
    let daemon = Daemon::start("[program:good]\ncommand=cat\nstartsecs=1\n");
    assert_eq!(daemon.state("good"), "STARTING");
    daemon.wait_for_state("good", "RUNNING");
    let line = "INFO success: good entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)";
    assert_eq!(lines(&daemon, "success:"), [line]);
}

#[test]
fn what_cannot_be_started_says_why() {
    let daemon = Daemon::start(
        "[program:a]\ncommand=no-such-command\nstartretries=0\n[program:b]\ncommand=/etc\nstartretries=0\n\
         [program:c]\ncommand=/etc/passwd\nstartretries=0\n[program:d]\ncommand=cat \"\nstartretries=0\nautostart=true\n\
         [program:e]\ncommand=cat\nstartretries=0\nstdout_logfile=%(here)s\n",
    );
    for (name, text) in [
        ("a", "can't find command 'no-such-command'"),
        ("b", "command at '/etc' is a directory"),
        ("c", "command at '/etc/passwd' is not executable"),
        ("d", "can't parse command 'cat \"': No closing quotation"),
        ("e", "unknown error making dispatchers for 'e': EISDIR"),
    ] {
        daemon.wait_for_state(name, "FATAL");
        assert_eq!(daemon.info(name).get("spawnerr"), Some(&text.into()));
        assert!(daemon.log().contains(&format!("INFO spawnerr: {text}\n")));
    }
}

#[test]
fn autorestart_follows_the_exit_codes() {
    let daemon = Daemon::start(
        "[program:always]\ncommand=true\nstartsecs=0\nautorestart=true\n\
         [program:never]\ncommand=sh -c 'exit 5'\nstartsecs=0\nautorestart=false\n\
         [program:expected]\ncommand=sh -c 'exit 7'\nstartsecs=0\nexitcodes=0,7\n\
         [program:unexpected]\ncommand=sh -c 'exit 8'\nstartsecs=0\nexitcodes=0,7\n",
    );
    wait_until("two have come back", || {
        lines(&daemon, "spawned: 'always'").len() >= 3 && lines(&daemon, "spawned: 'unexpected'").len() >= 3
    });
    assert_eq!(lines(&daemon, "spawned: 'never'").len(), 1);
    assert_eq!(lines(&daemon, "spawned: 'expected'").len(), 1);
    assert!(lines(&daemon, "always").contains(&"INFO exited: always (exit status 0; expected)".to_owned()));
    assert!(lines(&daemon, "unexpected").contains(&"WARN exited: unexpected (exit status 8; not expected)".to_owned()));
    let never = daemon.info("never");
    assert_eq!((never.get("exitstatus"), never.get("spawnerr")), (Some(&5.into()), Some(&"Bad exit code 5".into())));
    let expected = daemon.info("expected");
    assert_eq!((expected.get("exitstatus"), expected.get("spawnerr")), (Some(&7.into()), Some(&"".into())));
    // A restart without pause would burn the machine (divergence D21).
    assert!(lines(&daemon, "spawned: 'always'").len() < 100);
}

#[test]
fn the_stop_signal_is_the_one_of_the_configuration() {
    let daemon = Daemon::start(
        "[program:int]\ncommand=sh -c 'trap \"exit 0\" INT; echo ready; while :; do sleep 0.1; done'\nstopsignal=INT\nstartsecs=0\n\
         stdout_logfile=%(here)s/out\n",
    );
    daemon.wait_for_text("out", "ready");
    assert_eq!(daemon.ask("stopProcess", &["int".into()]), true.into());
    assert_eq!(lines(&daemon, "stopped:"), ["INFO stopped: int (exit status 0)"]);
}

/// A program that leaves two processes behind it: itself and a grandchild, whose pids it prints.
const FAMILY: &str = "command=sh -c 'sleep 1000 & echo $! ready; wait'\nstartsecs=0\nstdout_logfile=%(here)s/family\n";

fn grandchild(daemon: &Daemon) -> i32 {
    let text = daemon.wait_for_text("family", "ready");
    text.lines().last().unwrap().split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn stopasgroup_stops_grandchildren() {
    let daemon = Daemon::start(&format!("[program:family]\n{FAMILY}stopasgroup=true\n"));
    let grandchild = grandchild(&daemon);
    assert!(is_alive(grandchild));
    daemon.ask("stopProcess", &["family".into()]);
    wait_until("the grandchild is gone", || !is_alive(grandchild));
}

#[test]
fn without_stopasgroup_grandchildren_live_on() {
    let daemon = Daemon::start(&format!("[program:family]\n{FAMILY}"));
    let grandchild = grandchild(&daemon);
    daemon.ask("stopProcess", &["family".into()]);
    assert!(is_alive(grandchild));
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(grandchild), nix::sys::signal::SIGKILL).unwrap();
}

#[test]
fn killasgroup_kills_grandchildren_that_ignore_the_stop() {
    let daemon = Daemon::start(
        "[program:family]\ncommand=sh -c 'trap \"\" TERM; sleep 1000 & echo $! ready; wait; sleep 1000'\nstartsecs=0\n\
         stdout_logfile=%(here)s/family\nstopwaitsecs=1\nkillasgroup=true\n",
    );
    let grandchild = grandchild(&daemon);
    let leader = daemon.pid_of("family");
    daemon.ask("stopProcess", &["family".into()]);
    wait_until("the grandchild is gone", || !is_alive(grandchild));
    assert_eq!(lines(&daemon, "killing"), [format!("WARN killing 'family' ({leader}) with SIGKILL")]);
    assert_eq!(lines(&daemon, "stopped:"), ["WARN stopped: family (terminated by SIGKILL)"]);
}

#[test]
fn orphans_that_come_to_the_daemon_are_reaped_too() {
    let daemon = Daemon::start(
        "[program:cat]\ncommand=cat\nstartsecs=0\n[program:brief]\ncommand=true\nstartsecs=0\nautorestart=false\n",
    );
    daemon.wait_for_state("brief", "EXITED");
    assert_eq!(children_of(daemon.pid()), [daemon.pid_of("cat")], "no zombie is left");
}

#[test]
fn a_stop_in_backoff_ends_the_tries() {
    let daemon = Daemon::start("[program:bad]\ncommand=false\nstartretries=100\n");
    daemon.wait_for_state("bad", "BACKOFF");
    // Between two looks it may be tried again; then the stop goes to the process.
    daemon.ask("stopProcess", &["bad".into()]);
    assert_eq!(daemon.state("bad"), "STOPPED");
    let spawned = lines(&daemon, "spawned: 'bad'").len();
    let fault = daemon.fault("startProcess", &["bad".into()]);
    assert_eq!(fault, (50, "SPAWN_ERROR: bad".into()));
    assert_eq!(lines(&daemon, "spawned: 'bad'").len(), spawned + 1);
}
