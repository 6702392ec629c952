//! One bundle, one command, a running service: on every family, without network, across a reboot.

use std::time::Instant;

use crate::bundle::{self, FOLDER};
use crate::machine::{Machine, say};

/// Two programs that operators really run, under the daemon. The semicolon is part of nginx's argument.
const NGINX: &str = "[program:nginx]\ncommand=/usr/sbin/nginx -g \"daemon off;\"\nautorestart=true";
const REDIS: &str = "[program:redis]\ncommand=/usr/bin/redis-server --daemonize no --save ''\ndirectory=/var/lib/redis\n\
                     stopwaitsecs=20\nstartsecs=1";

const BOTH_RUN: &str = "test \"$(supervisorctl status | grep -c ' RUNNING ')\" = 2";

#[test]
fn centos_7() {
    installs_and_survives_a_reboot("centos_7", "centos-7");
}

#[test]
fn kylin_server_v10() {
    installs_and_survives_a_reboot("kylin_server_v10", "kylin-server-v10");
}

#[test]
fn uos_server_20_e() {
    installs_and_survives_a_reboot("uos_server_20_e", "uos-server-20-e");
}

#[test]
fn uos_desktop_20() {
    installs_and_survives_a_reboot("uos_desktop_20", "uos-desktop-20");
}

#[test]
fn debian_12() {
    installs_and_survives_a_reboot("debian_12", "debian-12");
}

fn installs_and_survives_a_reboot(test: &str, distro: &str) {
    let Some(machine) = Machine::boot(test, distro) else { return };
    bundle::unpack(&machine, &bundle::path());

    let started = Instant::now();
    let said = machine.ok(&format!("cd {FOLDER}/* && ./install --distro auto"));
    say(&format!("{distro}: installed, started and verified in {:.1} s", started.elapsed().as_secs_f32()));
    println!("{said}");
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
    assert_eq!(machine.ok("systemctl is-enabled supervisord"), "enabled");

    machine.write("/etc/supervisord.d/nginx.ini", NGINX);
    machine.write("/etc/supervisord.d/redis.ini", REDIS);
    let update = machine.ok("supervisorctl update");
    assert!(update.contains("nginx: added process group") && update.contains("redis: added process group"), "{update}");
    programs_serve(&machine);

    machine.reboot();
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
    programs_serve(&machine);

    second_run_changes_nothing(&machine);
}

fn programs_serve(machine: &Machine) {
    machine.wait_until(BOTH_RUN);
    machine.wait_until("exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; grep -q nginx <&3");
    machine.wait_until("redis-cli ping | grep -qx PONG");
}

fn second_run_changes_nothing(machine: &Machine) {
    // Every file and link of the system, but for what programs write while they run.
    const SYSTEM: &str = "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var \\) -prune \
                          -o -printf '%p %y %m %U:%G %s %T@ %i %l\\n' | sort";
    const PIDS: &str = "systemctl show -p MainPID --value supervisord; supervisorctl pid all";
    let before = (machine.ok(SYSTEM), machine.ok(PIDS));
    let said = machine.ok(&format!("cd {FOLDER}/* && ./install --distro auto"));
    assert!(said.to_lowercase().contains("already up to date"), "{said}");
    let after = (machine.ok(SYSTEM), machine.ok(PIDS));
    assert!(before.0 == after.0, "the second run changed files:\n{}", difference(&before.0, &after.0));
    assert_eq!(before.1, after.1, "the second run restarted something");
}

fn difference(before: &str, after: &str) -> String {
    let gone = before.lines().filter(|line| !after.lines().any(|other| other == *line)).map(|line| format!("- {line}"));
    let new = after.lines().filter(|line| !before.lines().any(|other| other == *line)).map(|line| format!("+ {line}"));
    gone.chain(new).collect::<Vec<_>>().join("\n")
}
