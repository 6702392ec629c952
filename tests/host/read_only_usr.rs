//! Hosts whose `/usr` cannot be written from the first boot on: everything goes below `/opt/supervisor-kit`, and every verb
//! works there.

use std::path::Path;

use crate::bundle::{self, FOLDER};
use crate::machine::{Machine, difference};
use crate::transaction::{EVERYTHING, QUICKLY, newer};

const DESTINATION: i32 = 6;
const PROGRAM: &str = "/opt/supervisor-kit/bin/supervisord";
/// What of an installation is where it counts.
const STATE: &str = "
    find /opt/supervisor-kit /opt/.supervisor-install /etc /usr/local -xdev \\( -name '*supervis*' -o -name pidproxy -o -name \
        'echo_super*' \\) ! -name '*guard*' ! -type d -printf '%p %m %U:%G %l\\n' 2>/dev/null | sort
    sha256sum /opt/supervisor-kit/bin/supervis* /etc/systemd/system/supervisord.service 2>/dev/null
    systemctl is-enabled supervisord 2>/dev/null; systemctl is-active supervisord
    ls -d /var/lib/supervisor-install/active 2>/dev/null
    pid=$(systemctl show -p MainPID --value supervisord); [ \"$pid\" = 0 ] || sha256sum <\"/proc/$pid/exe\"; true";

fn boot(test: &str, distro: &str) -> Option<Machine> {
    let machine = Machine::boot_with(test, distro, "bookworm", &["--read-only-usr"])?;
    assert!(machine.run("touch /usr/bin/x").output.contains("Read-only file system"));
    bundle::unpack(&machine, &bundle::path());
    machine.ok(&format!("mkdir /srv/kit && mv {FOLDER}/*/* /srv/kit/ && rm -r {FOLDER}"));
    Some(machine)
}

/// Everything but for the list of boots and the log of refused runs.
fn everything(machine: &Machine) -> String {
    machine.ok(&format!("{{ {EVERYTHING}; }} | grep -v -e /var/log/wtmp -e /var/log/supervisor-install.log"))
}

#[track_caller]
fn says(machine: &Machine, command: &str, words: &[&str]) {
    let said = machine.ok(command);
    for word in words {
        assert!(said.contains(word), "{command} does not say {word}:\n{said}");
    }
}

/// The service runs from `/opt`, and the client finds it.
fn runs(machine: &Machine, client: &str) -> String {
    let pid = machine.ok("systemctl show -p MainPID --value supervisord");
    assert_eq!(machine.ok(&format!("readlink /proc/{pid}/exe")), PROGRAM);
    assert_eq!(machine.ok(&format!("{client} pid")), pid);
    pid
}

#[test]
fn every_verb_works_below_opt() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(machine) = boot("read_only_usr", "uos-desktop-20") else { return };
    machine.copy_in(&newer(scratch.path(), "9.9.9", None), "/srv");
    machine.ok("systemctl is-system-running --wait || true");
    let before = everything(&machine);
    says(&machine, "/srv/kit/install check", &["usr-unwritable", "/usr/bin: Read-only file system", "ready"]);
    says(
        &machine,
        "/srv/kit/install --dry-run",
        &["usr-unwritable", PROGRAM, "/etc/systemd/system/supervisord.service"],
    );
    says(&machine, "/srv/kit/install", &["usr-unwritable", "links in /usr/local/bin", "is installed"]);
    let pid = runs(&machine, "supervisorctl");
    machine.write("/etc/supervisord.d/sleep.ini", "[program:sleep]\ncommand=sleep infinity");
    machine.ok("supervisorctl update");
    says(&machine, "cat /var/lib/supervisor-install/generations/1/receipt.json", &["\"prefix\": \"opt\""]);
    says(&machine, "supervisor-install status", &["/opt/supervisor-kit/bin/", "running"]);
    says(&machine, "supervisor-install verify", &["Everything is as"]);
    says(&machine, "supervisor-install doctor", &["Nothing found"]);
    says(&machine, "/srv/kit/install upgrade", &["already up to date"]);
    says(&machine, "/srv/newer/install upgrade", &["systemctl restart supervisord"]);
    assert_eq!(machine.ok("supervisorctl pid"), pid, "the policy is never");
    says(&machine, "supervisor-install rollback", &["Rolled back"]);
    says(&machine, "/srv/newer/install upgrade --restart=always", &["Verified"]);
    assert_ne!(runs(&machine, "supervisorctl"), pid);
    machine.reboot();
    machine.wait_until("supervisorctl status | grep -q 'sleep .*RUNNING'");
    runs(&machine, "/usr/local/bin/supervisorctl");
    says(&machine, "supervisor-install rollback", &["Rolled back"]);
    runs(&machine, "supervisorctl");
    machine.ok("rm /etc/supervisord.d/sleep.ini && supervisor-install uninstall --purge");
    let after = everything(&machine);
    assert!(before == after, "uninstall --purge left a difference:\n{}", difference(&before, &after));

    without_links(&machine, &before);
    refused_only_where_nothing_is_left(&machine, &before);
}

