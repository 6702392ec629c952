//! What an rpm or deb package leaves on a host, so that `verify`, `doctor` and `status` work there as after an installation
//! from a bundle. It is made when the package is, and belongs to the package: whoever removes that, removes it.

use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use super::{Installed, Receipt, Verb};
use crate::kit::failure::Failure;
use crate::kit::host::Root;
use crate::kit::tree::PACKAGE_RECEIPT;

/// The version of the format that this program writes and reads.
const FORMAT: u32 = 1;

/// Who put the files there, and takes them away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageManager {
    /// rpm, by itself or under yum, dnf or zypper.
    Rpm,
    /// dpkg, by itself or under apt.
    Dpkg,
}

impl PackageManager {
    /// The command that brings another version, and the one that removes.
    pub fn commands(self) -> (&'static str, &'static str) {
        match self {
            PackageManager::Rpm => ("rpm -Uvh supervisor-kit-*.rpm", "rpm -e supervisor-kit"),
            PackageManager::Dpkg => ("dpkg -i supervisor-kit_*.deb", "dpkg -r supervisor-kit"),
        }
    }

    /// Its name, as in the receipt.
    pub fn name(self) -> &'static str {
        match self {
            PackageManager::Rpm => "rpm",
            PackageManager::Dpkg => "dpkg",
        }
    }
}

/// The receipt that travels in a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageReceipt {
    /// The format's version.
    format: u32,
    /// Who put it there.
    pub manager: PackageManager,
    /// Version of supervisor-kit.
    pub version: String,
    /// Processor, as `uname -m` prints it.
    pub arch: String,
    /// When the source was last changed, in seconds since 1970.
    pub created: u64,
    /// Everything in the package but this receipt.
    pub installed: Installed,
}

impl PackageReceipt {
    /// For a package.
    pub fn new(manager: PackageManager, version: &str, arch: &str, created: u64, installed: Installed) -> Self {
        let (version, arch) = (version.to_owned(), arch.to_owned());
        PackageReceipt { format: FORMAT, manager, version, arch, created, installed }
    }

    /// Its JSON text.
    ///
    /// # Errors
    /// None in practice; serialisation to memory has no reason to fail.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// The receipt of the package on this tree; `None` when there is none.
    ///
    /// # Errors
    /// It cannot be read or understood.
    pub fn of(root: &Root) -> Result<Option<PackageReceipt>, Failure> {
        let path = root.at(PACKAGE_RECEIPT);
        let damaged = |reason: String| Failure::StateDamaged { path: path.display().to_string(), reason };
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| damaged(error.to_string()))?,
        };
        match serde_json::from_slice::<PackageReceipt>(&bytes) {
            Ok(found) if found.format == FORMAT => Ok(Some(found)),
            Ok(found) => Err(damaged(format!("its format is number {}", found.format))),
            Err(error) => Err(damaged(error.to_string())),
        }
    }
}

impl From<PackageReceipt> for Receipt {
    fn from(package: PackageReceipt) -> Receipt {
        let PackageReceipt { version, arch, created: completed, installed, .. } = package;
        Receipt { format: super::RECEIPT_FORMAT, verb: Verb::Install, version, arch, completed, installed }
    }
}

/// Changes of a host where a package put the files are the package manager's.
///
/// # Errors
/// [`Failure::Packaged`], or the package's receipt cannot be read.
pub fn refuse_packaged(root: &Root) -> Result<(), Failure> {
    match PackageReceipt::of(root)? {
        Some(package) => Err(Failure::Packaged { manager: package.manager }),
        None => Ok(()),
    }
}
