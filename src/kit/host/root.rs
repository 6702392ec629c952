//! The tree that is installed into: the running host, or a directory given with `--root`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::kit::failure::Failure;

/// No system description is larger.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// A host's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    dir: PathBuf,
    is_staged: bool,
}

impl Root {
    /// The running host.
    pub fn live() -> Root {
        Root { dir: PathBuf::from("/"), is_staged: false }
    }

    /// A tree that is not running, such as an image being built.
    ///
    /// # Errors
    /// The directory is not there.
    pub fn staged(dir: &Path) -> Result<Root, Failure> {
        Root::at_dir(dir, true)
    }

    /// A tree that is treated as running although it is a directory: lets tests stand in for the host.
    ///
    /// # Errors
    /// The directory is not there.
    pub fn pretend_live(dir: &Path) -> Result<Root, Failure> {
        Root::at_dir(dir, false)
    }

    fn at_dir(dir: &Path, is_staged: bool) -> Result<Root, Failure> {
        let unusable = |reason: String| Failure::RootUnusable { path: dir.display().to_string(), reason };
        let dir = fs::canonicalize(dir).map_err(|error| unusable(error.to_string()))?;
        if dir.is_dir() { Ok(Root { dir, is_staged }) } else { Err(unusable("it is not a directory".to_string())) }
    }

    /// Whether this tree is not running, so that no service can be started.
    pub fn is_staged(&self) -> bool {
        self.is_staged
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where an absolute path of the host is.
    pub fn at(&self, path: &str) -> PathBuf {
        self.dir.join(path.trim_start_matches('/'))
    }

    /// The closest directory above `path` that exists, with links resolved.
    ///
    /// # Errors
    /// A link leads out of the tree: following it would change the machine we run on instead of the tree.
    pub fn nearest_dir(&self, path: &str) -> Result<PathBuf, Failure> {
        let full = self.at(path);
        let found = full.ancestors().skip(1).find_map(|dir| fs::canonicalize(dir).ok());
        let target = found.unwrap_or_else(|| self.dir.clone());
        if target.starts_with(&self.dir) {
            return Ok(target);
        }
        Err(Failure::LeavesRoot { path: full.display().to_string(), target: target.display().to_string() })
    }

    /// Where an absolute path leads when links in the directories above it are followed, as far as they are there.
    pub fn real(&self, path: &str) -> String {
        let full = self.at(path);
        let found = full.ancestors().skip(1).find_map(|dir| Some((fs::canonicalize(dir).ok()?, dir)));
        let real = found.and_then(|(real, dir)| {
            let rest = full.strip_prefix(dir).ok()?;
            Some(Path::new("/").join(real.join(rest).strip_prefix(&self.dir).ok()?).display().to_string())
        });
        real.unwrap_or_else(|| path.to_owned())
    }

    /// The bytes of a small file; `None` when it is missing, unreadable, large, or outside the tree.
    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        let real = fs::canonicalize(self.at(path)).ok()?;
        let is_small = fs::metadata(&real).is_ok_and(|meta| meta.is_file() && meta.len() <= TEXT_BYTES_MAX);
        if real.starts_with(&self.dir) && is_small { fs::read(real).ok() } else { None }
    }

    /// Whether something is at the path.
    pub fn exists(&self, path: &str) -> bool {
        fs::symlink_metadata(self.at(path)).is_ok()
    }
}
