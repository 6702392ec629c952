//! What our client has beyond the stock one: JSON, patterns, causes, Chinese, watching.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use serde_json::Value;

use super::FILES;
use super::lab::{Answer, Lab, Whose};
use crate::program_file;

const SERVER: [&str; 2] = ["-s", "unix://{dir}/s.sock"];

fn ready() -> Lab {
    let lab = Lab::start(Whose::Ours, FILES);
    lab.wait_for("the programs", || say(&lab, &["status", "once"]).stdout.contains("EXITED"));
    lab
}

/// Runs our client on the lab's server.
fn say(lab: &Lab, words: &[&str]) -> Answer {
    lab.run(Whose::Ours, &[&SERVER, words].concat())
}

/// The one document that a command prints, and its exit status.
fn json(lab: &Lab, words: &[&str]) -> (Value, i32) {
    let answer = say(lab, &[&["--json"], words].concat());
    let document =
        serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{words:?}: {error}: {answer:?}"));
    assert_eq!(answer.stdout.lines().count(), 1, "{answer:?}");
    (document, answer.status.unwrap())
}

#[test]
fn every_reading_command_answers_in_json() {
    let lab = ready();
    lab.wait_for("output", || say(&lab, &["tail", "talker"]).stdout.contains("two"));
    let (status, code) = json(&lab, &["status", "cat", "idle", "nope"]);
    assert_eq!(code, 3);
    assert_eq!(status["errors"], serde_json::json!(["nope: ERROR (no such process)"]));
    let cat = &status["processes"][0];
    assert_eq!((cat["namespec"].as_str(), cat["state"].as_str()), (Some("cat"), Some("RUNNING")));
    assert!(cat["pid"].as_i64().unwrap() > 0 && cat["start"].as_i64().unwrap() > 0, "{cat}");
    assert_eq!(status["processes"][1]["pid"], 0);
    assert_eq!(json(&lab, &["version"]).0["version"], "4.3.0");
    assert!(json(&lab, &["pid"]).0["pid"].as_i64().unwrap() > 0);
    let (pids, code) = json(&lab, &["pid", "cat", "idle"]);
    assert_eq!((&pids["pids"]["cat"], code), (&cat["pid"], 7));
    assert_eq!(pids["pids"]["idle"], 0);
    let (avail, _) = json(&lab, &["avail"]);
    let idle = avail["processes"].as_array().unwrap().iter().find(|process| process["name"] == "idle").unwrap();
    assert_eq!((&idle["autostart"], &idle["in_use"], &idle["priority"]), (&false.into(), &true.into(), &5.into()));
    assert_eq!(json(&lab, &["reread"]), (serde_json::json!({ "groups": [] }), 0));
    assert_eq!(json(&lab, &["tail", "-4", "talker"]), (serde_json::json!({ "log": "two\n" }), 0));
    assert!(json(&lab, &["maintail"]).0["log"].as_str().unwrap().contains("INFO"));
    assert_eq!(json(&lab, &["tail", "nope"]).0["errors"][0], "nope: ERROR (no such process name)");
    assert_eq!(json(&lab, &["tail", "-f", "talker"]).1, 2);
    assert_eq!(json(&lab, &["status", "--watch"]).1, 2);
    let missing = lab.run(Whose::Ours, &["--json", "-s", "unix://{dir}/nope", "status"]);
    assert_eq!(
        (missing.stdout.as_str(), missing.status),
        ("{\"errors\":[\"unix://{dir}/nope no such file\"]}\n", Some(4))
    );
    let acting = say(&lab, &["--json", "stop", "cat"]);
    assert_eq!((acting.stdout.as_str(), acting.status), ("", Some(2)));
    assert!(acting.stderr.contains("--json needs one of these actions"), "{acting:?}");
}

#[test]
fn patterns_stand_for_names() {
    let lab = ready();
    let names = |words: &[&str]| {
        let answer = say(&lab, words);
        let names = answer.stdout.lines().map(|line| line.split([' ', ':']).next().unwrap().to_owned());
        (names.collect::<Vec<_>>(), answer.status.unwrap())
    };
    assert_eq!(names(&["status", "s*"]).0, ["silent", "stubborn"]);
    assert_eq!(names(&["status", "c?t"]), (vec!["cat".to_owned()], 0));
    assert_eq!(say(&lab, &["stop", "multi:m_?"]).stdout, "multi:m_0: stopped\nmulti:m_1: stopped\n");
    assert_eq!(say(&lab, &["start", "*:m_[01]"]).stdout, "multi:m_0: started\nmulti:m_1: started\n");
    assert_eq!(say(&lab, &["signal", "CONT", "ta*", "c[a]t"]).stdout, "talker: signalled\ncat: signalled\n");
    assert_eq!(say(&lab, &["clear", "mul*:other"]).stdout, "multi:other: cleared\n");
    assert_eq!(say(&lab, &["restart", "tal*"]).stdout, "talker: stopped\ntalker: started\n");
    assert_eq!(say(&lab, &["pid", "multi:m*"]).stdout.lines().count(), 2);
    lab.wait_for("output", || say(&lab, &["tail", "t*r"]).stdout.contains("two"));
    let several = say(&lab, &["tail", "multi:m_*"]);
    assert_eq!((several.stdout.as_str(), several.status), ("Error: one log at a time: multi:m_0 multi:m_1\n", Some(1)));
    for (words, said, status) in [
        (["status", "x*"], "x*: ERROR (no such process)\n", 4),
        (["start", "x*"], "x*: ERROR (no such process)\n", 1),
        (["stop", "x?:*"], "x?: ERROR (no such group)\n", 1),
        (["tail", "x*"], "x*: ERROR (no such process name)\n", 1),
    ] {
        let answer = say(&lab, &words);
        assert_eq!((answer.stdout.as_str(), answer.status), (said, Some(status)), "{words:?}");
    }
}

