//! `install --replace` on machines where Python's Supervisor runs programs: it takes over, and goes back.

mod killed;
mod live;

use std::path::Path;
use std::process::Command;

use crate::bundle::{self, FOLDER, in_project};
use crate::machine::Machine;
use crate::transaction::Row;

const OTHER_SUPERVISOR: i32 = 10;
/// The old Supervisor of each tree: that of the manual procedure, but for Python 3.13, which does not run it.
fn version(suite: &str) -> &'static str {
    if suite == "trixie" { "4.3.0" } else { "4.2.2" }
}

/// What `scripts/setup` keeps for these tests.
const OLD: &str = "/opt/old";
/// Three programs: one of two processes, one that only runs because somebody started it.
const PROGRAMS: &str = "\
[program:web]
command=sleep 1001
[program:work]
command=sleep 1002
numprocs=2
process_name=%(program_name)s_%(process_num)d
[program:byhand]
command=sleep 1003
autostart=false
[program:never]
command=sleep 1004
autostart=false
";
/// Name and state of each program.
const STATUS: &str = "awk '{ print $1, $2 }'";
const EXPECTED: &str = "byhand RUNNING\nnever STOPPED\nweb RUNNING\nwork:work_0 RUNNING\nwork:work_1 RUNNING";

/// A machine with Python, wheels and packages, and our bundle.
fn boot(test: &str, distro: &str, suite: &str) -> Option<Machine> {
    let machine = Machine::boot_suite(test, distro, suite)?;
    bundle::unpack(&machine, &bundle::path());
    let old = in_project("target/old");
    assert!(old.join(".done-each-suite").exists(), "{}: `scripts/setup` makes it", old.display());
    machine.copy_in(&old.join(suite), OLD);
    machine.copy_in(&old.join("wheels"), OLD);
    machine.ok(&format!("mv {OLD}/{suite}/deb {OLD}/"));
    Some(machine)
}

/// Without rpm and what it needs, as on a Debian.
fn python(machine: &Machine) {
    machine.ok(&format!(
        "cd {OLD}/deb && dpkg --force-all -i $(ls *.deb | grep -E '^(lib)?(python|mpdec|sqlite|readline|nsl|ffi|media)')"
    ));
}

/// Makes the four programs run as [`EXPECTED`] says.
fn start_programs(machine: &Machine, client: &str) {
    machine.ok(&format!("{client} update && {client} start byhand"));
    machine.wait_until(&format!("[ \"$({client} status | {STATUS})\" = '{EXPECTED}' ]"));
}

/// Takes over with `./install --replace`, and checks what must be true however the old one came.
fn take_over(machine: &Machine, found: &str, (suite, distro): (&'static str, &'static str)) -> (Row, String) {
    let refused = machine.run(&format!("cd {FOLDER}/* && ./install"));
    assert_eq!(refused.code, OTHER_SUPERVISOR, "{}", refused.output);
    assert!(refused.output.contains("./install --replace") && refused.output.contains(found), "{}", refused.output);
    let command = format!("cd {FOLDER}/* && ./install --replace");
    let (row, said) = Row::timed(machine, suite, distro, "install --replace", &command);
    assert!(said.contains("all programs that ran before run again (4)"), "{said}");
    is_ours(machine);
    let again = machine.ok(&format!("cd {FOLDER}/* && ./install"));
    assert!(again.contains("already up to date"), "{again}");
    (row, said)
}

fn is_ours(machine: &Machine) {
    let pid = machine.ok("systemctl show -p MainPID --value supervisord");
    assert_eq!(machine.ok(&format!("readlink /proc/{pid}/exe")), "/usr/bin/supervisord");
    assert_eq!(machine.ok("hash -r; supervisorctl pid"), pid);
    machine.wait_until(&format!("[ \"$(supervisorctl status | {STATUS})\" = '{EXPECTED}' ]"));
    assert_eq!(machine.ok("systemctl is-enabled supervisord"), "enabled");
    assert_eq!(machine.run("pgrep -fc '[p]ython3.*supervisord'").output.trim(), "0", "the old one still runs");
    assert_eq!(machine.ok("pgrep -fc '^sleep 100'"), "4");
}

