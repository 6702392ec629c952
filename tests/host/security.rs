//! fapolicyd and KySec, played: their commands are scripts that keep the lists and labels as theirs do, and a watcher
//! in the place of their kernel part really refuses to run what is not on the list (`exec_guard.c`).

use std::process::Command;

use crate::bundle::{self, FOLDER, in_project};
use crate::machine::{Machine, difference};
use crate::transaction::EVERYTHING;

const REFUSED: i32 = 11;
const SERVICE: i32 = 8;
const UNHEALTHY: i32 = 15;
const DRIFT: i32 = 14;

/// A rule by path, size and hash. The list is made anew by each update, and a file that does not fit is not on it.
const FAPOLICYD_CLI: &str = r#"#!/bin/bash
[ "$1" = --update ] || exit 1
cat /etc/fapolicyd/trust.d/* 2>/dev/null | while read -r path size sha; do
    [ -f "$path" ] && [ "$(stat -c %s "$path")" = "$size" ] || continue
    [ "$(sha256sum <"$path" | cut -d' ' -f1)" = "$sha" ] && echo "$(stat -c %i:%.W "$path") $path"
done >/run/guard/new
mv /run/guard/new /run/guard/list"#;
/// A label of the file, whatever it is called; a copy has none, even if it has the inode of a file that is gone.
const KYSEC_SET: &str = r#"#!/bin/bash
[ ! -e /run/guard/three-admins ] || { echo "permission denied" >&2; exit 1; }
[ "$1 $2 $3 $4" = "-n exectl -v verified" ] && echo "$(stat -c %i:%.W "$5") *" >>/run/guard/list"#;
const KYSEC_GET: &str = r#"#!/bin/bash
if grep -q "^$(stat -c %i:%.W "$3") " /run/guard/list; then echo "$3: verified"; else echo "$3: unknown"; fi"#;
const GETSTATUS: &str =
    "#!/bin/bash\necho 'KySec status: Normal'\necho\necho 'exec control : on'\necho 'kid protect  : off'";

/// A machine with the bundle in `/srv/kit`; from the call of [`guard`] on, what is new does not run.
fn boot(test: &str, distro: &str) -> Option<Machine> {
    let machine = Machine::boot(test, distro)?;
    bundle::unpack(&machine, &bundle::path());
    machine.ok(&format!("mkdir /srv/kit /run/guard && mv {FOLDER}/*/* /srv/kit/ && rm -r {FOLDER}"));
    let scratch = tempfile::tempdir().unwrap();
    let program = scratch.path().join("exec_guard");
    let source = in_project("tests/host/exec_guard.c");
    let built = Command::new("cc").args(["-static", "-O1", "-o"]).arg(&program).arg(source).output().unwrap();
    assert!(built.status.success(), "cc: {}", String::from_utf8_lossy(&built.stderr));
    machine.copy_in(&program, "/opt/guard");
    Some(machine)
}

#[track_caller]
fn tool(machine: &Machine, path: &str, text: &str) {
    machine.write(path, text);
    machine.ok(&format!("chmod +x {path}"));
}

/// Starts to watch. Not as a service: units of a machine may not use fanotify, only who enters it from outside may.
fn guard(machine: &Machine) {
    machine
        .ok("touch /run/guard/list; setsid /opt/guard/exec_guard /run/guard/list >/run/guard/said 2>&1 </dev/null &");
    // Times are in whole seconds there: what is made from the next one on is new.
    machine.wait_until("cat /bin/true >/opt/new-program; chmod +x /opt/new-program; ! /opt/new-program");
    machine.ok("rm /opt/new-program");
}

/// Everything but for the log of refused runs.
fn everything(machine: &Machine) -> String {
    machine.ok(&format!("{{ {EVERYTHING}; }} | grep -v /var/log/supervisor-install.log"))
}

