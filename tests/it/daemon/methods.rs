//! Every method, on real processes: answers and faults.

use std::fs;

use supervisor_kit::xmlrpc::Value;

use super::fixture::{Daemon, wait_until};

const PROGRAMS: &str = "\
[program:cat]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/cat.out\nstderr_logfile=%(here)s/cat.err\n\
[program:idle]\ncommand=sleep 100\nautostart=false\nstartsecs=0\nstdout_logfile=NONE\n\
[program:pair]\ncommand=sleep 100\nprocess_name=%(program_name)s_%(process_num)d\nnumprocs=2\nstartsecs=0\nautostart=false\n\
[program:missing]\ncommand=no-such-command\nautostart=false\n\
[program:notexec]\ncommand=/etc/passwd\nautostart=false\n\
[program:quick]\ncommand=false\nautostart=false\nstartretries=0\n";

fn names(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one.get("name").unwrap().as_str().unwrap()).collect()
}

/// A list of statuses as (name, status, description).
fn statuses(value: &Value) -> Vec<(&str, i64, &str)> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |key| one.get(key).and_then(Value::as_str).unwrap();
            (text("name"), one.get("status").and_then(Value::as_int).unwrap(), text("description"))
        })
        .collect()
}

#[test]
fn who_and_what() {
    let daemon = Daemon::start(PROGRAMS);
    assert_eq!(daemon.ask("getAPIVersion", &[]), "3.0".into());
    assert_eq!(daemon.ask("getVersion", &[]), "3.0".into());
    assert_eq!(daemon.ask("getSupervisorVersion", &[]), "4.3.0".into());
    assert_eq!(daemon.ask("getIdentification", &[]), "it".into());
    assert_eq!(daemon.ask("getPID", &[]), i64::from(daemon.pid()).into());
    let state = daemon.ask("getState", &[]);
    assert_eq!(state.get("statecode"), Some(&Value::Int(1)));
    assert_eq!(state.get("statename"), Some(&"RUNNING".into()));
    assert_eq!(daemon.ask("sendRemoteCommEvent", &["type".into(), "data".into()]), true.into());
}

#[test]
fn process_info_has_all_keys() {
    let daemon = Daemon::start(PROGRAMS);
    daemon.wait_for_state("cat", "RUNNING");
    let info = daemon.info("cat");
    let Value::Struct(members) = &info else { panic!("{info:?}") };
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| &**key).collect();
    keys.sort_unstable();
    let expected = [
        "description",
        "exitstatus",
        "group",
        "logfile",
        "name",
        "now",
        "pid",
        "spawnerr",
        "start",
        "state",
        "statename",
        "stderr_logfile",
        "stdout_logfile",
        "stop",
    ];
    assert_eq!(keys, expected);
    let pid = daemon.pid_of("cat");
    let description = info.get("description").unwrap().as_str().unwrap();
    assert!(description.starts_with(&format!("pid {pid}, uptime 0:00:0")), "{description}");
    assert_eq!(info.get("state"), Some(&Value::Int(20)));
    assert_eq!(info.get("stop"), Some(&Value::Int(0)));
    assert_eq!(info.get("logfile").unwrap().as_str(), daemon.path("cat.out").to_str());
    let idle = daemon.info("idle");
    assert_eq!(idle.get("description"), Some(&"Not started".into()));
    assert_eq!(idle.get("logfile"), Some(&"".into()));
    assert_eq!(daemon.fault("getProcessInfo", &["nope".into()]), (10, "BAD_NAME: nope".into()));
    assert_eq!(daemon.fault("getProcessInfo", &["pair:*".into()]), (10, "BAD_NAME: pair:*".into()));
    let all = daemon.ask("getAllProcessInfo", &[]);
    assert_eq!(names(&all), ["cat", "idle", "missing", "notexec", "pair_0", "pair_1", "quick"]);
}

