//! Putting files in place: written beside, synced, then renamed. Modes never depend on the umask.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown, lchown, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::unistd::geteuid;

use crate::kit::bundle::sums;
use crate::kit::failure::Failure;

/// What a run may leave behind when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftover {
    /// A new file, not yet in its place.
    New,
    /// An old file on its way back.
    Old,
    /// A program that is tried before anything is changed. No journal knows it; the next run removes it.
    Trial,
}

/// The name beside `path`. It is always the same, so that the next run finds it; in the same directory, so that a
/// rename is atomic, the SELinux label is that of the place, and a noexec /tmp does not matter; and hidden.
pub fn leftover(path: &str, kind: Leftover) -> String {
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    let ending = match kind {
        Leftover::New => "new",
        Leftover::Old => "old",
        Leftover::Trial => "trial",
    };
    format!("{dir}/.{name}.supervisor-kit.{ending}")
}

/// Makes a directory; `false` when it was there.
pub(super) fn make_dir(dir: &Path, mode: u32) -> Result<bool, Failure> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => Ok(false),
        made => made
            .and_then(|()| own(dir))
            .and_then(|()| fs::set_permissions(dir, Permissions::from_mode(mode)))
            .and_then(|()| sync_parent(dir))
            .map(|()| true)
            .map_err(failed("mkdir", dir)),
    }
}

/// Writes a file that is not there yet, down to the disk.
pub(super) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    write_as(path, bytes, mode, 0, 0)
}

/// Makes a symbolic link that is not there yet.
pub(super) fn make_link(path: &Path, target: &str) -> Result<(), Failure> {
    let make = || -> io::Result<()> {
        symlink(target, path)?;
        if geteuid().is_root() {
            lchown(path, Some(0), Some(0))?;
        }
        sync_parent(path)
    };
    make().map_err(failed("symlink", path))
}

/// Writes a file that is not there yet, with the owner it once had.
pub(super) fn write_as(path: &Path, bytes: &[u8], mode: u32, uid: u32, gid: u32) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        give(path, uid, gid)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        sync_parent(path)
    };
    write().map_err(failed("write", path))
}

/// Sets the time of the last change of a file that is put back. Nothing depends on it but what package managers show.
pub(super) fn set_modified(path: &Path, wall_secs: i64) {
    let Some(since) = u64::try_from(wall_secs).ok().filter(|secs| *secs > 0) else { return };
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(since);
    let _ = OpenOptions::new().write(true).open(path).and_then(|file| file.set_modified(time));
}

/// Makes a directory again, unless it is there.
pub(super) fn restore_dir(dir: &Path, mode: u32, uid: u32, gid: u32) -> Result<(), Failure> {
    let restore = || -> io::Result<()> {
        match fs::create_dir(dir) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
            made => made?,
        }
        give(dir, uid, gid)?;
        fs::set_permissions(dir, Permissions::from_mode(mode))
    };
    restore().map_err(failed("mkdir", dir))
}

/// Whether a file is there with exactly these bytes, permissions and owner: then it need not be put back, and a full or
/// read-only disk is no obstacle.
pub(super) fn is_file_as(path: &Path, sha256: &str, mode: u32, uid: u32, gid: u32) -> bool {
    let Ok(meta) = fs::symlink_metadata(path) else { return false };
    let is_same = meta.is_file() && meta.mode() & 0o7777 == mode && (meta.uid(), meta.gid()) == (uid, gid);
    is_same && fs::read(path).is_ok_and(|bytes| sums::sha256(&bytes) == sha256)
}

/// Gives something its earlier name back; fine when it has it already.
pub(super) fn rename_back(from: &Path, to: &Path) -> Result<(), Failure> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        // Somebody has put something there since: both are kept.
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => merge(from, to).map_err(failed("rename", to)),
        other => other.and_then(|()| sync_parent(to)).map_err(failed("rename", to)),
    }
}

/// Moves what is in one directory to another; a name that is taken there gets an ending.
fn merge(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        let mut target = to.join(&name);
        while fs::symlink_metadata(&target).is_ok() {
            target.as_mut_os_string().push(".before");
        }
        fs::rename(from.join(&name), target)?;
    }
    fs::File::open(to)?.sync_all()?;
    fs::remove_dir(from)
}

/// Removes a directory that is empty; `false` when something is in it.
pub(super) fn remove_dir(dir: &Path) -> Result<bool, Failure> {
    match fs::remove_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory | ErrorKind::ResourceBusy
            ) =>
        {
            Ok(false)
        }
        other => other.map(|()| true).map_err(failed("rmdir", dir)),
    }
}

/// Renames a directory; `false` when it stays, because something is mounted there.
pub(super) fn set_aside(dir: &Path, aside: &Path) -> Result<bool, Failure> {
    remove_tree(aside)?;
    match fs::rename(dir, aside) {
        Err(error) if matches!(error.kind(), ErrorKind::ResourceBusy | ErrorKind::CrossesDevices) => Ok(false),
        other => other.and_then(|()| sync_parent(dir)).map(|()| true).map_err(failed("rename", dir)),
    }
}

/// Removes a directory with all that is in it; fine when it is not there.
pub(super) fn remove_tree(dir: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", dir)(error)),
        _ => Ok(()),
    }
}

/// Renames within a directory, down to the disk.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    let rename = || -> io::Result<()> {
        fs::rename(from, to)?;
        // A rename of two names of one file does nothing and leaves both.
        match fs::remove_file(from) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        sync_parent(to)
    };
    rename().map_err(failed("rename", to))
}

/// Removes a file or a link; fine when it is not there.
pub(super) fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        // A read-only file system says that it is one before it says that there is no such file.
        Err(error) if fs::symlink_metadata(path).is_ok() => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Makes what was done to names in a directory outlive a power cut.
fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) => fs::File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

/// Everything we make belongs to root. Without being root (`--root` as a user) nothing can be given away.
fn own(path: &Path) -> io::Result<()> {
    give(path, 0, 0)
}

fn give(path: &Path, uid: u32, gid: u32) -> io::Result<()> {
    if geteuid().is_root() { chown(path, Some(uid), Some(gid)) } else { Ok(()) }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::Step { action, path, reason: error.to_string() }
}
