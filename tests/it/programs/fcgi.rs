//! FastCGI programs: one listening socket, shared by the processes of a section.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};

use crate::daemon::fixture::{Daemon, Site, wait_until};

/// Accepts on descriptor 0, answers with its own pid and ends the connection.
const SERVER: &str = "import os, socket\n\
    listener = socket.socket(fileno=os.dup(0))\n\
    print(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), os.get_blocking(0), flush=True)\n\
    while True:\n    client, _ = listener.accept()\n    client.sendall(str(os.getpid()).encode())\n    client.close()\n";

fn site(config: &str) -> Site {
    let site = Site::new(config);
    fs::write(site.path("server.py"), SERVER).unwrap();
    site
}

fn answer(mut stream: impl Read) -> i32 {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.parse().unwrap()
}

fn ask_unix(path: &Path) -> i32 {
    answer(UnixStream::connect(path).unwrap())
}

/// A TCP port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn processes_of_a_section_share_a_unix_socket_that_outlives_each_of_them() {
    let daemon = Daemon::start_in(site(
        "[fcgi-program:web]\ncommand=python3 server.py\ndirectory=%(here)s\nsocket=unix://%(here)s/%(program_name)s.sock\n\
         process_name=web%(process_num)d\nnumprocs=2\nstartsecs=0\nsocket_mode=0660\nsocket_backlog=7\n\
         stdout_logfile=%(here)s/web%(process_num)d.out\n",
    ));
    let path = daemon.path("web.sock");
    let pids = ["web:web0", "web:web1"].map(|name| {
        daemon.wait_for_state(name, "RUNNING");
        daemon.pid_of(name)
    });
    // Listening, and blocking as programs expect.
    for file in ["web0.out", "web1.out"] {
        assert_eq!(daemon.wait_for_text(file, "\n"), "1 True\n");
    }
    let metadata = fs::symlink_metadata(&path).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o660);
    let inode = |pid: i32| fs::read_link(format!("/proc/{pid}/fd/0")).unwrap();
    assert_eq!(inode(pids[0]), inode(pids[1]), "one socket");
    assert!(pids.contains(&ask_unix(&path)));
    let fault = daemon.fault("sendProcessStdin", &["web:web0".into(), "x".into()]);
    assert_eq!(fault, (20, "NO_FILE: web:web0".into()));

    daemon.ask("stopProcess", &["web:web0".into()]);
    assert_eq!(ask_unix(&path), pids[1], "the other one serves on");
    daemon.ask("stopProcess", &["web:web1".into()]);
    assert_eq!(UnixStream::connect(&path).unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    daemon.ask("startProcess", &["web:web1".into()]);
    assert_eq!(ask_unix(&path), daemon.pid_of("web:web1"), "made again");
    let url = format!("unix://{}", path.display());
    let of_socket = |line: &&str| line.contains(" socket unix://");
    let log = daemon.log();
    let lines: Vec<&str> = log.lines().filter(of_socket).map(|line| line.split_once(" INFO ").unwrap().1).collect();
    let (creating, closing) = (format!("Creating socket {url}"), format!("Closing socket {url}"));
    let (creating, closing) = (creating.as_str(), closing.as_str());
    assert_eq!(lines, [creating, closing, creating, closing, creating], "once to see that it can be made");
}

#[test]
fn connections_wait_while_the_last_process_but_one_restarts() {
    let daemon = Daemon::start_in(site(
        "[fcgi-program:a]\ncommand=python3 server.py\ndirectory=%(here)s\nsocket=unix://%(here)s/a.sock\nstartsecs=0\n\
         [fcgi-program:idle]\ncommand=sleep 1000\nsocket=unix://%(here)s/b.sock\nprocess_name=i%(process_num)d\nnumprocs=2\nstartsecs=0\n",
    ));
    daemon.wait_for_state("idle:i1", "RUNNING");
    // Nobody accepts here, so the connection stays in the queue of the socket over the restart of a member.
    let mut waiting = UnixStream::connect(daemon.path("b.sock")).unwrap();
    daemon.ask("stopProcess", &["idle:i0".into()]);
    daemon.ask("startProcess", &["idle:i0".into()]);
    waiting.write_all(b"still there").unwrap();
    daemon.ask("stopProcessGroup", &["idle".into()]);
    assert!(waiting.write_all(b"x").is_err() || waiting.read(&mut [0]).is_ok_and(|count| count == 0));
}

#[test]
fn tcp_sockets_by_address_and_by_name_also_inside_a_group() {
    let (by_address, by_name) = (free_port(), free_port());
    let daemon = Daemon::start_in(site(&format!(
        "[fcgi-program:x]\ncommand=python3 server.py\ndirectory=%(here)s\nsocket=tcp://127.0.0.1:{by_address}\nstartsecs=0\n\
         [fcgi-program:y]\ncommand=python3 server.py\ndirectory=%(here)s\nsocket=tcp://localhost:{by_name}\nstartsecs=0\n\
         [program:plain]\ncommand=cat\nstartsecs=0\n[group:site]\nprograms=y,plain\n"
    )));
    for (name, port) in [("x", by_address), ("site:y", by_name)] {
        daemon.wait_for_state(name, "RUNNING");
        assert_eq!(answer(TcpStream::connect(("127.0.0.1", port)).unwrap()), daemon.pid_of(name));
    }
    // What is a program stays one: its standard input is a pipe.
    daemon.wait_for_state("site:plain", "RUNNING");
    daemon.ask("sendProcessStdin", &["site:plain".into(), "x".into()]);
}

