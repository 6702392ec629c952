//! The tgz bundle: one folder with the installer, the payload and what verifies it. Same inputs, same bytes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::archive::{Archive, Item};
use super::contents::{AsTheTable, Contents};
use super::{Signer, TgzArgs, output, payload};
use crate::kit::bundle::signature::SIGNATURE;
use crate::kit::bundle::{INSTALL_SCRIPT, INSTALLER, MANIFEST, PAYLOAD, SUMS, sums};

/// For a bundle that lost its execute bits on the way (a FAT stick, an upload form).
const INSTALL_SH: &str = include_str!("install.sh");

/// Makes the bundle and returns its path.
pub(super) fn pack(args: &TgzArgs) -> Result<PathBuf> {
    let epoch_secs = args.input.source_date_epoch;
    let signer = Signer::from_args(&args.key, epoch_secs)?;
    let contents = Contents::gather(&args.input.bin_dir, args.input.arch.as_deref(), &AsTheTable)?;
    let packed = payload::pack(&contents, epoch_secs)?;
    let manifest = packed.manifest.to_json()?;
    let installer = read(&args.input.bin_dir.join("install"))?;
    let (readme, readme_zh) = (read(&args.readme)?, read(&args.readme_zh)?);
    let mut files: Vec<(&str, u32, &[u8])> = vec![
        ("README.md", 0o644, &readme),
        ("README.zh-CN.md", 0o644, &readme_zh),
        (INSTALLER, 0o755, &installer),
        (INSTALL_SCRIPT, 0o755, INSTALL_SH.as_bytes()),
        (MANIFEST, 0o644, manifest.as_bytes()),
        (PAYLOAD, 0o644, &packed.payload),
    ];
    let listing = sums::format(files.iter().map(|(name, _, bytes)| (*name, *bytes)));
    files.push((SUMS, 0o644, listing.as_bytes()));
    let signature = signer.map(|signer| signer.sign(SUMS, listing.as_bytes()));
    if let Some(signature) = &signature {
        files.push((SIGNATURE, 0o644, signature.as_bytes()));
    }

    let folder = format!("{}-{}-linux-{}", packed.manifest.name, packed.manifest.version, packed.manifest.arch);
    let mut archive = Archive::new(epoch_secs);
    archive.add(&folder, Item::Dir { mode: 0o755 })?;
    for (name, mode, bytes) in files {
        archive.add(&format!("{folder}/{name}"), Item::File { mode, bytes })?;
    }
    output::write(&args.input.out, &format!("{folder}.tgz"), &archive.finish()?)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
