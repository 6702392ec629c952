//! Starting: logs, lock, pidfile, going to the background, the service manager.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::sync::Arc;

use nix::sys::signal::Signal;

use super::client::Connection;
use super::fixture::{Daemon, Site, is_alive, wait_until};

const CAT: &str = "[program:cat]\ncommand=cat\nstartsecs=0\n";

fn is_auto_log(name: &str) -> bool {
    name.contains("---it-")
}

#[test]
fn auto_logs_are_private_and_cleaned_at_the_next_start() {
    let mut daemon = Daemon::start(CAT);
    let first = daemon.site.files(is_auto_log);
    assert_eq!(first.len(), 2, "{first:?}");
    for path in &first {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(daemon.info("cat").get("logfile").unwrap().as_str(), first[1].to_str());
    assert!(first[0].to_str().unwrap().contains("/cat-stderr---it-"), "{first:?}");
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait().success());
    assert_eq!(daemon.site.files(is_auto_log), first, "they outlive the daemon");

    fs::write(daemon.path("other-stdout---another-abcdefgh.log"), "").unwrap();
    let daemon = Daemon::start_in(Arc::clone(&daemon.site));
    let second = daemon.site.files(is_auto_log);
    assert_eq!(second.len(), 2);
    assert!(first.iter().all(|path| !second.contains(path)), "{first:?} {second:?}");
    assert!(daemon.path("other-stdout---another-abcdefgh.log").exists(), "another daemon's");
}

#[test]
fn a_second_start_with_the_same_pidfile_harms_nothing() {
    let daemon = Daemon::start(CAT);
    let logs = daemon.site.files(is_auto_log);
    let pid = daemon.pid_of("cat");
    let output = daemon.site.command().output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains(&daemon.pid().to_string()), "{stderr}");
    assert_eq!(daemon.site.files(is_auto_log), logs);
    assert_eq!(daemon.pid_of("cat"), pid);
    assert_eq!(daemon.site.read("supervisord.pid"), format!("{}\n", daemon.pid()));
}

#[test]
fn a_second_start_with_the_same_socket_harms_nothing() {
    let daemon = Daemon::start(CAT);
    let logs = daemon.site.files(is_auto_log);
    let output = daemon.site.command().arg("-j").arg(daemon.path("other.pid")).stderr(Stdio::piped()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains(
            "Error: Another program is already listening on a port that one of our HTTP servers is configured to use.  \
             Shut this program down first before starting supervisord."
        ),
        "{stderr}"
    );
    assert_eq!(daemon.site.files(is_auto_log), logs);
    assert!(!daemon.path("other.pid").exists());
    assert_eq!(daemon.state("cat"), "RUNNING");
}

#[test]
fn a_stale_socket_and_a_stale_pidfile_are_replaced() {
    let site = Site::new(CAT);
    fs::write(site.path("supervisord.pid"), "1\n").unwrap();
    drop(std::os::unix::net::UnixListener::bind(site.path("s.sock")).unwrap());
    let daemon = Daemon::start_in(site);
    assert_eq!(daemon.site.read("supervisord.pid"), format!("{}\n", daemon.pid()));
    assert_eq!(daemon.state("cat"), "RUNNING");
}

/// Starts in the background and answers the daemon's pid.
pub fn start_in_background(site: &Site) -> i32 {
    let output = site.command().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    // Ready means: all of this works the moment the parent has exited.
    let pid = site.read("supervisord.pid").trim().parse().unwrap();
    let answer = Connection::unix(&site.path("s.sock")).call("supervisor.getPID", &[]).unwrap();
    assert_eq!(answer.as_int(), Some(i64::from(pid)));
    pid
}

#[test]
fn in_the_background_it_is_ready_when_the_parent_exits_0() {
    let site = Site::new(
        "[supervisord]\nnodaemon=false\numask=027\n[program:touch]\ncommand=sh -c 'echo > made; cat'\ndirectory=%(here)s\nstartsecs=0\n",
    );
    let pid = start_in_background(&site);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    assert_eq!(fields[3], pid.to_string(), "it leads its own session");
    wait_until("the program has run", || site.path("made").exists());
    assert_eq!(fs::metadata(site.path("made")).unwrap().permissions().mode() & 0o777, 0o640);
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    wait_until("it has ended", || !is_alive(pid));
    assert!(!site.path("s.sock").exists() && !site.path("supervisord.pid").exists());
}

#[test]
fn in_the_background_the_parent_tells_why_not() {
    for (what, config) in [
        ("no-such-directory/s.sock", "[unix_http_server]\nfile=%(here)s/no-such-directory/s.sock\n"),
        ("no-such-directory/a.log", "[supervisord]\nlogfile=%(here)s/no-such-directory/a.log\n"),
    ] {
        let site = Site::new(&format!("[supervisord]\nnodaemon=false\n{config}"));
        let output = site.command().output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with("Error: "), "{stderr}");
        assert!(stderr.contains("no-such-directory"), "{what}: {stderr}");
        assert!(!site.path("supervisord.pid").exists() && !site.path("s.sock").exists());
    }
}

