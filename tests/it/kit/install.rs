//! The installer program on a tree (`--root`).

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use supervisor_kit::kit::failure::ExitCode;
use supervisor_kit::kit::tree::{CONFIG, Kind, TREE};

use super::{Scratch, elf, tree};
use crate::program_file;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{:?}: {}", output.status, said(output));
    said(output)
}

#[track_caller]
fn fails(output: &Output, code: ExitCode, word: &str) {
    assert_eq!(output.status.code(), Some(code as i32), "{}", said(output));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains(word) && message.contains("Next:"), "{message}");
}

#[test]
fn every_entry_has_its_mode_whatever_the_umask() {
    let scratch = Scratch::new();
    let shell = format!("umask 077; exec {:?}", scratch.installer()).replace('"', "'");
    ok(&Command::new("sh").args(["-c", &shell]).output().unwrap());
    for entry in TREE {
        let path = scratch.root.join(entry.path.trim_start_matches('/'));
        let meta = fs::symlink_metadata(&path).unwrap();
        match entry.kind {
            Kind::Dir { mode } | Kind::File { mode, .. } => {
                assert_eq!(meta.permissions().mode() & 0o7777, mode, "{}", entry.path);
            }
            Kind::Link { target } => assert_eq!(fs::read_link(&path).unwrap().to_str(), Some(target)),
        }
    }
    let wants = scratch.root.join("etc/systemd/system/multi-user.target.wants");
    assert_eq!(fs::metadata(&wants).unwrap().permissions().mode() & 0o7777, 0o755);
    assert!(fs::symlink_metadata(wants.join("supervisord.service")).unwrap().is_symlink());
}

#[test]
fn a_second_run_touches_nothing_and_says_so() {
    let scratch = Scratch::new();
    ok(&scratch.install(&[]));
    let before = tree(&scratch.root, true);
    assert!(ok(&scratch.install(&[])).contains("already up to date"));
    assert_eq!(tree(&scratch.root, true), before);
}

#[test]
fn a_dry_run_touches_nothing() {
    let scratch = Scratch::new();
    let plan = ok(&scratch.install(&["--dry-run"]));
    assert!(plan.contains("/usr/bin/supervisord") && plan.contains("nothing was changed"), "{plan}");
    assert_eq!(tree(&scratch.root, false), [""; 0]);
}

#[test]
fn enabling_can_be_left_out() {
    let scratch = Scratch::new();
    ok(&scratch.install(&["--no-enable"]));
    assert!(!scratch.root.join("etc/systemd").exists());
}

#[test]
fn the_administrators_configuration_and_directories_are_kept() {
    let scratch = Scratch::new();
    let logs = scratch.root.join("var/log/supervisor");
    fs::create_dir_all(&logs).unwrap();
    fs::set_permissions(&logs, fs::Permissions::from_mode(0o770)).unwrap();
    fs::create_dir(scratch.root.join("etc")).unwrap();
    let config = scratch.root.join(CONFIG.trim_start_matches('/'));
    fs::write(&config, "[supervisord]\n").unwrap();
    assert!(ok(&scratch.install(&[])).contains("keep                /etc/supervisord.conf"));
    assert_eq!(fs::read_to_string(config).unwrap(), "[supervisord]\n");
    assert_eq!(fs::metadata(logs).unwrap().permissions().mode() & 0o777, 0o770);
}

#[test]
fn units_and_links_of_the_administrator_are_kept() {
    let scratch = Scratch::new();
    let units = scratch.root.join("etc/systemd/system");
    fs::create_dir_all(units.join("multi-user.target.wants")).unwrap();
    fs::write(units.join("supervisor.service"), "[Service]\n").unwrap();
    let wanted = units.join("multi-user.target.wants/supervisord.service");
    symlink("/lib/systemd/system/supervisord.service", &wanted).unwrap();
    let before = tree(&units, true);
    ok(&scratch.install(&[]));
    assert_eq!(tree(&units, true), before);
}

#[test]
fn what_was_changed_is_put_right() {
    let scratch = Scratch::new();
    ok(&scratch.install(&[]));
    let installed = tree(&scratch.root, false);
    fs::write(scratch.root.join("usr/bin/supervisord"), elf(super::own_machine(), "older")).unwrap();
    let unit = scratch.root.join("usr/lib/systemd/system/supervisord.service");
    fs::set_permissions(unit, fs::Permissions::from_mode(0o600)).unwrap();
    let client = scratch.root.join("usr/bin/supervisorctl");
    fs::remove_file(&client).unwrap();
    symlink("elsewhere", &client).unwrap();
    ok(&scratch.install(&[]));
    assert_eq!(tree(&scratch.root, false), installed);
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "checkpoints are compiled into debug builds only")]
fn killed_at_any_point_it_can_run_again() {
    let fresh = Scratch::new();
    ok(&fresh.install(&[]));
    let installed = tree(&fresh.root, false);
    // A first installation, and one that replaces every file.
    for is_update in [false, true] {
        let mut crash_at = 0;
        loop {
            crash_at += 1;
            let mut scratch = Scratch::new();
            if is_update {
                let older = scratch.pack(&elf(super::own_machine(), "older"), "older");
                let newer = std::mem::replace(&mut scratch.bundle, older);
                ok(&scratch.install(&[]));
                scratch.bundle = newer;
            }
            let crashed = scratch.installer().env("SUPERVISOR_KIT_CRASH_AT", crash_at.to_string()).output().unwrap();
            if crashed.status.success() {
                break;
            }
            assert_eq!(crashed.status.code(), None, "killed at {crash_at}: {}", said(&crashed));
            ok(&scratch.install(&[]));
            assert_eq!(tree(&scratch.root, false), installed, "killed at {crash_at}");
        }
        let least = if is_update { 3 } else { TREE.len() };
        assert!(crash_at > least, "only {crash_at} points to be killed at");
    }
}

