//! Standard input of programs.

use super::fixture::Daemon;

#[test]
fn it_stays_open_and_takes_text() {
    let daemon = Daemon::start(
        "[program:cat]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/cat.out\n[program:off]\ncommand=cat\nautostart=false\n",
    );
    daemon.wait_for_state("cat", "RUNNING");
    let pid = daemon.pid_of("cat");
    for text in ["hello\n", "你好\n", "end\n"] {
        assert_eq!(daemon.ask("sendProcessStdin", &["cat".into(), text.into()]), true.into());
    }
    assert_eq!(daemon.wait_for_text("cat.out", "end\n"), "hello\n你好\nend\n");
    assert_eq!((daemon.state("cat"), daemon.pid_of("cat")), ("RUNNING".to_owned(), pid));
    let send = |name: &str| daemon.fault("sendProcessStdin", &[name.into(), "x".into()]);
    assert_eq!(send("off"), (70, "NOT_RUNNING: off".into()));
    assert_eq!(send("nope"), (10, "BAD_NAME: nope".into()));
    assert_eq!(daemon.fault("sendProcessStdin", &["cat".into(), 3.into()]).0, 2);
}

#[test]
fn a_program_that_closed_its_input_is_told_of() {
    let daemon = Daemon::start(
        "[program:deaf]\ncommand=sh -c 'exec <&-; echo ready; exec sleep 100'\nstartsecs=0\nstdout_logfile=%(here)s/out\n",
    );
    daemon.wait_for_text("out", "ready");
    for _ in 0..2 {
        assert_eq!(daemon.fault("sendProcessStdin", &["deaf".into(), "x".into()]), (20, "NO_FILE: deaf".into()));
    }
}

#[test]
fn a_full_pipe_queues_up_to_a_mebibyte_and_loses_nothing() {
    let daemon = Daemon::start(
        "[program:slow]\ncommand=sh -c 'trap : USR1; echo ready; while [ ! -e %(here)s/go ]; do sleep 0.05; done; exec cat'\nstartsecs=0\n\
         stdout_logfile=%(here)s/out\nstdout_logfile_maxbytes=0\n",
    );
    daemon.wait_for_text("out", "ready\n");
    let block: String = (0..10_000).map(|number| format!("{number:09}\n")).collect();
    let mut accepted = 0;
    let refused = loop {
        match daemon.call("supervisor.sendProcessStdin", &["slow".into(), block.as_str().into()]) {
            Ok(_) => accepted += 1,
            Err(fault) => break fault,
        }
        assert!(accepted < 20, "there is no limit");
    };
    assert_eq!(refused.code, 30, "{refused}");
    assert!(refused.text.contains("does not read its standard input"), "{refused}");
    // What a pipe holds, and a mebibyte.
    assert_eq!(accepted, (64 * 1024 + 1024 * 1024) / block.len());
    std::fs::write(daemon.path("go"), "").unwrap();
    let expected = format!("ready\n{}", block.repeat(accepted));
    super::fixture::wait_until("all has arrived", || daemon.site.read("out").len() >= expected.len());
    assert!(daemon.site.read("out") == expected, "bytes were changed on the way");
}
