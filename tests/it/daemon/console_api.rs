//! The API of the console for scripts: actions, metrics, the description, streams.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::client::Connection;
use super::console::{PROGRAMS, daemon, get, json_of, send};
use super::fixture::{Daemon, wait_until};

#[test]
fn scripts_act_by_the_api_without_a_token() {
    let daemon = daemon();
    let act = |body: &Value| {
        send(&daemon, "POST", "/api/v1/actions", &[("Content-Type", "application/json")], &body.to_string())
    };
    let done = json_of(&act(&json!({ "action": "start", "targets": ["b", "bad", "nope"] })));
    let results = done["results"].as_array().unwrap();
    let of = |name: &str| results.iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!(of("b")["ok"], true);
    assert_eq!((of("bad")["ok"].clone(), of("bad")["code"].clone()), (false.into(), 20.into()), "{done}");
    assert_eq!(of("nope")["code"], 10);
    assert_eq!(daemon.state("b"), "RUNNING");
    let pids = (daemon.pid_of("a"), daemon.pid_of("b"));
    act(&json!({ "action": "restart", "targets": ["*"] }));
    assert!(daemon.pid_of("a") != pids.0 && daemon.pid_of("b") != pids.1);
    act(&json!({ "action": "signal", "signal": "KILL", "targets": ["a"] }));
    wait_until("the signal is in the history", || {
        let detail = json_of(&get(&daemon, "/api/v1/programs/a"));
        detail["history"].as_array().unwrap().iter().any(|change| change["exit"]["signal"] == "SIGKILL")
    });
    assert_eq!(act(&json!({ "action": "stop", "targets": ["*"] })).status, 200);
    assert_eq!(daemon.state("b"), "STOPPED");
    daemon.wait_for_log("console: somebody from a local process");
    daemon.wait_for_log("stop *: done");
    for wrong in [
        "",
        "{",
        "[]",
        "{\"action\":\"stop\"}",
        "{\"action\":\"fly\",\"targets\":[\"a\"]}",
        "{\"action\":\"stop\",\"targets\":[7]}",
    ] {
        let answer = send(&daemon, "POST", "/api/v1/actions", &[("Content-Type", "application/json")], wrong);
        assert_eq!(answer.status, 400, "{wrong}");
    }
    assert_eq!(send(&daemon, "POST", "/api/v1/actions", &[("Content-Type", "text/plain")], "{}").status, 415);
}

#[test]
fn metrics_may_be_open_by_choice() {
    let daemon = Daemon::start("[unix_http_server]\nusername=admin\npassword=secret\nmetrics_auth=false\n");
    assert_eq!(get(&daemon, "/metrics").status, 200);
    assert_eq!(get(&daemon, "/api/v1/programs").status, 401);
}

/// Runs a script with the packages of `scripts/setup`.
fn python(script: &str, input: &str) {
    use std::io::Write;
    let interpreter = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/validators/bin/python");
    let mut child = Command::new(interpreter)
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("scripts/setup");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{input}");
}

#[test]
fn metrics_are_open_metrics() {
    let daemon =
        Daemon::start("[program:a]\ncommand=sleep 1000\nprocess_name=q\"\\\\uote\nstdout_logfile=%(here)s/a.log\n");
    wait_until("it runs", || get(&daemon, "/metrics").text().contains("=\"RUNNING\"} 1"));
    let response = get(&daemon, "/metrics");
    assert_eq!(response.header("content-type"), Some(supervisor_kit::web::metrics::CONTENT_TYPE));
    let script = "import sys\nfrom prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n\
        families = {family.name: family for family in parse(sys.stdin.read())}\n\
        up = families['supervisor_program_up'].samples[0]\n\
        assert up.value == 1 and up.labels['group'] == 'a', up\n\
        states = families['supervisor_program_state'].samples\n\
        assert sum(sample.value for sample in states) == 1, states\n\
        for name in ('supervisor_program_starts', 'supervisor_program_cpu_seconds', 'supervisor_program_log_bytes', 'process_open_fds'):\n\
        \x20   assert families[name].samples, name\n";
    python(script, &response.text());
}

