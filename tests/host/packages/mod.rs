//! The rpm and deb packages on booted machines, by the package managers themselves, with programs running.

mod aarch64;
mod deb;
mod lint;
mod rpm;
mod source;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bundle::in_project;
use crate::machine::Machine;

/// Where packages lie on a machine.
const PACKAGES: &str = "/opt/packages";
/// A program that tells when it was restarted: by its pid.
const PROGRAM: &str = "[program:payment]\ncommand=sleep 1001\n";

/// The release package that `make packages` left in `dist/`.
fn released(name: &str) -> PathBuf {
    let path = in_project("dist").join(name);
    assert!(path.is_file(), "{}: no such package; `make packages` makes it", path.display());
    path
}

/// The programs packed once more, as another release of the same version. The daemon has a few bytes more, behind its end: one
/// with the same bytes would be no other program, and nobody would have to become it.
fn repacked(format: &str, release: &str, out: &Path) -> PathBuf {
    let (built, bin) = (in_project("target/dist/bin"), out.join("bin"));
    fs::create_dir_all(&bin).unwrap();
    fs::copy(built.join("install"), bin.join("install")).unwrap();
    let daemon = fs::read(built.join("supervisord")).unwrap();
    fs::write(bin.join("supervisord"), [daemon.as_slice(), b"\0another release"].concat()).unwrap();
    fs::set_permissions(bin.join("supervisord"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut pack = Command::new(built.join("pack"));
    let output =
        pack.arg(format).arg("--bin-dir").arg(&bin).arg("--out").arg(out).args(["--release", release]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "pack: {}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// The service on a machine, as it must stay the same or become another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Running {
    daemon: String,
    program: String,
}

impl Running {
    /// The daemon runs the installed program, which systemd and the client agree about, and so does its program.
    #[track_caller]
    fn of(machine: &Machine) -> Running {
        machine.wait_until("supervisorctl status payment | grep -q RUNNING");
        let daemon = machine.ok("systemctl show -p MainPID --value supervisord");
        assert_eq!(machine.ok("supervisorctl pid"), daemon);
        Running { daemon, program: machine.ok("supervisorctl pid payment") }
    }
}

/// Whether the daemon still runs the program that an upgrade has replaced.
fn runs_replaced(machine: &Machine) -> bool {
    machine.ok("readlink /proc/$(systemctl show -p MainPID --value supervisord)/exe").ends_with("(deleted)")
}

/// Every file, directory and link of the system with its mode and owner, but for what the machine itself writes, and the
/// folders of enabled units, which systemctl removes when they are empty.
fn tree(machine: &Machine) -> String {
    machine.ok(
        "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /opt -o -path /var/log/journal \
         -o -path /var/lib/rpm -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /var/cache -o -path /root -o -path '/etc/systemd/system/*.wants' \\) -prune \
         -o -printf '%p %y %m %U:%G %l\\n' | sort",
    )
}

/// What must work right after any package was installed, by the words of the manual procedure.
#[track_caller]
fn enable_and_start(machine: &Machine) {
    machine.ok("systemctl enable --now supervisord && supervisorctl status");
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
    machine.ok("supervisor-install verify");
    let refused = machine.run("supervisor-install uninstall --yes");
    assert_eq!(refused.code, 10, "{}", refused.output);
}

/// A folder for packages made here.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Scratch {
        Scratch(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}
