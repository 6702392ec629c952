//! The troubles that no other test provokes, each once; and that none is left out.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use supervisor_kit::kit::bundle::MANIFEST;
use supervisor_kit::kit::failure::ExitCode;
use supervisor_kit::kit::preflight::{Probe, Trouble, Verdict};

use super::preflight::Host;
use super::verbs;

use Verdict::{Fail, Pass, Warn};

#[test]
fn loongarch_has_two_worlds() {
    let mut host = Host::new();
    let path = host.scratch.bundle.join(MANIFEST);
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    manifest["arch"] = "loongarch64".into();
    super::seal(&host.scratch.bundle, &manifest);
    host.machine = "loongarch64".to_owned();
    host.finds(Probe::Architecture, Pass, "loongarch64");
    host.put("/lib64/ld.so.1", "");
    host.finds(Probe::Architecture, Fail(Trouble::OldWorld), "/lib64/ld.so.1");
    host.put("/lib64/ld-linux-loongarch-lp64d.so.1", "");
    host.finds(Probe::Architecture, Pass, "loongarch64");
}

#[test]
fn the_oldest_systemd_is_219() {
    let mut host = Host::new();
    host.fake.systemd = "systemd 208";
    host.finds(Probe::Systemd, Warn(Trouble::OldSystemd), "systemd 208");
    host.fake.systemd = "systemd 219";
    host.finds(Probe::Systemd, Pass, "systemd 219");
}

#[test]
fn places_that_are_full_or_not_ours() {
    let mut host = Host::new();
    host.spoil = |facts| facts.bytes_free = Some(1000);
    host.finds(Probe::Space, Fail(Trouble::NoSpace), "/usr/bin: 0 MiB");
    host.spoil = |facts| drop(facts.unwritable.insert("/usr/bin".to_owned(), "Permission denied".to_owned()));
    host.finds(Probe::Destination, Fail(Trouble::NotWritable), "/usr/bin: Permission denied");
    host.spoil = |facts| drop(facts.unwritable.insert("/usr/bin".to_owned(), "Read-only file system".to_owned()));
    host.finds(Probe::Destination, Fail(Trouble::ReadOnly), "/usr/bin: Read-only file system");
    host.put("/usr/bin/dpkg.real", "");
    host.finds(Probe::Destination, Fail(Trouble::Immutable), "/usr/bin/dpkg.real");
    host.spoil = |facts| drop(facts.unwritable.insert("/var/log".to_owned(), "Read-only file system".to_owned()));
    host.finds(Probe::Logs, Fail(Trouble::LogNotWritable), "Read-only file system");
}

#[test]
fn a_unit_file_that_changed_since_it_was_read() {
    let mut host = Host::new();
    host.fake.needs_reload = true;
    host.finds(Probe::Unit, Warn(Trouble::UnitStale), "supervisord.service");
}

#[test]
fn the_umask_of_the_caller_is_told() {
    let mut host = Host::new();
    host.put(&format!("/proc/{}/status", nix::unistd::getppid()), "Name:\tbash\nUmask:\t0077\n");
    host.finds(Probe::Umask, Pass, "0077");
}

#[test]
fn what_doctor_and_verify_find_of_the_configuration_and_of_owners() {
    let Some(mut host) = verbs::Host::installed() else { return };
    let config = host.scratch.root.join("etc/supervisord.conf");
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, good.replace("/run/supervisor/supervisor.sock", "/tmp/supervisor.sock")).unwrap();
    host.finds("doctor", ExitCode::Unhealthy, "socket-in-tmp");
    fs::remove_file(&config).unwrap();
    host.finds("doctor", ExitCode::Unhealthy, "config-missing");
    chown(host.scratch.root.join("usr/bin/supervisord"), Some(65534), Some(65534)).unwrap();
    host.finds("verify", ExitCode::Drift, "owner-changed");
}

/// By its name in a test: as a value, or as scripts see it.
#[test]
fn no_trouble_is_left_out() {
    let mut tests = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("kit/messages.rs") {
                tests += &fs::read_to_string(path).unwrap();
            }
        }
    }
    let is_there = |trouble: &&Trouble| {
        let value = format!("Trouble::{trouble:?}");
        let ends = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
        let names_it = tests.match_indices(&value).any(|(at, _)| ends(&tests[at + value.len()..]));
        names_it || tests.contains(&format!("\"{}\"", trouble.id()))
    };
    let missing: Vec<&Trouble> = Trouble::ALL.iter().filter(|trouble| !is_there(trouble)).collect();
    assert!(missing.is_empty(), "no test provokes {missing:?}");
}
