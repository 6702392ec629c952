//! `dpkg` on machines of the Debian family.

use super::{PACKAGES, PROGRAM, Running, Scratch, enable_and_start, released, repacked, runs_replaced, tree};
use crate::bundle::{self, FOLDER, in_project};
use crate::machine::{Machine, difference};

const CONFIG: &str = "/etc/supervisor/supervisord.conf";

fn file_name(release: &str) -> String {
    let arch = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    format!("supervisor-kit_{}-{release}_{arch}.deb", env!("CARGO_PKG_VERSION"))
}

fn boot(test: &str, distro: &str, suite: &str, scratch: &Scratch) -> Option<Machine> {
    let machine = Machine::boot_suite(test, distro, suite)?;
    machine.copy_in(&released(&file_name("1")), PACKAGES);
    machine.copy_in(&repacked("deb", "2", scratch.path()), PACKAGES);
    Some(machine)
}

fn dpkg(machine: &Machine, release: &str) -> String {
    // Without a terminal, as in an orchestrated roll-out.
    machine.ok(&format!("dpkg -i {PACKAGES}/{} </dev/null", file_name(release)))
}

#[test]
fn installed_upgraded_downgraded_removed_and_purged() {
    // systemd 247, 252 and 257; dpkg 1.20, 1.21 and 1.22.
    for (distro, suite) in [("uos-desktop-20", "bullseye"), ("debian-12", "bookworm"), ("debian-12", "trixie")] {
        life(distro, suite);
    }
}

fn life(distro: &str, suite: &str) {
    let scratch = Scratch::new();
    let Some(machine) = boot(&format!("deb_{suite}"), distro, suite, &scratch) else { return };
    let before = tree(&machine);
    dpkg(&machine, "1");
    // As Debian's packages do: it runs, and starts with the machine.
    assert_eq!(machine.ok("systemctl is-active supervisor; systemctl is-enabled supervisor"), "active\nenabled");
    enable_and_start(&machine);
    assert!(machine.ok("supervisor-install status").contains("from a package (dpkg)"));
    machine.write("/etc/supervisor/conf.d/payment.conf", PROGRAM);
    machine.ok("supervisorctl update");
    let first = Running::of(&machine);

    machine.ok(&format!("sed -i 's/^loglevel=info/loglevel=debug/' {CONFIG}"));
    let edited = machine.ok(&format!("sha256sum {CONFIG}"));
    let said = dpkg(&machine, "2");
    assert!(said.contains("When the time is right: systemctl restart supervisord"), "{said}");
    assert_eq!(Running::of(&machine), first);
    assert!(runs_replaced(&machine));
    assert_eq!(machine.ok(&format!("sha256sum {CONFIG}")), edited);

    machine.write("/etc/default/supervisor", "RESTART_ON_UPGRADE=always");
    dpkg(&machine, "2");
    let second = Running::of(&machine);
    assert!(second.daemon != first.daemon && second.program != first.program && !runs_replaced(&machine));
    machine.ok("supervisor-install verify && supervisor-install doctor");
    assert!(machine.run("dpkg -V supervisor-kit").output.lines().all(|line| line.ends_with(CONFIG)));

    machine.write("/etc/default/supervisor", "RESTART_ON_UPGRADE=reexec");
    dpkg(&machine, "1");
    assert_eq!(Running::of(&machine), second);
    assert!(!runs_replaced(&machine), "the old program runs on");

    // A removal keeps what is the administrator's, a purge does not.
    machine.ok("rm /etc/default/supervisor && dpkg -r supervisor-kit");
    assert_eq!(machine.ok("systemctl list-units --plain --no-legend '*-programs.service'"), "");
    assert_eq!(machine.run("pgrep -x supervisord").output, "", "it still runs");
    assert_eq!(machine.ok(&format!("sha256sum {CONFIG}")), edited);
    machine.ok("test -d /var/log/supervisor && test -e /etc/supervisor/conf.d/payment.conf");
    machine.ok("dpkg -P supervisor-kit");
    let left = difference(&before, &tree(&machine));
    let names: Vec<&str> = left.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(names, ["/etc/supervisor", "/etc/supervisor/conf.d", "/etc/supervisor/conf.d/payment.conf"], "{left}");
}

#[test]
fn a_package_does_not_go_over_a_bundle() {
    let scratch = Scratch::new();
    let Some(machine) = boot("deb_bundle", "debian-12", "bookworm", &scratch) else { return };
    bundle::unpack(&machine, &bundle::path());
    machine.ok(&format!("cd {FOLDER}/* && ./install"));
    let before = tree(&machine);
    let refused = machine.run(&format!("dpkg -i {PACKAGES}/{}", file_name("1")));
    assert!(refused.code != 0 && refused.output.contains("supervisor-install uninstall"), "{}", refused.output);
    assert_eq!(difference(&before, &tree(&machine)), "");
}

/// Whether Python's daemon runs.
fn is_pythons(machine: &Machine) -> bool {
    machine.ok("readlink /proc/$(systemctl show -p MainPID --value supervisor)/exe").contains("python")
}

#[test]
fn debians_own_package_is_replaced_and_comes_back() {
    let scratch = Scratch::new();
    let Some(machine) = boot("deb_replaces", "debian-12", "bookworm", &scratch) else { return };
    machine.copy_in(&in_project("target/old/bookworm/deb"), "/opt");
    machine.ok("cd /opt/deb && dpkg --force-all -i $(ls *.deb | grep -v ^supervisor_) && dpkg -i supervisor_*.deb");
    machine.write("/etc/supervisor/conf.d/payment.conf", PROGRAM);
    machine.ok("supervisorctl update");
    machine.wait_until("supervisorctl status payment | grep -q RUNNING");
    assert!(is_pythons(&machine));

    let said = dpkg(&machine, "1");
    assert!(said.contains("supervisor"), "{said}");
    Running::of(&machine);
    assert!(!is_pythons(&machine));
    assert_eq!(machine.ok("systemctl is-enabled supervisor"), "enabled");
    assert_eq!(machine.ok("dpkg-query -W -f '${db:Status-Abbrev}' supervisor-kit"), "ii");
    assert!(!machine.run("dpkg-query -W -f '${db:Status-Abbrev}' supervisor").output.starts_with("ii"));
    enable_and_start(&machine);
    machine.reboot();
    Running::of(&machine);

    machine.ok("dpkg -r supervisor-kit && cd /opt/deb && dpkg --force-confold -i supervisor_*.deb </dev/null");
    machine.ok("systemctl daemon-reload; systemctl start supervisor");
    machine.wait_until("supervisorctl status payment | grep -q RUNNING");
    assert!(is_pythons(&machine));
    // What is left of ours goes without taking anything of theirs along.
    machine.ok("dpkg -P supervisor-kit && test -d /var/log/supervisor");
    assert_eq!(machine.ok("systemctl is-active supervisor; systemctl is-enabled supervisor"), "active\nenabled");
    machine.ok(&format!("test -e {CONFIG} && supervisorctl status payment | grep RUNNING"));

    // Once more, with a configuration that the site has edited.
    machine.ok(&format!("sed -i 's/^chmod=.*/chmod=0770/' {CONFIG}"));
    let edited = machine.ok(&format!("sha256sum {CONFIG}"));
    machine.ok(&format!("dpkg --force-confold -i {PACKAGES}/{} </dev/null", file_name("1")));
    assert_eq!(machine.ok(&format!("sha256sum {CONFIG}")), edited);
    Running::of(&machine);
    assert!(!is_pythons(&machine));
    machine.ok("supervisor-install verify");
}
