//! The installer is killed at every checkpoint of a takeover, and of its roll-back.

use super::{OLD, PROGRAMS, boot, is_ours, is_pythons, python, start_programs};
use crate::bundle::FOLDER;
use crate::kill::{self, MORTAL};
use crate::machine::{Machine, difference};

/// What of the old one must be the same again.
const STATE: &str = "sha256sum /usr/bin/supervisor* /usr/bin/pidproxy; systemctl is-active supervisor; \
    systemctl is-enabled supervisor; dpkg-divert --list | grep -c supervisor; ls -A /etc/systemd/system \
    /usr/lib/systemd/system /usr/bin /etc | grep -i supervis; supervisorctl status | awk '{ print $1, $2 }'";
/// Deaths of a roll-back that are followed by a boot.
const CUT_AT: [u32; 3] = [2, 9, 23];

/// A machine on which Debian's own package runs three programs; with what of it must be the same again.
fn with_debians_package(name: &str) -> Option<(Machine, String)> {
    let machine = boot(name, "debian-12", "bookworm")?;
    python(&machine);
    machine.ok(&format!("dpkg -i {OLD}/deb/supervisor_*.deb"));
    machine.write("/etc/supervisor/conf.d/programs.conf", PROGRAMS);
    kill::prepare(&machine);
    machine.ok("supervisorctl update");
    machine.wait_until("[ \"$(supervisorctl status | grep -c RUNNING)\" = 3 ]");
    let before = machine.ok(STATE);
    Some((machine, before))
}

fn replace() -> String {
    format!("--bundle {FOLDER}/*/ --replace")
}

#[test]
fn killed_anywhere_the_old_one_runs_or_ours() {
    let Some((machine, _)) = with_debians_package("takeover_killed") else { return };
    let deaths = kill::everywhere(&machine, STATE, &replace());
    assert!(deaths > 30, "{deaths}");
    machine.ok("supervisorctl start byhand");
    is_ours(&machine);
}

#[test]
fn killed_or_cut_while_it_rolls_back_the_old_one_runs_again() {
    let Some((machine, before)) = with_debians_package("takeover_rolled_back") else { return };
    let replace = replace();
    machine.ok(&format!("{MORTAL} {replace}"));
    killed_again_and_again_while_it_rolls_back(&machine);
    is_whole(&machine, &before);
    for at in CUT_AT {
        machine.ok(&format!("{MORTAL} {replace}"));
        let killed = machine.run(&format!("SUPERVISOR_KIT_CRASH_AT={at} {MORTAL} rollback"));
        assert_eq!(killed.code, 137, "at {at}: {}", killed.output);
        machine.cut();
        is_whole(&machine, &before);
    }
}

/// Each run dies one checkpoint later than the one before it, so whatever was taken back is taken back again.
fn killed_again_and_again_while_it_rolls_back(machine: &Machine) {
    let said = machine.ok(&format!(
        "verb=rollback
         for at in $(seq 300); do
             if SUPERVISOR_KIT_CRASH_AT=$at {MORTAL} $verb >/opt/said 2>&1; then echo complete after $((at - 1)); exit 0; fi
             [ -e /var/lib/supervisor-install/active/journal ] || {{ echo forgotten at $at; cat /opt/said; exit 1; }}
             [ -e /etc/systemd/system/supervisor-install-guard.service ] || {{ echo no guard at $at; exit 1; }}
             verb=recover
         done; cat /opt/said; exit 1"
    ));
    let deaths: u32 = said.rsplit(' ').next().unwrap().trim().parse().unwrap();
    assert!(deaths > 20, "{said}");
    assert!(!machine.ok("cat /opt/said").to_lowercase().contains("could not"), "{}", machine.ok("cat /opt/said"));
}

/// Python runs again, and every file is as it was.
#[track_caller]
fn is_whole(machine: &Machine, before: &str) {
    is_pythons(machine, "supervisorctl");
    let after = machine.ok(STATE);
    assert!(after == before, "{}", difference(before, &after));
}

/// The same with files that were copied by hand, under another systemd.
#[test]
fn killed_while_it_rolls_back_a_copied_one() {
    let Some(machine) = boot("takeover_killed_copied", "uos-desktop-20", "trixie") else { return };
    python(&machine);
    super::copy_by_hand(&machine, "trixie");
    start_programs(&machine, "supervisorctl");
    kill::prepare(&machine);
    machine.ok(&format!("{MORTAL} --bundle {FOLDER}/*/ --replace"));
    is_ours(&machine);
    killed_again_and_again_while_it_rolls_back(&machine);
    is_pythons(&machine, "supervisorctl");
}
