//! Logs that are followed over HTTP.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use super::client::Connection;
use super::fixture::{Daemon, Site, descriptors, settled_descriptors, wait_until};

const CAT: &str = "[program:cat]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/cat.out\nstderr_logfile=NONE\n";

fn say(daemon: &Daemon, text: &str) {
    daemon.ask("sendProcessStdin", &["cat".into(), format!("{text}\n").into()]);
}

fn follow(daemon: &Daemon, path: &str) -> Connection {
    let mut connection = daemon.connect();
    connection.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
    let head = connection.head();
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-type"), Some("text/plain;charset=utf-8"));
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    let unbuffered = path.starts_with("/logtail").then_some("no");
    assert_eq!(head.header("x-accel-buffering"), unbuffered);
    connection
}

#[test]
fn it_starts_with_the_last_kilobyte_and_goes_on() {
    let daemon = Daemon::start(CAT);
    daemon.wait_for_state("cat", "RUNNING");
    let mut empty = follow(&daemon, "/logtail/cat/stdout");
    let long = format!("{}{}", "a".repeat(500), "b".repeat(1022));
    say(&daemon, &long);
    daemon.wait_for_text("cat.out", "b\n");
    assert_eq!(empty.chunks_until("\n"), format!("{long}\n"), "an empty log is waited for");
    let mut connection = follow(&daemon, "/logtail/c%61t");
    assert_eq!(connection.chunks_until("b\n"), format!("a{}\n", "b".repeat(1022)));
    for text in ["one", "two", "三"] {
        say(&daemon, text);
        assert_eq!(connection.chunks_until("\n"), format!("{text}\n"));
        assert_eq!(empty.chunks_until("\n"), format!("{text}\n"));
    }
    for missing in ["/logtail/nope", "/logtail/cat:*", "/logtail/cat/stderr", "/logtail/cat/nope", "/logtail/"] {
        assert_eq!(daemon.connect().get(missing).status, 404, "{missing}");
    }
}

#[test]
fn the_activity_log_is_followed() {
    let daemon = Daemon::start(&format!("[supervisord]\nloglevel=debug\n{CAT}"));
    daemon.wait_for_state("cat", "RUNNING");
    let mut connection = follow(&daemon, "/mainlogtail");
    say(&daemon, "quiet");
    connection.chunks_until("DEBG 'cat' stdout output:\nquiet\n\n");
    daemon.ask("stopProcess", &["cat".into()]);
    connection.chunks_until("stopped: cat (terminated by SIGTERM)\n");
}

#[test]
fn it_survives_rotation_and_says_when_the_file_shrank() {
    let daemon = Daemon::start(&format!("{CAT}stdout_logfile_maxbytes=100\nstdout_logfile_backups=3\n"));
    daemon.wait_for_state("cat", "RUNNING");
    let mut connection = follow(&daemon, "/logtail/cat");
    for round in 0..20 {
        let text = format!("{round} {}", "x".repeat(60));
        say(&daemon, &text);
        assert_eq!(connection.chunks_until("\n"), format!("{text}\n"));
    }
    assert!(daemon.path("cat.out.3").exists());
    say(&daemon, &"y".repeat(50));
    connection.chunks_until("y\n");
    daemon.ask("clearProcessLogs", &["cat".into()]);
    assert_eq!(connection.chunks_until("\n"), "==> File truncated <==\n");
    say(&daemon, "after");
    assert_eq!(connection.chunks_until("\n"), "after\n");
}

#[test]
fn a_renamed_log_is_left_for_the_new_one() {
    let daemon = Daemon::start(CAT);
    daemon.wait_for_state("cat", "RUNNING");
    let mut connection = follow(&daemon, "/logtail/cat");
    say(&daemon, "one");
    connection.chunks_until("one\n");
    fs::rename(daemon.path("cat.out"), daemon.path("moved")).unwrap();
    say(&daemon, "two");
    assert_eq!(connection.chunks_until("\n"), "two\n");
    daemon.signal(nix::sys::signal::SIGUSR2);
    wait_until("there is a new file", || daemon.path("cat.out").exists());
    say(&daemon, "three");
    assert_eq!(connection.chunks_until("\n"), "three\n");
}

#[test]
fn followers_that_go_away_leave_nothing_behind() {
    let daemon = Daemon::start(CAT);
    daemon.wait_for_state("cat", "RUNNING");
    let before = settled_descriptors(daemon.pid());
    for _ in 0..50 {
        follow(&daemon, "/logtail/cat");
        follow(&daemon, "/mainlogtail");
    }
    wait_until("all are gone", || descriptors(daemon.pid()) == before);
    // The servers end with followers on them, too.
    let _connection = follow(&daemon, "/mainlogtail");
}

