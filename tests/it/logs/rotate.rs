//! Rotation.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use nix::sys::stat::Mode;
use supervisor_kit::logs::rotate::{self, RotatingFile, Rotation};

use crate::own_process;

/// Every file of a directory with what is in it.
fn contents(directory: &Path) -> BTreeMap<String, String> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect()
}

fn expect(directory: &Path, expected: &[(&str, &str)]) {
    let expected = expected.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
    assert_eq!(contents(directory), expected);
}

fn write_all(file: &mut RotatingFile, records: &[&str]) {
    for record in records {
        file.write(record.as_bytes()).unwrap();
    }
}

#[test]
fn rolls_after_the_record_that_fills_the_file() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    let mut file = RotatingFile::open(&path, Rotation::new(10, 2)).unwrap();
    write_all(&mut file, &["12345678\n"]);
    expect(root.path(), &[("log", "12345678\n")]);
    // Never split: the file may exceed its size by one record.
    write_all(&mut file, &["a long record\n"]);
    expect(root.path(), &[("log", ""), ("log.1", "12345678\na long record\n")]);
    write_all(&mut file, &["second file\n", "third file\n", "fourth file\n", "x"]);
    expect(root.path(), &[("log", "x"), ("log.1", "fourth file\n"), ("log.2", "third file\n")]);
}

#[test]
fn without_backups_the_file_is_emptied() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    let mut file = RotatingFile::open(&path, Rotation::new(5, 0)).unwrap();
    write_all(&mut file, &["12345", "67"]);
    expect(root.path(), &[("log", "67")]);
}

#[test]
fn a_size_of_zero_or_less_never_rolls() {
    let root = tempfile::tempdir().unwrap();
    for (name, maxbytes) in [("zero", 0), ("negative", -1)] {
        let mut file = RotatingFile::open(&root.path().join(name), Rotation::new(maxbytes, 3)).unwrap();
        write_all(&mut file, &["12345", "67"]);
    }
    expect(root.path(), &[("negative", "1234567"), ("zero", "1234567")]);
}

#[test]
fn what_is_there_already_counts() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    fs::write(&path, "123456789").unwrap();
    let mut file = RotatingFile::open(&path, Rotation::new(10, 1)).unwrap();
    write_all(&mut file, &["0", "next"]);
    expect(root.path(), &[("log", "next"), ("log.1", "1234567890")]);
}

#[test]
fn a_rolled_file_keeps_mode_and_owner() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    fs::write(&path, "").unwrap();
    if nix::unistd::geteuid().is_root() {
        chown(&path, Some(65534), Some(77)).unwrap();
    }
    fs::set_permissions(&path, Permissions::from_mode(0o2602)).unwrap();
    let before = fs::metadata(&path).unwrap();
    for backups in [1, 0] {
        let mut file = RotatingFile::open(&path, Rotation::new(1, backups)).unwrap();
        write_all(&mut file, &["x"]);
        let after = fs::metadata(&path).unwrap();
        assert_eq!(after.len(), 0);
        assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    }
}

#[test]
fn vanished_files_do_not_matter() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    let mut file = RotatingFile::open(&path, Rotation::new(3, 3)).unwrap();
    write_all(&mut file, &["one", "two", "three"]);
    fs::remove_file(root.path().join("log.2")).unwrap();
    fs::remove_file(&path).unwrap();
    // What is written to a deleted file nobody reads: it is made again.
    write_all(&mut file, &["four"]);
    expect(root.path(), &[("log", ""), ("log.1", "four"), ("log.2", "three"), ("log.3", "one")]);
    fs::remove_file(&path).unwrap();
    write_all(&mut file, &["x"]);
    expect(root.path(), &[("log", "x"), ("log.1", "four"), ("log.2", "three"), ("log.3", "one")]);
    // A file that was only renamed is somebody else's: it is written on until a reopening.
    fs::rename(&path, root.path().join("mine")).unwrap();
    write_all(&mut file, &["y"]);
    expect(root.path(), &[("log.1", "four"), ("log.2", "three"), ("log.3", "one"), ("mine", "xy")]);
}

#[test]
fn reopen_leaves_the_renamed_file_alone() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    let mut file = RotatingFile::open(&path, Rotation::new(0, 0)).unwrap();
    write_all(&mut file, &["a"]);
    fs::rename(&path, root.path().join("moved")).unwrap();
    write_all(&mut file, &["b"]);
    file.reopen().unwrap();
    write_all(&mut file, &["c"]);
    expect(root.path(), &[("log", "c"), ("moved", "ab")]);
}

#[test]
fn clear_empties_regular_files_only() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    let mut file = RotatingFile::open(&path, Rotation::new(4, 1)).unwrap();
    write_all(&mut file, &["abc"]);
    file.clear().unwrap();
    write_all(&mut file, &["abc"]);
    expect(root.path(), &[("log", "abc")]);
    rotate::clear(&path).unwrap();
    expect(root.path(), &[("log", "")]);
    fs::remove_file(&path).unwrap();
    rotate::clear(&path).unwrap();
    file.clear().unwrap();
    expect(root.path(), &[("log", "")]);

    let device = root.path().join("device");
    symlink("/dev/null", &device).unwrap();
    let mut file = RotatingFile::open(&device, Rotation::new(1, 5)).unwrap();
    assert!(!file.is_regular());
    write_all(&mut file, &["never rolled", "nor renamed"]);
    assert!(file.clear().is_err() && rotate::clear(&device).is_err());
    assert!(device.is_symlink() && !root.path().join("device.1").exists());
}

#[test]
fn lost_records_are_counted_and_not_fatal() {
    let mut file = RotatingFile::open(Path::new("/dev/full"), Rotation::new(0, 0)).unwrap();
    for _ in 0..2 {
        let error = file.write(b"lost").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
    }
    file.reopen().unwrap();
    assert_eq!(file.lost_bytes(), 8);
}

#[test]
fn a_failed_roll_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    // A directory with something in it cannot be replaced.
    fs::create_dir_all(root.path().join("log.1/full")).unwrap();
    let mut file = RotatingFile::open(&path, Rotation::new(4, 1)).unwrap();
    assert!(file.write(b"abcd").is_err());
    write_all(&mut file, &["ef"]);
    assert!(file.write(b"gh").is_err(), "tried again when the file has grown by as much");
    assert_eq!(fs::read_to_string(&path).unwrap(), "abcdefgh");
    fs::remove_dir_all(root.path().join("log.1")).unwrap();
    write_all(&mut file, &["ijkl", "m"]);
    expect(root.path(), &[("log", "m"), ("log.1", "abcdefghijkl")]);
}

#[test]
fn a_pipe_without_reader_is_an_error_not_a_wait() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("pipe");
    nix::unistd::mkfifo(&path, Mode::from_bits_truncate(0o600)).unwrap();
    let error = RotatingFile::open(&path, Rotation::new(0, 0)).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENXIO));
}

#[test]
fn standard_output_works_when_it_is_a_socket() {
    let test = "logs::rotate::standard_output_works_when_it_is_a_socket";
    if own_process::is_inside(test) {
        let mut file = RotatingFile::open(Path::new("/dev/stdout"), Rotation::new(1, 1)).unwrap();
        file.write(b"to the journal\n").unwrap();
        return;
    }
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut command = own_process::command(test);
    command.stdout(std::os::fd::OwnedFd::from(theirs));
    assert!(command.status().unwrap().success());
    drop(command);
    let text = std::io::read_to_string(ours).unwrap();
    assert!(text.contains("to the journal\n"), "{text}");
}