#[test]
fn fapolicyd_runs_what_it_was_told_of_and_refuses_the_rest() {
    let Some(machine) = boot("fapolicyd", "kylin-server-v11") else { return };
    tool(&machine, "/usr/sbin/fapolicyd-cli", FAPOLICYD_CLI);
    machine.ok("mkdir -p /etc/fapolicyd/trust.d");
    machine.write("/etc/systemd/system/fapolicyd.service", "[Service]\nExecStart=/bin/sleep infinity");
    machine.ok("systemctl daemon-reload && systemctl start fapolicyd");
    guard(&machine);
    let before = everything(&machine);

    let refused = machine.run("/srv/kit/install --no-fapolicyd");
    assert_eq!(refused.code, REFUSED, "{}", refused.output);
    assert!(refused.output.contains("fapolicyd-denied") && refused.output.contains("Next: "), "{}", refused.output);
    let after = everything(&machine);
    assert!(before == after, "{}", difference(&before, &after));

    machine.ok("/srv/kit/install");
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
    machine.ok("supervisor-install verify && supervisor-install doctor && supervisord -v");
    assert_eq!(machine.ok("wc -l </etc/fapolicyd/trust.d/supervisor"), "2");
    machine.ok("systemctl restart supervisord && supervisorctl pid && /srv/kit/install upgrade");

    // Somebody takes us off its list: the service cannot start any more, and the cause is named.
    machine.ok("mv /etc/fapolicyd/trust.d/supervisor /opt/ && fapolicyd-cli --update; ! systemctl restart supervisord");
    let found = machine.run("/srv/kit/install doctor");
    assert_eq!(found.code, UNHEALTHY, "{}", found.output);
    assert!(found.output.contains("fapolicyd-denied"), "{}", found.output);
    machine.ok("mv /opt/supervisor /etc/fapolicyd/trust.d/ && fapolicyd-cli --update && /srv/kit/install");
    machine.ok("supervisor-install uninstall --purge");
    assert_eq!(machine.ok("cat /run/guard/list"), "", "still trusted");
    let after = everything(&machine);
    assert!(before == after, "{}", difference(&before, &after));
}

#[test]
fn kysec_runs_what_is_marked_and_refuses_the_rest() {
    let Some(machine) = boot("kysec", "kylin-desktop-v10") else { return };
    for (name, text) in [("getstatus", GETSTATUS), ("kysec_set", KYSEC_SET), ("kysec_get", KYSEC_GET)] {
        tool(&machine, &format!("/usr/sbin/{name}"), text);
    }
    machine.ok("mkdir -p /etc/kysec");
    guard(&machine);
    let before = everything(&machine);

    // In three-administrator mode root may not mark anything.
    machine.ok("touch /run/guard/three-admins");
    let refused = machine.run("/srv/kit/install");
    assert_eq!(refused.code, REFUSED, "{}", refused.output);
    assert!(refused.output.contains("kysec-denied") && refused.output.contains("secadm"), "{}", refused.output);
    machine.ok("rm /run/guard/three-admins");
    let after = everything(&machine);
    assert!(before == after, "{}", difference(&before, &after));

    machine.ok("/srv/kit/install");
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
    machine.ok("systemctl restart supervisord && supervisorctl pid && supervisor-install doctor");

    // A copy has no mark: what somebody puts in our place does not run, and that is told as the cause.
    machine.ok("cp /usr/bin/supervisord /usr/bin/copy && mv /usr/bin/copy /usr/bin/supervisord");
    let drift = machine.run("/srv/kit/install verify");
    assert!(drift.code == DRIFT && drift.output.contains("kysec-unmarked"), "{}", drift.output);
    machine.ok("touch /run/guard/three-admins");
    let down = machine.run("systemctl stop supervisord; /srv/kit/install");
    assert!(matches!(down.code, REFUSED | SERVICE), "{}", down.output);
    let found = machine.run("/srv/kit/install doctor");
    assert_eq!(found.code, UNHEALTHY, "{}", found.output);
    assert!(found.output.contains("kysec-denied"), "{}", found.output);
    // Once marks may be set again, the installer sets the one that is missing, although no file has changed.
    machine.ok("rm /run/guard/three-admins && /srv/kit/install");
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
    machine.ok("supervisor-install uninstall --purge");
    let after = everything(&machine);
    assert!(before == after, "{}", difference(&before, &after));
}