#[test]
fn config_info_has_all_keys() {
    let daemon = Daemon::start(PROGRAMS);
    let all = daemon.ask("getAllConfigInfo", &[]);
    assert_eq!(names(&all), ["cat", "idle", "missing", "notexec", "pair_0", "pair_1", "quick"]);
    let cat = &all.as_array().unwrap()[0];
    let Value::Struct(members) = cat else { panic!("{cat:?}") };
    assert_eq!(members.len(), 31 - 1, "{members:?}");
    assert_eq!(cat.get("autorestart"), Some(&"unexpected".into()));
    assert_eq!(cat.get("inuse"), Some(&true.into()));
    assert_eq!(cat.get("uid"), Some(&"none".into()));
    assert_eq!(cat.get("exitcodes"), Some(&Value::Array(vec![Value::Int(0)])));
    assert_eq!(cat.get("stopsignal"), Some(&Value::Int(15)));
    assert_eq!(cat.get("stdout_logfile").unwrap().as_str(), daemon.path("cat.out").to_str());
    assert_eq!(all.as_array().unwrap()[1].get("stdout_logfile"), Some(&"none".into()));
}

#[test]
fn start_and_stop_one() {
    let daemon = Daemon::start(PROGRAMS);
    assert_eq!(daemon.ask("startProcess", &["idle".into()]), true.into());
    assert_eq!(daemon.state("idle"), "RUNNING");
    assert_eq!(daemon.fault("startProcess", &["idle".into()]), (60, "ALREADY_STARTED: idle".into()));
    assert_eq!(daemon.ask("stopProcess", &["idle".into()]), true.into());
    assert_eq!((daemon.state("idle"), daemon.pid_of("idle")), ("STOPPED".into(), 0));
    assert_eq!(daemon.info("idle").get("exitstatus"), Some(&Value::Int(-1)));
    assert_eq!(daemon.fault("stopProcess", &["idle".into()]), (70, "NOT_RUNNING: idle".into()));
    assert_eq!(daemon.fault("startProcess", &["nope".into()]), (10, "BAD_NAME: nope".into()));
    assert_eq!(daemon.fault("stopProcess", &["pair:nope".into()]), (10, "BAD_NAME: pair:nope".into()));
    assert_eq!(
        daemon.fault("startProcess", &["missing".into()]),
        (20, "NO_FILE: can't find command 'no-such-command'".into())
    );
    assert_eq!(
        daemon.fault("startProcess", &["notexec".into()]),
        (21, "NOT_EXECUTABLE: command at '/etc/passwd' is not executable".into())
    );
    assert_eq!(daemon.fault("startProcess", &["quick".into()]), (50, "SPAWN_ERROR: quick".into()));
}

#[test]
fn start_and_stop_without_waiting() {
    let daemon = Daemon::start(
        "[program:slow]\ncommand=sh -c 'trap : TERM; echo ready; while [ ! -e %(here)s/go ]; do sleep 0.1; done'\n\
         autostart=false\nstdout_logfile=%(here)s/out\nstopwaitsecs=60\n",
    );
    assert_eq!(daemon.ask("startProcess", &["slow".into(), false.into()]), true.into());
    assert_eq!(daemon.state("slow"), "STARTING");
    daemon.wait_for_state("slow", "RUNNING");
    daemon.wait_for_text("out", "ready");
    assert_eq!(daemon.ask("stopProcess", &["slow".into(), false.into()]), true.into());
    assert_eq!(daemon.state("slow"), "STOPPING");
    let (code, text) = daemon.fault("startProcess", &["slow".into()]);
    assert_eq!(code, 30, "{text}");
    assert_eq!(daemon.fault("stopProcess", &["slow".into()]), (70, "NOT_RUNNING: slow".into()));
    fs::write(daemon.path("go"), "").unwrap();
    daemon.wait_for_state("slow", "STOPPED");
    assert_eq!(daemon.info("slow").get("exitstatus"), Some(&Value::Int(0)));
}

