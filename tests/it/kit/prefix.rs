//! A host whose `/usr` cannot be written: an image, by its mark. Booted machines have it read-only indeed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use supervisor_kit::kit::failure::{ExitCode, Failure};
use supervisor_kit::kit::host::Root;
use supervisor_kit::kit::plan::Step;
use supervisor_kit::kit::prefix::{PROFILE, Prefix};
use supervisor_kit::kit::takeover::{Layout, Old, OldUnit, weave};

use super::verbs::Host;
use super::{elf, own_machine};

fn image() -> Option<Host> {
    let host = Host::new()?;
    for dir in ["opt", "usr/local/bin", "etc/tmpfiles.d", "etc/profile.d"] {
        fs::create_dir_all(host.scratch.root.join(dir)).unwrap();
    }
    fs::write(host.scratch.root.join("run/ostree-booted"), "").unwrap();
    Some(host)
}

/// The trouble names of a document's findings.
fn troubles(document: &serde_json::Value) -> Vec<&str> {
    document["findings"].as_array().unwrap().iter().filter_map(|finding| finding["trouble"].as_str()).collect()
}

#[test]
fn every_path_of_the_bundle_has_its_place() {
    for (path, place) in [
        ("/usr/bin/supervisord", "/opt/supervisor-kit/bin/supervisord"),
        ("/usr/lib/systemd/system/supervisord.service", "/etc/systemd/system/supervisord.service"),
        ("/usr/lib/tmpfiles.d/supervisor.conf", "/etc/tmpfiles.d/supervisor.conf"),
        ("/usr/share/man/man8/supervisord.8", "/opt/supervisor-kit/share/man/man8/supervisord.8"),
        ("/etc/supervisord.conf", "/etc/supervisord.conf"),
        ("/var/log/supervisor", "/var/log/supervisor"),
    ] {
        assert_eq!((Prefix::Opt.place(path), Prefix::Usr.place(path)), (place.to_owned(), path.to_owned()));
    }
    assert_eq!(Prefix::Opt.place("/usr/bin/supervisord"), Prefix::Opt.program());
    assert_eq!(Prefix::Opt.place(Prefix::Usr.unit()), Prefix::Opt.unit());
}

#[test]
fn a_whole_life_below_opt() {
    let Some(mut host) = image() else { return };
    let root = host.scratch.root.clone();
    let before = host.tree();
    let (outcome, document) = host.run(&["check"]);
    outcome.unwrap();
    assert!(troubles(&document).contains(&"usr-unwritable"), "{document:#}");
    assert_eq!(host.tree(), before);

    let (outcome, document) = host.run(&["install"]);
    outcome.unwrap();
    assert!(troubles(&document).contains(&"usr-unwritable"), "it is said beforehand: {document:#}");
    assert!(document["notes"].as_array().unwrap().iter().any(|note| note["id"] == "elsewhere"), "{document:#}");
    let unit = fs::read_to_string(root.join("etc/systemd/system/supervisord.service")).unwrap();
    assert!(unit.contains("ExecStart=/opt/supervisor-kit/bin/supervisord -n") && !unit.contains("/usr/bin"), "{unit}");
    for name in ["supervisord", "supervisorctl", "pidproxy", "echo_supervisord_conf", "supervisor-install"] {
        let link = fs::read_link(root.join("usr/local/bin").join(name)).unwrap();
        assert_eq!(link.to_str().unwrap(), format!("/opt/supervisor-kit/bin/{name}"));
    }
    assert!(fs::read_dir(root.join("usr/bin")).unwrap().next().is_none(), "/usr/bin is not to be touched");
    let program = root.join("opt/supervisor-kit/bin/supervisord");
    assert_eq!(fs::metadata(&program).unwrap().permissions().mode() & 0o7777, 0o755);
    assert!(!root.join("opt/.supervisor-install").exists(), "the guard has gone");

    let receipt = fs::read_to_string(root.join("var/lib/supervisor-install/generations/1/receipt.json")).unwrap();
    assert!(receipt.contains("\"prefix\": \"opt\""), "{receipt}");
    let (outcome, document) = host.run(&["status"]);
    outcome.unwrap();
    assert_eq!(document["status"]["program_dir"], "/opt/supervisor-kit/bin/");
    let (outcome, document) = host.run(&["verify"]);
    outcome.unwrap();
    assert!(!troubles(&document).contains(&"unit-shadowed"), "{document:#}");
    let (_, document) = host.run(&["install"]);
    assert_eq!(document["changed"], false, "{document:#}");

    host.scratch.bundle = host.scratch.pack(&elf(own_machine(), "newer"), "newer");
    // The prefix is the receipt's, whatever becomes of /usr.
    fs::remove_file(root.join("run/ostree-booted")).unwrap();
    host.run(&["upgrade"]).0.unwrap();
    assert_eq!(fs::read(&program).unwrap(), elf(own_machine(), "newer"));
    host.run(&["rollback"]).0.unwrap();
    assert_ne!(fs::read(&program).unwrap(), elf(own_machine(), "newer"));
    fs::write(&program, "changed").unwrap();
    host.finds("verify", ExitCode::Drift, "file-changed");
    host.run(&["install"]).0.unwrap();
    host.run(&["uninstall", "--purge"]).0.unwrap();
    fs::write(root.join("run/ostree-booted"), "").unwrap();
    assert_eq!(host.tree(), before);
}

