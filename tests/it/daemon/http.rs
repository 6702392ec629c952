//! The HTTP servers: framing, limits, passwords.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use supervisor_kit::xmlrpc::{REQUEST_BYTES_MAX, read_response, write_call};

use super::client::Connection;
use super::fixture::Daemon;

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn post(body: &[u8], more_headers: &str) -> Vec<u8> {
    let head = format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{more_headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[test]
fn passwords() {
    let ports = [free_port(), free_port()];
    let [plain, _] = ports;
    let daemon = Daemon::start(&format!("[inet_http_server]\nport=127.0.0.1:{plain}\nusername=user\npassword=a:b\n"));
    let status = |header: &str| {
        let mut connection = Connection::inet(plain);
        connection.send(post(&write_call("supervisor.getAPIVersion", &[]), header));
        let response = connection.response();
        (response.status, response.header("www-authenticate").map(str::to_owned), connection)
    };
    let basic = |text: &str| format!("Authorization: Basic {}\r\n", STANDARD.encode(text));
    for wrong in [String::new(), basic("user:wrong"), basic("user"), basic(""), "Authorization: Basic %%%\r\n".into()] {
        let (code, realm, mut connection) = status(&wrong);
        assert_eq!((code, realm.as_deref()), (401, Some("Basic realm=\"default\"")), "{wrong}");
        assert!(connection.is_closed(), "a connection without the right password is not kept");
    }
    assert_eq!(status(&basic("user:a:b")).0, 200);
    assert_eq!(
        status(
            &basic("user:a:b")
                .to_lowercase()
                .replace(&STANDARD.encode("user:a:b").to_lowercase(), &STANDARD.encode("user:a:b"))
        )
        .0,
        200
    );
    for path in ["/", "/ok.html", "/mainlogtail"] {
        assert_eq!(Connection::inet(plain).get(path).status, 401, "{path}");
    }
    // The other server has no password, and lets everybody in.
    assert_eq!(daemon.ask("getAPIVersion", &[]), "3.0".into());
}

#[test]
fn hashed_passwords_on_both_servers() {
    let port = free_port();
    let site = super::fixture::Site::new(&format!(
        "[unix_http_server]\nusername=user\npassword={{SHA}}40bd001563085fc35165329ea1ff5c5ecbdbbeef\n\
         [inet_http_server]\nport=127.0.0.1:{port}\nusername=user\npassword={{SHA}}40bd001563085fc35165329ea1ff5c5ecbdbbeef\n"
    ));
    let daemon = Daemon::start_in(site);
    for mut connection in [daemon.connect(), Connection::inet(port)] {
        let header = format!("Authorization: Basic {}\r\n", STANDARD.encode("user:123"));
        connection.send(post(&write_call("supervisor.getPID", &[]), &header));
        let answer = read_response(&connection.response().body).unwrap().unwrap();
        assert_eq!(answer.as_int(), Some(i64::from(daemon.pid())));
    }
    assert_eq!(daemon.connect().get("/ok.html").status, 401);
}

#[test]
fn status_codes() {
    let daemon = Daemon::start("");
    let status = |request: &str| {
        let mut connection = daemon.connect();
        connection.send(request);
        let response = connection.response();
        if response.status != 200 {
            assert_eq!(response.header("content-type"), Some("text/html"), "{request}");
            let text = response.text();
            assert!(text.contains("<title>Error response</title>"), "{text}");
            assert!(text.contains(&format!("<p>Error code {}.", response.status)), "{text}");
        }
        assert!(response.header("server").is_some_and(|server| server.starts_with("Medusa")));
        assert!(response.header("date").is_some());
        response.status
    };
    for (request, expected) in [
        ("GET /ok.html HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        ("GET /nope HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /RPC2 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("DELETE /nope HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("POST /logtail/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 400),
        ("GET /logtail/x HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /logtail HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\n\r\n", 411),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 400),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 400),
        ("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 25\r\n\r\n<methodCall></methodCall>", 400),
    ] {
        assert_eq!(status(request), expected, "{request}");
    }
    let body = String::from_utf8(write_call("supervisor.getAPIVersion", &[])).unwrap();
    for path in ["/RPC2", "/RPC2/", "/RPC2foo"] {
        let request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert_eq!(status(&request), 200, "{path}");
    }
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let daemon = Daemon::start("");
    let mut connection = daemon.connect();
    connection.send(format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", REQUEST_BYTES_MAX + 1));
    assert_eq!(connection.response().status, 413);
    let mut connection = daemon.connect();
    connection.send(format!("GET /nope HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(60 * 1024)));
    assert_eq!(connection.response().status, 404);
    let mut connection = daemon.connect();
    connection.send(format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(200 * 1024)));
    assert_eq!(connection.head().status, 431);
}

#[test]
fn a_connection_is_kept_for_many_calls() {
    let daemon = Daemon::start("");
    let mut connection = daemon.connect();
    for _ in 0..200 {
        assert_eq!(connection.call("supervisor.getPID", &[]), Ok(i64::from(daemon.pid()).into()));
        assert_eq!(connection.call("nope", &[]).unwrap_err().code, 1);
        assert_eq!(connection.get("/nope").status, 404);
    }
    connection.send(post(&write_call("supervisor.getAPIVersion", &[]), "Connection: close\r\n"));
    assert_eq!(connection.response().status, 200);
    assert!(connection.is_closed());
    let mut connection = daemon.connect();
    connection.send("GET /ok.html HTTP/1.0\r\n\r\n");
    assert_eq!(connection.response().text(), "OK");
    assert!(connection.is_closed());
}

#[test]
fn requests_that_come_in_pieces_delay_nobody() {
    let daemon = Daemon::start("");
    let request = post(&write_call("supervisor.getAPIVersion", &[]), "");
    let mut slow = daemon.connect();
    for byte in &request[..request.len() - 1] {
        slow.send([*byte]);
    }
    assert_eq!(daemon.ask("getAPIVersion", &[]), "3.0".into());
    slow.send([request[request.len() - 1]]);
    assert_eq!(slow.response().status, 200);
    // Two at once: answers come in order.
    slow.send([request.clone(), request].concat());
    assert_eq!((slow.response().status, slow.response().status), (200, 200));
}

#[test]
fn a_client_that_does_not_read_delays_nobody() {
    let daemon = Daemon::start("");
    let mut mute = daemon.connect();
    // Answers of some kilobytes each, none of them read.
    let request = post(&write_call("system.listMethods", &[]), "");
    for _ in 0..30 {
        mute.send(&request);
    }
    for _ in 0..20 {
        assert_eq!(daemon.ask("getAPIVersion", &[]), "3.0".into());
    }
    for _ in 0..30 {
        assert_eq!(mute.response().status, 200);
    }
}

#[test]
fn a_call_is_run_though_its_client_has_gone() {
    let daemon = Daemon::start(
        "[program:p]\ncommand=cat\nprocess_name=p%(process_num)d\nnumprocs=20\nautostart=false\nstartsecs=0\n",
    );
    for number in 0..20 {
        let mut connection = daemon.connect();
        connection.send(post(&write_call("supervisor.startProcess", &[format!("p:p{number}").into()]), ""));
        drop(connection);
    }
    daemon.wait_for_state("p:p19", "RUNNING");
    for number in 0..20 {
        daemon.wait_for_state(&format!("p:p{number}"), "RUNNING");
    }
}

#[test]
fn many_clients_at_once_all_get_their_answers() {
    let daemon = Daemon::start("[program:slow]\ncommand=sleep 100\nautostart=false\n");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| daemon.ask("startProcess", &["slow".into()]));
        let clients: Vec<_> = (0..100)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = daemon.connect();
                    (0..10).all(|_| connection.call("supervisor.getAPIVersion", &[]) == Ok("3.0".into()))
                })
            })
            .collect();
        assert!(clients.into_iter().all(|client| client.join().unwrap()));
        assert_eq!(waiting.join().unwrap(), true.into());
    });
}

