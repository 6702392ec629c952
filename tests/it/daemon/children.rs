//! What a program finds when it starts.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::fixture::{Daemon, Site, script, wait_until};

#[test]
fn redirected_errors_keep_their_order() {
    let daemon = Daemon::start(
        "[program:both]\ncommand=sh -c 'echo one; echo two >&2; echo three'\nstartsecs=0\nautorestart=false\nredirect_stderr=true\n\
         stdout_logfile=%(here)s/both\n",
    );
    assert_eq!(daemon.wait_for_text("both", "three\n"), "one\ntwo\nthree\n");
    assert_eq!(daemon.info("both").get("stderr_logfile"), Some(&"".into()));
}

/// What `env` printed, as pairs.
fn environment(daemon: &Daemon, file: &str) -> Vec<(String, String)> {
    let text = daemon.wait_for_text(file, "END=1\n");
    text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

#[test]
fn environment_is_inherited_then_extended_then_overridden() {
    let site = Site::new(
        "[supervisord]\nenvironment=A=\"daemon\",B=\"daemon\"\n\
         [program:plain]\ncommand=sh -c 'env; echo END=1'\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/plain\n\
         [program:own]\ncommand=sh -c 'env; echo END=1'\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/own\n\
         environment=B=\"program\",SUPERVISOR_GROUP_NAME=\"mine\",INHERITED=\"replaced\"\nserverurl=http://example:1\n",
    );
    let mut command = site.command();
    command.env("INHERITED", "from the shell").env("HOME", "/somewhere");
    let daemon = Daemon::start_command(site, command);
    let plain = environment(&daemon, "plain");
    let own = environment(&daemon, "own");
    let get = |all: &[(String, String)], name: &str| {
        let found: Vec<&String> = all.iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect();
        assert!(found.len() < 2, "{name} is there twice");
        found.first().map(|value| value.to_string()).unwrap_or_default()
    };
    let url = format!("unix://{}", daemon.socket().display());
    for (name, in_plain, in_own) in [
        ("A", "daemon", "daemon"),
        ("B", "daemon", "program"),
        ("INHERITED", "from the shell", "replaced"),
        ("HOME", "/somewhere", "/somewhere"),
        ("SUPERVISOR_ENABLED", "1", "1"),
        ("SUPERVISOR_PROCESS_NAME", "plain", "own"),
        ("SUPERVISOR_GROUP_NAME", "plain", "mine"),
        ("SUPERVISOR_SERVER_URL", url.as_str(), "http://example:1"),
    ] {
        assert_eq!((get(&plain, name).as_str(), get(&own, name).as_str()), (in_plain, in_own), "{name}");
    }
}

#[test]
fn account_directory_and_umask_are_set() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let site = Site::new(
        "[program:who]\ncommand=sh -c 'id -u; id -g; pwd; umask; echo end'\nuser=nobody\ndirectory=%(here)s/work\numask=027\n\
         startsecs=0\nautorestart=false\nstdout_logfile=%(here)s/who\n",
    );
    fs::create_dir(site.path("work")).unwrap();
    let daemon = Daemon::start_in(site);
    let gid = fs::read_to_string("/etc/passwd").unwrap();
    let gid = gid.lines().find(|line| line.starts_with("nobody:")).unwrap().split(':').nth(3).unwrap();
    let expected = format!("65534\n{gid}\n{}\n0027\nend\n", daemon.path("work").display());
    assert_eq!(daemon.wait_for_text("who", "end\n"), expected);
    assert_eq!(fs::metadata(daemon.path("who")).unwrap().uid(), 0, "the log stays the daemon's");
}

#[test]
fn what_fails_after_the_fork_is_in_the_stderr_log() {
    let site = Site::new(
        "[program:chdir]\ncommand=cat\ndirectory=/no/such\nstartretries=0\nstderr_logfile=%(here)s/chdir.err\n\
         [program:exec]\ncommand=%(here)s/script\nstartretries=0\nstderr_logfile=%(here)s/exec.err\n\
         [program:late]\ncommand=cat\ndirectory=/no/such\nstartsecs=0\nautorestart=false\nstderr_logfile=%(here)s/late.err\n",
    );
    script(&site.path("script"), "");
    fs::write(site.path("script"), "#!/no/such/interpreter\n").unwrap();
    let daemon = Daemon::start_in(site);
    daemon.wait_for_state("chdir", "FATAL");
    daemon.wait_for_state("exec", "FATAL");
    assert_eq!(
        daemon.site.read("chdir.err"),
        "supervisor: couldn't chdir to /no/such: ENOENT\nsupervisor: child process was not spawned\n"
    );
    assert_eq!(
        daemon.site.read("exec.err"),
        format!(
            "supervisor: couldn't exec {}: ENOENT\nsupervisor: child process was not spawned\n",
            daemon.path("script").display()
        )
    );
    assert!(daemon.log().contains("WARN exited: chdir (exit status 127; not expected)\n"));
    daemon.wait_for_state("late", "EXITED");
    assert_eq!(daemon.info("late").get("exitstatus"), Some(&127.into()));
}

#[test]
fn a_child_leads_its_group_and_has_three_descriptors() {
    let daemon = Daemon::start("[program:cat]\ncommand=cat\nstartsecs=0\n");
    daemon.wait_for_state("cat", "RUNNING");
    let pid = daemon.pid_of("cat");
    wait_until("it is the program", || fs::read_to_string(format!("/proc/{pid}/comm")).unwrap() == "cat\n");
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    assert_eq!(fields[2], pid.to_string(), "process group");
    let session = nix::unistd::getsid(Some(nix::unistd::Pid::from_raw(daemon.pid()))).unwrap();
    assert_eq!(fields[3], session.to_string());
    let mut descriptors: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    descriptors.sort_unstable();
    assert_eq!(descriptors, ["0", "1", "2"]);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(mask("SigBlk:"), "0000000000000000");
    // From 32 on they belong to the C library, and it lets nobody reset them.
    let ignored = u64::from_str_radix(&mask("SigIgn:"), 16).unwrap() & 0x7fff_ffff;
    assert_eq!(ignored, 0x0100_1000, "SIGPIPE and SIGXFSZ");
}
