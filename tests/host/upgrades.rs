//! One upgrade after the other, to and fro between two builds, while programs write, clients ask and listeners listen: no pid
//! changes, no line is lost or doubled, nobody is refused. `make torture` does more of it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use supervisor_kit::xmlrpc::{Value, read_response, write_call};

use crate::bundle::in_project;
use crate::machine::say;

/// In every test run; `SUPERVISOR_KIT_UPGRADES` says how many in a long one, which has more programs too.
const UPGRADES: usize = 6;
const PROGRAM_COUNT: usize = 40;
const PROGRAM_COUNT_MAX: usize = 200;
/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(120);

struct Daemon {
    dir: PathBuf,
    child: Child,
}

impl Daemon {
    fn start(dir: &Path, programs: &str, count: usize) -> Daemon {
        let config = [DAEMON, programs].concat().replace("{dir}", dir.to_str().unwrap());
        let config = config.replace("{programs}", &count.to_string());
        fs::write(dir.join("s.conf"), config).unwrap();
        fs::write(dir.join("listen"), LISTENER.replace("{dir}", dir.to_str().unwrap())).unwrap();
        install(&in_project("target/dist/bin/supervisord"), dir);
        let mut command = Command::new(dir.join("supervisord"));
        command.arg("-c").arg(dir.join("s.conf")).stdin(Stdio::null()).stdout(Stdio::null());
        let daemon = Daemon { dir: dir.to_owned(), child: command.spawn().unwrap() };
        daemon.wait_for("every program runs", || {
            UnixStream::connect(daemon.dir.join("s.sock")).is_ok() && daemon.pids().iter().all(|(_, pid)| *pid != 0)
        });
        daemon
    }

