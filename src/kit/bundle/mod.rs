//! A bundle on disk: `install`, `payload.tgz`, `manifest.json`, `SHA256SUMS` and the READMEs, in one directory.
//!
//! Reading trusts nothing. Every file is compared with `SHA256SUMS` first, the payload's hash also with the manifest;
//! only then is it unpacked, into memory, from the very bytes that were hashed. What it holds must be the manifest,
//! no more and no less. The installer is there once, beside the payload, and is that member of the manifest, too.

pub mod elf;
pub mod manifest;
mod payload;
pub mod signature;
pub mod sums;

pub use manifest::{Manifest, Member, MemberKind};
pub use signature::{Signed, Trust};

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::failure::{Damage, Failure};
use super::tree;

/// The archive of what is installed.
pub const PAYLOAD: &str = "payload.tgz";
/// What the payload holds.
pub const MANIFEST: &str = "manifest.json";
/// Hashes of every other file, as `sha256sum -c` reads them.
pub const SUMS: &str = "SHA256SUMS";
/// The installer.
pub const INSTALLER: &str = "install";

/// What starts the installer when it lost its execute bit.
pub const INSTALL_SCRIPT: &str = "install.sh";

/// No file of a bundle is larger: a limit against filling the memory of the host.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// A bundle whose every byte has been checked.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Where it was read from.
    pub dir: PathBuf,
    /// Its table of contents.
    pub manifest: Manifest,
    /// The bytes of each file member, by path on the host.
    pub contents: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Reads and checks a bundle, whoever made it.
    ///
    /// # Errors
    /// A file is missing, cannot be read, or is not what was packed.
    pub fn open(dir: &Path) -> Result<Bundle, Failure> {
        Bundle::open_signed(dir, &Trust::default()).map(|(bundle, _)| bundle)
    }

    /// Reads and checks a bundle and its signature. The very bytes whose signature is right are then used.
    ///
    /// # Errors
    /// A file is missing, cannot be read, or is not what was packed, or the signature is not as wanted.
    pub fn open_signed(dir: &Path, trust: &Trust) -> Result<(Bundle, Signed), Failure> {
        let list = read(dir, SUMS)?;
        let signed = signature::check(dir, &list, trust)?;
        let listed = sums::parse(&list).map_err(|line| damaged(dir, SUMS, Damage::Content(line)))?;
        let manifest_bytes = read_listed(dir, MANIFEST, &listed)?;
        let payload_bytes = read_listed(dir, PAYLOAD, &listed)?;
        // The programs of the bundle itself: one that is there but not listed was put there later.
        if let Some(name) =
            [INSTALLER, INSTALL_SCRIPT].iter().find(|name| dir.join(name).exists() && !listed.contains_key(**name))
        {
            return Err(damaged(dir, name, Damage::NotListed));
        }
        for name in listed.keys().filter(|name| *name != MANIFEST && *name != PAYLOAD) {
            read_listed(dir, name, &listed)?;
        }
        let manifest = Manifest::from_json(&manifest_bytes).map_err(|damage| damaged(dir, MANIFEST, damage))?;
        compare(&manifest.payload.sha256, &payload_bytes).map_err(|damage| damaged(dir, PAYLOAD, damage))?;
        let mut contents =
            payload::unpack(&payload_bytes, &manifest).map_err(|what| damaged(dir, PAYLOAD, Damage::Content(what)))?;
        if let Some(member) = manifest.members.iter().find(|member| member.path == tree::INSTALLER) {
            let bytes = read_listed(dir, INSTALLER, &listed)?;
            let MemberKind::File { sha256, .. } = &member.kind else {
                return Err(damaged(dir, MANIFEST, Damage::Content(format!("{} is no file", member.path))));
            };
            compare(sha256, &bytes).map_err(|damage| damaged(dir, INSTALLER, damage))?;
            contents.insert(member.path.clone(), bytes);
        }
        Ok((Bundle { dir: dir.to_path_buf(), manifest, contents }, signed))
    }

    /// Checks that the programs inside run on this processor.
    ///
    /// # Errors
    /// [`Failure::WrongArchitecture`], when the manifest or any program's ELF header names another than `machine`
    /// (as `uname -m` prints it).
    pub fn check_architecture(&self, machine: &str) -> Result<(), Failure> {
        let programs = self.contents.values().filter_map(|bytes| elf::architecture(bytes));
        match std::iter::once(self.manifest.arch.clone()).chain(programs).find(|arch| arch != machine) {
            Some(bundle) => Err(Failure::WrongArchitecture { bundle, host: machine.to_string() }),
            None => Ok(()),
        }
    }
}

fn read_listed(dir: &Path, name: &str, listed: &BTreeMap<String, String>) -> Result<Vec<u8>, Failure> {
    let bytes = read(dir, name)?;
    let expected = listed.get(name).ok_or_else(|| damaged(dir, name, Damage::NotListed))?;
    compare(expected, &bytes).map_err(|damage| damaged(dir, name, damage))?;
    Ok(bytes)
}

fn read(dir: &Path, name: &str) -> Result<Vec<u8>, Failure> {
    let path = dir.join(name);
    let shown = path.display().to_string();
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::BundleMissing { path: shown.clone() },
        _ => Failure::BundleUnreadable { path: shown.clone(), reason: error.to_string() },
    };
    let mut bytes = Vec::new();
    File::open(&path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(damaged(dir, name, Damage::TooLarge { bytes_max: FILE_BYTES_MAX }));
    }
    Ok(bytes)
}

/// The bytes of a small file; `None` when it is not there.
fn read_small(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, Failure> {
    let shown = path.display().to_string();
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() as u64 > bytes_max => {
            Err(Failure::BundleDamaged { path: shown, damage: Damage::TooLarge { bytes_max } })
        }
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::BundleUnreadable { path: shown, reason: error.to_string() }),
    }
}

fn compare(expected: &str, bytes: &[u8]) -> Result<(), Damage> {
    let found = sums::sha256(bytes);
    if found == expected { Ok(()) } else { Err(Damage::Checksum { expected: expected.to_string(), found }) }
}

fn damaged(dir: &Path, name: &str, damage: Damage) -> Failure {
    Failure::BundleDamaged { path: dir.join(name).display().to_string(), damage }
}
