//! An update with real children: which keeps its pid, key by key.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use nix::unistd::{User, getuid};
use supervisor_kit::xmlrpc::Value;

use super::fixture::{BINARY, Daemon, wait_until};

/// A key, a value before and one after, and whether the process runs on. Nothing is before what has no value then.
type Case = (&'static str, &'static str, &'static str, bool);

const CASES: &[Case] = &[
    ("command", "sleep 3600", "sleep 7200", false),
    ("directory", "", "/", false),
    ("umask", "022", "077", false),
    ("user", "", "{me}", false),
    ("environment", "A=\"1\"", "A=\"2\"", false),
    ("serverurl", "http://a:1", "http://b:1", false),
    ("socket", "unix://%(here)s/a.fcgi", "unix://%(here)s/b.fcgi", false),
    ("redirect_stderr", "false", "true", false),
    ("stdout_logfile", "%(here)s/a.out", "%(here)s/b.out", false),
    ("stderr_logfile", "%(here)s/a.err", "%(here)s/b.err", false),
    ("priority", "7", "8", true),
    ("autostart", "true", "false", true),
    ("autorestart", "true", "false", true),
    ("startsecs", "0", "60", true),
    ("startretries", "3", "4", true),
    ("exitcodes", "0", "0,2", true),
    ("stopsignal", "TERM", "KILL", true),
    ("stopwaitsecs", "10", "11", true),
    ("stopasgroup", "false", "true", true),
    ("killasgroup", "true", "false", true),
    ("killmode", "default", "tree", false),
    ("stdout_logfile_maxbytes", "1MB", "2MB", true),
    ("stdout_logfile_backups", "1", "2", true),
    ("stdout_capture_maxbytes", "0", "1KB", true),
    ("stdout_events_enabled", "false", "true", true),
    ("stdout_syslog", "false", "true", true),
    ("stderr_logfile_maxbytes", "1MB", "2MB", true),
    ("stderr_logfile_backups", "1", "2", true),
    ("stderr_capture_maxbytes", "0", "1KB", true),
    ("stderr_events_enabled", "false", "true", true),
    ("stderr_syslog", "false", "true", true),
];

/// What every program says unless it is what differs; logs that are AUTO would not be compared.
const BASE: [(&str, &str); 5] = [
    ("command", "sleep 3600"),
    ("startsecs", "0"),
    ("killasgroup", "true"),
    ("stdout_logfile", "%(here)s/%(program_name)s.out"),
    ("stderr_logfile", "NONE"),
];

fn configuration(is_new: bool) -> String {
    let me = User::from_uid(getuid()).unwrap().unwrap().name;
    let mut text = String::new();
    for (key, old, new, _) in CASES {
        let kind = if *key == "socket" { "fcgi-program" } else { "program" };
        text.push_str(&format!("[{kind}:{key}]\n"));
        BASE.iter()
            .filter(|(base, _)| base != key)
            .for_each(|(base, value)| text.push_str(&format!("{base}={value}\n")));
        let value = if is_new { new.replace("{me}", &me) } else { (*old).to_owned() };
        if !value.is_empty() {
            text.push_str(&format!("{key}={value}\n"));
        }
    }
    text
}

/// Process, action, keys and whether it is up, of everything that is planned.
fn plan(daemon: &Daemon) -> Vec<(String, String, Vec<String>, bool)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let one = |row: &Value| {
        let keys = row.get("keys").unwrap().as_array().unwrap().iter().map(text).collect();
        let up = row.get("up") == Some(&true.into());
        (text(row.get("process").unwrap()), text(row.get("action").unwrap()), keys, up)
    };
    daemon.ask("planUpdate", &[]).as_array().unwrap().iter().map(one).collect()
}

/// The settings of a process as clients are told them.
fn settings(daemon: &Daemon, name: &str) -> Value {
    let all = daemon.ask("getAllConfigInfo", &[]);
    all.as_array().unwrap().iter().find(|one| one.get("name") == Some(&name.into())).unwrap().clone()
}