/// `/usr/local` is read-only as well.
fn without_links(machine: &Machine, before: &str) {
    machine.ok("mkdir -p /opt && umount /usr/local");
    let before_here = everything(machine);
    says(machine, "/srv/kit/install", &["Login shells find them"]);
    runs(machine, "/opt/supervisor-kit/bin/supervisorctl");
    runs(machine, "env PATH=/usr/bin:/bin bash -lc 'supervisorctl \"$@\"' --");
    machine.ok("/opt/supervisor-kit/bin/supervisor-install uninstall --purge");
    let after = everything(machine);
    assert!(before_here == after, "without links:\n{}", difference(&before_here, &after));
    machine.ok("mount --bind /var/usrlocal /usr/local");
    assert_eq!(before, everything(machine));
}

fn refused_only_where_nothing_is_left(machine: &Machine, before: &str) {
    for place in ["/opt", "/etc"] {
        machine.ok(&format!("mount --bind {place} {place} && mount -o remount,bind,ro {place}"));
        let outcome = machine.run("/srv/kit/install");
        assert_eq!(outcome.code, DESTINATION, "{place}: {}", outcome.output);
        assert!(outcome.output.contains(&format!("Read-only file system, {place} (")), "{}", outcome.output);
        machine.ok(&format!("umount --lazy {place}"));
        let after = everything(machine);
        assert!(before == after, "{place}:\n{}", difference(before, &after));
    }
}

/// A power cut in the middle: the guard runs from `/opt`, too.
#[test]
fn cut_in_the_middle_the_guard_below_opt_brings_the_old_version_back() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(machine) = boot("read_only_cut", "kylin-server-v10") else { return };
    machine.copy_in(&newer(scratch.path(), "9.9.9", None), "/srv");
    machine.copy_in(Path::new(env!("CARGO_BIN_EXE_install")), "/srv");
    let changes = [
        ("/srv/install --bundle /srv/kit", 60),
        ("/srv/install upgrade --bundle /srv/newer --restart=always", 6),
        ("/srv/install uninstall --purge", 30),
    ];
    for (change, at) in changes {
        let old = machine.ok(STATE);
        let killed = machine.run(&format!("{QUICKLY} SUPERVISOR_KIT_CRASH_AT={at} {change}"));
        assert_ne!(killed.code, 0, "{change} has no checkpoint {at}: {}", killed.output);
        machine.ok("test -x /opt/.supervisor-install/bin/guard");
        machine.cut();
        let found = machine.ok(STATE);
        assert!(found == old, "{change}:\n{}", difference(&old, &found));
        assert_eq!(machine.ok("find /opt /etc -xdev -name '*guard*' -o -name '.supervisor-install'"), "");
        machine.ok(&format!("{QUICKLY} {change}"));
    }
    assert_eq!(machine.ok("find / -xdev -name '*supervisor-kit*' ! -path '/proc/*'"), "");
}

/// Not the file system, only the directory: `chattr +i`.
#[test]
fn an_immutable_directory_is_as_good_as_read_only() {
    let Some(machine) = Machine::boot("immutable", "debian-12") else { return };
    bundle::unpack(&machine, &bundle::path());
    machine.ok("chattr +i /usr/bin");
    says(
        &machine,
        &format!("cd {FOLDER}/* && ./install"),
        &["/usr/bin: Operation not permitted", "links in /usr/local/bin"],
    );
    runs(&machine, "supervisorctl");
    // Where the programs are is what the receipt says, not what /usr allows by now.
    machine.ok("chattr -i /usr/bin");
    says(&machine, &format!("cd {FOLDER}/* && ./install"), &["already up to date"]);
    machine.ok("chattr +i /opt/supervisor-kit/bin && ! supervisor-install uninstall; supervisorctl pid; chattr -i /opt/supervisor-kit/bin");
    machine.ok("supervisor-install uninstall --purge && test ! -e /opt/supervisor-kit");
}
