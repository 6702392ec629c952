//! Keys of the servers and of `[supervisord]`, each seen from outside.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::daemon::boot::start_in_background;
use crate::daemon::fixture::{BINARY, Daemon, Site, is_alive, wait_until};

const CAT: &str = "[program:cat]\ncommand=cat\nstartsecs=0\n";

#[test]
fn the_socket_has_the_mode_and_owner_of_its_section() {
    let daemon = Daemon::start("[unix_http_server]\nchmod=0640\n");
    assert_eq!(fs::metadata(daemon.socket()).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(fs::metadata(Daemon::start("").socket()).unwrap().permissions().mode() & 0o7777, 0o700);
    if nix::unistd::geteuid().is_root() {
        let daemon = Daemon::start("[unix_http_server]\nchown=nobody:daemon\n");
        let metadata = fs::metadata(daemon.socket()).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (65534, 1));
    }
}

#[test]
fn the_activity_log_is_rolled_at_its_size() {
    let daemon = Daemon::start("[supervisord]\nlogfile_maxbytes=1KB\nlogfile_backups=2\nloglevel=trace\n");
    for _ in 0..60 {
        daemon.ask("getState", &[]);
    }
    assert!(daemon.path("supervisord.log.2").exists() && !daemon.path("supervisord.log.3").exists());
    let bytes = fs::metadata(daemon.path("supervisord.log.1")).unwrap().len();
    assert!((1024..2048).contains(&bytes), "{bytes}");
    assert!(daemon.log().len() < 2048);
}

#[test]
fn the_activity_log_says_no_more_than_its_level() {
    let daemon = Daemon::start(&format!("[supervisord]\nloglevel=warn\n{CAT}"));
    daemon.wait_for_state("cat", "RUNNING");
    assert!(!daemon.log().contains(" INFO ") && daemon.log().contains(" CRIT "), "{}", daemon.log());
    let daemon = Daemon::start(&format!("[supervisord]\nloglevel=trace\n{CAT}"));
    daemon.ask("getState", &[]);
    assert!(daemon.log().contains("TRAC XML-RPC method called: supervisor.getState()\n"));
}

#[test]
fn the_identifier_is_told_and_is_in_the_names_of_logs() {
    let daemon = Daemon::start(&format!("[supervisord]\nidentifier=north-7\n{CAT}"));
    assert_eq!(daemon.ask("getIdentification", &[]), "north-7".into());
    assert_eq!(daemon.site.files(|name| name.contains("---north-7-")).len(), 2);
}

#[test]
fn the_files_of_an_earlier_run_stay_with_nocleanup() {
    for (nocleanup, expected) in [("false", 2), ("true", 4)] {
        let mut daemon = Daemon::start(&format!("[supervisord]\nnocleanup={nocleanup}\n{CAT}"));
        daemon.signal(Signal::SIGTERM);
        daemon.wait();
        let daemon = Daemon::start_in(Arc::clone(&daemon.site));
        assert_eq!(daemon.site.files(|name| name.contains("---it-")).len(), expected, "{nocleanup}");
    }
}

#[test]
fn auto_logs_are_in_the_directory_for_them() {
    let site = Site::new(&format!("[supervisord]\nchildlogdir=%(here)s/childlogs\n{CAT}"));
    fs::create_dir(site.path("childlogs")).unwrap();
    let daemon = Daemon::start_in(site);
    daemon.wait_for_state("cat", "RUNNING");
    assert_eq!(fs::read_dir(daemon.path("childlogs")).unwrap().count(), 2);
    assert_eq!(daemon.site.files(|name| name.contains("---it-")).len(), 0);
}

#[test]
fn directory_and_umask_count_in_the_background_only() {
    let config = "directory=%(here)s/work\numask=077\n\
        [program:p]\ncommand=sh -c 'pwd; umask; exec cat'\nstartsecs=0\nstdout_logfile=%(here)s/out\n";
    let site = Site::new(&format!("[supervisord]\nnodaemon=false\n{config}"));
    fs::create_dir(site.path("work")).unwrap();
    let pid = start_in_background(&site);
    let expected = format!("{}\n0077\n", site.path("work").display());
    wait_until("it has printed both", || fs::read_to_string(site.path("out")).is_ok_and(|text| text == expected));
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    wait_until("it has ended", || !is_alive(pid));

    let site = Site::new(&format!("[supervisord]\n{config}"));
    fs::create_dir(site.path("work")).unwrap();
    let mut command = site.command();
    command.current_dir("/");
    let daemon = Daemon::start_command(site, command);
    let text = daemon.wait_for_text("out", "\n0");
    assert!(text.starts_with("/\n") && !text.contains("0077"), "{text}");
}

#[test]
fn a_pidfile_that_a_crash_left_is_named_and_replaced() {
    let site = Site::new("");
    // The pid of a process that is certainly gone: a child of ours that has been waited for.
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    fs::write(site.path("supervisord.pid"), format!("{}\n", gone.id())).unwrap();
    let daemon = Daemon::start_in(site);
    assert_eq!(daemon.site.read("supervisord.pid"), format!("{}\n", daemon.pid()));
    let text = format!("WARN replaced a stale pidfile: process {} is not running any more\n", gone.id());
    assert!(daemon.log().contains(&text), "{}", daemon.log());
}

#[test]
fn the_client_goes_by_its_section() {
    let daemon = Daemon::start(&format!(
        "[unix_http_server]\nusername=chris\npassword=123\n{CAT}[supervisorctl]\nserverurl=unix://%(here)s/s.sock\n\
         username=chris\npassword=123\nprompt=mine\n"
    ));
    let wrong = "[supervisorctl]\nserverurl=unix:///nowhere.sock\n";
    fs::write(daemon.path("wrong.conf"), wrong).unwrap();
    fs::write(
        daemon.path("anonymous.conf"),
        format!("[supervisorctl]\nserverurl=unix://{}\n", daemon.socket().display()),
    )
    .unwrap();
    let ctl = |config: &str, args: &[&str], input: &str| {
        fs::write(daemon.path("input"), input).unwrap();
        let mut command = Command::new(BINARY);
        command.arg0("supervisorctl").arg("-c").arg(daemon.path(config)).args(args);
        let output = command.stdin(fs::File::open(daemon.path("input")).unwrap()).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
    };
    let (text, code) = ctl("supervisord.conf", &["pid"], "");
    assert_eq!((text.trim(), code), (daemon.pid().to_string().as_str(), 0));
    let (text, _) = ctl("supervisord.conf", &[], "version\n");
    assert!(text.contains("mine> "), "{text}");
    let (text, code) = ctl("wrong.conf", &["pid"], "");
    assert_eq!((text.as_str(), code), ("unix:///nowhere.sock no such file\n", 7));
    let (text, code) = ctl("anonymous.conf", &["pid"], "");
    assert_eq!((text.as_str(), code), ("Server requires authentication\n", 1));
}
