//! The web console without a browser: who is let in, what a forged request does, old addresses.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::client::{Connection, Response};
use super::fixture::{Daemon, wait_until};

pub const PROGRAMS: &str = "[program:a]\ncommand=sleep 1000\n[program:b]\ncommand=sleep 1000\nautostart=false\n\
    [program:bad]\ncommand=/nonexistent/bad\nautostart=false\nstartretries=0\n";

pub fn daemon() -> Daemon {
    let daemon = Daemon::start(PROGRAMS);
    daemon.wait_for_state("a", "RUNNING");
    daemon
}

/// A request with these headers, on a connection of its own.
pub fn send(daemon: &Daemon, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    send_on(&mut daemon.connect(), method, path, headers, body)
}

fn send_on(connection: &mut Connection, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = if method == "POST" { format!("Content-Length: {}\r\n", body.len()) } else { String::new() };
    connection.send(format!("{method} {path} HTTP/1.1\r\nHost: console.example\r\n{more}{length}\r\n{body}"));
    let asks_for_none = method == "HEAD" || headers.iter().any(|(name, _)| *name == "If-None-Match");
    if asks_for_none { connection.head() } else { connection.response() }
}

pub fn get(daemon: &Daemon, path: &str) -> Response {
    send(daemon, "GET", path, &[], "")
}

pub fn json_of(response: &Response) -> Value {
    assert_eq!(response.header("content-type"), Some("application/json"), "{}", response.text());
    serde_json::from_slice(&response.body).unwrap()
}

/// What a browser that has opened a page has: its cookie, and the token of the page.
struct Opened {
    cookie: String,
    token: String,
}

fn open(daemon: &Daemon, headers: &[(&str, &str)]) -> Opened {
    let response = send(daemon, "GET", "/", headers, "");
    assert_eq!(response.status, 200, "{}", response.text());
    let cookie = response.header("set-cookie").expect("a cookie").split(';').next().unwrap().to_owned();
    let text = response.text();
    let token = text.split("data-token=\"").nth(1).expect("a token").split('"').next().unwrap().to_owned();
    Opened { cookie, token }
}

#[test]
fn every_page_is_there_and_guarded() {
    let daemon = daemon();
    for path in [
        "/",
        "/index.html",
        "/program?name=a",
        "/log",
        "/log?name=a",
        "/events",
        "/changes",
        "/host",
        "/about",
        "/tail.html",
    ] {
        let response = get(&daemon, path);
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.header("content-type"), Some("text/html;charset=utf-8"), "{path}");
        let policy = response.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(response.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(response.header("cache-control"), Some("no-cache, no-store"), "{path}");
        assert!(response.header("set-cookie").unwrap().contains("HttpOnly; SameSite=Strict"), "{path}");
        let text = response.text();
        assert!(!text.contains("<script>") && !text.contains(" style=") && !text.contains(" onclick"), "{path}");
    }
    for missing in
        ["/nope", "/program?name=nope", "/log?name=nope", "/assets/nope.js", "/assets/../lib.rs", "/api/v1/nope"]
    {
        assert_eq!(get(&daemon, missing).status, 404, "{missing}");
    }
    assert_eq!(send(&daemon, "HEAD", "/about", &[], "").status, 200);
    assert_eq!(send(&daemon, "DELETE", "/", &[], "").status, 400);
}

#[test]
fn files_come_compressed_or_not_and_only_once() {
    let daemon = daemon();
    for name in supervisor_kit::web::assets::NAMES {
        let path = format!("/assets/{name}");
        let plain = get(&daemon, &path);
        let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/web/assets").join(name);
        assert_eq!(plain.body, std::fs::read(source).unwrap(), "{name}");
        let packed = send(&daemon, "GET", &path, &[("Accept-Encoding", "gzip")], "");
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{name}");
        let tag = packed.header("etag").unwrap();
        assert_eq!(send(&daemon, "GET", &path, &[("If-None-Match", tag)], "").status, 304, "{name}");
    }
    let page = send(&daemon, "GET", "/", &[("Accept-Encoding", "gzip, br")], "");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&page.body[..]), &mut text).unwrap();
    assert!(text.contains("data-n=\"bad\""), "{text}");
}

