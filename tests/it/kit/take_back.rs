//! Going back: whatever stops the installer, the host is the old or the new one, and what cannot be put back is not forgotten.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use supervisor_kit::kit::failure::ExitCode;
use supervisor_kit::kit::state::{Journal, Undoing, Verb};
use tempfile::TempDir;

use super::{Scratch, elf, own_machine, tree};

const CRASH_AT: &str = "SUPERVISOR_KIT_CRASH_AT";

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn ok(output: &Output) {
    assert!(output.status.success(), "{:?}: {}", output.status, said(output));
}

fn journal(text: &str) -> Result<Option<Journal>, String> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal");
    fs::write(&path, text).unwrap();
    Journal::read(&path).map_err(|error| error.to_string())
}

#[test]
fn a_journal_is_read_up_to_a_torn_line() {
    const HEAD: &str = "{\"format\":1,\"verb\":\"upgrade\",\"version\":\"0.2.0\",\"begun\":7}\n";
    const LINE: &str = "{\"undo\":\"remove-file\",\"path\":\"/usr/bin/x\"}\n";
    let done = vec![Undoing::RemoveFile { path: "/usr/bin/x".to_owned() }];
    let whole = Journal { verb: Verb::Upgrade, version: "0.2.0".to_owned(), begun_wall_secs: 7, done };
    assert_eq!(journal(&format!("{HEAD}{LINE}")), Ok(Some(whole.clone())));
    for end in 0..LINE.len() {
        let read = journal(&format!("{HEAD}{LINE}{}", &LINE[..end])).unwrap().unwrap();
        assert_eq!(read, whole, "torn after {end} bytes");
    }
    // Not even begun: nothing had been done.
    for end in 0..HEAD.len() {
        assert_eq!(journal(&HEAD[..end]), Ok(None), "torn after {end} bytes");
    }
    assert!(journal(&format!("{HEAD}rubbish\n{LINE}")).unwrap_err().contains("line 2"));
    assert!(journal(&format!("{HEAD}{{\"undo\":\"unknown\"}}\n")).unwrap_err().contains("line 2"));
    assert!(journal(&HEAD.replace("\"format\":1", "\"format\":2")).unwrap_err().contains("format 2"));
}

/// A tree where `first` was installed, and a bundle `second` to go on with.
fn installed() -> Scratch {
    let mut scratch = Scratch::new();
    let newer = scratch.pack(&elf(own_machine(), "newer"), "newer");
    ok(&scratch.install(&[]));
    scratch.bundle = newer;
    scratch
}

/// The same tree again, in memory: hundreds of installations would wait for a disk that is not what is tested.
#[cfg(debug_assertions)]
fn copy_of(scratch: &Scratch) -> Scratch {
    const MEMORY: &str = "/dev/shm";
    let dir = if Path::new(MEMORY).is_dir() { TempDir::new_in(MEMORY) } else { TempDir::new() }.unwrap();
    let root = dir.path().join("root");
    let copied = std::process::Command::new("cp").arg("-a").arg(&scratch.root).arg(&root).status();
    assert!(copied.unwrap().success());
    Scratch { dir, bundle: scratch.bundle.clone(), root }
}

/// Kills `verb` at every checkpoint, or at each so many. After the recovery the tree is the one before or the one after; then the same
/// command completes.
#[cfg(debug_assertions)]
fn killed_everywhere(prepared: &Scratch, verb: &[&str], checkpoints_min: u32, stride: usize) {
    let before = tree(&prepared.root, false);
    let after = {
        let scratch = copy_of(prepared);
        ok(&scratch.install(verb));
        tree(&scratch.root, false)
    };
    assert_ne!(before, after);
    for crash_at in (1u32..).step_by(stride) {
        let scratch = copy_of(prepared);
        let crashed = scratch.installer().args(verb).env(CRASH_AT, crash_at.to_string()).output().unwrap();
        if crashed.status.success() {
            assert!(crash_at > checkpoints_min, "{verb:?}: only {crash_at} points to be killed at");
            println!("{verb:?}: {} points to be killed at", crash_at - 1);
            return;
        }
        assert_eq!(crashed.status.code(), None, "{verb:?} killed at {crash_at}: {}", said(&crashed));
        ok(&scratch.install(&["recover"]));
        let found = tree(&scratch.root, false);
        assert!(found == before || found == after, "{verb:?} killed at {crash_at}: neither old nor new: {found:#?}");
        if found == before {
            ok(&scratch.install(verb));
        }
        assert_eq!(tree(&scratch.root, false), after, "{verb:?} killed at {crash_at}, then run again");
    }
}

#[test]
#[cfg(debug_assertions)]
fn killed_anywhere_the_host_is_the_old_or_the_new_one() {
    let fresh = Scratch::new();
    for dir in ["var/lib", "var/log"] {
        fs::create_dir_all(fresh.root.join(dir)).unwrap();
    }
    killed_everywhere(&fresh, &["install"], 20, 1);
    // The same where the programs go to /opt.
    let image = copy_of(&fresh);
    fs::create_dir_all(image.root.join("run")).unwrap();
    fs::write(image.root.join("run/ostree-booted"), "").unwrap();
    killed_everywhere(&image, &["install"], 20, 7);
    ok(&image.install(&[]));
    assert!(image.root.join("opt/supervisor-kit/bin/supervisord").is_file());
    killed_everywhere(&image, &["uninstall", "--purge"], 20, 7);
    let older = installed();
    killed_everywhere(&older, &["upgrade"], 5, 1);
    ok(&older.install(&["upgrade"]));
    fs::write(older.root.join("var/log/supervisor/old.log"), "words").unwrap();
    killed_everywhere(&older, &["rollback"], 2, 1);
    killed_everywhere(&older, &["uninstall"], 20, 1);
    killed_everywhere(&older, &["uninstall", "--purge"], 20, 1);
    // The console, without a password: each hash of one is another.
    killed_everywhere(&older, &["web", "--web", "127.0.0.1:9001"], 3, 1);
    ok(&older.install(&["web", "--web", "127.0.0.1:9001"]));
    killed_everywhere(&older, &["web", "--web", "off"], 3, 1);
}

