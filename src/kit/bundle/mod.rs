//! A bundle on disk: `install`, `payload.tgz`, `manifest.json`, `SHA256SUMS` and the READMEs, in one directory.
//!
//! Reading trusts nothing. Every file is compared with `SHA256SUMS` first, the payload's hash also with the manifest;
//! only then is it unpacked, into memory, from the very bytes that were hashed. What it holds must be the manifest,
//! no more and no less.

pub mod elf;
pub mod manifest;
mod payload;
pub mod sums;

pub use manifest::{Manifest, Member, MemberKind};

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::failure::{Damage, Failure};

/// The archive of what is installed.
pub const PAYLOAD: &str = "payload.tgz";
/// What the payload holds.
pub const MANIFEST: &str = "manifest.json";
/// Hashes of every other file, as `sha256sum -c` reads them.
pub const SUMS: &str = "SHA256SUMS";
/// The installer.
pub const INSTALLER: &str = "install";

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
    /// Reads and checks a bundle.
    ///
    /// # Errors
    /// A file is missing, cannot be read, or is not what was packed.
    pub fn open(dir: &Path) -> Result<Bundle, Failure> {
        let listed = sums::parse(&read(dir, SUMS)?).map_err(|line| damaged(dir, SUMS, Damage::Content(line)))?;
        let manifest_bytes = read_listed(dir, MANIFEST, &listed)?;
        let payload_bytes = read_listed(dir, PAYLOAD, &listed)?;
        for name in listed.keys().filter(|name| *name != MANIFEST && *name != PAYLOAD) {
            read_listed(dir, name, &listed)?;
        }
        let manifest = Manifest::from_json(&manifest_bytes).map_err(|damage| damaged(dir, MANIFEST, damage))?;
        compare(&manifest.payload.sha256, &payload_bytes).map_err(|damage| damaged(dir, PAYLOAD, damage))?;
        let contents =
            payload::unpack(&payload_bytes, &manifest).map_err(|what| damaged(dir, PAYLOAD, Damage::Content(what)))?;
        Ok(Bundle { dir: dir.to_path_buf(), manifest, contents })
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

fn compare(expected: &str, bytes: &[u8]) -> Result<(), Damage> {
    let found = sums::sha256(bytes);
    if found == expected { Ok(()) } else { Err(Damage::Checksum { expected: expected.to_string(), found }) }
}

fn damaged(dir: &Path, name: &str, damage: Damage) -> Failure {
    Failure::BundleDamaged { path: dir.join(name).display().to_string(), damage }
}
