//! Finding a command, starting it, what it finds, and how its end is read.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use supervisor_kit::core::{CommandError, ExitStatus, SignalError, SpawnError, Target};
use supervisor_kit::sys::cgroup::place::Place;
use supervisor_kit::sys::privileges::{self, Identity};
use supervisor_kit::sys::spawn::{Child, Exec, Seats, Stage, spawn};
use supervisor_kit::sys::{command, kill, reap};

use crate::own_process;

const NOBODY: u32 = 65534;

fn words(argv: &[&str]) -> Vec<String> {
    argv.iter().map(|&word| word.to_owned()).collect()
}

fn exec<'a>(path: &'a str, argv: &'a [String]) -> Exec<'a> {
    Exec {
        path: Path::new(path),
        argv,
        env: &[],
        directory: None,
        umask: None,
        identity: None,
        redirect_stderr: false,
        stdin: None,
        cgroup: None,
    }
}

/// Waits for this child only: other tests of this process have children too.
fn wait(pid: i32) -> ExitStatus {
    match waitpid(Pid::from_raw(pid), None).unwrap() {
        WaitStatus::Exited(_, code) => ExitStatus::Code(code),
        WaitStatus::Signaled(_, signal, core_dumped) => ExitStatus::Signal { number: signal as i32, core_dumped },
        other => panic!("{other:?}"),
    }
}

fn read(fd: std::os::fd::OwnedFd) -> String {
    fcntl(&fd, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    let mut text = String::new();
    File::from(fd).read_to_string(&mut text).unwrap();
    text
}

/// stdout, stderr and the end of a child whose stdin is closed at once: the same whether it was forked or not.
fn run(exec: &Exec<'_>) -> (String, String, ExitStatus) {
    let forked = run_on(exec, None);
    if exec.directory.is_none() {
        let mut seats = Seats::reserve();
        assert_eq!(run_on(exec, seats.as_mut()), forked);
    }
    forked
}

fn run_on(exec: &Exec<'_>, seats: Option<&mut Seats>) -> (String, String, ExitStatus) {
    let Child { pid, stdin, stdout, stderr, .. } = spawn(exec, seats, &mut |_| {}).unwrap();
    drop(stdin);
    let out = read(stdout);
    let err = stderr.map(read).unwrap_or_default();
    (out, err, wait(pid))
}

fn sh(script: &str) -> Vec<String> {
    words(&["sh", "-c", script])
}

/// Whether it is born there (version 2) or joins on its own.
#[test]
fn a_child_is_in_its_control_group() {
    let name = format!("supervisor-kit-spawn-{}", std::process::id());
    let places = Place::all_of_ours().into_iter().map(|place| place.dir().join(&name));
    let groups: Vec<_> = places.filter(|dir| fs::create_dir(dir).is_ok()).collect();
    if groups.is_empty() {
        return eprintln!("NOT TESTED: a child in a control group needs one that can be made");
    }
    for group in groups {
        let (directory, argv) = (File::open(&group).unwrap(), sh("cat /proc/self/cgroup"));
        let (out, err, status) = run(&Exec { cgroup: Some(directory.as_fd()), ..exec("/bin/sh", &argv) });
        fs::remove_dir(&group).unwrap();
        assert!(out.lines().any(|line| line.ends_with(&format!("/{name}"))), "{}: {out}{err}", group.display());
        assert_eq!(status, ExitStatus::Code(0));
    }
}

/// One that is gone is no reason not to start.
#[test]
fn a_control_group_that_is_gone_is_done_without() {
    let gone = tempfile::tempdir().unwrap();
    let (directory, argv) = (File::open(gone.path()).unwrap(), sh("echo started"));
    drop(gone);
    let (out, _, status) = run(&Exec { cgroup: Some(directory.as_fd()), ..exec("/bin/sh", &argv) });
    assert_eq!((out.as_str(), status), ("started\n", ExitStatus::Code(0)));
}

#[test]
fn finds_a_command_as_supervisor_does() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name).display().to_string();
    fs::create_dir_all(path("first/tool")).unwrap();
    fs::create_dir_all(path("second")).unwrap();
    File::create(path("second/tool")).unwrap();
    fs::write(path("second/plain"), "").unwrap();
    fs::write(path("second/good"), "").unwrap();
    fs::set_permissions(path("second/good"), fs::Permissions::from_mode(0o755)).unwrap();
    let both = format!("{}:{}", path("first"), path("second"));

    assert_eq!(command::find("", None), Err(CommandError::Empty));
    assert_eq!(command::find("sh", None).unwrap().file_name().unwrap(), "sh");
    assert_eq!(command::find("good", Some(&both)).unwrap(), root.path().join("second/good"));
    assert_eq!(command::find("good", Some(&path("first"))), Err(CommandError::NotFound("good".into())));
    assert_eq!(command::find("./nothing", Some(&both)), Err(CommandError::NotFound("./nothing".into())));
    // The first entry of that name wins, even a directory with a good file behind it.
    assert_eq!(command::find("tool", Some(&both)), Err(CommandError::IsDirectory(path("first/tool"))));
    assert_eq!(command::find(&path("second/plain"), None), Err(CommandError::NotExecutable(path("second/plain"))));
}

