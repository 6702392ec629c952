//! Clients that mean harm, or are broken: each gets the status or fault that it deserves, costs bounded memory, and delays neither
//! programs nor anybody else.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use supervisor_kit::xmlrpc::{REQUEST_BYTES_MAX, Value};

use crate::client::Connection;
use crate::stage::{connect, own_memory_kib, release_daemon, shared_machine};
use crate::world::World;

const CONFIG: &str = "{head}\n[supervisord]\nminfds=2048\n\
    [program:steady]\ncommand=/bin/sleep 1000\nautostart=false\nstartsecs=0\n\
    [program:brief]\ncommand=/bin/sleep 0.01\nautostart=false\nautorestart=true\nstartsecs=0\n";

const IDLE_CLIENTS: usize = 400;
/// Of each other kind. Together they are more than the servers take at a time.
const SLOW_CLIENTS: usize = 40;

/// What the daemon may take more while they are there: each connection has a buffer for what it has sent so far.
const GROWTH_KIB_MAX: u64 = 24 * 1024;
/// What may be left of that when they have gone.
const LEFT_KIB_MAX: u64 = 1024;

/// A daemon as it is shipped.
fn daemon() -> World {
    release_daemon(CONFIG)
}

#[test]
fn clients_that_only_hold_on_delay_nobody() {
    let _turn = shared_machine();
    let mut world = daemon();
    let before_kib = own_memory_kib(&world);
    let open = |request: &str| {
        let mut stream = UnixStream::connect(world.path("s.sock")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let mut held: Vec<UnixStream> = (0..IDLE_CLIENTS).map(|_| open("")).collect();
    held.extend((0..SLOW_CLIENTS).map(|_| open("POST /RPC2 HTTP/1.1\r\nHost: x\r\nX-Slow: ")));
    held.extend(
        (0..SLOW_CLIENTS).map(|_| open("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n<method")),
    );
    held.extend(
        (0..SLOW_CLIENTS).map(|_| open(&format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}", "x".repeat(60_000)))),
    );
    // Some go on, a byte at a time; one that has been refused meanwhile may say so.
    held[IDLE_CLIENTS..].iter_mut().for_each(|stream| _ = stream.write_all(b"x"));

    let mut connection = connect(&world);
    assert_eq!(connection.call("supervisor.getAPIVersion", &[]), Ok("3.0".into()));
    for name in ["steady", "brief"] {
        assert_eq!(connection.call("supervisor.startProcess", &[name.into()]), Ok(true.into()));
    }
    world.wait_for("programs to be started again and again", |world| {
        world.log().matches("spawned: 'brief'").count() > 5
    });
    let grown_kib = own_memory_kib(&world).saturating_sub(before_kib);
    assert!(grown_kib <= GROWTH_KIB_MAX, "{} clients cost {grown_kib} KiB", held.len());
    println!("{} clients that hold on: {grown_kib} KiB more", held.len());

    drop(held);
    // Between two of its lives there is nothing to stop.
    world.wait_for("the stop", |_| connection.call("supervisor.stopProcess", &["brief".into()]).is_ok());
    world.wait_for("the memory to be given back", |world| own_memory_kib(world) <= before_kib + LEFT_KIB_MAX);
}

#[test]
fn an_endless_header_is_refused() {
    let _turn = shared_machine();
    let world = daemon();
    let mut stream = UnixStream::connect(world.path("s.sock")).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nX-Endless: ").unwrap();
    // It may be closed before everything is sent.
    for _ in 0..1000 {
        if stream.write_all(&[b'x'; 1000]).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 431 "), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(connect(&world).call("supervisor.getAPIVersion", &[]), Ok("3.0".into()));
}

/// The status of the answer to these bytes; 0 when the connection is just closed.
fn status(world: &World, request: &[u8], is_cut_off: bool) -> u16 {
    let mut stream = UnixStream::connect(world.path("s.sock")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // What is refused early need not be taken to its end.
    let _ = stream.write_all(request);
    if is_cut_off {
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap_or_default();
    let head = String::from_utf8_lossy(&answer);
    head.split(' ').nth(1).map_or(0, |code| code.parse().unwrap())
}

fn post(body: &str) -> Vec<u8> {
    let head = "POST /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[test]
fn broken_requests_get_their_status() {
    let _turn = shared_machine();
    let mut world = daemon();
    let before_kib = own_memory_kib(&world);
    let too_long = format!("POST /RPC2 HTTP/1.1\r\nContent-Length: {}\r\n\r\n", REQUEST_BYTES_MAX + 1);
    let cases: [(&str, &[u8], u16); 14] = [
        ("nothing", b"", 0),
        ("binary", b"\x00\x01\x02\xff\xfe\r\n\r\n", 400),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        ("no version", b"GET /ok.html\r\n\r\n", 400),
        ("unknown version", b"GET /ok.html HTTP/9.9\r\n\r\n", 400),
        ("no header name", b"GET /ok.html HTTP/1.1\r\n: x\r\n\r\n", 400),
        ("two lengths", b"POST /RPC2 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
        ("negative length", b"POST /RPC2 HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("no number as length", b"POST /RPC2 HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        ("huge length", b"POST /RPC2 HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        ("too long", too_long.as_bytes(), 413),
        ("body cut off", b"POST /RPC2 HTTP/1.1\r\nContent-Length: 100\r\n\r\n<methodCall>", 400),
        ("escaping path", b"GET /../../etc/passwd HTTP/1.0\r\n\r\n", 404),
        ("percent path", b"GET /logtail/%ff%00%zz HTTP/1.0\r\n\r\n", 404),
    ];
    let is_cut_off = |what: &str| matches!(what, "nothing" | "body cut off");
    let got: Vec<(&str, u16)> =
        cases.iter().map(|(what, request, _)| (*what, status(&world, request, is_cut_off(what)))).collect();
    assert_eq!(got, cases.map(|(what, _, expected)| (what, expected)));
    assert_eq!(connect(&world).call("supervisor.getAPIVersion", &[]), Ok("3.0".into()));
    world.wait_for("the memory to be given back", |world| own_memory_kib(world) <= before_kib + LEFT_KIB_MAX);
}

#[test]
fn bombs_do_not_go_off() {
    let _turn = shared_machine();
    let mut world = daemon();
    let before_kib = own_memory_kib(&world);
    let call =
        |params: &str| format!("<methodCall><methodName>supervisor.getProcessInfo</methodName>{params}</methodCall>");
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let laughs = format!("<!DOCTYPE x [<!ENTITY l0 \"lol\">{laughs}]>{}", call("<params><param>&l9;</param></params>"));
    let outside = format!(
        "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>{}",
        call("<params><param>&f;</param></params>")
    );
    let nested = |depth: usize, open: &str, close: &str| {
        call(&format!("<params><param>{}{}</param></params>", open.repeat(depth), close.repeat(depth)))
    };
    let wide = call(&format!("<params>{}</params>", "<param><value/></param>".repeat(100_000)));
    let names =
        call(&format!("<params><param><value>{}</value></param></params>", "x".repeat(REQUEST_BYTES_MAX - 200)));
    let cases: [(&str, String, u16); 8] = [
        ("a billion laughs", laughs, 400),
        ("a file from outside", outside, 400),
        ("deep arrays", nested(50_000, "<value><array><data>", "</data></array></value>"), 400),
        ("deep structs", nested(20_000, "<value><struct><member><name>x</name>", "</member></struct></value>"), 400),
        ("deep unknown tags", nested(100_000, "<x>", "</x>"), 400),
        ("many parameters", wide, 400),
        ("only tags that open", call(&"<value>".repeat(100_000)), 400),
        ("one long name", names, 200),
    ];
    for (what, body, expected) in cases {
        assert!(body.len() <= REQUEST_BYTES_MAX, "{what} does not come as far as the parser");
        assert_eq!(status(&world, &post(&body), false), expected, "{what}");
    }
    assert_eq!(Connection::unix(&world.path("s.sock")).call("supervisor.getAPIVersion", &[]), Ok("3.0".into()));
    world.wait_for("the memory to be given back", |world| own_memory_kib(world) <= before_kib + LEFT_KIB_MAX);
}

#[test]
fn names_that_are_no_names_are_answered() {
    let _turn = shared_machine();
    let world = daemon();
    let mut connection = connect(&world);
    for name in ["", ":", "*", ":*", "a:b:c", "%00", "../../etc", "\u{202e}drow", "steady\n", &"x".repeat(100_000)] {
        for method in ["startProcess", "getProcessInfo", "tailProcessLog"] {
            let mut params: Vec<Value> = vec![name.into()];
            if method == "tailProcessLog" {
                params.extend([0.into(), 0.into()]);
            }
            let fault = connection.call(&format!("supervisor.{method}"), &params).unwrap_err();
            assert_eq!(fault.code, 10, "{method} {name:?}: {fault}");
        }
    }
}
