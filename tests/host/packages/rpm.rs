//! `rpm` on machines of the rpm family.

use std::path::PathBuf;
use std::process::Command;

use super::{PACKAGES, PROGRAM, Running, Scratch, enable_and_start, released, repacked, runs_replaced, tree};
use crate::bundle::{self, FOLDER, in_project};
use crate::machine::{Machine, difference};

fn file_name(release: &str) -> String {
    format!("supervisor-kit-{}-{release}.{}.rpm", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH)
}

/// What every system of the family has: our package needs nothing else.
const SHELL: &str = "\
Name: bash
Version: 5
Release: 1
Summary: The shell, for a machine whose package database is empty
License: GPL
BuildArch: noarch
Provides: /bin/sh
%description
It holds nothing.
%files
";

/// A machine with rpm, and with our package of two releases. `None`: this host boots no machines.
fn boot(test: &str, distro: &str, scratch: &Scratch) -> Option<Machine> {
    let machine = Machine::boot(test, distro)?;
    let debs = in_project("target/rpm/deb");
    assert!(in_project("target/rpm/.done").exists(), "{}: `scripts/setup` makes it", debs.display());
    machine.copy_in(&debs, "/opt");
    unpack(&machine, "/opt/deb/*.deb");
    machine.ok("rm -r /opt/deb");
    machine.copy_in(&released(&file_name("1")), PACKAGES);
    machine.copy_in(&repacked("rpm", "2", scratch.path()), PACKAGES);
    machine.copy_in(&build(scratch, "bash", SHELL), PACKAGES);
    machine.ok(&format!("rpm --initdb && rpm -i {PACKAGES}/bash-*.rpm"));
    Some(machine)
}

/// Puts the files of deb packages onto a machine whose package manager is another one.
fn unpack(machine: &Machine, debs: &str) {
    let one = "dpkg-deb --fsys-tarfile $deb | tar -x --keep-directory-symlink -C /";
    machine.ok(&format!("for deb in {debs}; do {one}; done; ldconfig"));
}

/// Builds a package with the system's own `rpmbuild`.
fn build(scratch: &Scratch, name: &str, spec: &str) -> PathBuf {
    let spec = scratch.write(&format!("{name}.spec"), spec);
    let out = scratch.path().join(format!("{name}-rpm"));
    let output = Command::new("rpmbuild")
        .args(["-bb", "--quiet", "--define", "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.rpm", "--define"])
        .arg(format!("_topdir {}", scratch.path().join("rpmbuild").display()))
        .arg("--define")
        .arg(format!("_rpmdir {}", out.display()))
        .arg(spec)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut built = std::fs::read_dir(&out).unwrap();
    built.next().unwrap().unwrap().path()
}

fn rpm(machine: &Machine, args: &str, release: &str) -> String {
    machine.ok(&format!("rpm {args} {PACKAGES}/{}", file_name(release)))
}