#[test]
fn refuses_a_command_that_only_its_owner_may_run() {
    let test = "sys::spawn::refuses_a_command_that_only_its_owner_may_run";
    own_process::run(test, || {
        if !nix::unistd::geteuid().is_root() {
            return eprintln!("needs root");
        }
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let tool = root.path().join("tool");
        fs::write(&tool, "").unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o700)).unwrap();
        let tool = tool.display().to_string();
        assert!(command::find(&tool, None).is_ok());
        privileges::switch(&Identity { uid: NOBODY, gid: NOBODY, groups: vec![NOBODY] }).unwrap();
        assert_eq!(command::find(&tool, None), Err(CommandError::NoPermission(tool)));
    });
}

#[test]
fn child_finds_what_supervisor_promises() {
    let directory = fs::canonicalize(std::env::temp_dir()).unwrap();
    let script = "echo $0 $GREETING; pwd; umask; \
                  echo $(ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat) $$; \
                  ls /proc/$$/fd; echo problem >&2; exit 7";
    let argv = sh(script);
    let env = [("GREETING".into(), "你好".into()), ("PATH".into(), OsString::from("/usr/bin:/bin"))];
    let (out, err, status) =
        run(&Exec { env: &env, directory: Some(&directory), umask: Some(0o027), ..exec("/bin/sh", &argv) });

    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "sh 你好");
    assert_eq!(Path::new(lines[1]), directory);
    assert_eq!(lines[2], "0027");
    let (group, pid) = lines[3].split_once(' ').unwrap();
    assert_eq!(group, pid, "a process group of its own");
    assert_eq!(lines[4..], ["0", "1", "2"]);
    assert_eq!((err.as_str(), status), ("problem\n", ExitStatus::Code(7)));
}

#[test]
fn child_has_no_signal_blocked_and_ignores_only_what_the_daemon_does() {
    SigSet::from(Signal::SIGTERM).thread_block().unwrap();
    let argv = words(&["grep", "-E", "SigBlk|SigIgn", "/proc/self/status"]);
    let (out, _, _) = run(&exec("/bin/grep", &argv));
    let masks: Vec<u64> =
        out.lines().map(|line| u64::from_str_radix(line.split_once('\t').unwrap().1, 16).unwrap()).collect();
    // Signals 32 and 33 belong to the C library, which lets nobody change them.
    let ours = !(0b11 << 31);
    // The Rust runtime ignores SIGPIPE, as the daemon does.
    assert_eq!((masks[0], masks[1] & ours), (0, 1 << (libc::SIGPIPE - 1)), "{out}");
}

#[test]
fn pipes_carry_bytes_both_ways_and_ours_are_private() {
    let argv = words(&["cat"]);
    let Child { pid, stdin, stdout, stderr, .. } = spawn(&exec("/bin/cat", &argv), None, &mut |_| {}).unwrap();
    let stdin = stdin.unwrap();
    for end in [&stdin, &stdout, stderr.as_ref().unwrap()] {
        let flags = OFlag::from_bits_truncate(fcntl(end, FcntlArg::F_GETFL).unwrap());
        let closing = FdFlag::from_bits_truncate(fcntl(end, FcntlArg::F_GETFD).unwrap());
        assert!(flags.contains(OFlag::O_NONBLOCK) && closing.contains(FdFlag::FD_CLOEXEC));
    }
    File::from(stdin).write_all(b"there and back").unwrap();
    assert_eq!(read(stdout), "there and back");
    assert_eq!(wait(pid), ExitStatus::Code(0));
}

#[test]
fn redirected_stderr_goes_where_stdout_goes() {
    let argv = sh("echo one; echo two >&2; echo three");
    let (out, err, _) = run(&Exec { redirect_stderr: true, ..exec("/bin/sh", &argv) });
    assert_eq!((out.as_str(), err.as_str()), ("one\ntwo\nthree\n", ""));
}

#[test]
fn failures_after_the_fork_are_told_on_stderr() {
    let argv = words(&["ghost", "x"]);
    let not_spawned = "supervisor: child process was not spawned\n";

    let (_, err, status) = run(&exec("/nonexistent/ghost", &argv));
    assert_eq!(err, format!("supervisor: couldn't exec ghost: ENOENT\n{not_spawned}"));
    assert_eq!(status, ExitStatus::Code(127));

    let (out, _, status) = run(&Exec { redirect_stderr: true, ..exec("/", &argv) });
    assert_eq!(out, format!("supervisor: couldn't exec ghost: EACCES\n{not_spawned}"));
    assert_eq!(status, ExitStatus::Code(127));

    let (_, err, _) = run(&Exec { directory: Some(Path::new("/nonexistent")), ..exec("/bin/sh", &argv) });
    assert_eq!(err, format!("supervisor: couldn't chdir to /nonexistent: ENOENT\n{not_spawned}"));
}

