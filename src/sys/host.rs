//! The real machine, as a configuration sees it.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access, gethostname, getuid};

use super::{glob, users};
use crate::config::{Host, User};

/// Largest configuration file, in bytes: enough for tens of thousands of programs.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// This machine. The working directory is the one at creation, so that a reload after `chdir` resolves relative paths
/// as the start did: make it once, early.
#[derive(Debug, Clone)]
pub struct Machine {
    cwd: PathBuf,
}

impl Machine {
    /// Remembers the working directory; `/` when it is gone.
    pub fn new() -> Machine {
        Machine { cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")) }
    }

    /// The same as another image of the daemon saw it, from its working directory at its start.
    pub fn seen_from(directory: PathBuf) -> Machine {
        Machine { cwd: directory }
    }

    /// Where relative paths go by.
    pub fn directory(&self) -> &Path {
        &self.cwd
    }
}

impl Default for Machine {
    fn default() -> Self {
        Machine::new()
    }
}

impl Host for Machine {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let file = std::fs::File::open(self.cwd.join(path)).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(format!("the file is larger than {FILE_BYTES_MAX} bytes"));
        }
        Ok(bytes)
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        glob::glob(pattern)
    }

    fn exists(&self, path: &Path) -> bool {
        self.cwd.join(path).exists()
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.cwd.join(path).is_dir()
    }

    fn is_writable_dir(&self, path: &Path) -> bool {
        let path = self.cwd.join(path);
        path.is_dir() && access(&path, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
    }

    fn mode(&self, path: &Path) -> Option<u32> {
        std::fs::metadata(self.cwd.join(path)).ok().map(|found| found.permissions().mode() & 0o7777)
    }

    fn uid(&self) -> u32 {
        getuid().as_raw()
    }

    fn cwd(&self) -> PathBuf {
        self.cwd.clone()
    }

    fn home(&self, user: Option<&str>) -> Option<PathBuf> {
        match user {
            Some(name) => users::home_of(name).map(PathBuf::from),
            None => std::env::var_os("HOME").map(PathBuf::from).or_else(|| {
                let account = users::user_by_uid(getuid().as_raw())?;
                users::home_of(&account.name).map(PathBuf::from)
            }),
        }
    }

    fn node_name(&self) -> String {
        gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn environment(&self) -> Vec<(String, String)> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    fn user_by_name(&self, name: &str) -> Option<User> {
        users::user_by_name(name)
    }

    fn user_by_uid(&self, uid: u32) -> Option<User> {
        users::user_by_uid(uid)
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        users::group_by_name(name)
    }

    fn group_exists(&self, gid: u32) -> bool {
        users::group_exists(gid)
    }
}
