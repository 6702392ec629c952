//! Log targets that are full, vanish, or are no files.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use super::namespace::{daemon_behind, seen_by};
use crate::daemon::fixture::{Daemon, Site, wait_until};

fn lost_bytes(daemon: &Daemon) -> usize {
    let log = daemon.log();
    let tail = log.split("can be written again; ").nth(1).unwrap_or_else(|| panic!("{log}"));
    tail.split(' ').next().unwrap().parse().unwrap()
}

fn warnings(daemon: &Daemon) -> usize {
    daemon.log().matches("WARN could not write the log").count()
}

#[test]
fn a_full_disk_is_survived_and_what_is_lost_is_counted() {
    let site = Site::new(
        "[supervisord]\nloglevel=debug\n[program:p]\ncommand=sh -c 'cat data; exec cat'\ndirectory=%(here)s\nstartsecs=0\n\
         stdout_logfile=%(here)s/small/out\nstdout_logfile_maxbytes=0\n",
    );
    fs::create_dir(site.path("small")).unwrap();
    let data = "0123456789abcdef".repeat(20_000) + "the last of it\n";
    let mut sent = data.len();
    fs::write(site.path("data"), data).unwrap();
    let mounts = "mount -t tmpfs -o size=128k none small; head -c 65536 /dev/zero > small/filler";
    let Some(daemon) = daemon_behind(site, mounts) else { return };
    daemon.wait_for_state("p", "RUNNING");
    let pid = daemon.pid_of("p");
    daemon.wait_for_log("the last of it\n");
    assert_eq!(warnings(&daemon), 1);
    fs::remove_file(seen_by(&daemon, "small/filler")).unwrap();
    let out = seen_by(&daemon, "small/out");
    sent += "after\n".len();
    daemon.ask("sendProcessStdin", &["p".into(), "after\n".into()]);
    daemon.wait_for_log("can be written again");
    let text = fs::read_to_string(&out).unwrap();
    assert!(text.ends_with("after\n"));
    assert_eq!(text.len() + lost_bytes(&daemon), sent);
    assert_eq!(warnings(&daemon), 1);
    assert_eq!(daemon.pid_of("p"), pid, "the program ran on");
}

#[test]
fn a_directory_that_vanishes_and_comes_back() {
    let site = Site::new(
        "[supervisord]\nloglevel=debug\n[program:cat]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/logs/out\n",
    );
    fs::create_dir(site.path("logs")).unwrap();
    let daemon = Daemon::start_in(site);
    daemon.wait_for_state("cat", "RUNNING");
    let pid = daemon.pid_of("cat");
    let send = |text: &str| daemon.ask("sendProcessStdin", &["cat".into(), text.into()]);
    send("one\n");
    daemon.wait_for_text("logs/out", "one\n");
    fs::set_permissions(daemon.path("logs/out"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::remove_dir_all(daemon.path("logs")).unwrap();
    send("two\n");
    daemon.wait_for_log("No such file or directory");
    send("three\n");
    daemon.wait_for_log("output:\nthree\n");
    fs::create_dir(daemon.path("logs")).unwrap();
    wait_until("it is logged again", || {
        send("more\n");
        daemon.path("logs/out").exists()
    });
    daemon.wait_for_log("can be written again");
    assert!(lost_bytes(&daemon) >= "two\nthree\n".len());
    assert_eq!(warnings(&daemon), 1);
    assert_eq!(fs::metadata(daemon.path("logs/out")).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(daemon.pid_of("cat"), pid);
}

#[test]
fn the_activity_log_comes_back_too_and_says_how_much_is_missing() {
    let site = Site::new("[supervisord]\nlogfile=%(here)s/logs/d.log\n[program:cat]\ncommand=cat\nstartsecs=0\n");
    fs::create_dir(site.path("logs")).unwrap();
    let daemon = Daemon::start_in(site);
    daemon.wait_for_state("cat", "RUNNING");
    fs::remove_dir_all(daemon.path("logs")).unwrap();
    daemon.ask("stopProcess", &["cat".into()]);
    fs::create_dir(daemon.path("logs")).unwrap();
    daemon.ask("startProcess", &["cat".into()]);
    let text = daemon.wait_for_text("logs/d.log", "were lost\n");
    assert!(text.contains("INFO spawned: 'cat'"), "{text}");
    assert!(text.contains("WARN this log can be written again; "), "{text}");
}

#[test]
fn logs_on_the_standard_output_of_the_daemon() {
    let site = Site::new(
        "[supervisord]\nsilent=true\n[program:p]\ncommand=sh -c 'seq 1 2000; echo error >&2'\nstartsecs=0\nautorestart=false\n\
         stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=1KB\nstdout_logfile_backups=3\n\
         stderr_logfile=/dev/stderr\nstderr_logfile_maxbytes=0\n",
    );
    let expected: String = (1..=2000).map(|number| format!("{number}\n")).collect();
    let link = fs::read_link("/dev/stdout").unwrap();
    // A pipe, as in a container.
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = site.command();
    command.stdout(writer);
    let daemon = Daemon::start_command(site, command);
    let mut text = vec![0; expected.len()];
    reader.read_exact(&mut text).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), expected);
    daemon.wait_for_state("p", "EXITED");
    assert_eq!(daemon.site.read("stderr"), "error\n");
    let fault = daemon.fault("clearProcessLogs", &["p".into()]);
    assert_eq!(fault, (30, "FAILED: p: /dev/stdout is not a regular file".into()));
    drop(daemon);
    // A file: it is not ours to roll, and the link in /dev is nobody's.
    let site = Site::new(
        "[supervisord]\nsilent=true\n[program:p]\ncommand=seq 1 2000\nstartsecs=0\nautorestart=false\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=1KB\n",
    );
    let mut command = site.command();
    command.stdout(fs::File::create(site.path("stdout")).unwrap());
    let daemon = Daemon::start_command(site, command);
    daemon.wait_for_state("p", "EXITED");
    assert_eq!(daemon.site.read("stdout"), expected);
    assert_eq!(daemon.fault("clearProcessLogs", &["p".into()]).0, 30);
    assert_eq!(fs::read_link("/dev/stdout").unwrap(), link);
    assert!(!std::path::Path::new("/dev/stdout.1").exists());
}

#[test]
fn rolled_and_cleared_logs_keep_their_mode_and_owner() {
    let daemon = Daemon::start(
        "[program:cat]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/out\nstdout_logfile_maxbytes=10\nstdout_logfile_backups=2\n",
    );
    daemon.wait_for_state("cat", "RUNNING");
    let path = daemon.path("out");
    let owner = if nix::unistd::geteuid().is_root() { 65534 } else { nix::unistd::getuid().as_raw() };
    std::os::unix::fs::chown(&path, Some(owner), None).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let kept = || {
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.permissions().mode() & 0o7777), (owner, 0o640));
    };
    daemon.ask("sendProcessStdin", &["cat".into(), "0123456789\n".into()]);
    daemon.wait_for_text("out.1", "0123456789\n");
    wait_until("the next file is there", || path.exists());
    kept();
    daemon.ask("sendProcessStdin", &["cat".into(), "short\n".into()]);
    daemon.wait_for_text("out", "short\n");
    let inode = fs::metadata(&path).unwrap().ino();
    daemon.ask("clearProcessLogs", &["cat".into()]);
    assert_eq!(daemon.site.read("out"), "");
    kept();
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode, "emptied, not replaced");
}

