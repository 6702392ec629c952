//! A machine made of a table: what the pure configuration code is tested on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use supervisor_kit::config::{Host, Options, User};

/// Files by path; every parent directory of a file exists, and so do `/tmp`, `/var/log` and `/home/op`.
#[derive(Default)]
pub struct Table {
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    pub environment: Vec<(String, String)>,
    pub unreadable: Option<PathBuf>,
    /// Permission bits of every file.
    pub mode: u32,
}

impl Table {
    /// One configuration file, `/etc/s.conf`.
    pub fn with_main(text: &str) -> Table {
        Table::default().file("/etc/s.conf", text.as_bytes())
    }

    pub fn file(mut self, path: &str, bytes: &[u8]) -> Table {
        self.files.insert(path.into(), bytes.to_vec());
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Table {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// `-c /etc/s.conf`.
pub fn main_options() -> Options {
    Options { program: "supervisord".into(), config_file: Some("/etc/s.conf".into()), ..Options::default() }
}

impl Host for Table {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        if self.unreadable.as_deref() == Some(path) {
            return Err("Permission denied".to_owned());
        }
        self.files.get(path).cloned().ok_or_else(|| "it is not a file".to_owned())
    }
    /// Only `<directory>/*<suffix>`.
    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        let Some((directory, suffix)) = pattern.split_once('*') else {
            return self.files.keys().filter(|path| path.as_os_str() == pattern).cloned().collect();
        };
        let fits = |path: &str| path.starts_with(directory) && path.ends_with(suffix);
        self.files.keys().filter(|path| fits(&path.to_string_lossy())).cloned().collect()
    }
    fn exists(&self, path: &Path) -> bool {
        self.files.contains_key(path) || self.is_dir(path)
    }
    fn is_dir(&self, path: &Path) -> bool {
        let known = ["/tmp", "/var/log", "/home/op"].iter().any(|known| Path::new(known).starts_with(path));
        known || self.files.keys().any(|file| file != path && file.starts_with(path))
    }
    fn is_writable_dir(&self, path: &Path) -> bool {
        path == Path::new("/tmp")
    }
    fn mode(&self, path: &Path) -> Option<u32> {
        self.files.get(path).map(|_| self.mode)
    }
    fn uid(&self) -> u32 {
        0
    }
    fn cwd(&self) -> PathBuf {
        "/start/dir".into()
    }
    fn home(&self, user: Option<&str>) -> Option<PathBuf> {
        [None, Some("op")].contains(&user).then(|| "/home/op".into())
    }
    fn node_name(&self) -> String {
        "node1".into()
    }
    fn environment(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }
    fn user_by_name(&self, name: &str) -> Option<User> {
        (name == "op").then(|| User { name: "op".into(), uid: 1000, gid: 1001 })
    }
    fn user_by_uid(&self, uid: u32) -> Option<User> {
        (uid == 1000).then(|| User { name: "op".into(), uid: 1000, gid: 1001 })
    }
    fn group_by_name(&self, name: &str) -> Option<u32> {
        (name == "ops").then_some(1001)
    }
    fn group_exists(&self, gid: u32) -> bool {
        gid == 1001
    }
}
