//! The source bundle, where there is no network and no registry.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Scratch;
use crate::bundle::in_project;

/// The daemon's few crates, without optimisation: `make release` builds everything from it, and compares the bytes.
#[test]
fn the_source_bundle_builds_without_a_network() {
    let scratch = Scratch::new();
    let pack = in_project("target/dist/bin/pack");
    let output =
        Command::new(&pack).args(["source", "--from"]).arg(in_project(".")).arg("--out").arg(scratch.path()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bundle = String::from_utf8(output.stdout).unwrap();
    let left: Vec<_> = fs::read_dir(scratch.path()).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(left, [Path::new(bundle.trim())], "only the bundle is there in the end");
    let unpacked = Command::new("tar").args(["-xzf", bundle.trim(), "-C"]).arg(scratch.path()).status().unwrap();
    assert!(unpacked.success());
    let tree = scratch.path().join(format!("supervisor-kit-{}-source", env!("CARGO_PKG_VERSION")));

    let time = fs::read_to_string(tree.join(".source-date-epoch")).unwrap();
    assert!(time.trim().parse::<u64>().is_ok(), "the time of the commit: {time:?}");
    let empty = scratch.path().join("cargo-home");
    fs::create_dir(&empty).unwrap();
    let built = scratch.path().join("target");
    let isolated = |command: &str| {
        // No interface but an unused loopback; the crates are in the tree or nowhere.
        let mut unshare = Command::new("unshare");
        unshare.args(["--net", "--map-root-user", "sh", "-c", command]).current_dir(&tree);
        unshare.env("CARGO_HOME", &empty).env("CARGO_TARGET_DIR", &built).env("CARGO_PROFILE_DEV_OPT_LEVEL", "0");
        unshare.env_remove("RUSTFLAGS").output().unwrap()
    };
    // The first line, where there is one, is a heading.
    let routes = isolated("sed 1d /proc/net/route");
    assert!(routes.status.success() && routes.stdout.is_empty(), "there is a route: {routes:?}");
    let output = isolated("cargo build --offline --locked --quiet --no-default-features --bin supervisord");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let version = Command::new(built.join("debug/supervisord")).arg("-v").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&version.stdout), "4.3.0\n");
}