/// Python runs again, whole, with the same programs.
fn is_pythons(machine: &Machine, client: &str) {
    let programs = EXPECTED.replace("byhand RUNNING", "byhand STOPPED");
    machine.wait_until(&format!("[ \"$({client} status | {STATUS})\" = '{programs}' ]"));
    assert_eq!(machine.run("pgrep -fc '[p]ython3.*supervisord'").output.trim(), "1", "{}", machine.ok("ps axf"));
    assert_eq!(machine.ok("find / -xdev -name '*supervisor-kit*' ! -path '/opt/*' ! -path '/proc/*'"), "");
    assert!(!machine.run("systemctl list-unit-files").output.contains("guard"));
    assert_eq!(machine.run("systemctl list-units --all --plain --no-legend '*-programs.service'").output, "");
}

fn roll_back(machine: &Machine, client: &str) {
    let said = machine.ok("supervisor-install rollback");
    assert!(!said.contains("could not"), "{said}");
    is_pythons(machine, client);
}

/// A life with Debian's package; `every_verb_under_three_systemds` has it for each of them.
pub fn debians_package(suite: &'static str) -> Option<Vec<Row>> {
    const DISTRO: &str = "debian-12";
    let machine = boot(&format!("takeover_deb_{suite}"), DISTRO, suite)?;
    python(&machine);
    machine.ok(&format!("dpkg -i {OLD}/deb/supervisor_*.deb"));
    machine.write("/etc/supervisor/conf.d/programs.conf", PROGRAMS);
    start_programs(&machine, "supervisorctl");
    let (replaced, _) = take_over(&machine, "deb package supervisor", (suite, DISTRO));
    assert!(machine.run("test -e /etc/supervisord.conf").code != 0, "a second configuration");
    assert!(machine.ok("dpkg-divert --list").contains("/usr/bin/supervisord.python"));
    machine.reboot();
    machine.ok("supervisorctl start byhand");
    is_ours(&machine);
    // An update of the package puts its programs elsewhere, and does not stop ours for good.
    machine.ok(&format!("dpkg -i {OLD}/deb/supervisor_*.deb"));
    machine.ok("test -e /usr/bin/supervisord.python && supervisorctl start byhand; rm /usr/bin/*.python");
    is_ours(&machine);
    let went_back = Row::timed(&machine, suite, DISTRO, "rollback, of a takeover", "supervisor-install rollback");
    assert!(!went_back.1.contains("could not"), "{}", went_back.1);
    is_pythons(&machine, "supervisorctl");
    assert_eq!(machine.ok("systemctl is-active supervisor; systemctl is-enabled supervisor"), "active\nenabled");
    assert!(!machine.ok("dpkg-divert --list").contains("supervisor"));
    assert_eq!(machine.run("dpkg -V supervisor").output, "", "the package is not whole");
    machine.reboot();
    is_pythons(&machine, "supervisorctl");
    Some(vec![replaced, went_back.0])
}

/// By the manual procedure, word for word.
fn copy_by_hand(machine: &Machine, suite: &str) {
    let version = version(suite);
    machine.ok(&format!(
        "cd {OLD} && python3 -m venv env && env/bin/pip install -q --no-index --find-links wheels supervisor=={version} setuptools
         site=/usr/lib/python3/dist-packages
         cd env/bin && sed -i '1s:.*:#!/usr/bin/python3:' echo_supervisord_conf pidproxy supervisorctl supervisord
         cp echo_supervisord_conf pidproxy supervisorctl supervisord /usr/bin/
         cd ../lib/python3*/site-packages && cp -rp supervisor $site/
         cp -rp supervisor-{version}.dist-info $site/supervisor-{version}-py3.6.egg-info && rm $site/supervisor-{version}*/RECORD
         mv $site/supervisor-{version}*/METADATA $site/supervisor-{version}-py3.6.egg-info/PKG-INFO
         cp -rp pkg_resources setuptools $site/ 2>/dev/null; mkdir -p /var/log/supervisor /etc/supervisord.d"
    ));
    config(machine);
    machine.write("/usr/lib/systemd/system/supervisord.service", OLD_UNIT);
    machine.ok("systemctl daemon-reload && systemctl enable -q supervisord && systemctl start supervisord");
}

