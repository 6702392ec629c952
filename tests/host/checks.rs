//! `check`, `verify`, `doctor` and `status` on a booted machine: sound, and with one thing wrong at a time.

use crate::bundle::{self, FOLDER};
use crate::machine::Machine;

// Exit codes of `install`, as both READMEs list them.
const DESTINATION: i32 = 6;
const SERVICE: i32 = 8;
const REFUSED: i32 = 11;
const DRIFT: i32 = 14;
const UNHEALTHY: i32 = 15;
const CANCELLED: i32 = 130;

/// Everything that an installation leaves, but for its log.
const TRACES: &str =
    "find /usr /etc /var/log /var/lib -xdev -name '*supervisor*' ! -name supervisor-install.log | sort";

/// Runs a verb of the installer in the bundle's folder: expects `code` and `word`.
#[track_caller]
fn says(machine: &Machine, verb: &str, code: i32, word: &str) {
    let outcome = machine.run(&format!("cd {FOLDER}/* && ./install {verb}"));
    assert_eq!(outcome.code, code, "{verb}\n{}", outcome.output);
    assert!(outcome.output.contains(word), "{verb} does not say {word}:\n{}", outcome.output);
}

#[test]
fn a_machine_is_checked_before_and_after() {
    let Some(machine) = Machine::boot("checks", "kylin-server-v10") else { return };
    bundle::unpack(&machine, &bundle::path());
    says(&machine, "check", 0, "This host is ready");
    refused_before_anything_is_touched(&machine);
    interrupted(&machine);
    says(&machine, "install", 0, "is installed");
    for (verb, word) in
        [("verify", "as supervisor-kit"), ("doctor", "Nothing found"), ("status", "change 1"), ("check", "ready")]
    {
        says(&machine, verb, 0, word);
    }
    machine.ok(&format!("cd {FOLDER}/* && ./install doctor --json | grep -q '\"ok\": true'"));
    spoiled(&machine);
    machine.ok("grep -q 'outcome: done' /var/log/supervisor-install.log");
    says(&machine, "uninstall --purge", 0, "is removed");
    assert_eq!(machine.ok("find /var/log /var/lib -xdev -name '*supervisor*'"), "");
}

fn refused_before_anything_is_touched(machine: &Machine) {
    assert_eq!(machine.ok(TRACES), "");
    // Nothing below /usr/bin runs then, so the way back lies elsewhere.
    let noexec = format!(
        "cp /usr/bin/umount /opt/umount; cd {FOLDER}/*; mount --bind /usr/bin /usr/bin; mount -o remount,bind,noexec /usr/bin
         ./install; code=$?; /opt/umount --lazy /usr/bin; exit $code"
    );
    let outcome = machine.run(&noexec);
    assert!(outcome.code == REFUSED && outcome.output.contains("noexec"), "{outcome:?}");

    machine.ok("for dir in /usr /opt; do mount --bind $dir $dir && mount -o remount,bind,ro $dir; done");
    says(machine, "check", DESTINATION, "read-only");
    says(machine, "install", DESTINATION, "read-only");
    machine.ok("umount --lazy /usr /opt");

    machine.write("/etc/supervisord.conf", "[inet_http_server]\nport=127.0.0.1:22222\n[supervisord]");
    machine.ok("systemd-run --quiet --unit taken redis-server --port 22222");
    machine.wait_until("redis-cli -p 22222 ping");
    says(machine, "install", SERVICE, "port-taken");
    machine.ok("systemctl stop taken; rm /etc/supervisord.conf");
    assert_eq!(machine.ok(TRACES), "", "left behind by a refused run");
}

/// SIGTERM while the new service is watched: everything is taken back.
fn interrupted(machine: &Machine) {
    let command = format!(
        "cd {FOLDER}/* && {{ ./install >/tmp/said 2>&1 & }}
         for i in $(seq 300); do systemctl -q is-active supervisord && break; sleep 0.05; done
         kill -TERM $!; wait $!; code=$?; cat /tmp/said; exit $code"
    );
    let outcome = machine.run(&command);
    assert_eq!(outcome.code, CANCELLED, "{}", outcome.output);
    // The log of the daemon that ran for a moment is somebody's.
    let left = machine.ok(TRACES);
    assert!(left.lines().all(|path| path.starts_with("/var/log/supervisor")), "{left}\n{}", outcome.output);
    assert_ne!(machine.run("systemctl is-active supervisord").output.trim(), "active");
    machine.ok("rm -r /var/log/supervisor");
}

fn spoiled(machine: &Machine) {
    let unit = "/etc/systemd/system/supervisord.service";
    machine.ok(&format!("cp /usr/lib/systemd/system/supervisord.service {unit} && systemctl daemon-reload"));
    says(machine, "verify", 0, "unit-shadowed");
    says(machine, "doctor", 0, "unit-shadowed");
    machine.ok(&format!(
        "rm {unit} && mkdir {unit}.d && printf '[Service]\\nNice=5\\n' >{unit}.d/nice.conf && systemctl daemon-reload"
    ));
    says(machine, "verify", 0, "unit-drop-in");
    machine.ok(&format!("rm -r {unit}.d && systemctl daemon-reload"));

    // The daemon puts a socket back that somebody removes, but not over what somebody else has put there.
    machine.ok("cd /run/supervisor && touch file && mv -f file supervisor.sock");
    says(machine, "doctor", UNHEALTHY, "socket-missing");
    machine.ok("cd /run/supervisor && rm -f supervisor.sock");
    machine.wait_until("supervisorctl pid");
    machine.ok("systemctl stop supervisord && rm -r /var/log/supervisor");
    says(machine, "doctor", UNHEALTHY, "log-missing");
    machine.ok("mkdir /var/log/supervisor && chmod 644 /usr/bin/supervisord; ! systemctl start supervisord 2>&1");
    says(machine, "doctor", UNHEALTHY, "program-mode");
    says(machine, "verify", DRIFT, "mode-changed");
    machine.ok("chmod 755 /usr/bin/supervisord && systemctl reset-failed supervisord; systemctl start supervisord");
    says(machine, "doctor", 0, "Nothing found");
}