#[test]
fn a_client_that_is_refused_may_finish_its_request() {
    let daemon = Daemon::start("[unix_http_server]\nusername=user\npassword=123\n");
    let mut stream = UnixStream::connect(daemon.socket()).unwrap();
    stream.write_all(b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n").unwrap();
    // Long enough for a server that does not wait for the body to have closed the connection.
    std::thread::sleep(Duration::from_millis(100));
    stream.write_all(b"body").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
}

/// The line that `supervisorctl hash-password` prints for a password.
fn hashed(password: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_supervisord"));
    command.arg0("supervisorctl").args(["hash-password", "--cost", "5"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bcrypt_passwords() {
    let line = hashed("a:b%c");
    assert!(line.starts_with("password={BCRYPT}$2b$05$"), "{line}");
    let daemon = Daemon::start(
        &format!("[inet_http_server]\nport=127.0.0.1:{{}}\nusername=user\n{line}")
            .replace("{}", &free_port().to_string()),
    );
    let text = daemon.site.read("supervisord.conf");
    let port = text.split("port=127.0.0.1:").nth(1).unwrap().split('\n').next().unwrap().parse().unwrap();
    let status = |given: &str| {
        let mut connection = Connection::inet(port);
        let header = format!("Authorization: Basic {}\r\n", STANDARD.encode(given));
        connection.send(post(&write_call("supervisor.getAPIVersion", &[]), &header));
        connection.response().status
    };
    // The second time it is remembered, and a wrong one is wrong all the same.
    let given = ["user:a:b%c", "user:a:b%c", "user:a:b%d", "root:a:b%c", "user:a:b%c"];
    assert_eq!(given.map(status), [200, 200, 401, 401, 200]);
    daemon.wait_for_log("server 'inet_http_server' refused a user name or password from 127.0.0.1:");
    // The thread that compared is gone after a while.
    let threads = || std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap().count();
    super::fixture::wait_until("one thread is left", || threads() == 1);
}

#[test]
fn guessing_delays_nobody_else() {
    let port = free_port();
    let daemon = Daemon::start(&format!("[inet_http_server]\nport=127.0.0.1:{port}\nusername=user\npassword=right\n"));
    let ask = |password: &str| {
        let mut connection = Connection::inet(port);
        let header = format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("user:{password}")));
        connection.send(post(&write_call("supervisor.getAPIVersion", &[]), &header));
        connection
    };
    let mut guesses: Vec<Connection> = (0..20).map(|number| ask(&format!("guess {number}"))).collect();
    // Those who know it are served at once, on this server and on the other, before the guesses are answered.
    assert_eq!(ask("right").response().status, 200);
    assert_eq!(daemon.ask("getAPIVersion", &[]), "3.0".into());
    assert!(guesses.iter_mut().all(|guess| guess.response().status == 401));
    assert_eq!(daemon.log().matches("refused a user name or password").count(), 1, "one line for all of them");
}

#[test]
fn chunked_bodies_are_taken_and_expected_ones_asked_for() {
    let daemon = Daemon::start("");
    let body = String::from_utf8(write_call("supervisor.getAPIVersion", &[])).unwrap();
    let mut connection = daemon.connect();
    connection.send("POST /RPC2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for part in body.as_bytes().chunks(50) {
        connection.send(format!("{:x}\r\n{}\r\n", part.len(), std::str::from_utf8(part).unwrap()));
    }
    connection.send("0\r\n\r\n");
    assert_eq!(connection.response().status, 200);
    let too_long = "x".repeat(1 << 20);
    connection.send("POST /RPC2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let sent = (0..=REQUEST_BYTES_MAX >> 20)
        .try_for_each(|_| connection.try_send(format!("{:x}\r\n{too_long}\r\n", too_long.len())));
    // It may be refused before all of it is sent.
    let _ = sent;
    assert_eq!(connection.head().status, 413);
    let mut connection = daemon.connect();
    connection.send(format!(
        "POST /RPC2 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    assert_eq!(connection.head().status, 100);
    connection.send(body);
    assert_eq!(connection.response().status, 200);
}
