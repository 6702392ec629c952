//! `kill -9` of the installer at any moment: running it again succeeds.

use crate::bundle::{self, FOLDER};
use crate::machine::Machine;

/// Moments of death in milliseconds, dense where a run is busiest.
const KILL_AFTER_MILLIS: [u32; 14] = [1, 3, 5, 8, 12, 16, 20, 30, 40, 60, 90, 150, 400, 1500];

#[test]
fn a_killed_installer_can_run_again() {
    let Some(machine) = Machine::boot("killed", "kylin-server-v10") else { return };
    bundle::unpack(&machine, &bundle::path());
    for millis in KILL_AFTER_MILLIS {
        machine.ok(&format!(
            "cd {FOLDER}/* && {{ ./install --distro auto >/dev/null 2>&1 & }}
             sleep {}; kill -9 $! 2>/dev/null; wait; true",
            f64::from(millis) / 1000.0
        ));
    }
    let said = machine.ok(&format!("cd {FOLDER}/* && ./install --distro auto"));
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active", "{said}");
    assert_eq!(machine.ok("find / -xdev -name '*supervisor-kit.new*'"), "", "temporary files of killed runs");
    let main_pid = machine.ok("systemctl show -p MainPID --value supervisord");
    assert_eq!(machine.ok("supervisorctl pid"), main_pid);
}

#[test]
fn a_killed_first_run_leaves_a_machine_that_boots() {
    let Some(machine) = Machine::boot("killed_boots", "centos-7") else { return };
    bundle::unpack(&machine, &bundle::path());
    for millis in [10, 25, 50] {
        machine.ok(&format!(
            "cd {FOLDER}/* && {{ ./install --distro auto >/dev/null 2>&1 & }}
             sleep {}; kill -9 $! 2>/dev/null; wait; true",
            f64::from(millis) / 1000.0
        ));
        machine.reboot();
        machine.ok(&format!("cd {FOLDER}/* && ./install --distro auto"));
        assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
        machine
            .ok("systemctl disable --now supervisord; rm -f /usr/bin/supervisor* /usr/lib/systemd/system/supervisor*");
    }
}
