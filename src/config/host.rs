//! The only questions a configuration may ask about the machine. The shell answers them for real, tests from a table.

use std::path::{Path, PathBuf};

use super::model::User;

/// What parsing needs to know of the world outside the file.
pub trait Host {
    /// The bytes of a file, or why it cannot be read (a sentence for people).
    fn read(&self, path: &Path) -> Result<Vec<u8>, String>;
    /// Paths matching a shell pattern (`*`, `?`, `[...]`; `*` skips dot files), sorted bytewise.
    fn glob(&self, pattern: &str) -> Vec<PathBuf>;
    /// Whether the path exists (follows links).
    fn exists(&self, path: &Path) -> bool;
    /// Whether the path is a directory.
    fn is_dir(&self, path: &Path) -> bool;
    /// Whether a directory can be written by us; chooses the default of `childlogdir`.
    fn is_writable_dir(&self, path: &Path) -> bool;
    /// Permission bits of a file; `None` when it is not there.
    fn mode(&self, path: &Path) -> Option<u32>;
    /// User id that parsing runs as.
    fn uid(&self) -> u32;
    /// Working directory.
    fn cwd(&self) -> PathBuf;
    /// Home directory for `~` (`None`) or `~name`.
    fn home(&self, user: Option<&str>) -> Option<PathBuf>;
    /// Node name as `uname -n` prints it.
    fn node_name(&self) -> String;
    /// The process environment; entries that are not UTF-8 are left out.
    fn environment(&self) -> Vec<(String, String)>;
    /// An account by name.
    fn user_by_name(&self, name: &str) -> Option<User>;
    /// An account by number.
    fn user_by_uid(&self, uid: u32) -> Option<User>;
    /// A group's id by name.
    fn group_by_name(&self, name: &str) -> Option<u32>;
    /// Whether a group id exists.
    fn group_exists(&self, gid: u32) -> bool;
}