#[test]
fn groups_and_everything() {
    let daemon = Daemon::start(PROGRAMS);
    daemon.wait_for_state("cat", "RUNNING");
    let both = [("pair_0", 80, "OK"), ("pair_1", 80, "OK")];
    assert_eq!(statuses(&daemon.ask("startProcessGroup", &["pair".into()])), both);
    assert_eq!(statuses(&daemon.ask("startProcessGroup", &["pair".into()])), []);
    assert_eq!(statuses(&daemon.ask("signalProcess", &["pair:*".into(), "CONT".into()])), both);
    assert_eq!(statuses(&daemon.ask("signalProcessGroup", &["pair".into(), Value::Int(18)])), both);
    let mut stopped = daemon.ask("stopProcess", &["pair:*".into()]);
    if let Value::Array(list) = &mut stopped {
        list.sort_by_key(|one| one.get("name").unwrap().as_str().unwrap().to_owned());
    }
    assert_eq!(statuses(&stopped), both);
    for method in ["startProcessGroup", "stopProcessGroup"] {
        assert_eq!(daemon.fault(method, &["nope".into()]), (10, "BAD_NAME: nope".into()));
    }
    let all = daemon.ask("startAllProcesses", &[]);
    let mut all = statuses(&all);
    all.sort_unstable();
    assert_eq!(
        all,
        [
            ("idle", 80, "OK"),
            ("missing", 20, "NO_FILE: can't find command 'no-such-command'"),
            ("notexec", 21, "NOT_EXECUTABLE: command at '/etc/passwd' is not executable"),
            ("pair_0", 80, "OK"),
            ("pair_1", 80, "OK"),
            ("quick", 50, "SPAWN_ERROR: quick"),
        ]
    );
    let refused = daemon.ask("signalAllProcesses", &["NOPE".into()]);
    let bad = |name| (name, 11, "BAD_SIGNAL: NOPE");
    assert_eq!(statuses(&refused), ["cat", "idle", "pair_0", "pair_1"].map(bad));
    let stopped = daemon.ask("stopAllProcesses", &[]);
    let mut stopped = statuses(&stopped);
    stopped.sort_unstable();
    assert_eq!(stopped, [("cat", 80, "OK"), ("idle", 80, "OK"), ("pair_0", 80, "OK"), ("pair_1", 80, "OK")]);
}

#[test]
fn signals() {
    let daemon = Daemon::start(
        "[program:trap]\ncommand=sh -c 'trap \"echo got it\" USR1; echo ready; while :; do sleep 0.05; done'\n\
         startsecs=0\nstdout_logfile=%(here)s/trap.out\nkillasgroup=true\nstopasgroup=true\n[program:off]\ncommand=cat\nautostart=false\n",
    );
    daemon.wait_for_text("trap.out", "ready");
    for signal in ["USR1".into(), "SIGUSR1".into(), "10".into(), Value::Int(10)] {
        assert_eq!(daemon.ask("clearProcessLogs", &["trap".into()]), true.into());
        assert_eq!(daemon.ask("signalProcess", &["trap".into(), signal]), true.into());
        daemon.wait_for_text("trap.out", "got it");
    }
    assert_eq!(daemon.fault("signalProcess", &["trap".into(), "NOPE".into()]), (11, "BAD_SIGNAL: NOPE".into()));
    assert_eq!(daemon.fault("signalProcess", &["off".into(), "HUP".into()]), (70, "NOT_RUNNING: off".into()));
    assert_eq!(daemon.fault("signalProcess", &["nope".into(), "HUP".into()]), (10, "BAD_NAME: nope".into()));
}