    /// One call on a connection of its own: whatever goes wrong is a client that was refused.
    fn call(&self, method: &str, params: &[Value]) -> Value {
        let mut stream = UnixStream::connect(self.dir.join("s.sock")).expect("connecting");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = write_call(method, params);
        write!(stream, "POST /RPC2 HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len()).expect("asking");
        stream.write_all(&body).expect("asking");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("reading the answer");
        let at = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer with a head");
        read_response(&answer[at + 4..]).unwrap().unwrap_or_else(|fault| panic!("{method}: {fault}"))
    }

    fn pids(&self) -> Vec<(String, i64)> {
        let all = self.call("supervisor.getAllProcessInfo", &[]);
        let name = |one: &Value| one.get("name").and_then(Value::as_str).unwrap().to_owned();
        let pid = |one: &Value| one.get("pid").and_then(Value::as_int).unwrap();
        all.as_array().unwrap().iter().map(|one| (name(one), pid(one))).collect()
    }

    fn wait_for(&self, what: &str, condition: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !condition() {
            assert!(Instant::now() < end, "waited in vain until {what}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("s.log")).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

const DAEMON: &str = "\
[unix_http_server]
file={dir}/s.sock
[supervisord]
nodaemon=true
logfile={dir}/s.log
pidfile={dir}/s.pid
childlogdir={dir}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
";

const PROGRAMS: &str = "\
[program:writer]
command=sh -c 'n=0; while [ ! -e {dir}/enough ]; do echo line $n; n=$((n+1)); done; echo last $n; exec cat'
process_name=%(program_name)s%(process_num)03d
numprocs={programs}
startsecs=0
stdout_logfile={dir}/%(program_name)s%(process_num)03d.log
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=500
stderr_logfile=NONE
[program:echo]
command=cat
stdout_logfile={dir}/echo.log
stderr_logfile=NONE
[program:steady]
command=sh -c 'n=0; while [ ! -e {dir}/enough ]; do echo line $n; n=$((n+1)); sleep 0.01; done; echo last $n; exec cat'
stdout_logfile={dir}/steady.log
stderr_logfile=NONE
[eventlistener:ears]
command=bash {dir}/listen
events=REMOTE_COMMUNICATION
buffer_size=10000
stderr_logfile=NONE
";

const LISTENER: &str = "\
while :; do
    printf 'READY\\n'
    read -r head
    len=${head##*len:}
    len=${len%% *}
    read -r -N \"$len\" payload
    printf '%s\\n' \"${payload##*$'\\n'}\" >>{dir}/heard
    printf 'RESULT 2\\nOK'
done
";

/// As an installer does: written beside it, then renamed over it.
fn install(from: &Path, dir: &Path) {
    fs::copy(from, dir.join("supervisord.new")).unwrap();
    fs::rename(dir.join("supervisord.new"), dir.join("supervisord")).unwrap();
}

/// Every number once and in order, through all files of the log; answers how many.
fn count_lines(dir: &Path, name: &str) -> usize {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{name}.log"))).collect();
    files.sort_by_key(|path| std::cmp::Reverse(path.extension().and_then(|end| end.to_str()?.parse::<u32>().ok())));
    let text: String = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let lines: Vec<&str> = text.lines().collect();
    let (last, numbered) = lines.split_last().unwrap();
    for (number, line) in numbered.iter().enumerate() {
        assert_eq!(*line, format!("line {number}"), "{name}");
    }
    assert_eq!(*last, format!("last {}", numbered.len()), "{name}");
    numbered.len()
}

/// Follows a log until its last line; answers what came, without the frames of HTTP.
fn follow(socket: &Path, name: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /logtail/{name} HTTP/1.0\r\n\r\n").unwrap();
    let (mut all, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    while !String::from_utf8_lossy(&all[all.len().saturating_sub(64)..]).contains("last ") {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the stream of {name} broke off");
        all.extend_from_slice(&buffer[..count]);
    }
    let at = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    String::from_utf8_lossy(&all[at + 4..]).into_owned()
}

fn is_in_order(followed: &str) -> bool {
    let numbers: Vec<usize> =
        followed.lines().skip(1).filter_map(|line| line.strip_prefix("line ")?.parse().ok()).collect();
    numbers.len() > 10 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1)
}

#[test]
fn upgrades_under_load_lose_nothing() {
    let wanted = std::env::var("SUPERVISOR_KIT_UPGRADES").ok().and_then(|text| text.parse().ok());
    let upgrades: usize = wanted.unwrap_or(UPGRADES);
    let programs = if wanted.is_some() { PROGRAM_COUNT_MAX } else { PROGRAM_COUNT };
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path(), PROGRAMS, programs);
    let before = daemon.pids();
    let builds = [PathBuf::from(env!("CARGO_BIN_EXE_supervisord")), in_project("target/dist/bin/supervisord")];
    let is_over = AtomicBool::new(false);
    let (answers, longest, events, followed) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let (mut answers, mut longest) = (0, Duration::ZERO);
            while !is_over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                daemon.call("supervisor.getState", &[]);
                (answers, longest) = (answers + 1, longest.max(begun.elapsed()));
            }
            (answers, longest)
        });
        let telling = scope.spawn(|| {
            let mut events = 0;
            while !is_over.load(Ordering::Relaxed) {
                daemon.call("supervisor.sendRemoteCommEvent", &["type".into(), format!("event {events}").into()]);
                events += 1;
            }
            events
        });
        let socket = scratch.path().join("s.sock");
        let following = scope.spawn(move || follow(&socket, "steady"));
        for round in 0..upgrades {
            install(&builds[round % 2], scratch.path());
            daemon.call("supervisor.upgrade", &[]);
            daemon.call("supervisor.sendProcessStdin", &["echo".into(), format!("round {round}\n").into()]);
        }
        is_over.store(true, Ordering::Relaxed);
        fs::write(scratch.path().join("enough"), "").unwrap();
        let (answers, longest) = asking.join().unwrap();
        (answers, longest, telling.join().unwrap(), following.join().unwrap())
    });
    assert_eq!(daemon.log().matches("goes on as pid").count(), upgrades, "{}", daemon.log());
    assert_eq!(daemon.pids(), before);
    assert!(is_in_order(&followed), "{followed}");
    let names: Vec<String> =
        before.iter().map(|(name, _)| name.clone()).filter(|name| name.starts_with("writer")).collect();
    let ends = |name: &String| {
        fs::read_to_string(scratch.path().join(format!("{name}.log"))).is_ok_and(|text| text.contains("last "))
    };
    daemon.wait_for("every program has written its last line", || names.iter().all(ends));
    let lines: usize = names.iter().map(|name| count_lines(scratch.path(), name)).sum();
    let heard = || fs::read_to_string(scratch.path().join("heard")).unwrap_or_default();
    daemon.wait_for("every event is heard", || heard().lines().count() >= events);
    let expected: String = (0..events).map(|number| format!("event {number}\n")).collect();
    assert_eq!(heard(), expected);
    let echoed: String = (0..upgrades).map(|round| format!("round {round}\n")).collect();
    daemon.wait_for("every round is echoed", || fs::read_to_string(scratch.path().join("echo.log")).unwrap() == echoed);
    say(&format!(
        "{upgrades} upgrades with {programs} programs: {lines} lines, {answers} answers, {events} events, none lost; the \
         longest answer took {:.0} ms",
        longest.as_secs_f64() * 1000.0
    ));
}

