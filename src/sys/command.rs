//! Finding the file behind the first word of a command.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::core::CommandError;

/// Where commands are looked up when neither the program's environment nor the daemon's has a PATH
/// (`Supervisor: options.py get_path()`).
const PATH_DEFAULT: &str = "/bin:/usr/bin:/usr/local/bin";

/// Any of the three execute bits.
const EXECUTE_BITS: u32 = 0o111;

/// Finds the file to execute for `argv0`.
///
/// A word with a slash is taken as it is, relative to the daemon's working directory. Any other is looked for in `path_var`,
/// and the first entry of that name wins even if it cannot be executed: a broken command is reported, not skipped
/// (`Supervisor: process.py get_execv_args()`). The checks are made as the daemon's user, not the program's.
///
/// # Errors
/// In this order: not found, a directory, no execute bit, no permission (`Supervisor: options.py check_execv_args()`).
pub fn find(argv0: &str, path_var: Option<&str>) -> Result<PathBuf, CommandError> {
    if argv0.is_empty() {
        return Err(CommandError::Empty);
    }
    let not_found = || CommandError::NotFound(argv0.to_owned());
    let (path, metadata) = if argv0.contains('/') {
        (PathBuf::from(argv0), stat(Path::new(argv0)).map_err(|_| not_found())?)
    } else {
        path_var
            .unwrap_or(PATH_DEFAULT)
            .split(':')
            .map(|directory| Path::new(directory).join(argv0))
            .find_map(|path| stat(&path).ok().map(|metadata| (path, metadata)))
            .ok_or_else(not_found)?
    };
    let text = || path.display().to_string();
    if metadata.is_dir() {
        return Err(CommandError::IsDirectory(text()));
    }
    if metadata.permissions().mode() & EXECUTE_BITS == 0 {
        return Err(CommandError::NotExecutable(text()));
    }
    if access(&path, AccessFlags::X_OK).is_err() {
        return Err(CommandError::NoPermission(text()));
    }
    Ok(path)
}

fn stat(path: &Path) -> io::Result<std::fs::Metadata> {
    std::fs::metadata(path)
}