fn ctl(daemon: &Daemon, words: &[&str]) -> Output {
    let url = format!("unix://{}", daemon.socket().display());
    Command::new(BINARY).arg0("supervisorctl").args(["-s", &url]).args(words).output().unwrap()
}

fn printed(daemon: &Daemon, words: &[&str]) -> String {
    String::from_utf8(ctl(daemon, words).stdout).unwrap()
}

#[test]
fn every_key_is_tried() {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core/settings.rs")).unwrap();
    let compared: BTreeSet<&str> =
        source.split('"').skip(1).step_by(2).filter(|text| *text != "process_name").collect();
    let tried: BTreeSet<&str> = CASES.iter().map(|(key, ..)| *key).collect();
    assert_eq!(compared, tried);
}

#[test]
fn each_key_does_what_its_class_says() {
    let daemon = Daemon::start(&configuration(false));
    let running = || CASES.iter().for_each(|(key, ..)| daemon.wait_for_state(key, "RUNNING"));
    running();
    let before: Vec<(i32, Value)> =
        CASES.iter().map(|(key, ..)| (daemon.pid_of(key), settings(&daemon, key))).collect();
    daemon.site.configure(&configuration(true));
    daemon.ask("reloadConfig", &[]);
    let planned = plan(&daemon);
    for (key, _, _, is_live) in CASES {
        let action = if *is_live { "apply" } else { "restart" };
        let (_, as_planned, keys, up) = planned.iter().find(|(process, ..)| process == key).unwrap();
        assert_eq!((as_planned.as_str(), keys.join(" "), *up), (action, (*key).to_owned(), true), "{key}");
        assert_eq!(daemon.ask("updateProcessGroup", &[(*key).into()]), true.into(), "{key}");
    }
    running();
    for ((key, _, _, is_live), (pid, settings_before)) in CASES.iter().zip(before) {
        assert_eq!(daemon.pid_of(key) == pid, *is_live, "{key}");
        // The answer has as many members as Supervisor's, which leaves some keys out.
        let is_told = !["umask", "environment", "socket", "stopasgroup", "killmode"].contains(key);
        let settings = settings(&daemon, key);
        assert_eq!(settings != settings_before, is_told, "{key}: {settings:?}, before {settings_before:?}");
    }
    assert!(plan(&daemon).iter().all(|(_, action, ..)| action == "keep"), "{:?}", plan(&daemon));
}

#[test]
fn a_process_that_runs_on_works_with_its_new_settings() {
    let program =
        |extra: &str| format!("[program:cat]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/cat.log\n{extra}");
    let daemon = Daemon::start(&program("stdout_logfile_maxbytes=0\nstopsignal=USR1\nautorestart=false\n"));
    daemon.wait_for_state("cat", "RUNNING");
    let pid = daemon.pid_of("cat");
    let line = "x".repeat(99) + "\n";
    daemon.ask("sendProcessStdin", &["cat".into(), line.as_str().into()]);
    daemon.wait_for_text("cat.log", &line);
    daemon.site.configure(&program("stdout_logfile_maxbytes=150\nstdout_logfile_backups=1\nstopsignal=KILL\n"));
    assert_eq!(printed(&daemon, &["update"]), "cat: stopped\ncat: updated process group\n");
    assert_eq!(daemon.pid_of("cat"), pid);
    daemon.ask("sendProcessStdin", &["cat".into(), line.as_str().into()]);
    wait_until("the log is rolled", || daemon.path("cat.log.1").exists());
    assert_eq!(daemon.site.read("cat.log.1"), line.repeat(2));
    daemon.ask("stopProcess", &["cat".into()]);
    assert!(daemon.log().contains("stopped: cat (terminated by SIGKILL)"), "{}", daemon.log());
}