/// As EPEL has it, with our programs.
fn config(machine: &Machine) {
    machine.write(
        "/etc/supervisord.conf",
        "[unix_http_server]\nfile=/tmp/supervisor.sock\n[supervisord]\nlogfile=/var/log/supervisor/supervisord.log\n\
         pidfile=/run/supervisord.pid\n[rpcinterface:supervisor]\n\
         supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\n\
         serverurl=unix:///tmp/supervisor.sock\n[include]\nfiles = supervisord.d/*.ini",
    );
    machine.write("/etc/supervisord.d/programs.ini", PROGRAMS);
}

const OLD_UNIT: &str = "\
[Unit]
Description=Process Monitoring and Control Daemon
After=rc-local.service
[Service]
Type=forking
Environment=KEPT=no
ExecStart=/usr/bin/supervisord -c /etc/supervisord.conf
[Install]
WantedBy=multi-user.target";

#[test]
fn copied_by_hand_by_pip_and_started_by_hand_on_systemd_247() {
    copied_by_hand_by_pip_and_started_by_hand("takeover_copied_247", "bullseye");
}

#[test]
fn copied_by_hand_by_pip_and_started_by_hand_on_systemd_252() {
    copied_by_hand_by_pip_and_started_by_hand("takeover_copied_252", "bookworm");
}

#[test]
fn copied_by_hand_by_pip_and_started_by_hand_on_systemd_257() {
    copied_by_hand_by_pip_and_started_by_hand("takeover_copied_257", "trixie");
}

fn copied_by_hand_by_pip_and_started_by_hand(test: &str, suite: &'static str) {
    let Some(machine) = boot(test, "uos-desktop-20", suite) else { return };
    python(&machine);
    copy_by_hand(&machine, suite);
    start_programs(&machine, "supervisorctl");
    let before = machine.ok("sha256sum /usr/bin/supervisor* /usr/lib/systemd/system/supervisord.service");
    take_over(&machine, "copied by hand", (suite, "uos-desktop-20"));
    roll_back(&machine, "supervisorctl");
    assert_eq!(machine.ok("sha256sum /usr/bin/supervisor* /usr/lib/systemd/system/supervisord.service"), before);

    let version = version(suite);
    // The same host, now by pip, in an environment of its own with links, and nobody but a shell started it.
    machine.ok(&format!(
        "systemctl disable --now supervisord; rm -f /usr/bin/{{supervisor*,pidproxy,echo_supervisord_conf}} \
         /usr/lib/systemd/system/supervisord.service; systemctl daemon-reload
         cd {OLD} && rm -rf env && python3 -m venv /opt/env && /opt/env/bin/pip install -q --no-index --find-links \
         wheels supervisor=={version} setuptools && for name in supervisord supervisorctl pidproxy echo_supervisord_conf; do \
         ln -s /opt/env/bin/$name /usr/local/bin/$name; done
         mkdir -p /srv/site && mv /etc/supervisord.conf /etc/supervisord.d /srv/site/
         cd /srv/site && setsid /usr/local/bin/supervisord -c supervisord.conf"
    ));
    let client = "/usr/local/bin/supervisorctl -c /srv/site/supervisord.conf";
    start_programs(&machine, client);
    let refused = machine.run(&format!("cd {FOLDER}/* && ./install"));
    assert!(refused.output.contains("installed by pip") && refused.output.contains("rc.local"), "{}", refused.output);
    let said = machine.ok(&format!("cd {FOLDER}/* && ./install --replace"));
    assert!(said.contains("all programs that ran before run again (4)"), "{said}");
    machine.ok("ln -s /srv/site/supervisord.conf /etc/supervisord.conf");
    is_ours(&machine);
    machine.ok("rm /etc/supervisord.conf && test ! -e /usr/local/bin/supervisord");
    roll_back(&machine, client);
}

#[test]
fn epels_package_on_systemd_247() {
    epels_package("takeover_rpm_247", "bullseye");
}

#[test]
fn epels_package_on_systemd_252() {
    epels_package("takeover_rpm_252", "bookworm");
}

