//! Reading back.

use std::fs;
use std::path::Path;

use nix::sys::stat::Mode;
use supervisor_kit::logs::read::{ReadError, Slice, read_slice, tail};

#[test]
fn slices_are_exact_to_the_byte() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    fs::write(&path, "0123456789").unwrap();
    let cases = [
        (0, 0, "0123456789"),
        (3, 0, "3456789"),
        (10, 0, ""),
        (99, 0, ""),
        (-3, 0, "789"),
        (-10, 0, "0123456789"),
        (-99, 0, "0123456789"),
        (i64::MIN, 0, "0123456789"),
        (0, 4, "0123"),
        (8, 4, "89"),
        (11, 4, ""),
        (i64::MAX, i64::MAX, ""),
    ];
    for (offset, length, expected) in cases {
        assert_eq!(read_slice(&path, offset, length).unwrap().text(), expected, "{offset} {length}");
    }
    for (offset, length) in [(-1, 1), (0, -1), (-1, -1), (5, i64::MIN)] {
        assert!(matches!(read_slice(&path, offset, length), Err(ReadError::BadArguments)), "{offset} {length}");
    }
}

#[test]
fn only_regular_files_are_read() {
    let root = tempfile::tempdir().unwrap();
    let pipe = root.path().join("pipe");
    nix::unistd::mkfifo(&pipe, Mode::from_bits_truncate(0o600)).unwrap();
    for path in [&pipe, Path::new("/dev/zero"), root.path(), Path::new("/nonexistent")] {
        assert!(matches!(read_slice(path, 0, 0), Err(ReadError::Failed(_))), "{}", path.display());
        let tail = tail(path, 7, 10);
        assert_eq!((tail.slice.bytes.len(), tail.offset, tail.overflow), (0, 7, false));
    }
}

/// Every row was taken from `supervisor.options.tailFile` 4.3.0 with a file of ten bytes.
#[test]
fn tail_follows_supervisor() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    fs::write(&path, "0123456789").unwrap();
    let cases = [
        (0, 0, "", 10, true),
        (0, 4, "6789", 10, true),
        (0, 10, "0123456789", 10, false),
        (0, 20, "0123456789", 10, false),
        (5, 5, "56789", 10, false),
        (5, 100, "0123456789", 10, false),
        (9, 1, "9", 10, false),
        (9, 0, "", 10, true),
        (10, 0, "", 10, false),
        (10, 5, "", 10, false),
        (11, 1, "", 10, false),
        (50, 5, "", 10, false),
        (-3, 5, "56789", 10, true),
        (-3, 20, "0123456789", 10, false),
        (3, -1, "", 10, true),
        (20, -1, "", 10, false),
        (3, -5, "", 10, true),
        (20, -15, "", 10, true),
    ];
    for (offset, length, text, end, overflow) in cases {
        let tail = tail(&path, offset, length);
        assert_eq!(
            (tail.slice.text().as_str(), tail.offset, tail.overflow),
            (text, end, overflow),
            "{offset} {length}"
        );
    }
}

#[test]
fn characters_cut_by_an_edge_are_left_out() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    fs::write(&path, "进程🙂é").unwrap();
    let text = |offset, length| read_slice(&path, offset, length).unwrap().text();
    assert_eq!(text(-2, 0), "é");
    assert_eq!(text(-1, 0), "");
    assert_eq!(text(-5, 0), "é");
    assert_eq!(text(-6, 0), "🙂é");
    assert_eq!(text(1, 0), "程🙂é");
    assert_eq!(text(0, 4), "进");
    assert_eq!(text(0, 9), "进程");
    assert_eq!(text(1, 10), "程🙂");
    assert_eq!(text(7, 2), "");
}

#[test]
fn bytes_that_are_no_text_become_replacement_characters() {
    let whole = |bytes: &[u8]| Slice { bytes: bytes.to_vec(), more_before: false, more_after: false };
    assert_eq!(whole(b"\x88\n").text(), "\u{fffd}\n");
    assert_eq!(whole(b"ok \xe8\xbf").text(), "ok \u{fffd}", "at the real end of the file nothing is cut");
    // Latin-1 and a long run of continuation bytes: at most three are taken for the rest of one character.
    let middle = Slice { bytes: vec![0x80; 5], more_before: true, more_after: true };
    assert_eq!(middle.text(), "\u{fffd}\u{fffd}");
}