#[test]
fn installed_upgraded_downgraded_and_removed() {
    let scratch = Scratch::new();
    let Some(machine) = boot("rpm_life", "kylin-server-v10", &scratch) else { return };
    let before = tree(&machine);
    let said = rpm(&machine, "-ivh", "1");
    // Forty marks for each phase where there is no terminal; without the size of the archive rpm 4.11 prints thousands.
    assert!(said.lines().any(|line| line.ends_with(&format!(" {}", "#".repeat(40)))), "{said}");
    assert!(said.lines().all(|line| line.len() < 100), "no progress bar, but a screen full of them:\n{said}");
    enable_and_start(&machine);
    assert!(machine.ok("supervisor-install status").contains("from a package (rpm)"));
    machine.write("/etc/supervisord.d/payment.ini", PROGRAM);
    machine.ok("supervisorctl update");
    let first = Running::of(&machine);

    // The administrator's configuration and the running programs are not for an upgrade to touch.
    machine.ok("sed -i 's/^loglevel=info/loglevel=debug/' /etc/supervisord.conf");
    let edited = machine.ok("sha256sum /etc/supervisord.conf");
    let said = rpm(&machine, "-Uvh", "2");
    assert!(said.contains("When the time is right: systemctl restart supervisord"), "{said}");
    assert_eq!(Running::of(&machine), first);
    assert!(runs_replaced(&machine));
    assert_eq!(machine.ok("sha256sum /etc/supervisord.conf"), edited);

    // With a policy that restarts, the same once more.
    machine.write("/etc/sysconfig/supervisord", "RESTART_ON_UPGRADE=\"always\"");
    rpm(&machine, "-Uvh --replacepkgs", "2");
    let second = Running::of(&machine);
    assert!(second.daemon != first.daemon && second.program != first.program && !runs_replaced(&machine));
    assert_eq!(machine.ok("sha256sum /etc/supervisord.conf"), edited);
    machine.ok("supervisor-install verify");
    let changed = machine.run("rpm -V supervisor-kit").output;
    assert_eq!(
        changed.lines().map(|line| line.split_whitespace().last().unwrap()).collect::<Vec<_>>(),
        ["/etc/supervisord.conf"]
    );

    // A word that the policy does not know restarts nothing.
    machine.write("/etc/sysconfig/supervisord", "RESTART_ON_UPGRADE=sometimes");
    let said = rpm(&machine, "-Uvh --oldpackage", "1");
    assert!(said.contains("RESTART_ON_UPGRADE=sometimes is no policy"), "{said}");
    assert_eq!(Running::of(&machine), second);

    // The daemon becomes the new program, and no program notices.
    machine.write("/etc/sysconfig/supervisord", "RESTART_ON_UPGRADE=reexec");
    rpm(&machine, "-Uvh --replacepkgs", "1");
    assert_eq!(Running::of(&machine), second);
    assert!(!runs_replaced(&machine), "the old program runs on");
    machine.ok("supervisor-install verify");

    machine.ok("rpm -e supervisor-kit");
    assert_eq!(machine.ok("systemctl list-units --plain --no-legend '*-programs.service'"), "");
    assert_eq!(machine.run("pgrep -x supervisord").output, "", "it still runs");
    let left = difference(&before, &tree(&machine));
    let names: Vec<&str> = left.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    let expected =
        ["/etc/supervisord.conf.rpmsave", "/etc/supervisord.d", "/etc/supervisord.d/payment.ini", "/etc/sysconfig"];
    let is_expected = |name: &&str| {
        expected.contains(name) || name.starts_with("/var/log/supervisor") || name.starts_with("/etc/sysconfig/")
    };
    assert!(names.iter().all(is_expected), "{left}");
    assert!(names.contains(&"/etc/supervisord.conf.rpmsave") && names.contains(&"/var/log/supervisor"), "{left}");
}

#[test]
fn a_package_does_not_go_over_a_bundle_nor_a_bundle_over_a_package() {
    let scratch = Scratch::new();
    let Some(machine) = boot("rpm_bundle", "centos-7", &scratch) else { return };
    bundle::unpack(&machine, &bundle::path());
    machine.ok(&format!("cd {FOLDER}/* && ./install"));
    let before = tree(&machine);
    let refused = machine.run(&format!("LANG=zh_CN.UTF-8 rpm -ivh {PACKAGES}/{}", file_name("1")));
    assert!(refused.code != 0 && refused.output.contains("supervisor-install uninstall"), "{}", refused.output);
    assert!(refused.output.contains("本机已通过安装包"), "{}", refused.output);
    assert_eq!(difference(&before, &tree(&machine)), "");
    machine.ok("supervisor-install uninstall --yes");
    rpm(&machine, "-ivh", "1");
    let refused = machine.run(&format!("cd {FOLDER}/* && ./install"));
    assert!(refused.code == 10 && refused.output.contains("rpm -e supervisor-kit"), "{}", refused.output);
    enable_and_start(&machine);
}

/// EPEL's package as its spec has it, with the real Supervisor in it.
fn epel(scratch: &Scratch) -> PathBuf {
    let deb = std::fs::read_dir(in_project("target/old/bookworm/deb")).unwrap().flatten().map(|entry| entry.path());
    let deb =
        deb.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("supervisor_")).unwrap();
    let files = scratch.path().join("supervisor-files");
    let unpacked = Command::new("dpkg-deb").arg("-x").arg(deb).arg(&files).status().unwrap();
    assert!(unpacked.success());
    scratch.write("supervisord.conf", EPEL_CONFIG);
    scratch.write("supervisord.service", EPEL_UNIT);
    build(
        scratch,
        "supervisor",
        &EPEL_SPEC.replace("@files@", files.to_str().unwrap()).replace("@scratch@", scratch_text(scratch)),
    )
}

