//! Putting what was made into its folder: whole, or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Writes `dir/name`, and the folder if need be; the path. A file of that name is replaced by one rename.
pub(super) fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let path = dir.join(name);
    let beside = dir.join(format!(".{name}.new"));
    let written = File::create(&beside).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    if let Err(error) = written.and_then(|()| fs::rename(&beside, &path)) {
        // What is not whole must not be found; that it cannot be removed changes nothing about the error.
        let _ = fs::remove_file(&beside);
        return Err(error).with_context(|| format!("cannot write {}", path.display()));
    }
    Ok(path)
}