#[test]
fn epels_package_on_systemd_257() {
    epels_package("takeover_rpm_257", "trixie");
}

/// A real package in a real rpm database, on a Red Hat by its os-release.
fn epels_package(test: &str, suite: &'static str) {
    let Some(machine) = boot(test, "rocky-9", suite) else { return };
    let scratch = tempfile::tempdir().unwrap();
    machine.copy_in(&epel_rpm(scratch.path(), version(suite)), OLD);
    // No dpkg on a Red Hat: its files are put in place by hand, and so is a module that EPEL has in a package of its own.
    machine.ok(&format!(
        "cd {OLD}/deb && for deb in $(ls *.deb | grep -v ^supervisor_); do dpkg-deb --fsys-tarfile $deb | \
         tar -C / --keep-directory-symlink -xf -; done; ldconfig
         mkdir -p /etc/rpm && printf '%%_dbpath /var/lib/rpm\\n%%_db_backend sqlite\\n' >/etc/rpm/macros
         python3 -m zipfile -e {OLD}/wheels/setuptools-*.whl /usr/lib/python3/dist-packages && rpm --initdb
         rpm -U --nodeps {OLD}/supervisor-*.rpm && systemctl enable -q supervisord && systemctl start supervisord"
    ));
    machine.write("/etc/supervisord.d/programs.ini", PROGRAMS);
    // A plug-in of the site's own: it cannot be had, and that is told.
    machine.write(
        "/usr/lib/python3/dist-packages/site_plugin.py",
        "def make(supervisord, **config):\n    return object()",
    );
    let plugin = "[rpcinterface:site]\nsupervisor.rpcinterface_factory = site_plugin:make";
    machine.write("/etc/supervisord.d/plugin.ini", plugin);
    machine.ok("systemctl restart supervisord");
    start_programs(&machine, "supervisorctl");
    assert_eq!(machine.run("rpm -V --nodeps supervisor").output, "", "the package is not whole to begin with");
    let (_, said) = take_over(&machine, "rpm package supervisor", (suite, "rocky-9"));
    assert!(said.contains("a plug-in will be missing: /etc/supervisord.d/plugin.ini"), "{said}");
    assert!(machine.ok("grep '^file=' /etc/supervisord.conf").contains("/run/supervisor/supervisor.sock"));
    machine.reboot();
    machine.ok("supervisorctl start byhand");
    is_ours(&machine);
    roll_back(&machine, "supervisorctl");
    assert_eq!(machine.run("rpm -V --nodeps supervisor").output, "", "the package is not whole");
    assert_eq!(machine.ok("systemctl is-active supervisord; systemctl is-enabled supervisord"), "active\nenabled");
    machine.reboot();
    is_pythons(&machine, "supervisorctl");
    // Taken off the books as the takeover advises, our files stay when rpm forgets the package.
    machine.ok("supervisorctl start byhand");
    take_over(&machine, "rpm -e --justdb --nodeps supervisor", (suite, "rocky-9"));
    machine.ok("rpm -e --justdb --nodeps supervisor && supervisor-install verify");
}

/// Builds EPEL's package with this machine's rpmbuild.
fn epel_rpm(scratch: &Path, version: &str) -> std::path::PathBuf {
    let wheel = in_project("target/old/wheels").join(format!("supervisor-{version}-py2.py3-none-any.whl"));
    let (wheel, scratch_path) = (wheel.display(), scratch.display());
    let mut rpmbuild = Command::new("rpmbuild");
    for definition in [
        format!("wheel {wheel}"),
        format!("supervisor {version}"),
        format!("_topdir {scratch_path}"),
        format!("_rpmdir {scratch_path}"),
    ] {
        rpmbuild.args(["--define", &definition]);
    }
    let built = rpmbuild.args(["-bb", "--quiet"]).arg(in_project("tests/host/takeover/epel.spec")).output().unwrap();
    assert!(built.status.success(), "rpmbuild: {}", String::from_utf8_lossy(&built.stderr));
    let mut packages = std::fs::read_dir(scratch.join("noarch")).unwrap().map(|entry| entry.unwrap().path());
    packages.next().unwrap()
}