#[test]
fn a_browser_needs_its_own_origin_and_token() {
    let daemon = daemon();
    let pid = daemon.pid_of("a");
    let Opened { cookie, token } = open(&daemon, &[("Sec-Fetch-Site", "none")]);
    let stranger = open(&daemon, &[]);
    let form = |token: &str| format!("do=stop:*&confirmed=1&token={token}");
    let own = ("Origin", "http://console.example");
    let refused: &[(&[(&str, &str)], String)] = &[
        (&[("Cookie", &cookie), ("Origin", "http://evil.example")], form(&token)),
        (&[("Cookie", &cookie), ("Origin", "null")], form(&token)),
        (&[("Cookie", &cookie), ("Sec-Fetch-Site", "cross-site")], form(&token)),
        (&[("Cookie", &cookie), ("Sec-Fetch-Site", "same-site")], form(&token)),
        (&[("Cookie", &cookie), ("Referer", "http://evil.example/")], form(&token)),
        (&[("Cookie", &cookie), own], form(&stranger.token)),
        (&[("Cookie", &cookie), own], form("")),
        (&[("Cookie", &cookie), own], "do=stop:*&confirmed=1".to_owned()),
        (&[own], form(&token)),
        (&[("User-Agent", "Mozilla/5.0 (old)")], form(&token)),
    ];
    for (headers, body) in refused {
        assert_eq!(send(&daemon, "POST", "/actions", headers, body).status, 403, "{headers:?} {body}");
        let headers = [*headers, &[("Content-Type", "application/json"), ("X-Console-Token", "x")]].concat();
        let body = "{\"action\":\"stop\",\"targets\":[\"*\"]}";
        assert_eq!(send(&daemon, "POST", "/api/v1/actions", &headers, body).status, 403, "{headers:?}");
    }
    for path in ["/index.html?action=stopall", "/?action=stop&processname=a"] {
        let forged = send(&daemon, "GET", path, &[("Sec-Fetch-Site", "cross-site"), ("User-Agent", "Mozilla/5.0")], "");
        assert_eq!(forged.status, 403, "{path}");
        // The visitor himself is asked first.
        let own = send(&daemon, "GET", path, &[("Sec-Fetch-Site", "none"), ("User-Agent", "Mozilla/5.0")], "");
        assert!(own.status == 200 && own.text().contains("name=\"confirmed\""), "{path}: {}", own.text());
    }
    let call = "<methodCall><methodName>supervisor.stopAllProcesses</methodName></methodCall>";
    assert_eq!(send(&daemon, "POST", "/RPC2", &[("Origin", "http://evil.example")], call).status, 403);
    assert_eq!(daemon.pid_of("a"), pid, "nothing of it did anything");

    // And its own pages can.
    let headers = [("Cookie", cookie.as_str()), own];
    let asked = send(&daemon, "POST", "/actions", &headers, &format!("do=stop:a&token={token}"));
    assert!(asked.status == 200 && asked.text().contains("name=\"confirmed\""), "{}", asked.text());
    assert_eq!(daemon.state("a"), "RUNNING");
    let done = send(
        &daemon,
        "POST",
        "/actions",
        &headers,
        &format!("do=stop&p=a&confirmed=1&next=//evil.example&token={token}"),
    );
    assert_eq!((done.status, done.header("location")), (303, Some("/")));
    assert_eq!(daemon.state("a"), "STOPPED");
    let shown = send(&daemon, "GET", "/", &headers, "");
    assert!(shown.text().contains("<li class=\"good\"><b>a</b>"), "{}", shown.text());
}

#[test]
fn old_addresses_work_for_scripts() {
    let daemon = daemon();
    let said = |path: &str| {
        let response = get(&daemon, path);
        assert_eq!(response.status, 303, "{path}");
        response.header("location").unwrap().to_owned()
    };
    assert_eq!(said("/index.html?processname=a&action=stop"), "/?message=Process%20a%20stopped");
    assert_eq!(daemon.state("a"), "STOPPED");
    assert_eq!(said("/index.html?processname=a&action=start"), "/?message=Process%20a%20started");
    assert_eq!(said("/?processname=a&action=restart"), "/?message=Process%20a%20restarted");
    assert_eq!(said("/?processname=a&action=clearlog"), "/?message=Log%20for%20a%20cleared");
    assert_eq!(said("/?processname=nope&action=start"), "/?message=No%20such%20process%20named%20nope");
    assert_eq!(said("/?processname=bad&action=start"), "/?message=ERROR%3A%20Process%20bad%3A%20no%20such%20file");
    assert!(said("/index.html?action=stopall").starts_with("/?message=All%20stopped%20at%20"));
    assert_eq!(daemon.state("a"), "STOPPED");
    assert!(said("/index.html?action=restartall").starts_with("/?message=All%20restarted%20at%20"));
    assert!(said("/index.html?action=refresh").starts_with("/?message=Page%20refreshed%20at%20"));
    assert_eq!(get(&daemon, "/?action=fly&processname=a").status, 400);
    assert_eq!(get(&daemon, "/?action=stop").status, 400);
    // Nobody can put words into the page by an address.
    assert!(!get(&daemon, "/?message=call+0900+now").text().contains("call 0900"));
    let tail = |query: &str| get(&daemon, &format!("/tail.html{query}")).text();
    assert!(tail("?processname=a&limit=10").contains("<title>Supervisor tail of process a"));
    assert!(tail("").contains("No process name found"));
    assert!(tail("?processname=nope").contains("ERROR: unexpected rpc fault [10] BAD_NAME: nope"));
}

