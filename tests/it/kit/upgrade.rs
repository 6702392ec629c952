//! Upgrades on a tree: what is kept, what is offered, what is told.

use std::fs;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use supervisor_kit::kit::bundle::{MANIFEST, SUMS, sums};
use supervisor_kit::kit::failure::ExitCode;

use super::{Scratch, elf, own_machine, tree};

/// An unchanged bundle is recognised within this time.
const UNCHANGED_MAX: Duration = Duration::from_millis(500);

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{:?}: {}", output.status, said(output));
    said(output)
}

/// Changes the manifest of a bundle, and the list of checksums with it.
fn edit(bundle: &std::path::Path, change: impl FnOnce(&mut Value)) {
    let mut manifest: Value = serde_json::from_slice(&fs::read(bundle.join(MANIFEST)).unwrap()).unwrap();
    change(&mut manifest);
    super::seal(bundle, &manifest);
    assert!(sums::parse(&fs::read(bundle.join(SUMS)).unwrap()).is_ok());
}

#[test]
fn without_an_installation_there_is_nothing_to_upgrade() {
    let scratch = Scratch::new();
    let output = scratch.install(&["upgrade"]);
    assert_eq!(output.status.code(), Some(ExitCode::NotInstalled as i32), "{}", said(&output));
    assert_eq!(tree(&scratch.root, false), [""; 0]);
}

#[test]
fn an_unchanged_bundle_does_nothing_and_says_so_at_once() {
    let scratch = Scratch::new();
    ok(&scratch.install(&[]));
    let before = tree(&scratch.root, true);
    // Of a processor: who else is at work here does not count.
    let shell = format!("TIMEFORMAT='own time %U %S'; time {:?} upgrade", scratch.installer()).replace('"', "'");
    let timed = || {
        let said = ok(&std::process::Command::new("bash").args(["-c", &shell]).output().unwrap());
        assert!(said.contains("already up to date"), "{said}");
        let times = said.rsplit_once("own time ").unwrap().1.split_whitespace();
        times.map(|secs| Duration::from_secs_f64(secs.parse().unwrap())).sum::<Duration>()
    };
    let best = (0..3).map(|_| timed()).min().unwrap();
    println!("upgrade with an unchanged bundle: {best:?}");
    assert!(best < UNCHANGED_MAX, "{best:?}");
    assert_eq!(tree(&scratch.root, true), before);
}

#[test]
fn an_older_bundle_is_a_downgrade_and_says_so() {
    let mut scratch = Scratch::new();
    edit(&scratch.bundle, |manifest| manifest["version"] = "0.10.0".into());
    ok(&scratch.install(&[]));
    let older = scratch.pack(&elf(own_machine(), "older"), "older");
    edit(&older, |manifest| manifest["version"] = "0.9.3".into());
    scratch.bundle = older;
    let output = ok(&scratch.install(&["upgrade"]));
    assert!(output.contains("downgrade, from 0.10.0 to 0.9.3"), "{output}");
    assert_eq!(fs::read(scratch.root.join("usr/bin/supervisord")).unwrap(), elf(own_machine(), "older"));
}

#[test]
fn a_new_default_configuration_is_offered_beside_the_old_one_once() {
    let scratch = Scratch::new();
    ok(&scratch.install(&[]));
    let config = scratch.root.join("etc/supervisord.conf");
    let shipped = fs::read_to_string(&config).unwrap();
    let edited = shipped.replace("loglevel=info", "loglevel=debug");
    fs::write(&config, &edited).unwrap();
    // As if an earlier version had shipped another default.
    let receipt = scratch.root.join("var/lib/supervisor-install/generations/1/receipt.json");
    let text = fs::read_to_string(&receipt).unwrap();
    fs::write(&receipt, text.replace(&sums::sha256(shipped.as_bytes()), &"0".repeat(64))).unwrap();
    let before = tree(&scratch.root, false);

    let output = ok(&scratch.install(&["upgrade"]));
    assert!(output.contains("-loglevel=debug") && output.contains("+loglevel=info"), "{output}");
    assert_eq!(fs::read_to_string(&config).unwrap(), edited);
    let offered = scratch.root.join("etc/supervisord.conf.new");
    assert_eq!(fs::read_to_string(&offered).unwrap(), shipped);
    assert!(ok(&scratch.install(&["upgrade"])).contains("already up to date"));

    ok(&scratch.install(&["rollback"]));
    assert_eq!(tree(&scratch.root, false), before);
    ok(&scratch.install(&["upgrade"]));
    ok(&scratch.install(&["uninstall"]));
    assert!(!offered.exists() && config.exists());
}

#[test]
fn a_difference_is_shown_with_the_lines_around_it() {
    use supervisor_kit::kit::diff::unified;
    assert_eq!(unified("a\nb\n", "a\nb\n"), "");
    assert_eq!(unified("", "a\n"), "+a\n");
    let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let new = "1\n2\nthree\n4\n5\n6\n7\n8\n9\n10\n";
    assert_eq!(unified(old, new), " 1\n 2\n-3\n+three\n 4\n 5\n@@\n 8\n 9\n+10\n");
}