#[test]
fn logs_are_read_tailed_and_cleared() {
    let daemon = Daemon::start(
        "[program:say]\ncommand=sh -c 'printf 0123456789; printf abc >&2'\nautorestart=false\nstartsecs=0\n\
         stdout_logfile=%(here)s/say.out\nstderr_logfile=%(here)s/say.err\n\
         [program:off]\ncommand=cat\nautostart=false\nstdout_logfile=%(here)s/off.out\n",
    );
    daemon.wait_for_state("say", "EXITED");
    let read =
        |offset: i64, length: i64| daemon.ask("readProcessStdoutLog", &["say".into(), offset.into(), length.into()]);
    assert_eq!(read(0, 0), "0123456789".into());
    assert_eq!(read(3, 4), "3456".into());
    assert_eq!(read(-4, 0), "6789".into());
    assert_eq!(read(99, 0), "".into());
    assert_eq!(daemon.ask("readProcessLog", &["say".into(), 8.into(), 0.into()]), "89".into());
    assert_eq!(daemon.ask("readProcessStderrLog", &["say".into(), 0.into(), 0.into()]), "abc".into());
    let bad = daemon.fault("readProcessStdoutLog", &["say".into(), (-1).into(), 5.into()]);
    assert_eq!(bad, (3, "BAD_ARGUMENTS".into()));
    let missing = daemon.fault("readProcessStdoutLog", &["off".into(), 0.into(), 0.into()]);
    assert_eq!(missing, (20, format!("NO_FILE: {}", daemon.path("off.out").display())));
    for method in ["tailProcessStdoutLog", "tailProcessLog"] {
        let tail = daemon.ask(method, &["say".into(), 0.into(), 4.into()]);
        assert_eq!(tail, Value::Array(vec!["6789".into(), 10.into(), true.into()]));
    }
    let tail = daemon.ask("tailProcessStderrLog", &["say".into(), 0.into(), 4.into()]);
    assert_eq!(tail, Value::Array(vec!["abc".into(), 3.into(), false.into()]));
    let tail = daemon.ask("tailProcessLog", &["off".into(), 0.into(), 4.into()]);
    assert_eq!(tail, Value::Array(vec!["".into(), 0.into(), false.into()]));
    assert_eq!(daemon.fault("tailProcessLog", &["nope".into(), 0.into(), 4.into()]), (10, "BAD_NAME: nope".into()));

    assert_eq!(daemon.ask("clearProcessLog", &["say".into()]), true.into());
    assert_eq!(read(0, 0), "".into(), "a stopped process too");
    assert_eq!(daemon.fault("clearProcessLogs", &["nope".into()]), (10, "BAD_NAME: nope".into()));
    let cleared = daemon.ask("clearAllProcessLogs", &[]);
    assert_eq!(statuses(&cleared), [("off", 80, "OK"), ("say", 80, "OK")]);
}

#[test]
fn the_activity_log_is_read_and_cleared() {
    let daemon = Daemon::start("");
    let all = daemon.ask("readLog", &[0.into(), 0.into()]);
    assert_eq!(all.as_str(), Some(daemon.log().as_str()));
    assert_eq!(daemon.ask("readMainLog", &[0.into(), 4.into()]).as_str(), all.as_str().map(|text| &text[..4]));
    assert_eq!(daemon.fault("readLog", &[0.into(), (-1).into()]), (3, "BAD_ARGUMENTS".into()));
    assert_eq!(daemon.ask("clearLog", &[]), true.into());
    assert_eq!(daemon.log(), "", "the line that tells of it goes with the rest, as ever");
    std::fs::remove_file(daemon.path("supervisord.log")).unwrap();
    assert_eq!(daemon.fault("clearLog", &[]).0, 20);
    let missing = daemon.fault("readLog", &[0.into(), 0.into()]);
    assert_eq!(missing, (20, format!("NO_FILE: {}", daemon.path("supervisord.log").display())));
}

#[test]
fn methods_about_methods() {
    let daemon = Daemon::start("");
    let list = daemon.call("system.listMethods", &[]).unwrap();
    let list: Vec<&str> = list.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(list.is_sorted());
    let ours = supervisor_kit::rpc::METHODS.iter().filter(|method| method.is_ours).count();
    assert_eq!(list.len(), 41 + ours, "{list:?}");
    for name in list {
        let help = daemon.call("system.methodHelp", &[name.into()]).unwrap();
        assert!(help.as_str().unwrap().len() > 10, "{name}");
        let signature = daemon.call("system.methodSignature", &[name.into()]).unwrap();
        assert!(!signature.as_array().unwrap().is_empty());
    }
    let signature = daemon.call("system.methodSignature", &["supervisor.startProcess".into()]).unwrap();
    assert_eq!(signature, Value::Array(vec!["boolean".into(), "string".into(), "boolean".into()]));
    for method in ["system.methodHelp", "system.methodSignature"] {
        assert_eq!(daemon.call(method, &["nope".into()]).unwrap_err().text, "SIGNATURE_UNSUPPORTED");
    }
    for unknown in ["nope", "supervisor.nope", "supervisor._x", "supervisor.getState.x"] {
        let fault = daemon.call(unknown, &[]).unwrap_err();
        assert_eq!((fault.code, fault.text.as_str()), (1, "UNKNOWN_METHOD"), "{unknown}");
    }
    for (method, params) in [("getState", vec![1.into()]), ("startProcess", vec![]), ("readLog", vec!["x".into()])] {
        assert_eq!(daemon.fault(method, &params), (2, "INCORRECT_PARAMETERS".into()), "{method}");
    }
}

