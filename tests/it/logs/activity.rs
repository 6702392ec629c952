//! The activity log and the system log.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use supervisor_kit::config::{Level, MainLog};
use supervisor_kit::logs::activity::format_line;
use supervisor_kit::logs::{ActivityLog, Rotation, Syslog};

use crate::own_process;

fn is_line(line: &str, rest: &str) -> bool {
    let shape: String = line.chars().take(23).map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    shape == "0000-00-00 00:00:00,000" && &line[23..] == rest
}

#[test]
fn lines_are_stamped_in_local_time() {
    let test = "logs::activity::lines_are_stamped_in_local_time";
    if own_process::is_inside(test) {
        let wall = UNIX_EPOCH + Duration::from_micros(1_767_225_598_007_999);
        let line = format_line(wall, Level::Info, "supervisord started with pid 1");
        assert_eq!(line, "2026-01-01 07:59:58,007 INFO supervisord started with pid 1\n");
        return;
    }
    let output = own_process::command(test).env("TZ", "CST-8").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn lines_below_the_level_are_dropped() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("supervisord.log");
    let target = MainLog::File(path.clone());
    let mut log = ActivityLog::open(&target, Level::Warn, Rotation::new(0, 0), false, "supervisord").unwrap();
    log.write(Level::Info, "not this");
    log.write(Level::Warn, "this\nwith a second line");
    log.write(Level::Critical, "and this");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(is_line(lines[0], " WARN this") && is_line(lines[2], " CRIT and this"), "{text}");
    assert_eq!((lines[1], lines.len()), ("with a second line", 3));

    fs::rename(&path, root.path().join("moved")).unwrap();
    log.reopen().unwrap();
    log.write(Level::Error, "after");
    assert!(is_line(fs::read_to_string(&path).unwrap().trim_end(), " ERRO after"));
    log.clear().unwrap();
    assert_eq!((fs::metadata(&path).unwrap().len(), log.lost_lines()), (0, 0));
}

#[test]
fn foreground_repeats_lines_on_stdout() {
    let test = "logs::activity::foreground_repeats_lines_on_stdout";
    if own_process::is_inside(test) {
        for (echo, message) in [(true, "echoed"), (false, "silent")] {
            let target = MainLog::File(PathBuf::from("/dev/null"));
            let mut log = ActivityLog::open(&target, Level::Info, Rotation::new(9, 9), echo, "supervisord").unwrap();
            log.write(Level::Info, message);
        }
        return;
    }
    let output = own_process::command(test).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.lines().any(|line| is_line(line.trim_start_matches(|c: char| !c.is_ascii_digit()), " INFO echoed")),
        "{text}"
    );
    assert!(!text.contains("INFO silent"), "{text}");
}

#[test]
fn a_log_that_cannot_be_opened_is_named() {
    let target = MainLog::File(PathBuf::from("/nonexistent/s.log"));
    let error = ActivityLog::open(&target, Level::Info, Rotation::new(0, 0), false, "supervisord").unwrap_err();
    assert!(error.to_string().starts_with("cannot open the log file /nonexistent/s.log: No such file"), "{error}");
}

#[test]
fn system_log_gets_one_packet_a_line_and_may_restart() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    let wall = UNIX_EPOCH + Duration::from_secs(1_767_225_598);
    let mut syslog = Syslog::at(&path, "supervisord");
    assert!(syslog.send(wall, "nobody there").is_err());
    for _restart in 0..2 {
        let daemon = UnixDatagram::bind(&path).unwrap();
        syslog.send(wall, "one\ntwo\n").unwrap();
        for expected in ["one", "two"] {
            let mut packet = [0; 256];
            let count = daemon.recv(&mut packet).unwrap();
            let text = str::from_utf8(&packet[..count]).unwrap();
            assert!(text.starts_with("<14>") && text.ends_with(&format!(" supervisord: {expected}")), "{text}");
        }
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_burst_waits_for_the_system_log_but_not_for_one_that_hangs() {
    const LINES: usize = 500;
    let root = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(root.path().join("log")).unwrap();
    let mut syslog = Syslog::at(&root.path().join("log"), "test");
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for number in 0..LINES {
                let mut packet = [0; 1024];
                let count = socket.recv(&mut packet).unwrap();
                assert!(String::from_utf8_lossy(&packet[..count]).ends_with(&format!(": line {number}")));
            }
        });
        for number in 0..LINES {
            syslog.send(SystemTime::now(), &format!("line {number}")).unwrap();
        }
        reader.join().unwrap();
    });
    // Nobody reads any more: after the queue is full every line is lost, and only the first waits.
    let results: Vec<_> = (0..5000).map(|_| syslog.send(SystemTime::now(), "more")).collect();
    assert!(results.first().unwrap().is_ok() && results.last().unwrap().is_err());
    socket.recv(&mut [0; 1024]).unwrap();
    syslog.send(SystemTime::now(), "room again").unwrap();
}
