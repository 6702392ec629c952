//! Listening.

use std::fs;
use std::io;
use std::net::{IpAddr, TcpStream};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};

use supervisor_kit::sys::privileges::{self, Identity};
use supervisor_kit::sys::sockets::{BindError, listen_inet, listen_unix};

use crate::own_process;

#[test]
fn unix_socket_has_its_mode_and_can_be_connected_to() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("supervisor.sock");
    let server = listen_unix(&path, 0o711, None, None).unwrap();
    assert!(!server.replaced_stale);
    let metadata = fs::metadata(&path).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.mode() & 0o7777, 0o711);
    let _client = UnixStream::connect(&path).unwrap();
    server.listener.accept().unwrap();
    let idle = server.listener.accept().unwrap_err();
    assert_eq!(idle.kind(), io::ErrorKind::WouldBlock);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "no temporary name is left");
    server.file.unlink_if_ours().unwrap();
    assert!(!path.exists());
    server.file.unlink_if_ours().unwrap();
}

/// In a process of its own: a child that another test is just starting would keep the dead socket alive until it has called exec.
#[test]
fn a_live_socket_is_left_alone_and_a_dead_one_replaced() {
    own_process::run("sys::sockets::a_live_socket_is_left_alone_and_a_dead_one_replaced", || {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("s");
        let live = UnixListener::bind(&path).unwrap();
        let error = listen_unix(&path, 0o700, None, None).unwrap_err();
        assert!(matches!(error, BindError::InUse));
        assert!(
            error
                .to_string()
                .starts_with("Another program is already listening on a port that one of our HTTP servers")
        );
        assert!(UnixStream::connect(&path).is_ok(), "the live one still answers");

        drop(live);
        let first = listen_unix(&path, 0o700, None, None).unwrap();
        assert!(first.replaced_stale);
        drop(first.listener);
        let second = listen_unix(&path, 0o700, None, None).unwrap();
        first.file.unlink_if_ours().unwrap();
        assert!(UnixStream::connect(&path).is_ok(), "the first must not remove what the second made");
        drop(second);
    });
}

#[test]
fn what_is_not_a_socket_is_not_removed() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("notes.txt");
    fs::write(&path, "precious").unwrap();
    let error = listen_unix(&path, 0o700, None, None).unwrap_err();
    assert!(matches!(error, BindError::NotASocket { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn the_longest_path_works_and_one_more_byte_is_explained() {
    let root = tempfile::tempdir().unwrap();
    let room = 107 - root.path().as_os_str().len() - 1;
    let longest = root.path().join("s".repeat(room));
    drop(listen_unix(&longest, 0o700, None, None).unwrap());
    let error = listen_unix(&root.path().join("s".repeat(room + 1)), 0o700, None, None).unwrap_err();
    assert!(error.to_string().contains("is 108 bytes long, but the kernel allows 107"), "{error}");
}

#[test]
fn bind_errors_name_the_errno() {
    let error = listen_unix("/nonexistent/s".as_ref(), 0o700, None, None).unwrap_err();
    assert_eq!(error.to_string(), "Cannot open an HTTP server: socket.error reported errno.ENOENT (2)");
}

#[test]
fn a_socket_cannot_be_given_away_by_an_ordinary_user() {
    own_process::run("sys::sockets::a_socket_cannot_be_given_away_by_an_ordinary_user", || {
        let root = tempfile::tempdir().unwrap();
        if nix::unistd::geteuid().is_root() {
            let server = listen_unix(&root.path().join("given"), 0o700, Some(65534), Some(77)).unwrap();
            let metadata = fs::metadata(root.path().join("given")).unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (65534, 77));
            drop(server);
            std::os::unix::fs::chown(root.path(), Some(65534), Some(65534)).unwrap();
            privileges::switch(&Identity { uid: 65534, gid: 65534, groups: vec![65534] }).unwrap();
        }
        let path = root.path().join("s");
        let error = listen_unix(&path, 0o700, Some(0), None).unwrap_err().to_string();
        let start = format!("Not permitted to chown {} to uid/gid (0, -1); adjust \"sockchown\"", path.display());
        assert!(error.starts_with(&start), "{error}");
        assert!(!path.exists() && !root.path().join(format!(".{}", std::process::id())).exists());
    });
}

#[test]
fn tcp_addresses_are_understood_without_dns() {
    for (host, expected) in [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("LocalHost", "127.0.0.1")] {
        let servers = listen_inet(host, 0).unwrap();
        assert_eq!(servers.len(), 1);
        let address = servers[0].local_addr().unwrap();
        assert_eq!(address.ip(), expected.parse::<IpAddr>().unwrap());
        let _client = TcpStream::connect(address).unwrap();
    }
    let error = listen_inet("no-such-host.invalid", 0).unwrap_err().to_string();
    assert!(
        error.starts_with("Could not determine IP address for hostname no-such-host.invalid, please try"),
        "{error}"
    );
}

#[test]
fn an_empty_host_is_every_interface() {
    let servers = listen_inet("", 0).unwrap();
    assert!(servers[0].local_addr().unwrap().ip().is_unspecified());
    let port = servers[0].local_addr().unwrap().port();
    TcpStream::connect(("127.0.0.1", port)).unwrap();
}

#[test]
fn ipv6_is_accepted_with_brackets() {
    let Ok(_) = std::net::TcpListener::bind("[::1]:0") else {
        return eprintln!("this machine has no IPv6");
    };
    let servers = listen_inet("[::1]", 0).unwrap();
    assert!(servers[0].local_addr().unwrap().is_ipv6());
}

#[test]
fn a_taken_port_is_reported_as_such() {
    let first = listen_inet("127.0.0.1", 0).unwrap();
    let port = first[0].local_addr().unwrap().port();
    assert!(matches!(listen_inet("127.0.0.1", port), Err(BindError::InUse)));
}