/// Kills an upgrade late: after everything was replaced.
#[cfg(debug_assertions)]
fn killed_late() -> Scratch {
    for crash_at in 1.. {
        let scratch = installed();
        let crashed = scratch.installer().arg("upgrade").env(CRASH_AT, crash_at.to_string()).output().unwrap();
        let replaced = fs::read(scratch.root.join("usr/bin/supervisord")).unwrap() == elf(own_machine(), "newer");
        if replaced && !crashed.status.success() {
            return scratch;
        }
    }
    unreachable!()
}

#[test]
#[cfg(debug_assertions)]
fn what_cannot_be_put_back_is_not_forgotten() {
    let old = tree(&installed().root, false);
    let scratch = killed_late();
    let files: Vec<PathBuf> =
        fs::read_dir(state(&scratch).join("active/files")).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    let good: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    files.iter().for_each(|file| fs::write(file, "damaged").unwrap());
    // As often as it is tried, by whatever verb.
    for verb in [&["recover"][..], &["upgrade"], &["rollback"], &["uninstall"], &[]] {
        let output = scratch.install(verb);
        assert_eq!(output.status.code(), Some(ExitCode::HalfDone as i32), "{verb:?}: {}", said(&output));
        assert!(said(&output).contains("/usr/bin/supervisord"), "{}", said(&output));
        assert!(state(&scratch).join("active/journal").exists(), "{verb:?} forgot the way back");
    }
    files.iter().zip(good).for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    ok(&scratch.install(&["recover"]));
    assert_eq!(tree(&scratch.root, false), old);
}

#[test]
#[cfg(debug_assertions)]
fn a_way_back_that_nobody_can_read_stops_everything() {
    let scratch = killed_late();
    let path = state(&scratch).join("active/journal");
    let good = fs::read_to_string(&path).unwrap();
    let before = tree(&scratch.root, true);
    for bad in [good.replacen("\n", "\nrubbish\n", 1), good.replacen("\"format\":1", "\"format\":99", 1)] {
        fs::write(&path, bad).unwrap();
        let output = scratch.install(&["upgrade"]);
        assert_eq!(output.status.code(), Some(ExitCode::Apply as i32), "{}", said(&output));
        assert_eq!(tree(&scratch.root, true), before);
    }
}

#[test]
fn rolled_back_to_the_generation_that_was_named() {
    let mut scratch = Scratch::new();
    fs::create_dir_all(scratch.root.join("var/lib")).unwrap();
    let mut trees = vec![tree(&scratch.root, false)];
    for version in ["one", "two", "three"] {
        scratch.bundle = scratch.pack(&elf(own_machine(), version), version);
        ok(&scratch.install(&[]));
        trees.push(tree(&scratch.root, false));
    }
    let output = scratch.install(&["rollback", "7"]);
    assert_eq!(output.status.code(), Some(ExitCode::NotInstalled as i32), "{}", said(&output));
    ok(&scratch.install(&["rollback", "2"]));
    assert_eq!(tree(&scratch.root, false), trees[1]);
    ok(&scratch.install(&["rollback"]));
    assert_eq!(tree(&scratch.root, false), trees[0]);
    assert!(!state(&scratch).exists());
    assert_eq!(scratch.install(&["rollback"]).status.code(), Some(ExitCode::NotInstalled as i32));
}

/// Package managers compare it: a file that is put back must not look changed.
#[test]
fn what_is_put_back_has_its_old_time() {
    use std::os::unix::fs::MetadataExt;
    const LONG_AGO_SECS: u64 = 1_600_000_000;
    let scratch = installed();
    let program = scratch.root.join("usr/bin/supervisord");
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(LONG_AGO_SECS);
    fs::File::options().write(true).open(&program).unwrap().set_modified(long_ago).unwrap();
    ok(&scratch.install(&["upgrade"]));
    assert_ne!(fs::metadata(&program).unwrap().mtime(), LONG_AGO_SECS.cast_signed());
    ok(&scratch.install(&["rollback"]));
    assert_eq!(fs::metadata(&program).unwrap().mtime(), LONG_AGO_SECS.cast_signed());
}

#[test]
fn a_link_as_configuration_stays_a_link() {
    let scratch = Scratch::new();
    for dir in ["etc/site", "var/lib", "var/log"] {
        fs::create_dir_all(scratch.root.join(dir)).unwrap();
    }
    fs::write(scratch.root.join("etc/site/supervisord.conf"), "[supervisord]\n").unwrap();
    std::os::unix::fs::symlink("site/supervisord.conf", scratch.root.join("etc/supervisord.conf")).unwrap();
    let before = tree(&scratch.root, false);
    ok(&scratch.install(&[]));
    assert_eq!(fs::read_link(scratch.root.join("etc/supervisord.conf")).unwrap(), Path::new("site/supervisord.conf"));
    ok(&scratch.install(&["uninstall", "--purge"]));
    assert_eq!(tree(&scratch.root, false), before);
}

fn state(scratch: &Scratch) -> PathBuf {
    scratch.root.join("var/lib/supervisor-install")
}
