//! Pidfile, lock, time, error names.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use supervisor_kit::sys::errno_name;
use supervisor_kit::sys::local_time::{LocalTime, local_time};
use supervisor_kit::sys::lock::{InstanceLock, LockError};
use supervisor_kit::sys::path_watch::PathWatch;
use supervisor_kit::sys::pidfile::{self, PidFile};

use crate::own_process;

const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn pidfile_is_whole_and_removed_only_when_ours() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("supervisord.pid");
    fs::write(&path, "999999 old and longer\n").unwrap();
    let ours = PidFile::write(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
    assert_eq!(pidfile::read(&path), Some(std::process::id() as i32));
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);

    fs::write(root.path().join("other"), "1\n").unwrap();
    fs::rename(root.path().join("other"), &path).unwrap();
    ours.remove().unwrap();
    assert_eq!(pidfile::read(&path), Some(1), "another daemon's pidfile stays");

    let ours = PidFile::write(&path).unwrap();
    fs::write(&path, "1\n").unwrap();
    ours.remove().unwrap();
    assert_eq!(pidfile::read(&path), Some(1), "another daemon's pidfile stays, whatever its inode");

    PidFile::write(&path).unwrap().remove().unwrap();
    assert!(!path.exists());
}

#[test]
fn pidfile_does_not_replace_a_link_or_a_device() {
    let root = tempfile::tempdir().unwrap();
    let (target, link) = (root.path().join("target"), root.path().join("link"));
    symlink(&target, &link).unwrap();
    PidFile::write(&link).unwrap().remove().unwrap();
    assert!(link.is_symlink());
    assert_eq!(pidfile::read(&target), Some(std::process::id() as i32));

    symlink("/dev/null", root.path().join("null")).unwrap();
    PidFile::write(&root.path().join("null")).unwrap().remove().unwrap();
    assert!(root.path().join("null").is_symlink());
    assert!(PidFile::write(&root.path().join("missing/pid")).is_err());
}

/// A directory that is removed and made again often gets the inode that it had: ext4 does so at once.
#[test]
fn a_directory_made_again_is_watched_again() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = async {
        fs::create_dir(&folder).unwrap();
        let mut watch = PathWatch::open(&folder.join("socket")).unwrap();
        fs::remove_dir(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        watch.changed().await.unwrap();
        watch.aim().unwrap();
        fs::write(folder.join("socket"), "").unwrap();
        watch.changed().await.unwrap();
    };
    let deadline = async { tokio::time::timeout(DEADLINE, told).await };
    runtime.block_on(deadline).expect("nobody was told");
}

#[test]
fn a_second_daemon_does_not_get_the_lock() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("supervisord.pid");
    let first = InstanceLock::take(&path).unwrap();
    let pidfile = PidFile::write(&path).unwrap();
    let error = InstanceLock::take(&path).unwrap_err();
    let start = format!("Another supervisord (pid {}) is already running with pidfile", std::process::id());
    assert!(matches!(error, LockError::Held { .. }) && error.to_string().starts_with(&start), "{error}");
    pidfile.remove().unwrap();
    first.release();
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    // A daemon that was killed leaves its file behind, but not its lock.
    drop(InstanceLock::take(&path).unwrap());
    assert!(InstanceLock::take(&path).is_ok());
    let nowhere = InstanceLock::take("/nonexistent/pid".as_ref()).unwrap_err();
    assert!(matches!(nowhere, LockError::Unavailable { .. }));
}

#[test]
fn local_time_follows_the_zone() {
    let test = "sys::system::local_time_follows_the_zone";
    if own_process::is_inside(test) {
        let expected =
            LocalTime { year: 2026, month: 1, day: 1, hour: 7, minute: 59, second: 58, utc_offset_secs: 8 * 3600 };
        assert_eq!(local_time(1_767_225_598), expected);
        assert_eq!(local_time(0).year, 1970);
        return;
    }
    // POSIX notation, which needs no zone files: eight hours east.
    let output = own_process::command(test).env("TZ", "CST-8").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn errors_have_symbolic_names() {
    assert_eq!(errno_name(libc::EACCES), "EACCES");
    assert_eq!(errno_name(libc::EAGAIN), "EAGAIN");
    assert_eq!(errno_name(9999), "9999");
}
