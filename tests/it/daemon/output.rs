//! Nothing that a program writes is lost.

use std::fs;

use super::fixture::{Daemon, Site, wait_until};

/// The programs that write a million bytes and end at once.
const WRITERS: usize = 20;
const BYTES: usize = 1_000_000;

#[test]
fn a_million_bytes_of_programs_that_end_at_once_arrive() {
    let site = Site::new(
        "[program:w]\ncommand=cat %(here)s/data\nprocess_name=w%(process_num)02d\nnumprocs=20\nstartsecs=0\nautorestart=false\n\
         stdout_logfile=%(here)s/w%(process_num)02d.out\nstdout_logfile_maxbytes=0\nautostart=false\n",
    );
    let data: Vec<u8> = (0..BYTES as u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(site.path("data"), &data).unwrap();
    let daemon = Daemon::start_in(site);
    assert_eq!(daemon.ask("startAllProcesses", &[]).as_array().unwrap().len(), WRITERS);
    for number in 0..WRITERS {
        // Once it is seen as ended, everything is in the log.
        daemon.wait_for_state(&format!("w:w{number:02}"), "EXITED");
        assert!(fs::read(daemon.path(&format!("w{number:02}.out"))).unwrap() == data, "program {number}");
    }
}

#[test]
fn a_grandchild_is_logged_after_its_parent_has_ended() {
    let daemon = Daemon::start(
        "[program:p]\ncommand=sh -c '(while [ ! -e %(here)s/go ]; do sleep 0.05; done; echo from the grandchild) & echo from the parent'\n\
         startsecs=0\nautorestart=false\nstdout_logfile=%(here)s/out\n",
    );
    daemon.wait_for_state("p", "EXITED");
    assert_eq!(daemon.site.read("out"), "from the parent\n");
    fs::write(daemon.path("go"), "").unwrap();
    assert_eq!(daemon.wait_for_text("out", "grandchild"), "from the parent\nfrom the grandchild\n");
}

#[test]
fn rotation_under_load_loses_nothing() {
    let daemon = Daemon::start(
        "[program:count]\ncommand=seq 1000000 1400000\nstartsecs=0\nautorestart=false\nautostart=false\n\
         stdout_logfile=%(here)s/out\nstdout_logfile_maxbytes=200KB\nstdout_logfile_backups=50\n",
    );
    daemon.ask("startProcess", &["count".into()]);
    daemon.wait_for_state("count", "EXITED");
    let mut all = String::new();
    let mut rolled = 0;
    for number in (1..=50).rev() {
        if let Ok(text) = fs::read_to_string(daemon.path(&format!("out.{number}"))) {
            assert!(text.len() >= 200 * 1024 && text.len() < 200 * 1024 + 64 * 1024, "{number}: {}", text.len());
            rolled += 1;
            all += &text;
        }
    }
    all += &daemon.site.read("out");
    assert!(rolled > 5, "{rolled}");
    let expected: String = (1_000_000..=1_400_000).map(|number| format!("{number}\n")).collect();
    assert!(all == expected, "{} bytes of {}", all.len(), expected.len());
}

#[test]
fn a_log_that_cannot_be_opened_is_a_failed_start() {
    let site = Site::new("[program:p]\ncommand=cat\nstartretries=0\nstdout_logfile=%(here)s/logs/out\n");
    fs::create_dir(site.path("logs")).unwrap();
    fs::create_dir(site.path("logs/out")).unwrap();
    let daemon = Daemon::start_in(site);
    daemon.wait_for_state("p", "FATAL");
    let text = "unknown error making dispatchers for 'p': EISDIR";
    assert_eq!(daemon.info("p").get("spawnerr"), Some(&text.into()));
    fs::remove_dir(daemon.path("logs/out")).unwrap();
    fs::remove_dir(daemon.path("logs")).unwrap();
    assert_eq!(daemon.fault("startProcess", &["p".into()]), (50, "SPAWN_ERROR: p".into()));
    let text = "unknown error making dispatchers for 'p': ENOENT";
    assert_eq!(daemon.info("p").get("spawnerr"), Some(&text.into()));
}

#[test]
fn a_full_disk_gives_one_warning() {
    let daemon = Daemon::start(
        "[program:p]\ncommand=sh -c 'for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.02; done; echo end >&2'\nstartsecs=0\nautorestart=false\n\
         stdout_logfile=/dev/full\nstdout_logfile_maxbytes=0\nstderr_logfile=%(here)s/err\n",
    );
    daemon.wait_for_text("err", "end");
    daemon.wait_for_state("p", "EXITED");
    let log = daemon.log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("/dev/full")).collect();
    assert_eq!(warnings.len(), 2, "{log}");
    assert!(warnings[1].contains("WARN 18 bytes for the log /dev/full of p were lost"), "{log}");
    assert!(warnings[0].contains("WARN could not write the log /dev/full of p: No space left on device"), "{log}");
}

#[test]
fn colours_are_stripped_and_output_is_shown_at_debug_level() {
    let daemon = Daemon::start(
        "[supervisord]\nstrip_ansi=true\nloglevel=debug\n\
         [program:p]\ncommand=printf '\\033[31mred\\033[0m plain\\n\\210\\n'\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/out\n",
    );
    daemon.wait_for_state("p", "EXITED");
    assert_eq!(fs::read(daemon.path("out")).unwrap(), b"red plain\n\x88\n");
    let log = daemon.log();
    assert!(log.contains("DEBG 'p' stdout output:\nUndecodable: b'red plain\\n\\x88\\n'\n"), "{log}");
}

#[test]
fn a_flood_delays_nobody() {
    let daemon = Daemon::start(
        "[program:flood]\ncommand=yes\nprocess_name=y%(process_num)d\nnumprocs=3\nstartsecs=0\nstdout_logfile=NONE\n[program:cat]\ncommand=cat\nstartsecs=0\n",
    );
    daemon.wait_for_state("flood:y2", "RUNNING");
    let mut connection = daemon.connect();
    for _ in 0..50 {
        assert_eq!(connection.call("supervisor.getAPIVersion", &[]), Ok("3.0".into()));
    }
    wait_until("the flood can be stopped", || daemon.ask("stopAllProcesses", &[]).as_array().is_some());
    assert_eq!(daemon.state("flood:y0"), "STOPPED");
}
