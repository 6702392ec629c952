//! Colours, and the names of AUTO logs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use supervisor_kit::logs::{AnsiStripper, auto};

#[test]
fn colours_are_dropped_however_the_reads_fall() {
    let input = b"\x1b[34mblue\x1b[0m \x1b[1;2Hat\x1b\x1b[2J \x1bMkept \x1b[2G 12 m|end\x1b";
    let expected = b"blue at\x1b \x1bMkept |end\x1b";
    for size in 1..=input.len() {
        let mut stripper = AnsiStripper::default();
        let mut text: Vec<u8> = input.chunks(size).flat_map(|chunk| stripper.strip(chunk)).collect();
        text.extend(stripper.finish());
        assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(expected), "reads of {size} bytes");
    }
}

#[test]
fn auto_logs_are_private_and_all_different() {
    let root = tempfile::tempdir().unwrap();
    let names: std::collections::BTreeSet<_> = (0..50)
        .map(|_| auto::create(root.path(), "web_0", "stdout", "supervisor").unwrap())
        .map(|path| {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            path.file_name().unwrap().to_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(names.len(), 50);
    for name in names {
        let random = name.strip_prefix("web_0-stdout---supervisor-").unwrap().strip_suffix(".log").unwrap();
        assert_eq!(random.len(), 8);
        assert!(random.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_'), "{name}");
    }
    assert!(auto::create(&root.path().join("missing"), "a", "stdout", "b").is_err());
}

#[test]
fn clean_up_takes_our_own_auto_logs_only() {
    let root = tempfile::tempdir().unwrap();
    let gone = [
        "web-stdout---main-abcdefgh.log",
        "web-stderr---main-abcdefgh.log.1",
        "web-stderr---main-abcdefgh.log.10",
        "a---main-b---main-c.log",
        "web-stdout---main-abcdefgh.logfile",
    ];
    let kept = [
        "---main-abcdefgh.log",
        "web-stdout---other-abcdefgh.log",
        "web-stdout---main-abc def.log",
        "web-stdout---main-.log",
        "web-stdout---main-abcdefgh.txt",
        "web-stdout--main-abcdefgh.log",
    ];
    for name in gone.iter().chain(&kept) {
        fs::write(root.path().join(name), "").unwrap();
    }
    let stuck = "dir-stdout---main-abcdefgh.log";
    fs::create_dir(root.path().join(stuck)).unwrap();
    let warnings = auto::clean_up(root.path(), "main");
    assert_eq!(warnings, [format!("Failed to clean up '{}'", root.path().join(stuck).display())]);
    for name in gone {
        assert!(!root.path().join(name).exists(), "{name}");
    }
    for name in kept {
        assert!(root.path().join(name).exists(), "{name}");
    }
    assert_eq!(auto::clean_up(&root.path().join("missing"), "main"), ["Could not clear childlog dir"]);
}
