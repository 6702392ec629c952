//! The daemon is replaced by another program, and nothing that it supervises or serves notices.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use nix::sys::signal::Signal;
use supervisor_kit::KIT_VERSION;
use supervisor_kit::xmlrpc::{Value, code, read_response, write_call};

use super::fixture::{BINARY, Daemon, Site, script, wait_until};
use crate::program_file;

/// A daemon that runs from a file of its own, which a test may replace.
fn start(config: &str) -> Daemon {
    let site = Arc::new(Site::new(config));
    let binary = site.path("supervisord");
    install(Path::new(BINARY), &binary);
    let mut command = Command::new(&binary);
    command.arg("-c").arg(site.path("supervisord.conf")).stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::null());
    Daemon::start_command(site, command)
}

/// As an installer does: written beside it, then renamed over it.
fn install(from: &Path, to: &Path) {
    let beside = to.with_extension("new");
    program_file::copy(from, &beside);
    fs::rename(beside, to).unwrap();
}

fn pids(daemon: &Daemon) -> Vec<(String, i64)> {
    let all = daemon.ask("getAllProcessInfo", &[]);
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap().to_owned();
    let pid = |value: &Value| value.get("pid").and_then(Value::as_int).unwrap();
    all.as_array().unwrap().iter().map(|one| (text(one, "name"), pid(one))).collect()
}

fn goes_on(daemon: &Daemon) -> String {
    format!("goes on as pid {} where", daemon.pid())
}

#[test]
fn programs_keep_their_pid_their_pipes_and_their_state() {
    let daemon = start(
        "[program:writer]\ncommand=sh -c 'n=0; while [ ! -e %(here)s/enough ]; do echo line $n; n=$((n+1)); done; echo last $n; exec sleep 3600'\n\
         stdout_logfile=%(here)s/writer.out\nstdout_logfile_maxbytes=100KB\nstdout_logfile_backups=500\nstartsecs=0\n\
         [program:echo]\ncommand=cat\nstdout_logfile=%(here)s/echo.out\n\
         [program:auto]\ncommand=sh -c 'echo auto; exec sleep 3600'\n\
         [program:slow]\ncommand=sleep 3600\nstartsecs=3000\n\
         [program:broken]\ncommand=false\nstartretries=3000\n\
         [program:stopped]\ncommand=sleep 3600\nautostart=false\n\
         [program:once]\ncommand=sh -c 'exit 3'\nstartsecs=0\nautorestart=false\n",
    );
    daemon.wait_for_state("echo", "RUNNING");
    daemon.wait_for_state("once", "EXITED");
    daemon.wait_for_state("broken", "BACKOFF");
    daemon.wait_for_state("auto", "RUNNING");
    let before = pids(&daemon);
    let auto_log = daemon.info("auto").get("stdout_logfile").and_then(Value::as_str).unwrap().to_owned();
    for round in 1..=5 {
        install(Path::new(BINARY), &daemon.path("supervisord"));
        let answer = daemon.ask("upgrade", &[]);
        assert_eq!(answer.get("from").and_then(Value::as_str), Some(KIT_VERSION));
        assert_eq!(answer.get("to").and_then(Value::as_str), Some(KIT_VERSION));
        assert_eq!(daemon.log().matches(&goes_on(&daemon)).count(), round, "{}", daemon.log());
        daemon.ask("sendProcessStdin", &["echo".into(), format!("round {round}\n").into()]);
        daemon.wait_for_text("echo.out", &format!("round {round}\n"));
    }
    // A program that fails again and again has no pid to keep.
    let steady = |pids: Vec<(String, i64)>| pids.into_iter().filter(|(name, _)| name != "broken").collect::<Vec<_>>();
    assert_eq!(steady(pids(&daemon)), steady(before));
    assert_eq!(daemon.info("once").get("exitstatus").and_then(Value::as_int), Some(3));
    assert_eq!(daemon.state("slow"), "STARTING");
    assert_eq!(daemon.state("stopped"), "STOPPED");
    assert_eq!(daemon.info("auto").get("stdout_logfile").and_then(Value::as_str), Some(auto_log.as_str()));
    fs::write(daemon.path("enough"), "").unwrap();
    daemon.wait_for_text("writer.out", "last ");
    check_numbers(&daemon);
    // The children are still ours: their ends are told.
    daemon.ask("stopProcess", &["slow".into()]);
    daemon.ask("signalProcess", &["echo".into(), "KILL".into()]);
    daemon.wait_for_log("WARN exited: echo (terminated by SIGKILL; not expected)");
    daemon.wait_for_state("echo", "RUNNING");
}

