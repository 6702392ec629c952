//! The AArch64 programs, run by qemu: a daemon with programs, the client, and the installer.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{Scratch, released};
use crate::bundle::in_project;
use crate::machine::say;

const QEMU: &str = "qemu-aarch64-static";
/// How long anything that is waited for may take: every instruction is translated here.
const DEADLINE: Duration = Duration::from_secs(120);

/// The built programs; `None`, and a line about it, where they could not be built or are those of this machine anyway.
fn programs() -> Option<PathBuf> {
    if std::env::consts::ARCH == "aarch64" {
        return None;
    }
    let skipped = fs::read_to_string(in_project("target/dist/skipped")).expect("`make packages` writes it");
    if let Some(reason) = skipped.lines().find_map(|line| line.strip_prefix("aarch64=")) {
        say(&format!("NOT TESTED: the programs for aarch64: {reason}"));
        return None;
    }
    let dir = in_project("target/dist/aarch64");
    assert!(dir.join("supervisord").is_file(), "{}: `make packages` makes it", dir.display());
    Some(dir)
}

fn qemu(program: &Path, args: &[&str]) -> Output {
    Command::new(QEMU).arg(program).args(args).stdin(Stdio::null()).output().unwrap()
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

struct Daemon {
    process: Child,
    client: PathBuf,
    config: String,
}

impl Daemon {
    fn ctl(&self, args: &[&str]) -> String {
        words(&qemu(&self.client, &[&["-c", &self.config], args].concat()))
    }

    #[track_caller]
    fn wait_for(&self, args: &[&str], wanted: &str) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let said = self.ctl(args);
            if said.contains(wanted) {
                return;
            }
            assert!(Instant::now() < deadline, "never became {wanted:?}: {said}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_daemon_runs_programs_and_the_client_rules_them() {
    let Some(dir) = programs() else { return };
    let scratch = Scratch::new();
    let at = scratch.path().display();
    let config = scratch.write(
        "supervisord.conf",
        &format!(
            "[unix_http_server]\nfile={at}/s.sock\n[supervisord]\nnodaemon=true\nsilent=true\nuser=root\nlogfile={at}/s.log\n\
             pidfile={at}/s.pid\nchildlogdir={at}\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=\
             supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\nserverurl=unix://{at}/s.sock\n\
             [program:sleeps]\ncommand=sleep infinity\n[program:speaks]\ncommand=echo spoken\nstartsecs=0\nautorestart=false\n"
        ),
    );
    let config = config.to_str().unwrap().to_owned();
    let process = Command::new(QEMU).arg(dir.join("supervisord")).args(["-c", &config]).spawn().unwrap();
    let mut daemon = Daemon { process, client: dir.join("supervisorctl"), config };
    daemon.wait_for(&["status", "sleeps"], "RUNNING");
    daemon.wait_for(&["status", "speaks"], "EXITED");
    assert_eq!(daemon.ctl(&["version"]), "4.3.0\n");
    assert_eq!(daemon.ctl(&["tail", "speaks"]).trim_end(), "spoken");
    let before = daemon.ctl(&["pid", "sleeps"]);
    daemon.ctl(&["restart", "sleeps"]);
    daemon.wait_for(&["status", "sleeps"], "RUNNING");
    assert_ne!(daemon.ctl(&["pid", "sleeps"]), before);
    assert!(daemon.ctl(&["shutdown"]).contains("Shut down"));
    let ended = daemon.process.wait().unwrap();
    assert_eq!((ended.code(), ended.signal()), (Some(0), None));
}

#[test]
fn the_installer_installs_into_a_root() {
    let Some(dir) = programs() else { return };
    let scratch = Scratch::new();
    let tgz = released(&format!("supervisor-kit-{}-linux-aarch64.tgz", env!("CARGO_PKG_VERSION")));
    let unpacked =
        Command::new("tar").args(["--strip-components=1", "-xzf"]).arg(tgz).arg("-C").arg(scratch.path()).status();
    assert!(unpacked.unwrap().success());
    let root = scratch.path().join("root");
    fs::create_dir(&root).unwrap();
    let (installer, root_text) = (scratch.path().join("install"), root.to_str().unwrap());
    let output = qemu(&installer, &["--root", root_text, "--lang", "en"]);
    assert!(output.status.success(), "{}", words(&output));
    assert_eq!(fs::read(root.join("usr/bin/supervisord")).unwrap(), fs::read(dir.join("supervisord")).unwrap());
    let verified = qemu(&root.join("usr/bin/supervisor-install"), &["verify", "--root", root_text, "--lang", "en"]);
    assert!(verified.status.success(), "{}", words(&verified));
    // This machine's own installer says that the bundle is for another one.
    let output =
        Command::new(in_project("target/dist/bin/install")).arg("--bundle").arg(scratch.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", words(&output));
}

/// Read by the tools of the package managers, which do not run what is inside.
#[test]
fn the_packages_are_for_aarch64() {
    let Some(_) = programs() else { return };
    let version = env!("CARGO_PKG_VERSION");
    let ask = |program: &str, args: &[&str], package: &Path| {
        words(&Command::new(program).args(args).arg(package).output().unwrap())
    };
    let rpm = released(&format!("supervisor-kit-{version}-1.aarch64.rpm"));
    assert_eq!(ask("rpm", &["-qp", "--qf", "%{ARCH}"], &rpm), "aarch64");
    let deb = Command::new("dpkg-deb")
        .arg("-f")
        .arg(released(&format!("supervisor-kit_{version}-1_arm64.deb")))
        .arg("Architecture")
        .output();
    assert_eq!(words(&deb.unwrap()), "arm64\n");
}

/// A processor that no Rust is for is named, and nothing is packed for it.
#[test]
fn a_processor_without_a_standard_library_is_skipped_and_named() {
    let scratch = Scratch::new();
    let dist = scratch.path().join("dist");
    let script = in_project("scripts/packages");
    let output = Command::new(script)
        .arg("sw_64")
        .env("NO_BUILD", "1")
        .env("DIST", &dist)
        .env("STATE", scratch.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", words(&output));
    assert!(
        words(&output).contains("packages: sw_64 is skipped: Rust's standard library for sw_64-unknown-linux-musl")
    );
    assert_eq!(fs::read_dir(&dist).unwrap().count(), 0);
    let skipped = fs::read_to_string(scratch.path().join("skipped")).unwrap();
    assert!(skipped.starts_with("sw_64=Rust's standard library"), "{skipped}");
}
