//! Putting files in place: written beside, synced, then renamed. Modes never depend on the umask.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown, lchown, symlink};
use std::path::Path;

use nix::unistd::geteuid;

use crate::kit::failure::Failure;

/// What a run may leave behind when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftover {
    /// A new file, not yet in its place.
    New,
    /// The second name of a replaced file.
    Old,
}

/// The name beside `path`. It is always the same, so that the next run finds it; in the same directory, so that a
/// rename is atomic, the SELinux label is that of the place, and a noexec /tmp does not matter; and hidden.
pub fn leftover(path: &str, kind: Leftover) -> String {
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    let ending = match kind {
        Leftover::New => "new",
        Leftover::Old => "old",
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
            .map(|()| true)
            .map_err(failed("mkdir", dir)),
    }
}

/// Writes a file that is not there yet, down to the disk.
pub(super) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        own(path)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()
    };
    write().map_err(failed("write", path))
}

/// Makes a symbolic link that is not there yet.
pub(super) fn make_link(path: &Path, target: &str) -> Result<(), Failure> {
    let make = || -> io::Result<()> {
        symlink(target, path)?;
        if geteuid().is_root() { lchown(path, Some(0), Some(0)) } else { Ok(()) }
    };
    make().map_err(failed("symlink", path))
}

/// Gives what is at `place` a second name.
pub(super) fn keep_old(place: &Path, old: &Path) -> Result<(), Failure> {
    fs::hard_link(place, old).map_err(failed("link", old))
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
        match to.parent() {
            Some(dir) => fs::File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    };
    rename().map_err(failed("rename", to))
}

/// Removes a file or a link; fine when it is not there.
pub(super) fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Everything belongs to root. Without being root (`--root` as a user) nothing can be given away.
fn own(path: &Path) -> io::Result<()> {
    if geteuid().is_root() { chown(path, Some(0), Some(0)) } else { Ok(()) }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::Step { action, path, reason: error.to_string() }
}