#[test]
fn the_socket_belongs_to_the_account_of_the_program_or_to_its_owner() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let daemon = Daemon::start(
        "[fcgi-program:user]\ncommand=sleep 1000\nuser=nobody\nsocket=unix://%(here)s/user.sock\nstartsecs=0\n\
         [fcgi-program:owner]\ncommand=sleep 1000\nsocket=unix://%(here)s/owner.sock\nsocket_owner=daemon:bin\nstartsecs=0\n",
    );
    daemon.wait_for_state("user", "RUNNING");
    daemon.wait_for_state("owner", "RUNNING");
    let metadata = |name: &str| fs::symlink_metadata(daemon.path(name)).unwrap();
    assert_eq!(metadata("user.sock").uid(), 65534);
    assert_eq!(metadata("user.sock").permissions().mode() & 0o7777, 0o700, "the default");
    assert_eq!((metadata("owner.sock").uid(), metadata("owner.sock").gid()), (1, 2));
}

#[test]
fn a_socket_that_cannot_be_made_is_named_at_the_start() {
    let site = Site::new("[fcgi-program:x]\ncommand=cat\nsocket=unix:///no/such/directory/x.sock\n");
    let output = site.command().stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    let reason = "Error: Could not create FastCGI socket unix:///no/such/directory/x.sock: [Errno 2] No such file or directory\n";
    assert!(text.contains(reason), "{text}");
    assert!(!site.path("s.sock").exists() && !site.path("supervisord.pid").exists());
}

#[test]
fn later_it_is_a_failed_start_and_everything_else_runs_on() {
    let site = Site::new("");
    let daemon = Daemon::start_in(site);
    let port = free_port();
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    daemon.site.configure(&format!(
        "[fcgi-program:x]\ncommand=cat\nsocket=tcp://127.0.0.1:{port}\nstartretries=0\nstartsecs=0\n"
    ));
    daemon.ask("reloadConfig", &[]);
    daemon.ask("addProcessGroup", &["x".into()]);
    daemon.wait_for_state("x", "FATAL");
    let text = format!("Could not create FastCGI socket tcp://127.0.0.1:{port}: [Errno 98] Address already in use");
    assert_eq!(daemon.info("x").get("spawnerr"), Some(&text.as_str().into()));
    assert!(daemon.log().contains(&format!("INFO spawnerr: {text}\n")));
    drop(taken);
    daemon.ask("startProcess", &["x".into()]);
    daemon.wait_for_state("x", "RUNNING");
}

#[test]
fn a_second_start_leaves_the_socket_of_the_first_alone() {
    let daemon = Daemon::start_in(site(
        "[fcgi-program:a]\ncommand=python3 server.py\ndirectory=%(here)s\nsocket=unix://%(here)s/a.sock\nstartsecs=0\n",
    ));
    daemon.wait_for_state("a", "RUNNING");
    for more in [&[][..], &["-j", "other.pid"]] {
        let mut command = daemon.site.command();
        command.args(more).current_dir(daemon.site.dir.path()).stderr(std::process::Stdio::null());
        assert_eq!(command.status().unwrap().code(), Some(2));
        assert_eq!(ask_unix(&daemon.path("a.sock")), daemon.pid_of("a"));
    }
}

#[test]
fn what_a_crash_left_behind_is_replaced() {
    let site = site(
        "[fcgi-program:a]\ncommand=python3 server.py\ndirectory=%(here)s\nsocket=unix://%(here)s/a.sock\nstartsecs=0\n",
    );
    // As the orphans of a daemon that was killed would hold it.
    let orphan = UnixListener::bind(site.path("a.sock")).unwrap();
    let daemon = Daemon::start_in(site);
    daemon.wait_for_state("a", "RUNNING");
    assert_eq!(ask_unix(&daemon.path("a.sock")), daemon.pid_of("a"));
    drop(orphan);
    daemon.wait_for_log("on which another program still listens");
    wait_until("no file is left over", || daemon.site.files(|name| name.starts_with('.')).is_empty());
}

#[test]
fn as_many_connections_wait_as_the_section_says() {
    let daemon = Daemon::start(
        "[fcgi-program:few]\ncommand=sleep 1000\nsocket=unix://%(here)s/few.sock\nsocket_backlog=3\nstartsecs=0\n\
         [fcgi-program:many]\ncommand=sleep 1000\nsocket=unix://%(here)s/many.sock\nstartsecs=0\n",
    );
    daemon.wait_for_state("few", "RUNNING");
    daemon.wait_for_state("many", "RUNNING");
    // Nobody accepts, so connections pile up until the queue is full: one more than its length, as the kernel counts.
    let waiting = |name: &str, most: usize| {
        let address = UnixAddr::new(&daemon.path(name)).unwrap();
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let connect = |_: &usize| {
            let client = socket(AddressFamily::Unix, SockType::Stream, flags, None).unwrap();
            connect(client.as_raw_fd(), &address).is_ok().then_some(client)
        };
        let clients: Vec<_> = (0..most).map_while(|number| connect(&number)).collect();
        clients.len()
    };
    assert_eq!(waiting("few.sock", 100), 4);
    assert_eq!(waiting("many.sock", 200), 200);
}
