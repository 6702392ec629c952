//! `killmode=tree` with real processes that do what they can to stay.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::unistd::{Pid, getuid};

use super::fixture::{Daemon, is_alive, script, wait_until};

/// Who wrote its pid into a file of this directory, one a line.
fn pids(daemon: &Daemon, file: &str) -> Vec<i32> {
    let text = fs::read_to_string(daemon.path(file)).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

fn wait_for_pids(daemon: &Daemon, file: &str, count: usize) -> Vec<i32> {
    wait_until(&format!("{count} processes are in {file}"), || pids(daemon, file).len() >= count);
    pids(daemon, file)
}

/// A program that starts an ordinary child, one in a session of its own whose parent has ended, and one of that kind which ignores
/// SIGTERM; then it waits, or ends.
fn family(dir: &Path, end: &str) -> String {
    let path = dir.join("family");
    script(
        &path,
        "cd \"$(dirname \"$0\")\"\n\
         (sh -c 'echo $$ >> pids; exec sleep 3600' &)\n\
         (setsid sh -c '(sh -c \"echo \\$\\$ >> pids; exec sleep 3600\" &) &' &)\n\
         (setsid sh -c 'trap \"\" TERM; echo $$ >> pids; sleep 3600; sleep 3600' &)\n\
         sh -c 'echo $$ >> pids; exec sleep 3600' &\n\
         while [ \"$(wc -l < pids)\" -lt 4 ]; do sleep 0.05; done",
    );
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}{end}\n")).unwrap();
    path.display().to_string()
}

fn program(name: &str, command: &str, extra: &str) -> String {
    format!("[program:{name}]\ncommand={command}\nstartsecs=0\nautorestart=false\nstopwaitsecs=1\n{extra}\n")
}

fn all_gone(pids: &[i32]) -> bool {
    pids.iter().all(|pid| !is_alive(*pid))
}

/// Of what a test leaves.
fn end(pids: &[i32]) {
    for pid in pids {
        let _ = kill(Pid::from_raw(*pid), SIGKILL);
    }
}