#[test]
fn the_system_log_gets_lines_of_programs_and_of_the_daemon() {
    let site = Site::new(
        "[supervisord]\nlogfile=syslog\nstrip_ansi=true\n\
         [program:p]\ncommand=printf 'one\\n\\033[1mtwo\\033[0m\\n'\nstartsecs=0\nautorestart=false\nstdout_syslog=true\nstdout_logfile=%(here)s/out\n\
         [program:q]\ncommand=sh -c 'echo to stderr >&2'\nstartsecs=0\nautorestart=false\nstderr_syslog=true\nstderr_logfile=NONE\n",
    );
    fs::create_dir(site.path("dev")).unwrap();
    let socket = UnixDatagram::bind(site.path("dev/log")).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    // Another /dev with the few devices that a daemon needs.
    let mounts =
        "for d in null zero urandom; do touch dev/$d; mount --bind /dev/$d dev/$d; done; mount --rbind dev /dev";
    let reader = std::thread::spawn(move || listen_until_all_came(&socket));
    let Some(daemon) = daemon_behind(site, mounts) else { return };
    reader.join().unwrap();
    daemon.wait_for_text("out", "one\ntwo\n");
    assert_eq!(daemon.fault("readLog", &[0.into(), 0.into()]).0, 20, "there is no file");
}

fn listen_until_all_came(socket: &UnixDatagram) {
    let mut missing = vec![
        " supervisord: p one",
        " supervisord: p two",
        " supervisord: q to stderr",
        "INFO spawned: 'p' with pid ",
        "INFO exited: q (exit status 0; expected)",
    ];
    while !missing.is_empty() {
        let mut packet = [0; 4096];
        let count = socket.recv(&mut packet).unwrap_or_else(|error| panic!("{error}, and {missing:?} did not come"));
        let line = String::from_utf8_lossy(&packet[..count]).into_owned();
        assert!(line.starts_with("<14>"), "{line}");
        missing.retain(|text| !line.contains(text));
    }
}

#[test]
fn without_a_system_log_programs_run_all_the_same() {
    if std::path::Path::new("/dev/log").exists() {
        return;
    }
    let site = Site::new(
        "[program:p]\ncommand=echo x\nstartsecs=0\nautorestart=false\nstdout_syslog=true\nstdout_logfile=%(here)s/out\n",
    );
    let mut command = site.command();
    command.stdout(Stdio::null());
    let daemon = Daemon::start_command(site, command);
    daemon.wait_for_state("p", "EXITED");
    assert_eq!(daemon.site.read("out"), "x\n");
}