#[test]
fn hostile_names_and_lines_are_text() {
    let name = "<img>\"'&amp;<b>";
    let config = format!(
        "[program:x]\nprocess_name={name}\ncommand=sh -c 'printf \"</pre><script>alert(2)</script>\\n\"; sleep 1000'\n\
        stdout_logfile=%(here)s/x.log\nenvironment=A=\"<b>\"\n"
    );
    let daemon = Daemon::start(&config);
    let namespec = format!("x:{name}");
    daemon.wait_for_state(&namespec, "RUNNING");
    daemon.wait_for_text("x.log", "alert(2)");
    let encoded = supervisor_kit::web::percent_encode(&namespec);
    for path in [
        "/".to_owned(),
        format!("/program?name={encoded}"),
        format!("/log?name={encoded}"),
        "/events".to_owned(),
        format!("/tail.html?processname={encoded}"),
        format!("/program?name={encoded}%3Cscript%3E"),
        "/?q=%22%3E%3Cscript%3E&state=%22%3E%3Cscript%3E".to_owned(),
        "/log?name=%3Cscript%3E".to_owned(),
        "/tail.html?processname=%3Cscript%3E&limit=%3Cscript%3E".to_owned(),
        "/login?next=%22%3E%3Cscript%3E".to_owned(),
        "/about?%22%3E%3Cscript%3E".to_owned(),
    ] {
        let text = get(&daemon, &path).text();
        assert!(
            !text.contains("<img")
                && !text.contains("<script>")
                && !text.contains("amp;<b>")
                && !text.contains("<b></td>"),
            "{path}: {text}"
        );
    }
    let detail = json_of(&get(&daemon, &format!("/api/v1/programs/{encoded}")));
    assert_eq!(detail["program"]["name"], namespec.as_str());
    // A name that would be another line of the log.
    let forged = "x\n2026-01-01 00:00:00,000 INFO all is well";
    let body = json!({ "action": "stop", "targets": [forged] }).to_string();
    send(&daemon, "POST", "/api/v1/actions", &[("Content-Type", "application/json")], &body);
    daemon.wait_for_log("stop x?2026-01-01");
    assert!(!daemon.log().contains("\n2026-01-01"));
}

/// A daemon that three people may enter.
fn guarded() -> Daemon {
    Daemon::start(&format!(
        "[unix_http_server]\nusername=admin\npassword=secret\n[user:eve]\npassword=look\nrole=readonly\n\
         [user:bob]\npassword={{SHA}}7f8e6dcf857891892afadc2b8b0a640a297afaed\nrole=operator\n{PROGRAMS}"
    ))
}