/// Starts the family as `killmode=tree`, stops it, and looks for what is left.
fn stopped_to_the_last(supervisord: &str) -> Daemon {
    let site = super::fixture::Site::new("");
    fs::set_permissions(site.dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let command = family(site.dir.path(), "exec sleep 3600");
    site.configure(&format!("{supervisord}{}", program("family", &command, "killmode=tree")));
    let daemon = Daemon::start_in(site);
    let members = wait_for_pids(&daemon, "pids", 4);
    let main = daemon.pid_of("family");
    daemon.ask("stopProcess", &["family".into()]);
    assert_eq!(daemon.state("family"), "STOPPED");
    assert!(all_gone(&members) && !is_alive(main), "{members:?}");
    let log = daemon.log();
    assert!(log.contains("family has ended (terminated by SIGTERM) and left "), "{log}");
    // One of them would not hear of SIGTERM.
    assert!(log.contains("processes that 'family' left with SIGKILL"), "{log}");
    daemon
}

#[test]
fn a_stop_leaves_nobody() {
    stopped_to_the_last("");
}

/// An ordinary user may make no control groups.
#[test]
fn without_control_groups_they_are_found_too() {
    if !getuid().is_root() {
        return;
    }
    let daemon = stopped_to_the_last("[supervisord]\nuser=nobody\n");
    assert!(daemon.log().contains("what programs start is followed through /proc"), "{}", daemon.log());
}

#[test]
fn by_default_they_stay_as_with_supervisor() {
    let site = super::fixture::Site::new("");
    let command = family(site.dir.path(), "exec sleep 3600");
    site.configure(&program("family", &command, ""));
    let daemon = Daemon::start_in(site);
    let members = wait_for_pids(&daemon, "pids", 4);
    daemon.ask("stopProcess", &["family".into()]);
    let alive = members.iter().filter(|pid| is_alive(**pid)).count();
    end(&members);
    assert_eq!(alive, 4);
}

#[test]
fn what_ends_by_itself_is_not_started_beside_its_past() {
    let site = super::fixture::Site::new("");
    let command = family(site.dir.path(), "exit 3");
    site.configure(&program("family", &command, "killmode=tree\nautorestart=true"));
    let daemon = Daemon::start_in(site);
    let first = wait_for_pids(&daemon, "pids", 4)[..4].to_vec();
    // The second run begins when the first is gone to the last of it.
    wait_until("it is started again", || {
        pids(&daemon, "pids").len() > 4 || daemon.log().matches("spawned: 'family'").count() > 1
    });
    assert!(all_gone(&first), "{first:?}");
    let log = daemon.log();
    let order =
        ["has ended (exit status 3) and left ", "left with SIGKILL", "exited: family (exit status 3; not expected)"];
    let places: Vec<Option<usize>> = order.iter().map(|text| log.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{log}");
}

#[test]
fn a_stop_while_its_past_is_cleared_away_keeps_it_stopped() {
    let site = super::fixture::Site::new("");
    let command = family(site.dir.path(), "exit 0");
    site.configure(
        &program("family", &command, "killmode=tree\nautorestart=true").replace("stopwaitsecs=1\n", "stopwaitsecs=4\n"),
    );
    let daemon = Daemon::start_in(site);
    daemon.wait_for_log("family has ended");
    assert_eq!((daemon.state("family").as_str(), daemon.pid_of("family")), ("STOPPING", 0));
    assert_eq!(daemon.fault("startProcess", &["family".into()]).0, 30);
    daemon.ask("stopProcess", &["family".into()]);
    assert_eq!(daemon.state("family"), "STOPPED");
    assert!(all_gone(&pids(&daemon, "pids")));
    assert_eq!(daemon.log().matches("spawned: 'family'").count(), 1);
}

/// A tree that grows while it is felled: each process starts another before it ends, as fast as a shell can.
#[test]
fn a_tree_that_grows_is_felled() {
    let site = super::fixture::Site::new("");
    let path = site.path("hydra");
    script(&path, "trap '' TERM\necho $$ >> \"$1\"\nsleep 0.1\nsetsid \"$0\" \"$1\" &\nsetsid sleep 3600 &");
    let record = site.path("pids");
    site.configure(&program(
        "hydra",
        &format!("{} {}", path.display(), record.display()),
        "killmode=tree\nstartsecs=0",
    ));
    let daemon = Daemon::start_in(site);
    wait_for_pids(&daemon, "pids", 5);
    daemon.ask("stopProcess", &["hydra".into()]);
    let left: BTreeSet<i32> = pids(&daemon, "pids").into_iter().filter(|pid| is_alive(*pid)).collect();
    assert!(left.is_empty(), "{left:?}");
    let count = pids(&daemon, "pids").len();
    // Who has been killed is a child of the daemon until its end is taken note of.
    wait_until("all ends are taken note of", || super::fixture::children_of(daemon.pid()).is_empty());
    assert_eq!(pids(&daemon, "pids").len(), count, "it still grows");
}

/// Two programs of one command: a tree ends where another begins.
#[test]
fn neighbours_are_left_alone() {
    let site = super::fixture::Site::new("");
    let path = site.path("daemon");
    script(&path, "(setsid sh -c 'echo $$ >> \"$0\"; exec sleep 3600' \"$1\" &)\nexec sleep 3600");
    let one =
        |name: &str, mode: &str| program(name, &format!("{} {}", path.display(), site.path(name).display()), mode);
    let config = one("felled", "killmode=tree") + &one("kept", "killmode=tree") + &one("plain", "");
    site.configure(&config);
    let daemon = Daemon::start_in(site);
    let [felled, kept, plain] = ["felled", "kept", "plain"].map(|name| wait_for_pids(&daemon, name, 1));
    let mains = [daemon.pid_of("kept"), daemon.pid_of("plain")];
    daemon.ask("stopProcess", &["felled".into()]);
    assert!(all_gone(&felled));
    assert!(is_alive(kept[0]) && is_alive(plain[0]) && is_alive(mains[0]) && is_alive(mains[1]));
    // Switched off while it runs: the other program is stopped as Supervisor would.
    daemon.site.configure(&config.replacen("killmode=tree\n", "", 2));
    daemon.ask("reloadConfig", &[]);
    daemon.ask("updateProcessGroup", &["kept".into()]);
    assert_eq!(daemon.pid_of("kept"), mains[0]);
    daemon.ask("stopAllProcesses", &[]);
    let survived = [kept[0], plain[0]].map(is_alive);
    end(&[kept[0], plain[0]]);
    assert_eq!(survived, [true, true]);
}

#[test]
fn a_shutdown_waits_for_all_of_it() {
    let site = super::fixture::Site::new("");
    let command = family(site.dir.path(), "exec sleep 3600");
    site.configure(&program("family", &command, "killmode=tree"));
    let mut daemon = Daemon::start_in(site);
    let members = wait_for_pids(&daemon, "pids", 4);
    daemon.ask("shutdown", &[]);
    assert!(daemon.wait().success());
    assert!(all_gone(&members), "{members:?}");
}
