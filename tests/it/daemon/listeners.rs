//! Event listeners that behave badly: nobody else notices.

use std::fs;

use super::fixture::{Daemon, wait_until};

/// A listener that runs this in a shell, and a program that has nothing to do with it.
fn start(script: &str) -> Daemon {
    Daemon::start(&format!(
        "[eventlistener:l]\ncommand=sh -c \"{script}\"\ndirectory=%(here)s\nevents=REMOTE_COMMUNICATION\nstartsecs=0\n\
         stdout_logfile=NONE\n[program:p]\ncommand=cat\nautostart=false\nstartsecs=0\n"
    ))
}

/// A program can be started and stopped.
fn works(daemon: &Daemon) {
    daemon.ask("startProcess", &["p".into()]);
    daemon.ask("stopProcess", &["p".into()]);
}

#[test]
fn a_listener_that_does_not_read_delays_nobody() {
    let daemon = start("printf 'READY\\n'; until test -f go; do sleep .05; done; exec cat >got");
    let data = "x".repeat(900_000) + "END";
    daemon.wait_for_state("l", "RUNNING");
    // Far more than a pipe holds: the first waits in the queue of stdin, the second in the pool.
    for _ in 0..2 {
        daemon.ask("sendRemoteCommEvent", &["t".into(), data.as_str().into()]);
        works(&daemon);
    }
    fs::write(daemon.path("go"), "").unwrap();
    let got = || fs::read_to_string(daemon.path("got")).unwrap_or_default();
    wait_until("the whole event is there", || got().ends_with("END"));
    let header = "ver:3.0 server:it serial:0 pool:l poolserial:0 eventname:REMOTE_COMMUNICATION len:900010\ntype:t\n";
    assert_eq!(got(), format!("{header}{data}"));
}

#[test]
fn a_listener_that_floods_is_out_after_its_first_words() {
    let daemon = start("exec yes");
    wait_until("the breach is logged", || daemon.log().contains("l: has entered the UNKNOWN state"));
    (0..20).for_each(|_| works(&daemon));
    daemon.ask("sendRemoteCommEvent", &["t".into(), "x".into()]);
    works(&daemon);
    assert_eq!(daemon.log().matches("UNKNOWN state").count(), 1, "once for each happening");
}

#[test]
fn a_listener_that_dies_in_the_middle_of_a_line_loses_no_event() {
    let script = "printf 'READY\\n'; read -r header; head -c 8 >>got; test -f again && { printf 'RESULT 2\\nOK'; exec cat; }; \
                  touch again; printf 'RESU'; exit 1";
    let daemon = start(script);
    daemon.wait_for_state("l", "RUNNING");
    daemon.ask("sendRemoteCommEvent", &["t".into(), "x".into()]);
    let got = || fs::read_to_string(daemon.path("got")).unwrap_or_default();
    wait_until("it is sent again", || got() == "type:t\nxtype:t\nx");
}