#[test]
fn the_service_manager_is_told_of_the_start_and_of_the_end() {
    let site =
        Site::new("[program:env]\ncommand=sh -c 'env; exec cat'\nstdout_logfile=%(here)s/env.log\nstartsecs=0\n");
    let manager = UnixDatagram::bind(site.path("notify")).unwrap();
    manager.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    let mut command = site.command();
    command.env("NOTIFY_SOCKET", site.path("notify")).env("WATCHDOG_USEC", "1").env("LEFT_ALONE", "yes");
    let mut daemon = Daemon::start_command(site, command);
    // Pipes and sockets are parked there too, in messages of their own.
    let next = || loop {
        let mut packet = [0; 256];
        let count = manager.recv(&mut packet).unwrap();
        let text = String::from_utf8_lossy(&packet[..count]).into_owned();
        if !text.starts_with("FDSTORE") {
            break text;
        }
    };
    let first = next();
    assert!(first.starts_with("READY=1\n"), "{first}");
    let environment = daemon.wait_for_text("env.log", "LEFT_ALONE=yes");
    assert!(!environment.contains("NOTIFY_SOCKET") && !environment.contains("WATCHDOG_USEC"), "{environment}");
    daemon.signal(Signal::SIGTERM);
    let last = next();
    assert!(last.starts_with("STOPPING=1\n"), "{last}");
    assert!(daemon.wait().success());
}

#[test]
fn the_log_tells_the_start() {
    let daemon = Daemon::start("");
    let log = daemon.log();
    assert!(log.contains("INFO RPC interface 'supervisor' initialized\n"), "{log}");
    let line = "CRIT Server 'unix_http_server' running without any HTTP authentication checking\n";
    assert!(log.contains(line), "{log}");
    assert!(log.contains(&format!("INFO supervisord started with pid {}\n", daemon.pid())), "{log}");
    let running_as_root = log.contains("CRIT Supervisor is running as root.  Privileges were not dropped");
    assert_eq!(running_as_root, nix::unistd::geteuid().is_root());
}

#[test]
fn in_the_foreground_the_log_is_on_stdout_unless_silent() {
    for (silent, expected) in [(false, 1), (true, 0)] {
        let site = Site::new(&format!("[supervisord]\nsilent={silent}\n"));
        let mut command = site.command();
        command.stdout(fs::File::create(site.path("stdout")).unwrap());
        let daemon = Daemon::start_command(site, command);
        assert_eq!(daemon.site.read("stdout").matches("INFO supervisord started with pid").count(), expected);
    }
}

#[test]
fn a_port_in_use_is_named() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let site = Site::new(&format!("[inet_http_server]\nport=127.0.0.1:{port}\n"));
    let output = site.command().output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.starts_with("Error: Another program is already listening on a port"), "{stderr}");
    assert!(stderr.contains(&format!("127.0.0.1:{port}")), "{stderr}");
    assert!(!site.path("s.sock").exists(), "the other server's socket is gone again");
}

#[test]
fn a_relative_configuration_is_found_again_after_a_change_of_directory() {
    let site = Site::new("[supervisord]\nnodaemon=false\ndirectory=/\n[program:cat]\ncommand=cat\nstartsecs=0\n");
    let mut command = std::process::Command::new(super::fixture::BINARY);
    let output = command.args(["-c", "supervisord.conf"]).current_dir(site.dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let pid: i32 = site.read("supervisord.pid").trim().parse().unwrap();
    let send = |signal| nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
    assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap().to_str(), Some("/"));
    send(Signal::SIGHUP);
    let started = format!("supervisord started with pid {pid}");
    wait_until("it has started over", || site.read("supervisord.log").matches(&started).count() == 2);
    assert!(site.read("supervisord.log").contains("set current directory: '/'"));
    send(Signal::SIGTERM);
    wait_until("it has ended", || !is_alive(pid));
}

#[test]
fn the_whole_daemon_runs_under_another_account() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let site = Site::new(
        "[supervisord]\nuser=nobody\n[program:cat]\ncommand=cat\nstartsecs=0\n\
         [program:root]\ncommand=cat\nuser=root\nstartretries=0\nstderr_logfile=%(here)s/root.err\n",
    );
    fs::set_permissions(site.dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let mut daemon = Daemon::start_in(site);
    daemon.wait_for_state("cat", "RUNNING");
    for pid in [daemon.pid(), daemon.pid_of("cat")] {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(status.contains("Uid:\t65534\t65534\t65534\t65534\n"), "{status}");
    }
    assert!(daemon.log().contains("INFO Set uid to user 65534 succeeded\n"), "{}", daemon.log());
    daemon.wait_for_state("root", "FATAL");
    assert_eq!(
        daemon.site.read("root.err"),
        "supervisor: couldn't setuid to 0: Can't drop privilege as nonroot user\nsupervisor: child process was not spawned\n"
    );
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait().success());
    assert!(!daemon.path("supervisord.pid").exists() && !daemon.path("s.sock").exists());
    assert!(!daemon.path("supervisord.pid.lock").exists());
}
