//! Many connections: their number is bounded, an operator gets in, and they cost little.

use std::fs;
use std::os::unix::net::UnixStream;

use supervisor_kit::xmlrpc::write_call;

use super::client::Connection;
use super::fixture::{Daemon, descriptors, wait_until};

/// As in `src/daemon/connections.rs`.
const CONNECTIONS_MAX: usize = 512;

/// Most memory that an idle connection may cost, in KiB: the buffer it reads into, and its task.
const CONNECTION_KIB_MAX: usize = 24;

/// Private memory of a process, in KiB.
fn private_kib(pid: i32) -> usize {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let value = |name: &str| -> usize {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    value("Private_Dirty:") + value("Private_Clean:")
}

#[test]
fn an_operator_gets_in_when_all_places_are_taken() {
    let daemon = Daemon::start("[program:cat]\ncommand=cat\nautostart=false\nstartsecs=0\n");
    let before = (private_kib(daemon.pid()), descriptors(daemon.pid()));
    let mut idle: Vec<Connection> = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        let mut connection = daemon.connect();
        assert_eq!(connection.get("/ok.html").status, 200);
        idle.push(connection);
    }
    let cost_kib = private_kib(daemon.pid()).saturating_sub(before.0) / CONNECTIONS_MAX;
    println!("an idle connection costs {cost_kib} KiB");
    assert!(cost_kib <= CONNECTION_KIB_MAX, "{cost_kib} KiB for each idle connection");
    // Everybody else is served, and programs start.
    for _ in 0..10 {
        assert_eq!(daemon.connect().get("/ok.html").status, 200);
    }
    assert_eq!(daemon.ask("startProcess", &["cat".into()]), true.into());
    // The one that was idle longest made room; the one that came last is still there.
    assert!(idle[0].is_closed());
    assert_eq!(idle[CONNECTIONS_MAX - 1].get("/ok.html").status, 200);
    drop(idle);
    daemon.ask("stopProcess", &["cat".into()]);
    wait_until("all are gone", || descriptors(daemon.pid()) <= before.1 + 1);
}

#[test]
fn followers_make_room_after_the_idle_and_callers_never() {
    let daemon = Daemon::start("[program:slow]\ncommand=sleep 100\nautostart=false\nstartsecs=3\n");
    let mut caller = daemon.connect();
    let body = write_call("supervisor.startProcess", &["slow".into()]);
    let head = format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    caller.send([head.as_bytes(), &body].concat());
    daemon.wait_for_state("slow", "STARTING");
    let mut followers: Vec<Connection> = Vec::new();
    for _ in 0..CONNECTIONS_MAX + 10 {
        let mut connection = daemon.connect();
        connection.send("GET /mainlogtail HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(connection.head().status, 200);
        followers.push(connection);
    }
    assert_eq!(daemon.ask("getAPIVersion", &[]), "3.0".into());
    assert_eq!(caller.response().status, 200);
    daemon.wait_for_state("slow", "RUNNING");
}

#[test]
fn clients_that_leave_while_a_start_waits_leave_nothing_behind() {
    let daemon = Daemon::start("[program:slow]\ncommand=sleep 100\nautostart=false\nstartsecs=2\n");
    let before = descriptors(daemon.pid());
    for method in ["supervisor.startProcess", "supervisor.stopProcess"] {
        for _ in 0..20 {
            let mut connection = daemon.connect();
            let body = write_call(method, &["slow".into()]);
            let head = format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
            connection.send([head.as_bytes(), &body].concat());
        }
        daemon.wait_for_state("slow", if method.ends_with("startProcess") { "RUNNING" } else { "STOPPED" });
    }
    wait_until("all are gone", || descriptors(daemon.pid()) == before);
}

#[test]
fn a_multicall_goes_on_when_its_client_leaves() {
    let daemon = Daemon::start(
        "[program:p]\ncommand=sleep 100\nprocess_name=p%(process_num)d\nnumprocs=2\nautostart=false\nstartsecs=1\n",
    );
    let call = |name: &str| {
        format!(
            "<value><struct><member><name>methodName</name><value>supervisor.startProcess</value></member><member>\
             <name>params</name><value><array><data><value>{name}</value></data></array></value></member></struct></value>"
        )
    };
    let body = format!(
        "<methodCall><methodName>system.multicall</methodName><params><param><value><array><data>{}{}</data></array>\
         </value></param></params></methodCall>",
        call("p:p0"),
        call("p:p1")
    );
    let mut connection = daemon.connect();
    connection.send(format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    daemon.wait_for_state("p:p0", "STARTING");
    drop(connection);
    daemon.wait_for_state("p:p1", "RUNNING");
}

#[test]
fn a_socket_that_vanished_is_put_back() {
    let daemon = Daemon::start("");
    let inode = || {
        use std::os::unix::fs::MetadataExt;
        fs::symlink_metadata(daemon.socket()).map(|metadata| metadata.ino()).ok()
    };
    for round in 0..3 {
        let mut kept = daemon.connect();
        let before = inode();
        match round {
            0 => fs::remove_file(daemon.socket()).unwrap(),
            1 => fs::rename(daemon.socket(), daemon.path("moved")).unwrap(),
            _ => {
                // A dead socket that somebody puts over ours.
                drop(std::os::unix::net::UnixListener::bind(daemon.path("dead")).unwrap());
                fs::rename(daemon.path("dead"), daemon.socket()).unwrap();
            }
        }
        wait_until("it is back", || {
            inode().is_some_and(|now| Some(now) != before) && UnixStream::connect(daemon.socket()).is_ok()
        });
        assert_eq!(daemon.ask("getAPIVersion", &[]), "3.0".into());
        assert_eq!(kept.get("/ok.html").status, 200, "who was connected stays so");
    }
    daemon.wait_for_log("had vanished and is put back");
}

#[test]
fn a_path_that_belongs_to_another_is_left_alone_until_it_is_free() {
    let daemon = Daemon::start("");
    let other = std::os::unix::net::UnixListener::bind(daemon.path("other")).unwrap();
    fs::rename(daemon.path("other"), daemon.socket()).unwrap();
    daemon.wait_for_log("has vanished and cannot be put back");
    drop(other);
    fs::remove_file(daemon.socket()).unwrap();
    wait_until("it is back", || UnixStream::connect(daemon.socket()).is_ok());
    assert_eq!(daemon.ask("getAPIVersion", &[]), "3.0".into());
}

#[test]
fn a_socket_comes_back_with_its_directory() {
    let site = super::fixture::Site::new("[unix_http_server:run]\nfile=%(here)s/run/s.sock\n");
    fs::create_dir(site.path("run")).unwrap();
    let socket = site.path("run/s.sock");
    let daemon = Daemon::start_in(site);
    wait_until("the directory can be removed", || {
        let _ = fs::remove_file(&socket);
        fs::remove_dir(socket.parent().unwrap()).is_ok()
    });
    daemon.wait_for_log("cannot be put back");
    fs::create_dir(socket.parent().unwrap()).unwrap();
    wait_until("it is back", || UnixStream::connect(&socket).is_ok());
}
