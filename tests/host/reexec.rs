//! `upgrade --restart=reexec`: the daemon becomes the new program, and everything under it stays the same process.

use std::path::Path;
use std::process::Command;

use crate::bundle::{self, FOLDER};
use crate::kill;
use crate::machine::{Machine, difference};
use crate::transaction::{Row, newer};

const SERVICE: i32 = 8;
const NEWER: &str = "/opt/newer";
const PROGRAMS: &str = "\
[program:web]
command=sh -c 'while :; do echo tick; sleep 0.2; done'
[program:work]
command=sleep 1002
numprocs=2
process_name=%(program_name)s_%(process_num)d
";
/// The daemon's process and image, and every program's process; what the running unit has gone through.
const STATE: &str = "pid=$(systemctl show -p MainPID --value supervisord); echo $pid; sha256sum <\"/proc/$pid/exe\"
    supervisorctl pid; supervisorctl status | awk '{ print $1, $2, $4 }'; pgrep -x sleep -P $pid | sort
    systemctl is-active supervisord; systemctl show -p NRestarts --value supervisord
    sha256sum /usr/bin/supervisord /usr/bin/supervisor-install; ls /var/lib/supervisor-install/active 2>/dev/null; true";

/// A machine with the first version and three programs that run.
fn boot(test: &str, distro: &str, suite: &str, next: Option<&Path>) -> Option<Machine> {
    let scratch = tempfile::tempdir().unwrap();
    let machine = Machine::boot_suite(test, distro, suite)?;
    bundle::unpack(&machine, &bundle::path());
    machine.ok(&format!("mv {FOLDER}/* /opt/older"));
    machine.copy_in(&newer(scratch.path(), "9.9.9", next), "/opt");
    machine.ok("/opt/older/install");
    machine.write("/etc/supervisord.d/programs.ini", PROGRAMS);
    machine.ok("supervisorctl update");
    machine.wait_until("[ \"$(supervisorctl status | grep -c ' RUNNING ')\" = 3 ]");
    Some(machine)
}

/// The state without what an upgrade changes: the images.
fn processes(state: &str) -> Vec<&str> {
    state.lines().filter(|line| !line.contains("  ")).collect()
}

/// One life for each systemd; its rows go into `docs/install-matrix.md`.
pub fn life(suite: &'static str) -> Option<Vec<Row>> {
    const DISTRO: &str = "kylin-server-v10";
    let machine = boot(&format!("reexec_{suite}"), DISTRO, suite, None)?;
    let old = machine.ok(STATE);
    let upgrade = format!("{NEWER}/install upgrade --restart=reexec");
    let (upgraded, said) = Row::timed(&machine, suite, DISTRO, "upgrade, reexec", &upgrade);
    assert!(said.contains("3 programs run on as the same processes") && !said.contains("Warning"), "{said}");
    let new = machine.ok(STATE);
    assert_eq!(processes(&old), processes(&new), "{said}");
    assert_ne!(old, new, "it still runs the old image");
    let image = machine.ok("sha256sum <\"/proc/$(supervisorctl pid)/exe\"; sha256sum </usr/bin/supervisord");
    assert_eq!(image.lines().next(), image.lines().next_back());
    machine.ok("supervisor-install verify && supervisor-install doctor");
    // The log of a program goes on, and so does the supervision of it.
    machine.ok("pid=$(supervisorctl pid web); kill $pid; sleep 0.1");
    machine.wait_until("supervisorctl status web | grep -q ' RUNNING '");
    let tick = "n=$(supervisorctl tail web | wc -l); for i in $(seq 50); do [ $(supervisorctl tail web | wc -l) -gt $n ] && exit 0; \
                sleep 0.2; done; exit 1";
    machine.ok(&format!("supervisorctl clear web && {{ {tick}; }}"));
    let before = machine.ok(STATE);
    let (back, said) = Row::timed(&machine, suite, DISTRO, "rollback, of a reexec", "supervisor-install rollback");
    assert!(!said.contains("could not"), "{said}");
    let after = machine.ok(STATE);
    assert_eq!(processes(&before), processes(&after), "{said}");
    let images = |state: &str| state.lines().filter(|line| line.contains("  ")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(images(&old), images(&after), "the image of before");
    // By the policy of the host, which packages follow as well.
    machine.ok("mkdir -p /etc/sysconfig && echo RESTART_ON_UPGRADE=reexec >/etc/sysconfig/supervisord");
    let said = machine.ok(&format!("{NEWER}/install upgrade"));
    assert!(said.contains("run on as the same processes"), "{said}");
    assert_eq!(processes(&after), processes(&machine.ok(STATE)));
    Some(vec![upgraded, back])
}

/// Does everything as the program before it, and cannot go on where that one was.
const UNFIT: &str = r#"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
    if (argc > 1 && !strncmp(argv[1], "--check-resume", 14)) { puts("of another kind"); return 1; }
    execv("/opt/real/supervisord", argv);
    return 126;
}
"#;

#[test]
fn a_daemon_that_refuses_runs_on_with_its_files() {
    let scratch = tempfile::tempdir().unwrap();
    let (source, program) = (scratch.path().join("unfit.c"), scratch.path().join("unfit"));
    std::fs::write(&source, UNFIT).unwrap();
    assert!(Command::new("cc").args(["-static", "-o"]).arg(&program).arg(&source).status().unwrap().success());
    let Some(machine) = boot("reexec_refused", "debian-12", "bookworm", Some(&program)) else { return };
    machine.ok("mkdir /opt/real && cp /usr/bin/supervisord /opt/real/");
    let before = machine.ok(STATE);
    let refused = machine.run(&format!("{NEWER}/install upgrade --restart=reexec"));
    assert_eq!(refused.code, SERVICE, "{}", refused.output);
    assert!(refused.output.contains("did not become the new program"), "{}", refused.output);
    assert!(refused.output.contains("of another kind"), "{}", refused.output);
    let after = machine.ok(STATE);
    assert!(before == after, "{}", difference(&before, &after));
    machine.ok("supervisor-install verify");
}

#[test]
fn killed_anywhere_the_programs_are_the_same_processes() {
    let Some(machine) = boot("reexec_killed", "uos-server-20-e", "trixie", None) else { return };
    kill::prepare(&machine);
    let before = machine.ok(STATE);
    let deaths = kill::everywhere(&machine, STATE, &format!("upgrade --bundle {NEWER} --restart=reexec"));
    assert!(deaths > 8, "{deaths}");
    let after = machine.ok(STATE);
    assert_eq!(processes(&before), processes(&after));
    assert_ne!(before, after);
}
