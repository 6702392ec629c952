//! Killing the installer at every checkpoint of a change: after each death `recover` must leave the host as it was.

use std::path::Path;

use crate::machine::Machine;

/// The installer of the debug build, which can die at a checkpoint and does not watch a fresh service for seconds.
pub const MORTAL: &str = "SUPERVISOR_KIT_SETTLE_MILLIS=0 /opt/mortal/install";

/// What one machine command may take is limited, so the loop stops in time and goes on where it was.
const EVERYWHERE: &str = "\
ends=$((SECONDS + 120))
[ -e /opt/before ] || bash /opt/state >/opt/before 2>&1
at=$(cat /opt/at 2>/dev/null || echo 1)
while [ $SECONDS -lt $ends ]; do
    if SUPERVISOR_KIT_CRASH_AT=$at INSTALL >/opt/said 2>&1; then echo complete after $((at - 1)); exit 0; fi
    [ $at -lt 300 ] || { cat /opt/said; exit 1; }
    /opt/mortal/install recover >/opt/recovered 2>&1 || { echo at $at; cat /opt/recovered; exit 1; }
    ! grep -i 'could not' /opt/recovered || { echo at $at; exit 1; }
    for try in $(seq 100); do
        bash /opt/state >/opt/after 2>&1
        cmp -s /opt/before /opt/after && break
        sleep 0.2
    done
    cmp -s /opt/before /opt/after || { echo after death at $at; diff /opt/before /opt/after; cat /opt/said; exit 1; }
    at=$((at + 1))
    echo $at >/opt/at
done
echo at $at";

/// Puts the mortal installer on a machine.
pub fn prepare(machine: &Machine) {
    machine.copy_in(Path::new(env!("CARGO_BIN_EXE_install")), "/opt/mortal");
}

/// Kills `command` (without the installer's name) at every checkpoint. `state` is a script whose output must be the same
/// after each recovery. At last the command completes; answers how often it died.
#[track_caller]
pub fn everywhere(machine: &Machine, state: &str, command: &str) -> u32 {
    machine.ok("rm -f /opt/at /opt/before");
    machine.write("/opt/state", state);
    machine.write("/opt/kill", &EVERYWHERE.replace("INSTALL", &format!("{MORTAL} {command}")));
    // All in one shell: a thousand commands through the machine's wall would take minutes.
    let mut said = String::new();
    while !said.contains("complete after") {
        said = machine.ok("bash /opt/kill");
    }
    said.rsplit(' ').next().unwrap().trim().parse().unwrap()
}