#[test]
fn the_api_is_as_its_description_says() {
    let daemon = daemon();
    let description = json_of(&get(&daemon, "/api/v1/openapi.json"));
    let answers: Vec<(&str, Value)> = [
        ("Overview", "/api/v1/programs"),
        ("Detail", "/api/v1/programs/a"),
        ("Plan", "/api/v1/changes"),
        ("Host", "/api/v1/host"),
        ("LogPiece", "/api/v1/log"),
        ("LogSearch", "/api/v1/log/search?q=supervisord"),
        ("Error", "/api/v1/programs/nope"),
    ]
    .map(|(schema, path)| (schema, json_of(&get(&daemon, path))))
    .to_vec();
    let results = send(
        &daemon,
        "POST",
        "/api/v1/actions",
        &[("Content-Type", "application/json")],
        "{\"action\":\"stop\",\"targets\":[\"a\",\"nope\"]}",
    );
    let events = json_of(&get(&daemon, "/api/v1/events"));
    assert!(events["events"].as_array().unwrap().len() > 3, "{events}");
    let events = events["events"].as_array().unwrap().iter().map(|event| ("Event", event.clone()));
    let answers: Vec<(&str, Value)> =
        answers.into_iter().chain([("Results", json_of(&results))]).chain(events).collect();
    let script = "import json, sys\nfrom openapi_spec_validator import validate\nfrom jsonschema import Draft202012Validator as Schema\n\
        given = json.load(sys.stdin)\nvalidate(given['description'])\n\
        components = given['description']['components']\n\
        for name, answer in given['answers']:\n\
        \x20   Schema({'$ref': '#/components/schemas/' + name, 'components': components}).validate(answer)\n\
        \x20   known = set(components['schemas'][name]['properties'])\n\
        \x20   assert set(answer) <= known, (name, set(answer) - known)\n";
    python(script, &json!({ "description": description, "answers": answers }).to_string());
}

