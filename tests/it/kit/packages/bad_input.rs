//! One clear error, and nothing left behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use super::{AARCH64, Workshop, X86_64, elf, workshop};

/// Fails with `words`, on one line after the title, and leaves nothing in the output folder.
#[track_caller]
fn fails(workshop: &Workshop, output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(words), "no {words:?}:\n{said}");
    assert!(!said.contains("panicked") && output.stdout.is_empty(), "{said}");
    let left: Vec<_> = fs::read_dir(workshop.out()).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn programs_that_are_missing_or_of_another_processor() {
    for format in ["tgz", "rpm", "deb"] {
        let workshop = Workshop::new(X86_64);
        fails(&workshop, &workshop.pack(format, &["--arch", "aarch64"]), "is built for x86_64, not for aarch64");
        workshop.program("install", &elf(AARCH64, "of another processor"));
        fails(&workshop, &workshop.pack(format, &[]), "bin/install is built for aarch64, not for x86_64");
        workshop.program("install", b"#!/bin/sh\n");
        fails(&workshop, &workshop.pack(format, &[]), "bin/install is not an ELF program");
        fs::remove_file(workshop.bin().join("supervisord")).unwrap();
        fails(&workshop, &workshop.pack(format, &[]), "bin/supervisord: build it first");
    }
    // mips64 has no name in our table of dpkg's.
    let workshop = Workshop::new(8);
    fails(&workshop, &workshop.pack("deb", &[]), "no name for the processor mips64");
}

#[test]
fn versions_that_a_package_manager_would_misread() {
    let workshop = workshop();
    for format in ["rpm", "deb"] {
        for bad in ["", "1-2", "rc1", "1 2", "1/2", "1\n2", "一", "1:2", &"1".repeat(41)] {
            fails(&workshop, &workshop.pack(format, &["--release", bad]), "is no release of a package");
        }
    }
}

#[test]
fn an_output_that_cannot_be_written() {
    let workshop = workshop();
    fs::write(workshop.dir.path().join("file"), "").unwrap();
    let below_a_file = workshop.dir.path().join("file/out");
    for format in ["tgz", "rpm", "deb"] {
        let output = workshop.pack(format, &["--out", below_a_file.to_str().unwrap()]);
        fails(&workshop, &output, "cannot make the folder");
    }
    // A folder in the place of the file: it is found at the very last step, the rename.
    let first = workshop.packed("rpm", &[]);
    fs::remove_file(&first).unwrap();
    fs::create_dir(&first).unwrap();
    let output = workshop.pack("rpm", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write"));
    let left: Vec<_> = fs::read_dir(workshop.out()).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(left, [first]);
    if !nix::unistd::geteuid().is_root() {
        fs::set_permissions(workshop.out(), fs::Permissions::from_mode(0o555)).unwrap();
        assert_eq!(workshop.pack("deb", &[]).status.code(), Some(1));
    }
}

#[test]
fn a_key_that_is_none() {
    let workshop = workshop();
    let key = workshop.bin().join("README.md");
    let key = key.to_str().unwrap();
    fails(&workshop, &workshop.pack("tgz", &["--secret-key", key]), "cannot be used as a minisign secret key");
    fails(
        &workshop,
        &workshop.pack("tgz", &["--secret-key", "/no/such/key"]),
        "cannot read the secret key /no/such/key",
    );
    fails(&workshop, &workshop.pack("tgz", &["--secret-key", key, "--secret-key-text", "x"]), "use one of them");
}
