//! The tgz bundle: one folder with the installer, the payload and what verifies it. Same inputs, same bytes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder, write::GzEncoder};
use tar::{EntryType, Header};

use super::{TgzArgs, payload};
use crate::kit::bundle::{INSTALLER, MANIFEST, PAYLOAD, SUMS, sums};

/// For a bundle that lost its execute bits on the way (a FAT stick, an upload form).
const INSTALL_SH: &str = include_str!("install.sh");
/// The byte for Unix in a gzip header (RFC 1952, 2.3.1).
const GZIP_OS_UNIX: u8 = 3;

/// Makes the bundle and returns its path.
pub(super) fn pack(args: &TgzArgs) -> Result<PathBuf> {
    let packed = payload::pack(&args.bin_dir, args.arch.as_deref(), args.source_date_epoch)?;
    let manifest = packed.manifest.to_json()?;
    let installer = read(&args.bin_dir.join("install"))?;
    let (readme, readme_zh) = (read(&args.readme)?, read(&args.readme_zh)?);
    let mut files: Vec<(&str, u32, &[u8])> = vec![
        ("README.md", 0o644, &readme),
        ("README.zh-CN.md", 0o644, &readme_zh),
        (INSTALLER, 0o755, &installer),
        ("install.sh", 0o755, INSTALL_SH.as_bytes()),
        (MANIFEST, 0o644, manifest.as_bytes()),
        (PAYLOAD, 0o644, &packed.payload),
    ];
    let listing = sums::format(files.iter().map(|(name, _, bytes)| (*name, *bytes)));
    files.push((SUMS, 0o644, listing.as_bytes()));

    let folder = format!("{}-{}-linux-{}", packed.manifest.name, packed.manifest.version, packed.manifest.arch);
    let mut archive = Archive::new(args.source_date_epoch);
    archive.add(&folder, Item::Dir { mode: 0o755 })?;
    for (name, mode, bytes) in files {
        archive.add(&format!("{folder}/{name}"), Item::File { mode, bytes })?;
    }
    let path = args.out.join(format!("{folder}.tgz"));
    let bytes = archive.finish()?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A gzipped tar whose bytes depend on nothing but what is added: owner 0:0, one time, a fixed gzip header.
pub(super) struct Archive {
    tar: tar::Builder<GzEncoder<Vec<u8>>>,
    epoch_secs: u64,
}

/// One entry of an [`Archive`].
pub(super) enum Item<'a> {
    Dir { mode: u32 },
    File { mode: u32, bytes: &'a [u8] },
    Link { target: &'a str },
}

impl Archive {
    pub(super) fn new(epoch_secs: u64) -> Archive {
        let gzip = GzBuilder::new().mtime(0).operating_system(GZIP_OS_UNIX).write(Vec::new(), Compression::best());
        Archive { tar: tar::Builder::new(gzip), epoch_secs }
    }

    pub(super) fn add(&mut self, path: &str, item: Item<'_>) -> Result<()> {
        let mut header = Header::new_ustar();
        let (kind, mode, bytes): (_, _, &[u8]) = match item {
            Item::Dir { mode } => (EntryType::Directory, mode, &[]),
            Item::File { mode, bytes } => (EntryType::Regular, mode, bytes),
            Item::Link { target } => {
                header.set_link_name(target)?;
                (EntryType::Symlink, 0o777, &[])
            }
        };
        let name = if kind == EntryType::Directory { format!("{path}/") } else { path.to_string() };
        header.set_path(&name).with_context(|| format!("{name} does not fit into a tar header"))?;
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_username("root")?;
        header.set_groupname("root")?;
        header.set_mtime(self.epoch_secs);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        Ok(self.tar.append(&header, bytes)?)
    }

    pub(super) fn finish(self) -> Result<Vec<u8>> {
        Ok(self.tar.into_inner()?.finish()?)
    }
}
