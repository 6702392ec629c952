//! The file that holds the daemon's pid.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A pidfile that this process wrote.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl PidFile {
    /// Writes `<pid>` and a newline, whole or not at all: beside the path, then renamed. A path that is a link or a device, or
    /// whose directory may not be written, is written in place.
    ///
    /// # Errors
    /// The file cannot be written; the daemon logs it and goes on (`Supervisor: options.py write_pidfile()`).
    pub fn write(path: &Path) -> io::Result<Self> {
        let pid = std::process::id();
        let text = format!("{pid}\n");
        let replaceable = fs::symlink_metadata(path).map_or(true, |metadata| metadata.is_file());
        if !(replaceable && replace(path, &text, pid).is_ok()) {
            fs::write(path, &text)?;
        }
        let metadata = fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), device: metadata.dev(), inode: metadata.ino() })
    }

    /// The file that an earlier image of this process wrote, if it still holds our pid; it is written anew otherwise.
    ///
    /// # Errors
    /// As [`PidFile::write`].
    pub fn resume(path: &Path) -> io::Result<Self> {
        if !holds_own_pid(path) {
            return Self::write(path);
        }
        let metadata = fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), device: metadata.dev(), inode: metadata.ino() })
    }

    /// Removes the file if it is still the regular file that we wrote, by its inode and by what it says: another's may
    /// have come by the inode that ours had. Says nothing when it is gone already.
    ///
    /// # Errors
    /// It is ours and cannot be removed.
    pub fn remove(self) -> io::Result<()> {
        match fs::symlink_metadata(&self.path) {
            Ok(now) if now.is_file() && self.is_identical(&now) && holds_own_pid(&self.path) => {
                fs::remove_file(&self.path)
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn is_identical(&self, now: &fs::Metadata) -> bool {
        (now.dev(), now.ino()) == (self.device, self.inode)
    }
}

fn holds_own_pid(path: &Path) -> bool {
    read(path).map(i32::cast_unsigned) == Some(std::process::id())
}

fn replace(path: &Path, text: &str, pid: u32) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{pid}"));
    // The directory may be /tmp: never write through a link that somebody has put there.
    let _ = fs::remove_file(&beside);
    let mut file = fs::File::create_new(&beside)?;
    let result = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&beside, path));
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result
}

/// The pid in the file at `path`, if it holds one.
pub fn read(path: &Path) -> Option<i32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
