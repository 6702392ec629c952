//! `manifest.json`: what a payload holds, checked for everything that a payload must not hold.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::kit::failure::Damage;

/// The version of the format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// The table of contents of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// `supervisor-kit`.
    pub name: String,
    /// Version of supervisor-kit.
    pub version: String,
    /// Processor, as `uname -m` prints it.
    pub arch: String,
    /// When the source was last changed, in seconds since 1970 (`SOURCE_DATE_EPOCH`).
    pub created: u64,
    /// The archive.
    pub payload: Payload,
    /// What is in the archive, in its order: a directory before what is in it.
    pub members: Vec<Member>,
}

/// The archive as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Bytes.
    pub size: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// One thing to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Absolute path on the host.
    pub path: String,
    /// What it is.
    #[serde(flatten)]
    pub kind: MemberKind,
}

/// What a [`Member`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum MemberKind {
    /// A directory.
    Dir {
        /// Permission bits of a new one.
        mode: Mode,
    },
    /// A file.
    File {
        /// Permission bits.
        mode: Mode,
        /// Bytes.
        size: u64,
        /// SHA-256, hexadecimal.
        sha256: String,
        /// The administrator's once installed: never overwritten.
        config: bool,
    },
    /// A symbolic link.
    Link {
        /// Relative to the link's directory.
        target: String,
    },
}

/// Permission bits, written as four octal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mode(pub u32);

impl TryFrom<String> for Mode {
    type Error = String;
    fn try_from(text: String) -> Result<Mode, String> {
        u32::from_str_radix(&text, 8).map(Mode).map_err(|_| format!("mode {text:?} is not octal"))
    }
}

impl From<Mode> for String {
    fn from(mode: Mode) -> String {
        mode.to_string()
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// Another format, no valid JSON of this shape, or a member that no bundle may hold.
    pub fn from_json(bytes: &[u8]) -> Result<Manifest, Damage> {
        let content = |error: serde_json::Error| Damage::Content(error.to_string());
        // The version is read alone first, so that a later format is named as such.
        let version: Version = serde_json::from_slice(bytes).map_err(content)?;
        if version.format != FORMAT {
            return Err(Damage::Format { found: version.format });
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(content)?;
        manifest.check().map_err(Damage::Content)?;
        Ok(manifest)
    }

    /// Its JSON text: pretty, fields in the order of the types, ends with a newline.
    ///
    /// # Errors
    /// None in practice; serialisation to memory has no reason to fail.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    fn check(&self) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        let not_dirs: BTreeSet<&str> = self
            .members
            .iter()
            .filter(|m| !matches!(m.kind, MemberKind::Dir { .. }))
            .map(|m| m.path.as_str())
            .collect();
        for member in &self.members {
            let path = &member.path;
            check_path(path)?;
            if !seen.insert(path) {
                return Err(format!("{path} is there twice"));
            }
            if ancestors(path).any(|dir| not_dirs.contains(dir)) {
                return Err(format!("{path} lies below something that is no directory"));
            }
            match &member.kind {
                MemberKind::Dir { mode } | MemberKind::File { mode, .. } if mode.0 & !0o777 != 0 => {
                    return Err(format!("{path} has mode {mode}: set-uid, set-gid and sticky bits are not allowed"));
                }
                MemberKind::Link { target } => check_target(path, target)?,
                MemberKind::Dir { .. } | MemberKind::File { .. } => {}
            }
        }
        Ok(())
    }
}

/// Just the format's version.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

fn check_path(path: &str) -> Result<(), String> {
    match path.strip_prefix('/') {
        Some(relative) if is_plain(relative) => Ok(()),
        _ => Err(format!("{path:?} is not a plain absolute path")),
    }
}

/// Links go down or sideways only: the simplest rule that keeps them inside the tree.
fn check_target(path: &str, target: &str) -> Result<(), String> {
    if is_plain(target) {
        Ok(())
    } else {
        Err(format!("{path} is a link to {target:?}, which may lead out of the tree"))
    }
}

fn is_plain(relative: &str) -> bool {
    relative.split('/').all(|part| !part.is_empty() && part != "." && part != "..") && !relative.contains('\0')
}

fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end]).filter(|dir| !dir.is_empty())
}