/// Every number once and in order, through all files of the log.
fn check_numbers(daemon: &Daemon) {
    let mut files = daemon.site.files(|name| name.starts_with("writer.out"));
    files.sort_by_key(|path| std::cmp::Reverse(path.extension().and_then(|end| end.to_str()?.parse::<u32>().ok())));
    let text: String = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let lines: Vec<&str> = text.lines().collect();
    let (last, numbered) = lines.split_last().unwrap();
    for (number, line) in numbered.iter().enumerate() {
        assert_eq!(*line, format!("line {number}"), "in {files:?}");
    }
    assert_eq!(*last, format!("last {}", numbered.len()));
}

#[test]
fn clients_keep_their_connections_and_get_their_answers() {
    let daemon = start(
        "[program:slow]\ncommand=sh -c 'trap \"\" TERM; echo up; while :; do sleep 1; done'\nautostart=false\nstopwaitsecs=3\n\
         stdout_logfile=%(here)s/slow.out\nstartsecs=1\nkillasgroup=true\n",
    );
    let mut kept = daemon.connect();
    assert_eq!(
        kept.call("supervisor.getState", &[]).unwrap().get("statename").and_then(Value::as_str),
        Some("RUNNING")
    );
    let mut half = daemon.connect();
    let body = write_call("supervisor.getPID", &[]);
    half.send(format!("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len()));
    let mut follower = daemon.connect();
    follower.send("GET /mainlogtail HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(follower.head().status, 200);
    let mut starter = daemon.connect();
    let start = write_call("supervisor.startProcess", &["slow".into(), true.into()]);
    starter.send(format!("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", start.len()));
    starter.send(&start);
    daemon.wait_for_log("spawned: 'slow'");

    daemon.ask("upgrade", &[]);

    half.send("\r\n");
    half.send(&body);
    let answer = read_response(&half.response().body).unwrap().unwrap();
    assert_eq!(answer.as_int(), Some(i64::from(daemon.pid())));
    assert!(kept.call("supervisor.getState", &[]).is_ok());
    assert_eq!(read_response(&starter.response().body).unwrap(), Ok(Value::Bool(true)));
    // The follower has read every line once, from both images.
    let mut read = follower.chunks_until("\n");
    while !read.contains("success: slow entered RUNNING state") {
        read.push_str(&follower.chunks_until("\n"));
    }
    assert_eq!(read.matches("spawned: 'slow'").count(), 1, "{read}");
    assert_eq!(read.matches(&goes_on(&daemon)).count(), 1, "{read}");
    // A stop that is under way keeps its deadline.
    daemon.wait_for_text("slow.out", "up");
    let mut stopper = daemon.connect();
    let stop = write_call("supervisor.stopProcess", &["slow".into(), true.into()]);
    stopper.send(format!("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", stop.len()));
    stopper.send(&stop);
    wait_until("slow is being stopped", || daemon.state("slow") == "STOPPING");
    daemon.signal(Signal::SIGUSR1);
    assert_eq!(read_response(&stopper.response().body).unwrap(), Ok(Value::Bool(true)));
    daemon.wait_for_log("killing 'slow'");
    assert_eq!(daemon.state("slow"), "STOPPED");
}

#[test]
fn listeners_keep_their_events() {
    let site = Arc::new(Site::new(
        "[eventlistener:ears]\ncommand=%(here)s/listen\nevents=REMOTE_COMMUNICATION\nbuffer_size=100\n",
    ));
    script(
        &site.path("listen"),
        &format!(
            "dir={}\nwhile :; do printf 'READY\\n'; read -r head; len=${{head##*len:}}; len=${{len%% *}}\n\
             payload=$(dd bs=1 count=$len 2>/dev/null); echo \"$payload\" | tail -n 1 >>$dir/heard\n\
             while [ -e $dir/hold ]; do sleep 0.05; done; printf 'RESULT 2\\nOK'; done",
            site.dir.path().display()
        ),
    );
    let daemon = Daemon::start_in(site);
    daemon.wait_for_state("ears", "RUNNING");
    let pid = daemon.pid_of("ears");
    fs::write(daemon.path("hold"), "").unwrap();
    let say = |number: i32| daemon.ask("sendRemoteCommEvent", &["type".into(), format!("event {number}").into()]);
    for number in 0..5 {
        say(number);
    }
    wait_until("the first event is in hand", || daemon.path("heard").exists());
    for number in 5..10 {
        daemon.ask("upgrade", &[]);
        say(number);
    }
    fs::remove_file(daemon.path("hold")).unwrap();
    daemon.wait_for_text("heard", "event 9\n");
    let expected: String = (0..10).map(|number| format!("event {number}\n")).collect();
    assert_eq!(daemon.site.read("heard"), expected);
    assert_eq!(daemon.pid_of("ears"), pid);
}

/// Whatever lies at the path: this daemon serves on, says why, and an upgrade to a good one works afterwards.
#[test]
fn what_cannot_go_on_is_refused() {
    let daemon = start("[program:cat]\ncommand=cat\n");
    daemon.wait_for_state("cat", "RUNNING");
    let (pid, place) = (daemon.pid_of("cat"), daemon.path("supervisord"));
    let refused = |what: &dyn Fn(&PathBuf), because: &str| {
        let beside = daemon.path("beside");
        what(&beside);
        fs::rename(&beside, &place).unwrap();
        let (fault, text) = daemon.fault("upgrade", &[]);
        assert_eq!(fault, code::FAILED);
        assert!(text.contains(because), "{text:?} does not say {because:?}");
        let text = text.strip_prefix("FAILED: ").unwrap();
        assert!(daemon.log().contains(&format!("upgrade refused, supervisor-kit {KIT_VERSION} serves on: {text}")));
        assert_eq!(daemon.pid_of("cat"), pid);
    };
    let whole = fs::read(BINARY).unwrap();
    refused(&|path| program_file::write(path, &whole[..64 * 1024]), "");
    refused(&|path| program_file::write(path, b""), "cannot be run");
    refused(&|path| fs::write(path, &whole).unwrap(), "Permission denied");
    let mut other = whole.clone();
    // The machine that an ELF file is for.
    other[18] ^= 0xff;
    refused(&|path| program_file::write(path, &other), "cannot be run");
    refused(
        &|path| script(path, "echo supervisord is not what it was; exit 1"),
        "exit status 1: supervisord is not what it was",
    );
    refused(&|path| script(path, "echo done"), "exit status 0: done");
    refused(&|path| script(path, "kill -9 $$"), "terminated by SIGKILL");
    install(Path::new(BINARY), &place);
    daemon.ask("upgrade", &[]);
    assert_eq!(daemon.pid_of("cat"), pid);
    assert!(daemon.log().contains(&goes_on(&daemon)));
}

/// A program that only hangs is ended, and everything goes on meanwhile.
#[test]
fn what_hangs_is_ended() {
    let daemon = start("[program:cat]\ncommand=cat\n");
    fs::remove_file(daemon.path("supervisord")).unwrap();
    script(&daemon.path("supervisord"), "exec sleep 3600");
    let mut asking = daemon.connect();
    let call = write_call("supervisor.upgrade", &[]);
    asking.send(format!("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", call.len()));
    asking.send(&call);
    daemon.wait_for_log("asking");
    daemon.wait_for_state("cat", "RUNNING");
    let fault = read_response(&asking.response().body).unwrap().unwrap_err();
    assert!(fault.text.contains("did not say so within"), "{}", fault.text);
    daemon.ask("stopProcess", &["cat".into()]);
}

/// What the next daemon would have to know is the same, so nobody waits until all of it is written anew.
#[test]
fn the_record_goes_on_if_it_is_whole() {
    let mut daemon = start(
        "[program:first]\ncommand=sleep 3600\nstartsecs=0\n\
         [program:second]\ncommand=sleep 3600\nstartsecs=0\nautostart=false\n",
    );
    daemon.wait_for_state("first", "RUNNING");
    let path = daemon.path("supervisord.pid.state");
    let record = || fs::metadata(&path).unwrap();
    let before = record();
    daemon.ask("upgrade", &[]);
    daemon.ask("startProcess", &["second".into()]);
    assert_eq!(record().ino(), before.ino());
    assert!(record().len() > before.len(), "what has changed since is behind it");

    let torn = fs::File::options().write(true).open(&path).unwrap();
    torn.set_len(record().len() - 1).unwrap();
    daemon.ask("upgrade", &[]);
    daemon.ask("getState", &[]);
    assert_ne!(record().ino(), before.ino());

    daemon.ask("upgrade", &[]);
    let pids = (daemon.pid_of("first"), daemon.pid_of("second"));
    daemon.signal(Signal::SIGKILL);
    daemon.wait();
    let daemon = Daemon::start_in(Arc::clone(&daemon.site));
    daemon.wait_for_log("took back 2 programs");
    assert_eq!((daemon.pid_of("first"), daemon.pid_of("second")), pids);
}

#[test]
fn the_lock_and_the_pidfile_stay() {
    let daemon = start("[program:env]\ncommand=env\nautostart=false\nstartsecs=0\nstdout_logfile=%(here)s/env.out\n");
    daemon.ask("upgrade", &[]);
    assert_eq!(daemon.site.read("supervisord.pid"), format!("{}\n", daemon.pid()));
    let second = daemon.site.command().output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains("already running"));
    assert!(daemon.connect().call("supervisor.getState", &[]).is_ok());
    // A child that starts now is told nothing of it.
    daemon.ask("startProcess", &["env".into()]);
    assert!(!daemon.wait_for_text("env.out", "SUPERVISOR_ENABLED=1").contains("SUPERVISORD_RESUME"));
    let words = fs::read(format!("/proc/{}/cmdline", daemon.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&words).contains("resume"));
}