#[test]
fn another_processors_programs_are_refused() {
    let foreign = if super::machine() == "aarch64" { 62 } else { 183 };
    let scratch = Scratch::with_program(&elf(foreign, "daemon"));
    fails(&scratch.install(&[]), ExitCode::Architecture, &super::machine());
    assert_eq!(tree(&scratch.root, false), [""; 0]);
}

#[test]
fn something_in_the_way_is_left_alone() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.root.join("var/log")).unwrap();
    fs::write(scratch.root.join("var/log/supervisor"), "a file").unwrap();
    let before = tree(&scratch.root, true);
    fails(&scratch.install(&[]), ExitCode::Destination, "/var/log/supervisor");
    assert_eq!(tree(&scratch.root, true), before);
}

#[test]
fn a_python_supervisor_is_not_overwritten() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.root.join("usr/bin")).unwrap();
    fs::write(scratch.root.join("usr/bin/supervisord"), "#!/usr/bin/python3\n").unwrap();
    let before = tree(&scratch.root, true);
    fails(&scratch.install(&[]), ExitCode::OtherSupervisor, "another Supervisor");
    assert_eq!(tree(&scratch.root, true), before);
}

#[test]
fn links_out_of_the_tree_are_not_followed() {
    let scratch = Scratch::new();
    let outside = scratch.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, scratch.root.join("usr")).unwrap();
    fails(&scratch.install(&[]), ExitCode::Destination, "leads out");
    assert_eq!(tree(&outside, false), [""; 0]);
}

#[test]
fn links_within_the_tree_are_followed() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.root.join("system/bin")).unwrap();
    symlink("system", scratch.root.join("usr")).unwrap();
    ok(&scratch.install(&[]));
    assert!(scratch.root.join("system/bin/supervisord").is_file());
}

#[test]
fn two_installers_do_not_meet() {
    let scratch = Scratch::new();
    let dir = fs::File::open(&scratch.root).unwrap();
    let lock = nix::fcntl::Flock::lock(dir, nix::fcntl::FlockArg::LockExclusive).unwrap();
    fails(&scratch.install(&[]), ExitCode::Busy, "Another installer");
    drop(lock);
    ok(&scratch.install(&[]));
}

#[test]
fn usage_errors_and_missing_roots_are_told() {
    let scratch = Scratch::new();
    assert_eq!(scratch.install(&["--distro", "windows"]).status.code(), Some(ExitCode::Usage as i32));
    let nowhere = scratch.dir.path().join("nowhere");
    let output = Command::new(env!("CARGO_BIN_EXE_install")).arg("--root").arg(nowhere).args(["--lang", "en"]).output();
    fails(&output.unwrap(), ExitCode::Destination, "nowhere");
}

#[test]
fn only_root_may_change_the_running_system() {
    let scratch = Scratch::new();
    fs::set_permissions(scratch.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let installer = scratch.dir.path().join("installer");
    program_file::copy(Path::new(env!("CARGO_BIN_EXE_install")), &installer);
    let mut command = Command::new(installer);
    command.arg("--bundle").arg(&scratch.bundle).args(["--lang", "en", "--dry-run"]);
    if nix::unistd::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    fails(&command.output().unwrap(), ExitCode::NotRoot, "root");
}

#[test]
fn it_speaks_the_operators_language() {
    let scratch = Scratch::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_install"));
    command.arg("--bundle").arg(&scratch.bundle).arg("--root").arg(&scratch.root).arg("--dry-run");
    command.env_remove("LC_ALL").env_remove("LC_MESSAGES");
    let chinese = ok(&command.env("LANG", "zh_CN.UTF-8").output().unwrap());
    assert!(chinese.contains("没有做任何改动"), "{chinese}");
    let english = ok(&command.env("LANG", "C").output().unwrap());
    assert!(english.is_ascii() && english.contains("nothing was changed"), "{english}");
}

#[test]
fn the_script_starts_an_installer_that_lost_its_execute_bit() {
    let scratch = Scratch::new();
    let installer = scratch.bundle.join("install");
    fs::write(&installer, "#!/bin/sh\necho \"got $*\"; exit 7\n").unwrap();
    fs::set_permissions(&installer, fs::Permissions::from_mode(0o644)).unwrap();
    let script = |args: &[&str]| {
        let run = Command::new("sh").arg(scratch.bundle.join("install.sh")).args(args).env("LC_ALL", "C").output();
        run.unwrap()
    };
    let output = script(&["--dry-run", "a b"]);
    assert_eq!((output.status.code(), said(&output).trim()), (Some(7), "got --dry-run a b"));
    let manifest = scratch.bundle.join("manifest.json");
    let foreign = fs::read_to_string(&manifest).unwrap().replace(&super::machine(), "sw_64");
    fs::write(&manifest, foreign).unwrap();
    let output = script(&[]);
    assert_eq!(output.status.code(), Some(ExitCode::Architecture as i32), "{}", said(&output));
    fs::remove_file(&manifest).unwrap();
    fs::remove_file(&installer).unwrap();
    assert_eq!(script(&[]).status.code(), Some(ExitCode::Bundle as i32));
}