/// As many programs that are quiet, and one whose log is busy.
const PROGRAMS_OF_PAUSE: &str = "\
[program:quiet]
command=sleep 100000
process_name=%(program_name)s%(process_num)03d
numprocs={programs}
[program:busy]
command=sh -c 'while :; do echo line; done'
stdout_logfile={dir}/busy.log
stdout_logfile_maxbytes=0
";
/// Upgrades whose pauses are measured.
const PAUSES: usize = 10;

/// The longest time between two answers, and between two sights of a log that has grown, while `run` runs.
fn longest_gaps(daemon: &Daemon, run: impl FnOnce()) -> (Duration, Duration) {
    let is_over = AtomicBool::new(false);
    let longest = |step: &mut dyn FnMut() -> bool| {
        let (mut last, mut gap) = (Instant::now(), Duration::ZERO);
        while !is_over.load(Ordering::Relaxed) {
            if step() {
                (gap, last) = (gap.max(last.elapsed()), Instant::now());
            }
        }
        gap
    };
    let log = daemon.dir.join("busy.log");
    std::thread::scope(|scope| {
        let answers = scope.spawn(|| {
            longest(&mut || {
                std::thread::sleep(Duration::from_millis(1));
                daemon.call("supervisor.getState", &[]);
                true
            })
        });
        let growth = scope.spawn(|| {
            let mut before = 0;
            longest(&mut || {
                std::thread::sleep(Duration::from_millis(1));
                let size = fs::metadata(&log).unwrap().len();
                let has_grown = size > before;
                before = size;
                has_grown
            })
        });
        run();
        is_over.store(true, Ordering::Relaxed);
        (answers.join().unwrap(), growth.join().unwrap())
    })
}

/// Tells what an upgrade costs those who wait; how long that is, is for the reader to judge.
#[test]
fn the_pause_of_an_upgrade_is_measured() {
    let scratch = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(scratch.path(), PROGRAMS_OF_PAUSE, PROGRAM_COUNT_MAX);
    let before = daemon.pids();
    let calm = longest_gaps(&daemon, || std::thread::sleep(Duration::from_secs(3)));
    let upgraded = longest_gaps(&daemon, || {
        for _ in 0..PAUSES {
            install(&in_project("target/dist/bin/supervisord"), scratch.path());
            daemon.call("supervisor.upgrade", &[]);
        }
    });
    assert_eq!(daemon.log().matches("goes on as pid").count(), PAUSES, "{}", daemon.log());
    assert_eq!(daemon.pids(), before);
    say(&format!(
        "the longest gap of {PAUSES} upgrades with {PROGRAM_COUNT_MAX} programs: {:.0} ms between two answers, {:.0} ms in \
         draining a busy log; without an upgrade {:.0} and {:.0} ms",
        upgraded.0.as_secs_f64() * 1e3,
        upgraded.1.as_secs_f64() * 1e3,
        calm.0.as_secs_f64() * 1e3,
        calm.1.as_secs_f64() * 1e3,
    ));
}
