//! What a program is started with, and what is said when that cannot be.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::namespace::daemon_behind;
use crate::daemon::fixture::{BINARY, Daemon, Site, script};

#[test]
fn a_program_that_cannot_be_executed_says_at_which_stage_and_why() {
    let site = Site::new(
        "[program:chdir]\ncommand=cat\ndirectory=/no/such\nstartretries=0\nstderr_logfile=%(here)s/chdir.err\n\
         [program:exec]\ncommand=%(here)s/script one two\nstartsecs=0\nautorestart=false\nstderr_logfile=%(here)s/exec.err\n\
         [program:format]\ncommand=%(here)s/noise\nstartretries=0\nredirect_stderr=true\nstdout_logfile=%(here)s/format.out\n\
         [program:well]\ncommand=sh -c 'exit 127'\nstartretries=0\n",
    );
    script(&site.path("script"), "");
    fs::write(site.path("script"), "#!/no/such/interpreter\n").unwrap();
    script(&site.path("noise"), "");
    fs::write(site.path("noise"), [0x7f, 0, 1, 2]).unwrap();
    let daemon = Daemon::start_in(site);
    let path = |name: &str| daemon.path(name).display().to_string();
    for (name, state, log, reason) in [
        ("chdir", "FATAL", "chdir.err", "couldn't chdir to /no/such: ENOENT".to_owned()),
        ("exec", "EXITED", "exec.err", format!("couldn't exec {}: ENOENT", path("script"))),
        ("format", "FATAL", "format.out", format!("couldn't exec {}: ENOEXEC", path("noise"))),
    ] {
        daemon.wait_for_state(name, state);
        let expected = format!("supervisor: {reason}\nsupervisor: child process was not spawned\n");
        assert_eq!(daemon.site.read(log), expected);
        assert_eq!(daemon.info(name).get("spawnerr"), Some(&reason.as_str().into()), "{name}");
        assert_eq!(daemon.log().matches(&format!("INFO spawnerr: {reason}\n")).count(), 1, "{name}");
    }
    // The way that clients know is still there.
    assert!(daemon.log().contains("WARN exited: chdir (exit status 127; not expected)\n"));
    assert_eq!(daemon.info("exec").get("exitstatus"), Some(&127.into()));
    // A program that runs and exits with 127 was started.
    daemon.wait_for_state("well", "FATAL");
    let text = "Exited too quickly (process log may have details)";
    assert_eq!(daemon.info("well").get("spawnerr"), Some(&text.into()));
    // Whoever waits for the start is told that there was none.
    assert_eq!(daemon.fault("startProcess", &["chdir".into()]), (50, "SPAWN_ERROR: chdir".into()));
}

#[test]
fn an_account_brings_its_groups_and_only_its_own() {
    let site = Site::new(
        "[program:p]\ncommand=sh -c 'id -G; echo end'\nuser=nobody\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/out\n",
    );
    let mounts = "cp /etc/group group; echo 'one:x:47110:nobody' >> group; echo 'two:x:47111:root,nobody' >> group; \
        echo 'not:x:47112:nobody2' >> group; mount --bind group /etc/group";
    let Some(daemon) = daemon_behind(site, mounts) else { return };
    let text = daemon.wait_for_text("out", "end\n");
    let groups: Vec<u32> = text.lines().next().unwrap().split(' ').map(|group| group.parse().unwrap()).collect();
    assert_eq!(groups, [65534, 47110, 47111]);
}

#[test]
fn an_account_that_only_the_name_service_knows_is_asked_of_getent() {
    // A getent of ours in a private mount: what LDAP or SSSD would answer.
    let site = Site::new(
        "[program:p]\ncommand=sh -c 'id -u; id -G; echo end'\nuser=ldapuser\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/out\n",
    );
    script(
        &site.path("getent"),
        "case \"$1 $2\" in 'passwd ldapuser') echo 'ldapuser:*:47001:47002:L:/:/bin/sh';; \
         'initgroups ldapuser') echo 'ldapuser 47002 47003';; *) exit 2;; esac",
    );
    let Some(daemon) = daemon_behind(site, "mount --bind getent /usr/bin/getent") else { return };
    assert_eq!(daemon.wait_for_text("out", "end\n"), "47001\n47002 47003\nend\n");
}

/// The daemon behind a shell that changes what it inherits.
fn behind(site: &Site, script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", BINARY, "-c"]).arg(site.path("supervisord.conf"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

#[test]
fn limits_are_raised_and_inherited() {
    let site = Site::new(
        "[supervisord]\nminfds=700\nminprocs=900\n\
         [program:p]\ncommand=sh -c 'ulimit -n; ulimit -u; umask; echo end'\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/out\n",
    );
    let command = behind(&site, "umask 007; exec prlimit --nofile=300:5000 --nproc=800:5000 \"$@\"");
    let daemon = Daemon::start_command(site, command);
    let dash = daemon.wait_for_text("out", "end\n");
    assert_eq!(dash.lines().next(), Some("700"));
    assert!(dash.contains("\n0007\n"), "the umask of the daemon in the foreground: {dash}");
    let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).unwrap();
    let processes = limits.lines().find(|line| line.starts_with("Max processes")).unwrap();
    assert_eq!(processes.split_whitespace().nth(2), Some("900"), "{limits}");
    for line in ["INFO Increased RLIMIT_NOFILE limit to 700\n", "INFO Increased RLIMIT_NPROC limit to 900\n"] {
        assert!(daemon.log().contains(line), "{line}");
    }
}

#[test]
fn limits_that_cannot_be_had_end_the_start() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    for (key, option, text) in [
        (
            "minfds",
            "-a",
            "Error: The minimum number of file descriptors required to run this process is 9000 as per the \"minfds\" command-line \
             argument or config file setting. The current environment will only allow you to open 600 file descriptors.  Either \
             raise the number of usable file descriptors in your environment (see README.rst) or lower the minfds setting in the \
             config file to allow the process to start.\n",
        ),
        (
            "minprocs",
            "--minprocs",
            "Error: The minimum number of available processes required to run this program is 9000 as per the \"minprocs\" command-line \
             argument or config file setting. The current environment will only allow you to open 600 processes.  Either raise the \
             number of usable processes in your environment (see README.rst) or lower the minprocs setting in the config file to \
             allow the program to start.\n",
        ),
    ] {
        // Only root may raise a hard limit, so the daemon must not be root.
        let site = Site::new(&format!("[supervisord]\n{key}=9000\n"));
        fs::set_permissions(site.dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        for more in [&[][..], &[option, "8000"]] {
            let mut command = behind(&site, "exec prlimit --nofile=600 --nproc=600 \"$@\"");
            command.args(more).uid(65534).gid(65534).stderr(Stdio::piped());
            let output = command.output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            let asked = more.last().map_or("9000", |number| *number);
            assert!(stderr.starts_with(&text.replace("9000", asked)), "{stderr}");
            assert_eq!(output.status.code(), Some(2));
        }
        assert!(!site.path("s.sock").exists() && !site.path("supervisord.pid").exists());
    }
}