#[test]
fn numprocs_starts_and_stops_the_difference() {
    let programs =
        |count: u32| format!("[program:p]\ncommand=cat\nstartsecs=0\nprocess_name=%(process_num)d\nnumprocs={count}\n");
    let daemon = Daemon::start(&programs(2));
    daemon.wait_for_state("p:1", "RUNNING");
    let pids = [daemon.pid_of("p:0"), daemon.pid_of("p:1")];
    daemon.site.configure(&programs(4));
    assert_eq!(printed(&daemon, &["update", "p"]), "p: stopped\np: updated process group\n");
    daemon.wait_for_state("p:3", "RUNNING");
    assert_eq!([daemon.pid_of("p:0"), daemon.pid_of("p:1")], pids);
    daemon.site.configure(&programs(1));
    printed(&daemon, &["update", "p"]);
    assert_eq!(daemon.pid_of("p:0"), pids[0]);
    assert_eq!(daemon.fault("getProcessInfo", &["p:1".into()]).0, 10);
    assert!(printed(&daemon, &["reread"]).contains("No config updates"));
}

#[test]
fn stopped_by_hand_stays_stopped_and_a_cure_starts() {
    let programs = |command: &str| {
        format!("[program:idle]\ncommand={command}\nstartsecs=0\n[program:ill]\ncommand={command}\nstartsecs=0\n")
    };
    let daemon = Daemon::start(&programs("/nonexistent"));
    daemon.ask("stopProcess", &["idle".into()]);
    daemon.site.configure(&programs("cat"));
    let table = printed(&daemon, &["update", "--dry-run"]);
    assert!(table.contains("restart  needs a restart: command; it is not up and stays so"), "{table}");
    assert_eq!(daemon.state("idle"), "STOPPED");
    assert!(!daemon.log().contains("removed"), "a dry run does nothing");
    printed(&daemon, &["update"]);
    daemon.wait_for_state("ill", "RUNNING");
    assert_eq!(daemon.state("idle"), "STOPPED");
    daemon.ask("startProcess", &["idle".into()]);
    assert_eq!(daemon.state("idle"), "RUNNING");
}

#[test]
fn the_plan_is_printed_as_lines_and_as_a_document() {
    let old = "[program:kept]\ncommand=cat\n[program:gone]\ncommand=cat\n[program:a]\ncommand=cat\n[program:b]\ncommand=cat\n";
    let daemon = Daemon::start(old);
    daemon.wait_for_state("kept", "RUNNING");
    daemon.site.configure(
        "[program:kept]\ncommand=cat\n[program:a]\ncommand=cat\nexitcodes=1\n[program:b]\ncommand=cat -u\n[program:new]\ncommand=cat\n",
    );
    let document: serde_json::Value =
        serde_json::from_str(&printed(&daemon, &["--json", "update", "--dry-run"])).unwrap();
    let rows: Vec<String> = document["plan"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row["namespec"].as_str().unwrap(), row["action"].as_str().unwrap(), row["keys"]))
        .collect();
    assert_eq!(
        rows,
        ["gone stop []", "a apply [\"exitcodes\"]", "b restart [\"command\"]", "kept keep []", "new start []"]
    );
    let table = printed(&daemon, &["--lang", "zh", "update", "--dry-run", "a", "new"]);
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(table.contains("无需重启即可生效：exitcodes") && table.contains("配置中新增"), "{table}");
    assert_eq!(ctl(&daemon, &["--json", "update"]).status.code(), Some(2));
}

#[test]
fn the_classic_way_restarts_the_group() {
    let programs = |extra: &str| format!("[program:cat]\ncommand=cat\nstartsecs=0\n{extra}");
    let daemon = Daemon::start(&programs(""));
    daemon.wait_for_state("cat", "RUNNING");
    let pid = daemon.pid_of("cat");
    daemon.site.configure(&programs("exitcodes=7\n"));
    assert_eq!(printed(&daemon, &["update", "--classic"]), "cat: stopped\ncat: updated process group\n");
    daemon.wait_for_state("cat", "RUNNING");
    assert_ne!(daemon.pid_of("cat"), pid);
}
