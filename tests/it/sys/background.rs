//! Signals, reaping, limits, going to the background: each in a process of its own.

use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::{env, fs, panic, process};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, raise};
use supervisor_kit::core::ExitStatus;
use supervisor_kit::sys::daemonize::daemonize;
use supervisor_kit::sys::limits::{self, Limit};
use supervisor_kit::sys::poller::{Interest, Poller};
use supervisor_kit::sys::privileges::{self, Identity, PrivilegeError};
use supervisor_kit::sys::signals::{self, Signals};
use supervisor_kit::sys::{notify, reap};

use crate::own_process;

const NOBODY: Identity = Identity { uid: 65534, gid: 65534, groups: Vec::new() };

#[test]
fn signals_wait_in_a_queue() {
    own_process::run("sys::background::signals_wait_in_a_queue", || {
        let queue = Signals::open().unwrap();
        assert_eq!(queue.next(), None);
        for signal in [Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGTERM, Signal::SIGPIPE, Signal::SIGXFSZ] {
            raise(signal).unwrap();
        }
        let mut got: Vec<_> = std::iter::from_fn(|| queue.next()).map(signals::name).collect();
        got.sort_unstable();
        assert_eq!(got, ["SIGTERM", "SIGUSR1"]);
    });
}

/// A signal to a process goes to any thread that does not block it, and the test program has a second one. A daemon has not.
#[test]
fn a_dying_child_wakes_the_poller_and_is_reaped_once() {
    let test = "sys::background::a_dying_child_wakes_the_poller_and_is_reaped_once";
    if own_process::is_inside(test) {
        let daemon = daemonize(None, 0o022).unwrap();
        match panic::catch_unwind(reap_three_children) {
            Ok(()) => daemon.startup.ready(),
            Err(why) => daemon.startup.failed(&format!("{:?}", why.downcast_ref::<String>())),
        }
        process::exit(0);
    }
    assert_eq!(start(test, Path::new("/")), (Some(0), String::new()));
}

fn reap_three_children() {
    let queue = Signals::open().unwrap();
    let poller = Poller::open().unwrap();
    poller.add(&queue, 42, Interest::Read).unwrap();
    let mut ready = Vec::new();
    assert_eq!(poller.wait_now(&mut ready).unwrap(), 0);
    assert_eq!(reap::next(), None);

    let mut children: Vec<_> = (0..3).map(|_| Command::new("true").spawn().unwrap().id() as i32).collect();
    let mut reaped = Vec::new();
    while reaped.len() < children.len() {
        // The poller is itself readable while something in it is.
        let woken = poll(&mut [PollFd::new(poller.as_fd(), PollFlags::POLLIN)], PollTimeout::from(30_000u16)).unwrap();
        assert_eq!(woken, 1, "SIGCHLD did not arrive");
        assert_eq!(poller.wait_now(&mut ready).unwrap(), 1);
        assert_eq!((ready[0].token, ready[0].readable), (42, true));
        assert_eq!(queue.next(), Some(libc::SIGCHLD));
        reaped.extend(std::iter::from_fn(reap::next));
    }
    children.sort_unstable();
    reaped.sort_unstable_by_key(|&(pid, _)| pid);
    assert!(reaped.iter().all(|&(_, status)| status == ExitStatus::Code(0)), "{reaped:?}");
    assert_eq!(reaped.into_iter().map(|(pid, _)| pid).collect::<Vec<_>>(), children);
}

#[test]
fn poller_follows_interest_and_hang_up() {
    let poller = Poller::open().unwrap();
    let mut ready = Vec::new();
    let (reader, writer) = nix::unistd::pipe().unwrap();
    poller.add(&reader, 1, Interest::Read).unwrap();
    poller.add(&writer, 2, Interest::Write).unwrap();
    poller.wait_now(&mut ready).unwrap();
    assert_eq!(ready.iter().map(|one| (one.token, one.writable)).collect::<Vec<_>>(), [(2, true)]);
    poller.remove(&writer).unwrap();
    drop(writer);
    poller.modify(&reader, 3, Interest::Read).unwrap();
    poller.wait_now(&mut ready).unwrap();
    assert_eq!(ready.iter().map(|one| (one.token, one.readable)).collect::<Vec<_>>(), [(3, true)]);
}