#[test]
fn a_masked_unit_or_one_of_the_administrators_own_is_not_replaced() {
    let Some(mut host) = image() else { return };
    let unit = host.scratch.root.join("etc/systemd/system/supervisord.service");
    fs::write(&unit, "[Service]\nExecStart=/bin/true\n").unwrap();
    let before = host.tree();
    let (outcome, _) = host.run(&["install"]);
    assert_eq!(outcome, Err(Failure::InTheWay { path: "/etc/systemd/system/supervisord.service".to_owned() }));
    assert_eq!(host.tree(), before);
    fs::remove_file(&unit).unwrap();
    std::os::unix::fs::symlink("/dev/null", &unit).unwrap();
    host.finds("check", ExitCode::Service, "unit-masked");
}

#[test]
fn fapolicyd_and_kysec_are_told_of_the_other_places() {
    let Some(mut host) = image() else { return };
    let root = host.scratch.root.clone();
    fs::create_dir_all(root.join("etc/fapolicyd/trust.d")).unwrap();
    fs::create_dir_all(root.join("etc/kysec")).unwrap();
    host.fake.active_units = vec!["fapolicyd.service"];
    host.run(&["install"]).0.unwrap();
    let trusted = fs::read_to_string(root.join("etc/fapolicyd/trust.d/supervisor")).unwrap();
    let paths: Vec<&str> = trusted.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(paths, ["/opt/supervisor-kit/bin/supervisord", "/opt/supervisor-kit/bin/supervisor-install"]);
    let mark = format!("kysec_set -n exectl -v verified {}/opt/supervisor-kit/bin/supervisord", root.display());
    assert!(host.fake.changes.contains(&mark), "{:#?}", host.fake.changes);
}

#[test]
fn without_links_login_shells_find_the_programs() {
    let Some(mut host) = image() else { return };
    host.run(&["install"]).0.unwrap();
    assert!(!host.scratch.root.join(PROFILE.trim_start_matches('/')).exists());
    let mut bundle = supervisor_kit::kit::bundle::Bundle::open(&host.scratch.bundle).unwrap();
    Prefix::Opt.adapt(&mut bundle.manifest, &mut bundle.contents, false);
    assert!(!bundle.manifest.members.iter().any(|member| member.path.starts_with("/usr/")));
    let text = String::from_utf8(bundle.contents[PROFILE].clone()).unwrap();
    let path = |start: &str| {
        let script = format!("PATH={start}\n{text}\n{text}\necho $PATH");
        String::from_utf8(std::process::Command::new("/bin/sh").args(["-c", &script]).output().unwrap().stdout).unwrap()
    };
    assert_eq!(path("/usr/bin").trim(), "/usr/bin:/opt/supervisor-kit/bin");
    assert!(Root::pretend_live(&host.scratch.root).is_ok());
}

/// What cannot be written is left where it is; only what calls it changes.
#[test]
fn a_takeover_leaves_the_old_programs_in_place() {
    let Some(host) = image() else { return };
    let old = Old {
        layout: Layout::Deb("supervisor".to_owned()),
        program: "/usr/bin/supervisord".to_owned(),
        scripts: vec!["/usr/bin/supervisord".to_owned(), "/usr/local/bin/supervisorctl".to_owned()],
    };
    let unit = |name: &str, path: &str| OldUnit {
        name: name.to_owned(),
        path: path.to_owned(),
        is_active: true,
        is_enabled: true,
        lost: Vec::new(),
    };
    let findings = supervisor_kit::kit::takeover::Findings {
        olds: vec![old],
        units: vec![
            unit("supervisor.service", "/usr/lib/systemd/system/supervisor.service"),
            unit("supervisord.service", "/etc/systemd/system/supervisord.service"),
        ],
        ..Default::default()
    };
    let facts = super::plan::fresh_with(Prefix::Opt);
    let woven = weave(&findings, vec![Step::Reload, Step::Start], &facts);
    let put_aside: Vec<&Step> = woven
        .iter()
        .filter(|step| {
            matches!(step, Step::Remove { .. } | Step::Takeover(_) | Step::Stop { .. } | Step::Disable { .. })
        })
        .collect();
    let stop = |unit: &str| Step::Stop { unit: unit.to_owned() };
    let disable = Step::Disable { unit: "supervisor.service".to_owned() };
    assert_eq!(put_aside[1..4], [&stop("supervisor.service"), &disable, &stop("supervisord.service")], "{woven:?}");
    assert!(!woven.iter().any(|step| matches!(step, Step::Remove { .. })), "{woven:?}");
    drop(host);
}
