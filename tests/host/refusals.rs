//! What `install` refuses: one clear message, a stable exit code, and nothing left half-installed.

use crate::bundle::{self, FOLDER};
use crate::machine::{Machine, Outcome};

// The stable exit codes of `install`, as both READMEs list them.
const NOT_ROOT: i32 = 3;
const BUNDLE_DAMAGED: i32 = 4;
const WRONG_ARCHITECTURE: i32 = 5;
const DESTINATION: i32 = 6;
const CONFIG_INVALID: i32 = 7;

/// Every place where an installation leaves something, temporary names included, but for the log of every run.
const TRACES: &str = "find /usr /etc /var/log /run -xdev \\( -name '*supervisor*' -o -name 'pidproxy*' \
                      -o -name 'echo_supervisord*' \\) ! -path '/run/systemd/*' ! -name supervisor-install.log";

/// Boots, prepares with `prepare`, runs `command` in the bundle's folder: expects `code`, `word` in the message, and
/// that nothing on the machine is other than before.
#[track_caller]
fn refuses(machine: &Machine, prepare: &str, command: &str, code: i32, word: &str) {
    machine.ok(prepare);
    let before = machine.ok(TRACES);
    let Outcome { code: found, output } = machine.run(&format!("cd {FOLDER}/* && {command}"));
    assert_eq!(found, code, "exit code of `{command}` after `{prepare}`\n{output}");
    assert!(output.contains(word), "the message does not say '{word}':\n{output}");
    assert_eq!(machine.ok(TRACES), before, "left behind after:\n{output}");
    assert_ne!(machine.run("systemctl is-active supervisord").output.trim(), "active");
}

#[track_caller]
fn installs(machine: &Machine, prepare: &str) {
    machine.ok(prepare);
    machine.ok(&format!("cd {FOLDER}/* && ./install --distro auto"));
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
}

#[test]
fn not_root() {
    let Some(machine) = Machine::boot("not_root", "kylin-server-v10") else { return };
    bundle::unpack(&machine, &bundle::path());
    let as_nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups ./install --distro auto";
    refuses(&machine, "true", as_nobody, NOT_ROOT, "root");
}

#[test]
fn damaged_or_missing_payload() {
    let Some(machine) = Machine::boot("damaged_payload", "centos-7") else { return };
    bundle::unpack(&machine, &bundle::path());
    let install = "./install --distro auto";
    machine.ok(&format!("cp -a {FOLDER}/* /opt/good"));
    let restore = format!("cp -a /opt/good/. {FOLDER}/*/");

    let flip = format!("cd {FOLDER}/* && printf '\\x5a' | dd of=payload.tgz bs=1 seek=100000 conv=notrunc status=none");
    refuses(&machine, &flip, install, BUNDLE_DAMAGED, "payload.tgz");
    machine.ok(&restore);
    refuses(&machine, &format!("truncate -s -1000 {FOLDER}/*/payload.tgz"), install, BUNDLE_DAMAGED, "payload.tgz");
    machine.ok(&restore);
    refuses(&machine, &format!("rm {FOLDER}/*/payload.tgz"), install, BUNDLE_DAMAGED, "payload.tgz");
    machine.ok(&restore);
    refuses(&machine, &format!("echo '{{' >{FOLDER}/*/manifest.json"), install, BUNDLE_DAMAGED, "manifest.json");
    installs(&machine, &restore);
}

#[test]
fn wrong_architecture() {
    let Some(machine) = Machine::boot("wrong_arch", "uos-server-20-e") else { return };
    bundle::unpack(&machine, &bundle::path());
    let scratch = tempfile::tempdir().unwrap();
    machine.copy_in(&bundle::of_wrong_architecture(scratch.path()), "/opt/foreign");
    machine.ok("cd /opt/foreign && tar -xzf ./*.tgz && rm ./*.tgz");
    let install = "./install --distro auto --bundle /opt/foreign/*/";
    refuses(&machine, "true", install, WRONG_ARCHITECTURE, "aarch64");
}

#[test]
fn read_only_usr_and_opt() {
    let Some(machine) = Machine::boot("read_only_usr", "kylin-server-v10") else { return };
    bundle::unpack(&machine, &bundle::path());
    let prepare = "for dir in /usr /opt; do mount --bind $dir $dir && mount -o remount,bind,ro $dir; done";
    refuses(&machine, prepare, "./install --distro auto", DESTINATION, "/opt");
    installs(&machine, "umount --lazy /usr /opt");
}

#[test]
fn log_folder_that_cannot_be_written() {
    let Some(machine) = Machine::boot("log_folder", "uos-desktop-20") else { return };
    bundle::unpack(&machine, &bundle::path());
    let install = "./install --distro auto";
    let prepare = "mkdir -p /var/log/supervisor && mount --bind /var/log/supervisor /var/log/supervisor \
                   && mount -o remount,bind,ro /var/log/supervisor";
    refuses(&machine, prepare, install, DESTINATION, "/var/log/supervisor");
    let file_in_the_way = "umount /var/log/supervisor && rmdir /var/log/supervisor && echo mine >/var/log/supervisor";
    refuses(&machine, file_in_the_way, install, DESTINATION, "/var/log/supervisor");
    assert_eq!(machine.ok("cat /var/log/supervisor"), "mine");
    installs(&machine, "rm /var/log/supervisor");
}

#[test]
fn configuration_with_an_error() {
    let Some(machine) = Machine::boot("config_error", "debian-12") else { return };
    bundle::unpack(&machine, &bundle::path());
    let install = "./install --distro auto";
    machine.write("/etc/supervisord.conf", "[supervisord]\nlogfile_maxbytes=fifty");
    refuses(&machine, "true", install, CONFIG_INVALID, "fifty");
    assert_eq!(machine.ok("cat /etc/supervisord.conf"), "[supervisord]\nlogfile_maxbytes=fifty");
    machine.write("/etc/supervisord.conf", "[supervisord]\n[program:app]\ncommand=/bin/true\nuser=no-such-user");
    refuses(&machine, "true", install, CONFIG_INVALID, "no-such-user");

    // Corrected by the operator, the file is kept.
    machine.write("/etc/supervisord.conf", "[unix_http_server]\nfile=/run/own.sock\n[supervisord]\nlogfile=/var/log/own.log\n[supervisorctl]\nserverurl=unix:///run/own.sock\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface");
    installs(&machine, "true");
    machine.ok("test -S /run/own.sock && grep -q own.sock /etc/supervisord.conf");
}