#[test]
fn limits_are_raised_or_refused_with_the_real_number() {
    own_process::run("sys::background::limits_are_raised_or_refused_with_the_real_number", || {
        setrlimit(Resource::RLIMIT_NOFILE, 64, 256).unwrap();
        assert_eq!(limits::raise(Limit::OpenFiles, 64), Ok(None));
        assert_eq!(limits::raise(Limit::OpenFiles, -1), Ok(None));
        assert_eq!(limits::raise(Limit::OpenFiles, 128), Ok(Some("Increased RLIMIT_NOFILE limit to 128".into())));
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (128, 256));
        if nix::unistd::geteuid().is_root() {
            privileges::switch(&NOBODY).unwrap();
        }
        let error = limits::raise(Limit::OpenFiles, 100_000).unwrap_err();
        assert_eq!(
            error.to_string(),
            "The minimum number of file descriptors required to run this process is 100000 as per the \"minfds\" \
             command-line argument or config file setting. The current environment will only allow you to open 256 file \
             descriptors.  Either raise the number of usable file descriptors in your environment (see README.rst) or \
             lower the minfds setting in the config file to allow the process to start."
        );
        setrlimit(Resource::RLIMIT_NPROC, 10, 20).unwrap();
        assert_eq!(
            limits::raise(Limit::Processes, 30).unwrap_err().to_string(),
            "The minimum number of available processes required to run this program is 30 as per the \"minprocs\" \
             command-line argument or config file setting. The current environment will only allow you to open 20 \
             processes.  Either raise the number of usable processes in your environment (see README.rst) or lower the \
             minprocs setting in the config file to allow the program to start."
        );
    });
}

#[test]
fn only_root_becomes_somebody_else() {
    own_process::run("sys::background::only_root_becomes_somebody_else", || {
        let start = nix::unistd::getuid().as_raw();
        privileges::switch(&Identity { uid: start, ..NOBODY }).unwrap();
        if start == 0 {
            privileges::switch(&NOBODY).unwrap();
            assert_eq!(nix::unistd::getuid().as_raw(), NOBODY.uid);
            assert_eq!(nix::unistd::getgroups().unwrap(), []);
        }
        let error = privileges::switch(&Identity { uid: 12, gid: 12, groups: vec![12] }).unwrap_err();
        assert_eq!(error, PrivilegeError::NotRoot);
        assert_eq!(error.to_string(), "Can't drop privilege as nonroot user");
    });
}

/// Runs the daemon part of `test` in a copy and returns what the process that was started shows.
fn start(test: &str, directory: &Path) -> (Option<i32>, String) {
    let output = own_process::command(test).env("IT_DIRECTORY", directory).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn parent_exits_when_the_daemon_is_ready() {
    let test = "sys::background::parent_exits_when_the_daemon_is_ready";
    if own_process::is_inside(test) {
        let directory = env::var("IT_DIRECTORY").unwrap();
        let queue = Signals::open().unwrap();
        let daemon = daemonize(Some(Path::new(&directory)), 0o027).unwrap();
        daemon.directory.unwrap();
        let leader = nix::unistd::getsid(None).unwrap() == nix::unistd::getpid();
        let input = fs::read_link("/proc/self/fd/0").unwrap();
        fs::write("report", format!("{leader} {}", input.display())).unwrap();
        raise(Signal::SIGHUP).unwrap();
        assert_eq!(queue.next(), Some(libc::SIGHUP), "the queue made before the fork works behind it");
        daemon.startup.ready();
        process::exit(0);
    }
    let root = tempfile::tempdir().unwrap();
    assert_eq!(start(test, root.path()), (Some(0), String::new()));
    // Written before `ready`, so it is there when the parent has exited.
    assert_eq!(fs::read_to_string(root.path().join("report")).unwrap(), "true /dev/null");
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(root.path().join("report")).unwrap());
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn parent_tells_why_the_daemon_gave_up() {
    let test = "sys::background::parent_tells_why_the_daemon_gave_up";
    if own_process::is_inside(test) {
        let daemon = daemonize(Some(Path::new("/nonexistent")), 0o022).unwrap();
        let why = daemon.directory.unwrap_err();
        daemon.startup.failed(&format!("no luck: {why}"));
        process::exit(0);
    }
    let (code, stderr) = start(test, Path::new("/"));
    assert_eq!((code, stderr.as_str()), (Some(2), "no luck: No such file or directory (os error 2)\n"));
}

#[test]
fn parent_notices_that_the_daemon_died() {
    let test = "sys::background::parent_notices_that_the_daemon_died";
    if own_process::is_inside(test) {
        let _daemon = daemonize(None, 0o022).unwrap();
        raise(Signal::SIGKILL).unwrap();
    }
    let (code, stderr) = start(test, Path::new("/"));
    assert_eq!(code, Some(2));
    assert!(stderr.starts_with("error: supervisord died while starting") && stderr.contains("SIGKILL"), "{stderr}");
}

#[test]
fn service_manager_is_told() {
    let test = "sys::background::service_manager_is_told";
    if own_process::is_inside(test) {
        notify::ready("2 programs").unwrap();
        notify::stopping("bye").unwrap();
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("notify");
    let manager = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    assert!(own_process::command(test).env("NOTIFY_SOCKET", &path).output().unwrap().status.success());
    let mut packet = [0; 256];
    for expected in ["READY=1\nSTATUS=2 programs\n", "STOPPING=1\nSTATUS=bye\n"] {
        let count = manager.recv(&mut packet).unwrap();
        assert_eq!(str::from_utf8(&packet[..count]).unwrap(), expected);
    }
}
