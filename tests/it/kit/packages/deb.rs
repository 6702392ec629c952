//! The deb package.

use std::fs;
use std::process::Command;

use super::{AARCH64, Workshop, X86_64, said, workshop};

#[test]
fn dpkg_reads_it() {
    let workshop = Workshop::new(X86_64);
    let path = workshop.packed("deb", &[]);
    assert!(path.to_str().unwrap().ends_with("_amd64.deb"));
    let about = said("dpkg-deb", &["-f"], &path);
    for line in [
        "Package: supervisor-kit",
        "Architecture: amd64",
        "Conflicts: supervisor",
        "Replaces: supervisor",
        "Provides: supervisor (= 4.3.0)",
    ] {
        assert!(about.lines().any(|found| found == line), "{about}");
    }
    // Only gzip: dpkg before 1.21.18 reads no zstd.
    let members = said("ar", &["t"], &path);
    assert_eq!(members, "debian-binary\ncontrol.tar.gz\ndata.tar.gz\n");
    let listed = said("dpkg-deb", &["-c"], &path);
    for line in listed.lines() {
        assert!(line.contains(" root/root ") && line.contains(" ./"), "{line}");
    }
    for wanted in [
        "-rwxr-xr-x root/root",
        "./usr/bin/supervisorctl -> supervisord",
        "./etc/supervisor/conf.d/",
        "./lib/systemd/system/supervisor.service",
        "./lib/systemd/system/supervisord.service -> supervisor.service",
        "./lib/systemd/system/supervisor-programs.service",
        "./usr/share/doc/supervisor-kit/copyright",
    ] {
        assert!(listed.contains(wanted), "no {wanted}:\n{listed}");
    }
}

#[test]
fn scripts_conffiles_and_sums_are_as_they_should_be() {
    let workshop = workshop();
    let path = workshop.packed("deb", &[]);
    let dir = workshop.dir.path().join("unpacked");
    said("dpkg-deb", &["-R", path.to_str().unwrap()], &dir);
    let control = dir.join("DEBIAN");
    assert_eq!(fs::read_to_string(control.join("conffiles")).unwrap(), "/etc/supervisor/supervisord.conf\n");
    let sums = Command::new("md5sum").args(["-c", "--quiet", "DEBIAN/md5sums"]).current_dir(&dir).output().unwrap();
    assert!(sums.status.success() && sums.stderr.is_empty(), "{sums:?}");
    for script in ["preinst", "postinst", "prerm", "postrm"] {
        let text = fs::read_to_string(control.join(script)).unwrap();
        assert!(text.starts_with("#!/bin/sh\nset -e\n") && !text.contains('@'), "{text}");
        let checked = Command::new("sh").arg("-n").arg(control.join(script)).output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
    }
    let said = said("gzip", &["-dc"], &dir.join("usr/share/doc/supervisor-kit/changelog.Debian.gz"));
    assert!(said.starts_with("supervisor-kit (") && said.contains("Tue, 14 Nov 2023 22:13:20 +0000"), "{said}");
}

/// No text of the package names a place of the other family: those would be words about a file that is not there.
#[test]
fn every_place_is_debians() {
    let workshop = workshop();
    let path = workshop.packed("deb", &[]);
    let dir = workshop.dir.path().join("unpacked");
    said("dpkg-deb", &["-x", path.to_str().unwrap()], &dir);
    let texts = ["etc/supervisor/supervisord.conf", "lib/systemd/system/supervisor.service"];
    let programs_unit = fs::read_to_string(dir.join("lib/systemd/system/supervisor-programs.service")).unwrap();
    let pages = ["usr/share/man/man8/supervisord.8.gz"];
    let texts = texts.map(|text| fs::read_to_string(dir.join(text)).unwrap());
    let pages = pages.map(|page| said("gzip", &["-dc"], &dir.join(page)));
    for text in texts.iter().chain(&pages) {
        assert!(!text.contains("/etc/supervisord.conf") && !text.contains("supervisord.d/"), "{text}");
        assert!(text.contains("/etc/supervisor/supervisord.conf"), "{text}");
    }
    assert!(texts[0].contains("\nfiles = conf.d/*.conf\n"));
    assert!(texts[1].ends_with("WantedBy=multi-user.target\n"), "{}", texts[1]);
    // It is found by its name, which begins as that of the daemon's unit does.
    assert!(texts[1].contains("\nWants=supervisor-programs.service\n"), "{}", texts[1]);
    assert!(!format!("{}{programs_unit}", texts[1]).contains("supervisord-programs"), "{programs_unit}");
    let receipt = fs::read_to_string(dir.join("usr/share/supervisor-kit/receipt.json")).unwrap();
    let receipt: serde_json::Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!(receipt["installed"]["config"], "/etc/supervisor/supervisord.conf");
    assert_eq!(receipt["manager"], "dpkg");
}

#[test]
fn the_same_programs_give_the_same_bytes() {
    let workshop = Workshop::new(AARCH64);
    let first = fs::read(workshop.packed("deb", &[])).unwrap();
    let elsewhere = workshop.dir.path().join("elsewhere");
    let path = workshop.packed("deb", &["--out", elsewhere.to_str().unwrap()]);
    assert!(first == fs::read(&path).unwrap());
    assert!(path.to_str().unwrap().ends_with("_arm64.deb"));
}