#[test]
fn child_runs_as_another_user_with_exactly_its_groups() {
    own_process::run("sys::spawn::child_runs_as_another_user_with_exactly_its_groups", || {
        if !nix::unistd::geteuid().is_root() {
            return eprintln!("needs root");
        }
        let identity = Identity { uid: NOBODY, gid: 4321, groups: vec![4321, 77, 88] };
        let argv = sh("grep -E '^(Uid|Gid|Groups)' /proc/self/status | tr -s '\\t ' ' '");
        let env = [("PATH".into(), "/usr/bin:/bin".into())];
        let (out, _, _) = run(&Exec { identity: Some(&identity), env: &env, ..exec("/bin/sh", &argv) });
        assert_eq!(
            out.lines().map(str::trim_end).collect::<Vec<_>>(),
            ["Uid: 65534 65534 65534 65534", "Gid: 4321 4321 4321 4321", "Groups: 77 88 4321"]
        );

        privileges::switch(&identity).unwrap();
        let root = Identity { uid: 0, gid: 0, groups: vec![0] };
        let (_, err, status) = run(&Exec { identity: Some(&root), ..exec("/bin/sh", &argv) });
        assert_eq!(
            err,
            "supervisor: couldn't setuid to 0: Can't drop privilege as nonroot user\n\
             supervisor: child process was not spawned\n"
        );
        assert_eq!(status, ExitStatus::Code(127));
        // Its own user is no switch at all, so its groups are not asked for either.
        let (out, _, _) = run(&Exec { identity: Some(&identity), env: &env, ..exec("/bin/sh", &argv) });
        assert!(out.contains("Groups: 77 88 4321"), "{out}");
    });
}

#[test]
fn failures_before_the_fork_have_their_own_words() {
    own_process::run("sys::spawn::failures_before_the_fork_have_their_own_words", || {
        let argv = words(&["true"]);
        let zero = words(&["tr\0ue"]);
        assert_eq!(spawn(&exec("/bin/true", &zero), None, &mut |_| {}).unwrap_err().stage, Stage::Words);

        let open_now = fs::read_dir("/proc/self/fd").unwrap().count() as u64;
        // `open_now` counts the directory that was just listed: room for it and one pipe, not for three.
        setrlimit(Resource::RLIMIT_NOFILE, open_now + 1, open_now + 1).unwrap();
        let failure = spawn(&exec("/bin/true", &argv), None, &mut |_| {}).unwrap_err();
        assert_eq!(failure.into_spawn_error("web"), SpawnError::TooManyFiles { name: "web".into() });
        assert_eq!(fs::read_dir("/proc/self/fd").unwrap().count() as u64, open_now, "nothing is left open");
    });
}

#[test]
fn signals_reach_a_process_or_its_whole_group() {
    let argv = sh("sleep 600 & echo $!; wait");
    let env = [("PATH".into(), "/usr/bin:/bin".into())];
    let child = spawn(&Exec { env: &env, ..exec("/bin/sh", &argv) }, None, &mut |_| {}).unwrap();
    fcntl(&child.stdout, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    let mut stdout = File::from(child.stdout);
    let mut first = [0; 1];
    stdout.read_exact(&mut first).unwrap();

    kill::send(Target::Process(child.pid), 0).unwrap();
    kill::send(Target::Group(child.pid), libc::SIGKILL).unwrap();
    let status = wait(child.pid);
    assert_eq!(status, ExitStatus::Signal { number: libc::SIGKILL, core_dumped: false });
    // The pipe ends only when the grandchild is dead as well.
    stdout.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(kill::send(Target::Process(child.pid), 0), Err(SignalError::NoSuchProcess));

    for target in [Target::Process(0), Target::Group(0), Target::Group(1), Target::Process(-5), Target::Group(i32::MIN)]
    {
        assert!(matches!(kill::send(target, 0), Err(SignalError::Other(_))), "{target:?}");
    }
}

#[test]
fn an_end_is_worded_as_in_supervisor() {
    let signal = |number, core_dumped| ExitStatus::Signal { number, core_dumped };
    let cases = [
        (0x0000, ExitStatus::Code(0), "exit status 0", 0),
        (0xff00, ExitStatus::Code(255), "exit status 255", 255),
        (0x000f, signal(15, false), "terminated by SIGTERM", -1),
        (0x008b, signal(11, true), "terminated by SIGSEGV (core dumped)", -1),
        (0x0006, signal(6, false), "terminated by SIGABRT", -1),
        (0x0028, signal(40, false), "terminated by signal 40", -1),
        (0x137f, ExitStatus::Unknown(0x137f), "unknown termination cause 0x137f", -1),
        (0x007f, ExitStatus::Unknown(0x007f), "unknown termination cause 0x007f", -1),
    ];
    for (raw, status, text, code) in cases {
        assert_eq!((reap::decode(raw), status.to_string().as_str(), status.code()), (status, text, code));
    }
}