#[test]
fn what_a_role_may_do() {
    let daemon = guarded();
    let basic = |user: &str, password: &str| {
        use base64::Engine;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
    };
    let (eve, bob) = (basic("eve", "look"), basic("bob", "edc"));
    // Nothing is open but the door and its paint.
    for path in [
        "/",
        "/index.html?action=stopall",
        "/log",
        "/metrics",
        "/api/v1/programs",
        "/api/v1/stream",
        "/assets/console.js",
        "/api/v1/openapi.json",
        "/logtail/a",
        "/mainlogtail",
        "/ok.html",
        "/tail.html",
        "/log/download",
        "/nope",
    ] {
        let response = get(&daemon, path);
        assert_eq!(response.status, 401, "{path}");
    }
    assert_eq!(
        send(&daemon, "GET", "/events?x=1", &[("Accept", "text/html")], "").header("location"),
        Some("/login?next=%2Fevents%3Fx%3D1")
    );
    assert_eq!(get(&daemon, "/login").status, 200);
    assert_eq!(get(&daemon, "/assets/console.css").status, 200);
    for (path, method) in [("/actions", "POST"), ("/api/v1/actions", "POST"), ("/RPC2", "POST")] {
        assert_eq!(send(&daemon, method, path, &[], "do=stop:*&confirmed=1").status, 401, "{path}");
    }
    let call = |who: &str, method: &str| {
        let body = format!("<methodCall><methodName>{method}</methodName></methodCall>");
        send(&daemon, "POST", "/RPC2", &[("Authorization", who)], &body).text()
    };
    // Who may only look.
    assert!(call(&eve, "supervisor.getAllProcessInfo").contains("<name>statename</name>"));
    for method in
        ["supervisor.stopAllProcesses", "supervisor.shutdown", "supervisor.reloadConfig", "supervisor.clearLog"]
    {
        assert!(call(&eve, method).contains("may look, but not change"), "{method}");
    }
    let multicall = "<methodCall><methodName>system.multicall</methodName><params><param><value><array><data><value><struct>\
        <member><name>methodName</name><value><string>supervisor.stopAllProcesses</string></value></member></struct></value>\
        </data></array></value></param></params></methodCall>";
    assert!(
        send(&daemon, "POST", "/RPC2", &[("Authorization", &eve)], multicall)
            .text()
            .contains("may look, but not change")
    );
    let act = |who: &str| {
        let headers = [("Authorization", who), ("Content-Type", "application/json")];
        send(&daemon, "POST", "/api/v1/actions", &headers, "{\"action\":\"start\",\"targets\":[\"b\"]}").status
    };
    assert_eq!(act(&eve), 403);
    let old = send(&daemon, "GET", "/?action=stopall", &[("Authorization", &eve)], "");
    assert_eq!(old.status, 403);
    assert_eq!(act(&bob), 200);
    daemon.wait_for_log("console: bob from a local process");
    assert!(!send(&daemon, "GET", "/", &[("Authorization", &eve)], "").text().contains("name=\"do\""));
}

#[test]
fn an_open_port_is_changed_under_its_own_names_only() {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let config = format!("[inet_http_server]\nport=127.0.0.1:{port}\n[program:a]\ncommand=sleep 1000\n");
    let daemon = Daemon::start(&config);
    let ask = |host: &str| {
        let mut connection = Connection::inet(port);
        let body = "do=stop:*&confirmed=1";
        connection.send(format!(
            "POST /actions HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        connection.response().text()
    };
    assert!(ask("rebound.example:9001").contains("asks for no password"));
    // Under its address it is only the token that is missing.
    assert!(ask("127.0.0.1:9001").contains("too old"));
    drop(daemon);
}

#[test]
fn pages_need_no_rpc_interface() {
    let site = super::fixture::Site::new("");
    let config = std::fs::read_to_string(site.path("supervisord.conf")).unwrap();
    let (head, _) = config.split_once("[rpcinterface:supervisor]").unwrap();
    std::fs::write(site.path("supervisord.conf"), format!("{head}{PROGRAMS}")).unwrap();
    let daemon = Daemon::start_in(site);
    let state = || json_of(&get(&daemon, "/api/v1/programs/a"))["program"]["state"].as_str().unwrap().to_owned();
    wait_until("it runs", || state() == "RUNNING");
    assert!(get(&daemon, "/").text().contains("data-n=\"a\""));
    let body = "{\"action\":\"stop\",\"targets\":[\"a\"]}";
    assert_eq!(send(&daemon, "POST", "/api/v1/actions", &[("Content-Type", "application/json")], body).status, 200);
    assert_eq!(state(), "STOPPED");
}

#[test]
fn signing_in_and_out_by_the_page() {
    let daemon = guarded();
    let asks = send(&daemon, "GET", "/basic", &[("Accept", "text/html")], "");
    assert_eq!((asks.status, asks.header("www-authenticate")), (401, Some("Basic realm=\"default\"")));
    let sign_in = |password: &str| {
        let body = format!("username=eve&password={password}&next=%2Fabout");
        send(&daemon, "POST", "/login", &[("Origin", "http://console.example")], &body)
    };
    assert_eq!(sign_in("wrong").status, 403);
    let in_by = sign_in("look");
    assert_eq!((in_by.status, in_by.header("location")), (303, Some("/about")));
    let cookie = in_by.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let own = [("Cookie", cookie.as_str()), ("Origin", "http://console.example")];
    let page = send(&daemon, "GET", "/about", &own, "");
    assert!(page.status == 200 && page.text().contains("eve"), "{}", page.text());
    let token = page.text().split("data-token=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(send(&daemon, "POST", "/logout", &own, "token=wrong").status, 403);
    assert_eq!(send(&daemon, "POST", "/logout", &own, &format!("token={token}")).status, 303);
    assert_eq!(send(&daemon, "GET", "/api/v1/programs", &own, "").status, 401);
    let evil = [("Origin", "http://evil.example")];
    assert_eq!(send(&daemon, "POST", "/login", &evil, "username=eve&password=look").status, 403);
}
