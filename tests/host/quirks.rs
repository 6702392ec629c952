//! Hosts that are not as one would wish: the installer copes, or refuses and leaves everything as it was.

use crate::bundle::{self, FOLDER};
use crate::machine::{Machine, difference};

const DESTINATION: i32 = 6;
const REFUSED: i32 = 11;

/// Everything that may be touched, but for what the installer remembers and what the service logs.
const TREE: &str =
    "find /usr /etc /opt/full -xdev ! -path '/opt/full/systemd/*' -printf '%p %y %m %U:%G %l\n' 2>/dev/null | sort";

fn ready(test: &str, distro: &str) -> Option<Machine> {
    let machine = Machine::boot(test, distro)?;
    bundle::unpack(&machine, &bundle::path());
    machine.ok(&format!("mv {FOLDER}/* /opt/kit"));
    Some(machine)
}

#[test]
fn modes_links_and_drop_ins_of_the_administrator() {
    let Some(machine) = ready("quirks", "uos-server-20-e") else { return };
    machine.write(
        "/etc/site/supervisord.conf",
        "[unix_http_server]\nfile=/run/site.sock\n[supervisord]\n[supervisorctl]\nserverurl=unix:///run/site.sock\n\
         [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    );
    machine.ok("ln -s site/supervisord.conf /etc/supervisord.conf");
    machine.write("/etc/systemd/system/supervisord.service.d/site.conf", "[Service]\nEnvironment=SITE=yes");
    machine.ok("umask 077 && /opt/kit/install");
    // Readable by everybody, whatever the operator's umask.
    machine.ok("setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/supervisord -v");
    assert_eq!(machine.ok("stat -c %a /usr/bin/supervisord /usr/lib/systemd/system/supervisord.service"), "755\n644");
    assert_eq!(machine.ok("readlink /etc/supervisord.conf"), "site/supervisord.conf");
    machine.ok("tr '\\0' '\\n' </proc/$(supervisorctl pid)/environ | grep -qx SITE=yes");
    machine.ok("supervisor-install uninstall --purge");
    assert_eq!(machine.ok("readlink /etc/supervisord.conf"), "site/supervisord.conf");
    machine.ok("test -e /etc/systemd/system/supervisord.service.d/site.conf && test ! -e /usr/bin/supervisord");
}

/// `/var/lib` or `/usr/bin` is a small file system that is full after so many bytes more.
#[test]
fn a_disk_that_is_full_at_any_step_leaves_the_host_as_it_was() {
    let Some(machine) = ready("full_disk", "debian-12") else { return };
    let mut refused = 0;
    for place in ["/var/lib", "/etc", "/usr/lib/systemd"] {
        let begin = format!(
            "mkdir -p /opt/full && mount -t tmpfs -o size=64m,mode=755 tmpfs /opt/full && cp -a {place}/. /opt/full/ \
             && mount --bind /opt/full {place}"
        );
        machine.ok(&begin);
        let before = machine.ok(TREE);
        for free_kib in [0, 4, 8, 12, 16, 24, 32, 64, 256, 1024] {
            machine.ok(&format!(
                "dd if=/dev/zero of=/opt/full/filler bs=1024 count=$(($(df --output=avail -k /opt/full | tail -n 1) - \
                 {free_kib})) status=none"
            ));
            let outcome = machine.run("/opt/kit/install --no-start");
            let mut is_installed = outcome.code == 0;
            if is_installed {
                // The way back of a removal needs room as well.
                let removed = machine.run("supervisor-install uninstall --purge");
                assert!(matches!(removed.code, 0 | 9), "{place}, {free_kib} KiB: {}", removed.output);
                is_installed = removed.code == 9;
                refused += u32::from(is_installed);
            } else {
                refused += 1;
                assert!(matches!(outcome.code, 6 | 9), "{place}, {free_kib} KiB: {}", outcome.output);
            }
            machine.ok("rm /opt/full/filler");
            if is_installed {
                machine.ok("supervisor-install uninstall --purge");
            }
            let (after, what) = (machine.ok(TREE), format!("{place}, {free_kib} KiB: {}", outcome.output));
            assert!(after == before, "{what}\n{}", difference(&before, &after));
            machine.ok("test ! -e /var/lib/supervisor-install");
        }
        machine.ok(&format!("umount {place} && umount /opt/full"));
    }
    assert!(refused > 5, "only {refused} runs met the end of the disk");
    machine.ok("/opt/kit/install");
}

#[test]
fn places_that_are_read_only_are_refused_before_anything_is_changed() {
    let Some(machine) = ready("read_only", "kylin-server-v10") else { return };
    for place in ["/etc", "/var/lib"] {
        machine.ok(&format!("mount --bind {place} {place} && mount -o remount,bind,ro {place}"));
        let before = machine.ok(TREE);
        let outcome = machine.run("/opt/kit/install");
        assert!(matches!(outcome.code, 6 | 9), "{place}: {}", outcome.output);
        let after = machine.ok(TREE);
        assert!(after == before, "{place}: {}\n{}", outcome.output, difference(&before, &after));
        machine.ok(&format!("umount --lazy {place}"));
    }
    machine.ok("/opt/kit/install");
    // And on the way out.
    machine.ok("mount --bind /usr /usr && mount -o remount,bind,ro /usr");
    let outcome = machine.run("supervisor-install uninstall");
    assert_eq!(outcome.code, 6, "{}", outcome.output);
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
}

/// Hardened hosts mount all places where anybody may write with noexec.
#[test]
fn noexec_where_bundles_are_unpacked_and_few_inodes() {
    let Some(machine) = ready("hardened", "kylin-server-v10") else { return };
    machine.ok("for dir in /tmp /var/tmp /home /dev/shm; do mount -t tmpfs -o noexec,nosuid,nodev tmpfs $dir; done");
    machine.ok("cp -a /opt/kit /home/kit");
    let refused = machine.run("/home/kit/install");
    assert_eq!(refused.code, 126, "{}", refused.output);
    let refused = machine.run("LANG=C sh /home/kit/install.sh");
    assert_eq!(refused.code, REFUSED, "{}", refused.output);
    assert!(refused.output.contains("noexec, copy the folder to /opt"), "{}", refused.output);

    // Too few inodes for an installation and its journal.
    machine.ok(
        "mkdir /opt/few && mount -t tmpfs -o nr_inodes=$(($(find /usr/bin | wc -l) + 30)),mode=755 tmpfs /opt/few \
         && cp -a /usr/bin/. /opt/few/ && mount --bind /opt/few /usr/bin",
    );
    let refused = machine.run("/opt/kit/install");
    assert_eq!(refused.code, DESTINATION, "{}", refused.output);
    assert!(refused.output.contains("no-inodes"), "{}", refused.output);
    machine.ok("umount --lazy /usr/bin && umount /opt/few");

    // From where programs run, with nothing of it in a place where they do not.
    machine.ok("/opt/kit/install && supervisor-install doctor");
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
    assert_eq!(machine.ok("find /tmp /var/tmp /dev/shm -name '*supervis*'"), "");
}

/// A copy of the unit in /etc, as the manual procedure's readers make it: it is the administrator's, and it wins.
#[test]
fn a_shadowing_unit_is_told_and_kept() {
    let Some(machine) = ready("shadowing", "debian-12") else { return };
    let unit = "/etc/systemd/system/supervisord.service";
    machine.write(
        unit,
        "[Unit]\nDescription=Ours\n[Service]\nType=forking\nPIDFile=/run/supervisord.pid\n\
         ExecStart=/usr/bin/supervisord -c /etc/supervisord.conf\n[Install]\nWantedBy=multi-user.target",
    );
    let before = machine.ok(&format!("sha256sum {unit}"));
    machine.ok("mkdir -p /run/supervisor");
    let said = machine.ok("/opt/kit/install");
    assert!(said.contains("unit-shadowed") && said.contains(unit), "{said}");
    assert_eq!(machine.ok("systemctl is-active supervisord; systemctl is-enabled supervisord"), "active\nenabled");
    assert_eq!(machine.ok("systemctl show -p Description --value supervisord"), "Ours");
    assert_eq!(machine.ok("systemctl show -p MainPID --value supervisord"), machine.ok("supervisorctl pid"));
    machine.ok("supervisor-install verify && supervisor-install uninstall --purge");
    assert_eq!(machine.ok(&format!("sha256sum {unit}")), before);
}