fn scratch_text(scratch: &Scratch) -> &str {
    scratch.path().to_str().unwrap()
}

const EPEL_CONFIG: &str = "\
[unix_http_server]
file=/run/supervisor/supervisor.sock
[supervisord]
logfile=/var/log/supervisor/supervisord.log
pidfile=/run/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix:///run/supervisor/supervisor.sock
[include]
files = supervisord.d/*.ini
";

const EPEL_UNIT: &str = "\
[Unit]
Description=Process Monitoring and Control Daemon
After=rc-local.service nss-user-lookup.target
[Service]
Type=forking
ExecStartPre=/bin/mkdir -p /run/supervisor
ExecStart=/usr/bin/supervisord -c /etc/supervisord.conf
[Install]
WantedBy=multi-user.target
";

const EPEL_SPEC: &str = "\
Name: supervisor
Version: 4.2.5
Release: 1.el8
Summary: A System for Allowing the Control of Process State on UNIX
License: BSD
BuildArch: noarch
AutoReqProv: no
%global __brp_mangle_shebangs %{nil}
%description
As EPEL has it.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/lib/python3 %{buildroot}/etc/supervisord.d %{buildroot}/var/log/supervisor
mkdir -p %{buildroot}/usr/lib/systemd/system
cp -a @files@/usr/bin/* %{buildroot}/usr/bin/
cp -a @files@/usr/lib/python3/dist-packages %{buildroot}/usr/lib/python3/
cp @scratch@/supervisord.conf %{buildroot}/etc/supervisord.conf
cp @scratch@/supervisord.service %{buildroot}/usr/lib/systemd/system/
%post
if [ $1 -eq 1 ]; then systemctl preset supervisord.service >/dev/null 2>&1 || :; fi
%preun
if [ $1 -eq 0 ]; then systemctl --no-reload disable --now supervisord.service >/dev/null 2>&1 || :; fi
%postun
systemctl daemon-reload >/dev/null 2>&1 || :
%files
/usr/bin/*
/usr/lib/python3/dist-packages/*
%config(noreplace) /etc/supervisord.conf
%dir /etc/supervisord.d
%dir /var/log/supervisor
/usr/lib/systemd/system/supervisord.service
";

#[test]
fn epels_package_is_replaced_and_its_configuration_kept() {
    let scratch = Scratch::new();
    let Some(machine) = boot("rpm_epel", "centos-7", &scratch) else { return };
    machine.copy_in(&in_project("target/old/bookworm/deb"), "/opt");
    unpack(&machine, "$(ls /opt/deb/*.deb | grep -v /supervisor_)");
    machine.copy_in(&epel(&scratch), PACKAGES);
    machine.ok(&format!("rpm -ivh {PACKAGES}/supervisor-4.2.5-1.el8.rpm"));
    machine.write("/etc/supervisord.d/payment.ini", PROGRAM);
    machine.ok("systemctl daemon-reload && systemctl enable --now supervisord");
    machine.ok("sed -i 's/^pidfile=.*/pidfile=\\/run\\/of-this-site.pid/' /etc/supervisord.conf");
    machine.wait_until("supervisorctl status payment | grep -q RUNNING");
    let edited = machine.ok("sha256sum /etc/supervisord.conf");

    // Beside it, it is refused; in its place, it takes over what runs.
    let refused = machine.run(&format!("rpm -ivh {PACKAGES}/{}", file_name("1")));
    assert!(refused.code != 0 && refused.output.contains("conflicts with"), "{}", refused.output);
    machine.wait_until("supervisorctl status payment | grep -q RUNNING");
    rpm(&machine, "-Uvh", "1");
    assert_eq!(machine.run("rpm -q supervisor").output, "package supervisor is not installed\n");
    let running = Running::of(&machine);
    assert_eq!(machine.ok(&format!("readlink /proc/{}/exe", running.daemon)), "/usr/bin/supervisord");
    assert_eq!(machine.ok("systemctl is-enabled supervisord"), "enabled");
    assert_eq!(machine.ok("sha256sum /etc/supervisord.conf"), edited, "the configuration of the site");
    machine.ok("test -e /etc/supervisord.conf.rpmnew && supervisor-install verify");
    machine.reboot();
    Running::of(&machine);
}