fn member(method: &str, params: Vec<Value>) -> Value {
    Value::Struct(vec![("methodName".into(), method.into()), ("params".into(), Value::Array(params))])
}

#[test]
fn multicall_answers_bare_results_in_order() {
    let daemon = Daemon::start("[program:slow]\ncommand=sleep 100\nautostart=false\nstartsecs=1\n");
    let calls = vec![
        member("supervisor.getAPIVersion", vec![]),
        member("supervisor.startProcess", vec!["slow".into()]),
        member("supervisor.getProcessInfo", vec!["slow".into()]),
        member("supervisor.startProcess", vec!["slow".into()]),
        Value::Struct(vec![("methodName".into(), "supervisor.getIdentification".into())]),
        Value::Struct(vec![]),
        member("system.multicall", vec![]),
        member("nope", vec![]),
    ];
    let results = daemon.call("system.multicall", &[Value::Array(calls)]).unwrap();
    let results = results.as_array().unwrap();
    let fault = |index: usize| results[index].get("faultString").unwrap().as_str().unwrap();
    assert_eq!(results.len(), 8);
    assert_eq!(results[0], "3.0".into());
    assert_eq!(results[1], true.into());
    assert_eq!(results[2].get("statename"), Some(&"RUNNING".into()), "the start was waited for");
    assert_eq!((results[3].get("faultCode"), fault(3)), (Some(&Value::Int(60)), "ALREADY_STARTED: slow"));
    assert_eq!(results[4], "it".into());
    assert_eq!(fault(5), "INCORRECT_PARAMETERS: No methodName");
    assert_eq!(fault(6), "INCORRECT_PARAMETERS: Recursive system.multicall forbidden");
    assert_eq!((results[7].get("faultCode"), fault(7)), (Some(&Value::Int(1)), "UNKNOWN_METHOD"));
}

#[test]
fn a_waiting_call_delays_nobody() {
    let daemon = Daemon::start(
        "[program:stubborn]\ncommand=sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.1; done'\nstartsecs=0\nstopwaitsecs=3\n\
         killasgroup=true\nstdout_logfile=%(here)s/out\n",
    );
    daemon.wait_for_text("out", "ready");
    std::thread::scope(|scope| {
        let stop = scope.spawn(|| daemon.ask("stopProcess", &["stubborn".into()]));
        wait_until("the stop has begun", || daemon.state("stubborn") == "STOPPING");
        assert_eq!(daemon.ask("getAPIVersion", &[]), "3.0".into());
        assert!(!stop.is_finished());
        assert_eq!(stop.join().unwrap(), true.into());
    });
    let log = daemon.log();
    assert!(log.contains("INFO waiting for stubborn to stop\n"), "{log}");
    assert!(log.contains("WARN killing 'stubborn' ("), "{log}");
    assert!(log.contains("WARN stopped: stubborn (terminated by SIGKILL)\n"), "{log}");
}

#[test]
fn on_the_way_down_only_some_methods_answer() {
    let mut daemon = Daemon::start(
        "[program:stubborn]\ncommand=sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.1; done'\nstartsecs=0\nstopwaitsecs=2\n\
         killasgroup=true\nstdout_logfile=%(here)s/out\n",
    );
    daemon.wait_for_text("out", "ready");
    let mut connection = daemon.connect();
    assert_eq!(connection.call("supervisor.shutdown", &[]), Ok(true.into()));
    assert_eq!(connection.call("supervisor.getState", &[]).unwrap_err().code, 6);
    assert_eq!(connection.call("supervisor.shutdown", &[]).unwrap_err().text, "SHUTDOWN_STATE");
    assert!(connection.call("system.listMethods", &[]).is_ok());
    assert_eq!(connection.call("supervisor.sendRemoteCommEvent", &["a".into(), "b".into()]), Ok(true.into()));
    assert!(daemon.wait().success());
}