#[test]
fn a_missing_connection_is_explained_on_stderr() {
    let lab = ready();
    let dead = lab.dir.path().join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    for (url, stdout, cause) in [
        ("unix://{dir}/nope", "unix://{dir}/nope no such file\n", "there is no socket {dir}/nope"),
        ("unix://{dir}/no/s", "unix://{dir}/no/s no such file\n", "the directory {dir}/no does not exist"),
        ("unix://{dir}/dead.sock", "unix://{dir}/dead.sock refused connection\n", "has ended without removing it"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1 refused connection\n", "nothing listens on 127.0.0.1:1"),
        ("http://127.0.0.1:{port}", "Server requires authentication\n", "give -u and -p"),
    ] {
        let answer = lab.run(Whose::Ours, &["-s", url, "status"]);
        assert_eq!(answer.stdout, stdout);
        assert!(answer.stderr.contains(cause) && answer.stderr.lines().count() == 1, "{url}: {answer:?}");
    }
    let chinese = lab.run(Whose::Ours, &["--lang", "zh", "-s", "unix://{dir}/dead.sock", "status"]);
    assert_eq!(chinese.stdout, "unix://{dir}/dead.sock refused connection\n");
    assert!(chinese.stderr.contains("无人监听"), "{chinese:?}");
}

#[test]
fn a_socket_of_another_user_is_explained() {
    if !Uid::effective().is_root() {
        return eprintln!("skipped: only root can become another user");
    }
    let lab = ready();
    fs::set_permissions(lab.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    program_file::copy(Path::new(env!("CARGO_BIN_EXE_supervisord")), &lab.dir.path().join("supervisorctl"));
    let output = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(lab.dir.path().join("supervisorctl"))
        .args(["-s", &lab.fill("unix://{dir}/s.sock"), "status"])
        .current_dir("/")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("s.sock belongs to root and is closed to nobody"), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("error: "), "{output:?}");
}

#[test]
fn chinese_is_spoken_only_when_asked_for() {
    let lab = ready();
    let answer = say(&lab, &["--lang", "zh", "help", "start"]);
    assert!(answer.stdout.contains("start <name>\t\t启动一个进程"), "{answer:?}");
    let asked = lab.run_with_input(Whose::Ours, &[&["--lang=zh", "-i"], &SERVER[..], &["shutdown"]].concat(), "n\n");
    assert_eq!(asked.stdout, "确定要关闭远程 supervisord 进程吗？y/N ");
    let help = Whose::Ours.program("supervisorctl").args(["--lang", "zh", "--help"]).output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("启动交互式命令行"));
    // Results are an interface, whatever the language; and the environment decides nothing.
    let result = lab.client(Whose::Ours, &[&["--lang", "zh"], &SERVER[..], &["status", "cat"]].concat()).output();
    assert!(String::from_utf8_lossy(&result.unwrap().stdout).contains("RUNNING"));
    let plain =
        lab.client(Whose::Ours, &[&SERVER[..], &["help", "start"]].concat()).env("LANG", "zh_CN.UTF-8").output();
    assert!(String::from_utf8_lossy(&plain.unwrap().stdout).contains("Start one process"));
    assert_eq!(say(&lab, &["--lang", "xx", "status"]).status, Some(2));
}

#[test]
fn watching_into_a_pipe_prints_block_after_block() {
    let lab = ready();
    let words = [&SERVER[..], &["status", "--watch=1", "cat"]].concat();
    let mut client = lab.client(Whose::Ours, &words).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let (row, gap) = (lines.next().unwrap().unwrap(), lines.next().unwrap().unwrap());
        assert!(row.starts_with("cat ") && row.contains("RUNNING") && gap.is_empty(), "{row:?} {gap:?}");
    }
    kill(Pid::from_raw(client.id() as i32), Signal::SIGINT).unwrap();
    assert_eq!(client.wait().unwrap().code(), Some(0));
}

#[test]
fn a_plugin_of_the_client_is_named_and_skipped() {
    let lab = ready();
    let conf = lab
        .fill("[supervisorctl]\nserverurl=unix://{dir}/s.sock\n[ctlplugin:cache]\nsupervisor.ctl_factory=cache:make\n");
    fs::write(lab.dir.path().join("ctl.conf"), conf).unwrap();
    let answer = lab.run(Whose::Ours, &["-c", "{dir}/ctl.conf", "version"]);
    assert_eq!((answer.stdout.as_str(), answer.status), ("4.3.0\n", Some(0)));
    assert!(answer.stderr.starts_with("CRIT [ctlplugin:cache] is skipped") && answer.stderr.lines().count() == 1);
}

#[test]
fn lines_for_a_process_in_the_foreground_come_from_a_pipe_too() {
    let lab = ready();
    let input = "fg cat\nfirst\nsecond\n";
    let said = lab.run_with_input(Whose::Ours, &SERVER, input);
    assert!(said.stdout.contains("==> Press Ctrl-C to exit <==\n"), "{said:?}");
    assert!(said.stdout.contains("Exiting foreground\n"), "{said:?}");
    lab.wait_for("the echo", || say(&lab, &["tail", "cat"]).stdout.contains("first\nsecond\n"));
    for (words, line) in [
        (&["fg", "idle"][..], "ERROR: process not running\n"),
        (&["fg", "nope"], "ERROR: bad process name supplied\n"),
        (&["fg", "a", "b"], "ERROR: too many process names supplied\n"),
    ] {
        let answer = say(&lab, words);
        assert_eq!((answer.stdout.as_str(), answer.status), (line, Some(1)));
    }
}