#[test]
fn a_stream_tells_what_changes_and_where_to_go_on() {
    let daemon = daemon();
    let cursor = json_of(&get(&daemon, "/api/v1/programs"))["cursor"].as_str().unwrap().to_owned();
    let mut stream = daemon.connect();
    stream.send(format!("GET /api/v1/stream?since={cursor} HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!(stream.head().header("content-type"), Some("text/event-stream"));
    daemon.ask("startProcess", &["b".into()]);
    let mut told = String::new();
    while !told.contains("\"to\":\"RUNNING\"") {
        told.push_str(&String::from_utf8(stream.chunk()).unwrap());
    }
    assert!(told.contains("event: change") && told.contains("\"name\":\"b\""), "{told}");
    drop(stream);
    // Whoever comes back gets what he missed; whoever is of another life starts anew.
    let mut again = daemon.connect();
    again.send(format!("GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nLast-Event-ID: {cursor}\r\n\r\n"));
    again.head();
    let missed = String::from_utf8(again.chunk()).unwrap();
    assert!(missed.contains("\"name\":\"b\""), "{missed}");
    let mut other = daemon.connect();
    other.send("GET /api/v1/stream?since=0123-4 HTTP/1.1\r\nHost: x\r\n\r\n");
    other.head();
    assert!(String::from_utf8(other.chunk()).unwrap().starts_with("event: reset"));
}

#[test]
fn two_hundred_idle_streams_and_one_that_never_reads() {
    let daemon = daemon();
    let streams: Vec<Connection> = (0..200)
        .map(|_| {
            let mut stream = daemon.connect();
            stream.send("GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n");
            stream.head();
            stream
        })
        .collect();
    let resident_kib = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = resident_kib();
    // None of them reads. What they have not been told is in the journal; what they are sent is made once for all.
    for _ in 0..100 {
        daemon.ask("startProcess", &["b".into(), false.into()]);
        daemon.ask("stopProcess", &["b".into()]);
    }
    assert_eq!(daemon.state("a"), "RUNNING");
    let after = resident_kib();
    const GROWTH_KIB_MAX: u64 = 4 * 1024;
    assert!(after <= before + GROWTH_KIB_MAX, "{before} KiB, then {after} KiB");
    drop(streams);
}

#[test]
fn an_update_does_what_the_plan_says() {
    let daemon = daemon();
    let (site, pid) = (daemon.site.clone(), daemon.pid_of("a"));
    site.configure(&PROGRAMS.replace("[program:b]\ncommand=sleep 1000", "[program:c]\ncommand=sleep 2000"));
    let plan = json_of(&get(&daemon, "/api/v1/changes"));
    let of = |name: &str| {
        plan["plan"].as_array().unwrap().iter().find(|one| one["process"] == name).unwrap()["action"].clone()
    };
    assert_eq!((of("a"), of("b"), of("c")), ("keep".into(), "stop".into(), "start".into()));
    assert!(daemon.fault("getProcessInfo", &["c".into()]).0 == 10, "asking changes nothing");
    let update = send(
        &daemon,
        "POST",
        "/api/v1/actions",
        &[("Content-Type", "application/json")],
        "{\"action\":\"update\",\"targets\":[\"*\"]}",
    );
    assert!(json_of(&update)["results"].as_array().unwrap().iter().all(|one| one["ok"] == true), "{}", update.text());
    assert_eq!(daemon.pid_of("a"), pid);
    assert_eq!(daemon.fault("getProcessInfo", &["b".into()]).0, 10);
    assert_eq!(daemon.info("c").get("name").and_then(supervisor_kit::xmlrpc::Value::as_str), Some("c"));
    site.configure("[program:a]\ncommand=%(broken\n");
    let broken = json_of(&get(&daemon, "/api/v1/changes"));
    assert!(broken["error"].as_str().unwrap().contains("supervisord.conf"), "{broken}");
}

#[test]
fn an_upgrade_ends_streams_and_keeps_who_may_enter() {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let daemon = Daemon::start(&format!(
        "[inet_http_server]\nport=127.0.0.1:{port}\nusername=admin\npassword=secret\nmetrics_auth=false\n\
         [user:eve]\npassword=look\n{PROGRAMS}"
    ));
    daemon.wait_for_state("a", "RUNNING");
    let (pid, cursor) = (daemon.pid_of("a"), json_of(&get(&daemon, "/api/v1/programs"))["cursor"].clone());
    let cursor = cursor.as_str().unwrap();
    let mut stream = daemon.connect();
    stream.send(format!("GET /api/v1/stream?since={cursor} HTTP/1.1\r\nHost: x\r\n\r\n"));
    stream.head();
    daemon.ask("upgrade", &[]);
    assert_eq!(daemon.pid_of("a"), pid);
    // A browser comes back by itself: what was under way in the middle of a chunk could not be gone on with.
    while !stream.is_closed() {
        stream.chunk();
    }
    let mut again = daemon.connect();
    again.send(format!("GET /api/v1/stream?since={cursor} HTTP/1.1\r\nHost: x\r\n\r\n"));
    again.head();
    assert!(String::from_utf8(again.chunk()).unwrap().starts_with("event: reset"));
    let ask = |path: &str, login: &str| {
        let mut connection = Connection::inet(port);
        connection.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n{login}\r\n"));
        connection.response()
    };
    assert_eq!(ask("/metrics", "").status, 200);
    assert_eq!(ask("/api/v1/programs", "").status, 401);
    let eve = ask("/", "Authorization: Basic ZXZlOmxvb2s=\r\n");
    assert!(eve.status == 200 && eve.text().contains("data-n=\"a\"") && !eve.text().contains("name=\"do\""));
}