#[test]
fn a_log_that_is_no_file_is_neither_followed_nor_waited_for() {
    let site =
        Site::new("[program:p]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/fifo\nstdout_logfile_maxbytes=0\n");
    nix::unistd::mkfifo(&site.path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let daemon = Daemon::start_in(site);
    // Nobody reads the pipe, and nobody writes to it: whoever opens it waits.
    assert_eq!(daemon.connect().get("/logtail/p").status, 404);
    assert_eq!(daemon.fault("readProcessLog", &["p".into(), 0.into(), 0.into()]), (30, "FAILED".into()));
    assert_eq!(daemon.ask("getAPIVersion", &[]), "3.0".into());
}

#[test]
fn it_goes_on_when_its_group_is_removed_and_added_again() {
    let daemon = Daemon::start(CAT);
    daemon.wait_for_state("cat", "RUNNING");
    let mut connection = follow(&daemon, "/logtail/cat");
    say(&daemon, "before");
    connection.chunks_until("before\n");
    for method in ["stopProcessGroup", "removeProcessGroup", "addProcessGroup"] {
        daemon.ask(method, &["cat".into()]);
    }
    daemon.wait_for_state("cat", "RUNNING");
    say(&daemon, "after");
    assert_eq!(connection.chunks_until("\n"), "after\n");
}

#[test]
fn many_followers_of_a_rotating_log_lose_no_line() {
    const FOLLOWERS: usize = 100;
    const LINES: usize = 20_000;
    let command = format!("read go; seq -f 'line %%07g' {LINES}; echo done; exec sleep 1000");
    let daemon = Daemon::start(&format!(
        "[program:p]\ncommand=sh -c \"{command}\"\nstartsecs=0\nstdout_logfile=%(here)s/p.out\n\
         stdout_logfile_maxbytes=40000\nstdout_logfile_backups=1\n"
    ));
    daemon.wait_for_state("p", "RUNNING");
    let mut followers: Vec<Connection> = (0..FOLLOWERS).map(|_| follow(&daemon, "/logtail/p")).collect();
    let mut connection = daemon.connect();
    connection.call("supervisor.sendProcessStdin", &["p".into(), "go\n".into()]).unwrap();
    std::thread::scope(|scope| {
        for follower in &mut followers {
            scope.spawn(|| {
                let text = follower.chunks_until("done\n");
                let lines: Vec<&str> = text.lines().collect();
                assert_eq!(lines.len(), LINES + 1, "{:?}", lines.iter().find(|line| line.starts_with("==>")));
                assert!(lines.iter().take(LINES).zip(1..).all(|(line, n)| *line == format!("line {n:07}")));
            });
        }
    });
    // The log itself was rolled many times, and its older parts are gone.
    assert!(daemon.path("p.out.1").exists() && !daemon.path("p.out.2").exists());
}

#[test]
fn who_does_not_read_is_told_what_was_skipped() {
    let command = "read go; while read n; do head -c 30000 /dev/zero | tr '\\0' x; echo; echo $n > $SEEN; done";
    let daemon = Daemon::start(&format!(
        "[program:p]\ncommand=sh -c \"{command}\"\nstartsecs=0\nstdout_logfile=%(here)s/p.out\n\
         stdout_logfile_maxbytes=20000\nstdout_logfile_backups=2\nenvironment=SEEN=\"%(here)s/seen\"\n"
    ));
    daemon.wait_for_state("p", "RUNNING");
    let mut follower = follow(&daemon, "/logtail/p");
    let before = descriptors(daemon.pid());
    daemon.ask("sendProcessStdin", &["p".into(), "go\n".into()]);
    for round in 1..=100 {
        daemon.ask("sendProcessStdin", &["p".into(), format!("{round}\n").into()]);
    }
    wait_until("all is written", || fs::read_to_string(daemon.path("seen")).is_ok_and(|seen| seen == "100\n"));
    // As many files are kept open as the limit says, not one for each rotation.
    assert!(descriptors(daemon.pid()) <= before + 40);
    let mut text = String::new();
    while !text.contains(" bytes skipped <==\n") {
        text.push_str(&String::from_utf8_lossy(&follower.chunk()));
    }
}

#[test]
fn clients_of_http_1_0_get_lines_as_they_come() {
    let daemon = Daemon::start(CAT);
    daemon.wait_for_state("cat", "RUNNING");
    let mut stream = UnixStream::connect(daemon.socket()).unwrap();
    stream.write_all(b"GET /logtail/cat HTTP/1.0\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    assert!(head[0].ends_with("200 OK") && !head.iter().any(|line| line.contains("chunked")), "{head:?}");
    for text in ["one", "two"] {
        say(&daemon, text);
        assert_eq!(lines.next().unwrap(), text);
    }
}
