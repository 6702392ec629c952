//! `payload.tgz` and its manifest, from the table in [`crate::kit::tree`].

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::tgz::{Archive, Item};
use crate::kit::bundle::manifest::{FORMAT, Manifest, Member, MemberKind, Mode, Payload};
use crate::kit::bundle::{elf, sums};
use crate::kit::tree::{Kind, PROGRAM, Source, TREE};

/// What goes into a bundle for the sake of the installation.
pub(super) struct Packed {
    pub(super) payload: Vec<u8>,
    pub(super) manifest: Manifest,
}

/// Packs the tree. `arch` must be what the daemon was built for; without it, the daemon decides.
pub(super) fn pack(bin_dir: &Path, arch: Option<&str>, epoch_secs: u64) -> Result<Packed> {
    let mut archive = Archive::new(epoch_secs);
    let mut members = Vec::new();
    let mut arch = arch.map(str::to_string);
    for entry in TREE {
        let bytes = match entry.kind {
            Kind::File { source, .. } => source_bytes(entry.path, source, bin_dir, &mut arch)?,
            Kind::Dir { .. } | Kind::Link { .. } => Vec::new(),
        };
        archive.add(entry.path.trim_start_matches('/'), item(entry.kind, &bytes))?;
        members.push(Member { path: entry.path.to_string(), kind: member_kind(entry.kind, &bytes) });
    }
    let payload = archive.finish()?;
    let manifest = Manifest {
        format: FORMAT,
        name: env!("CARGO_PKG_NAME").to_string(),
        version: crate::KIT_VERSION.to_string(),
        arch: arch.context("the tree has no program")?,
        created: epoch_secs,
        payload: Payload { size: payload.len() as u64, sha256: sums::sha256(&payload) },
        members,
    };
    Ok(Packed { payload, manifest })
}

fn source_bytes(entry_path: &str, source: Source, bin_dir: &Path, arch: &mut Option<String>) -> Result<Vec<u8>> {
    let name = match source {
        Source::Text(text) => return Ok(text.as_bytes().to_vec()),
        Source::Program(name) => name,
    };
    let path = bin_dir.join(name);
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}: build it first", path.display()))?;
    let Some(found) = elf::architecture(&bytes) else { bail!("{} is not an ELF program", path.display()) };
    let wanted = arch.get_or_insert_with(|| found.clone());
    if entry_path == PROGRAM && *wanted != found {
        bail!("{} is built for {found}, not for {wanted}", path.display());
    }
    Ok(bytes)
}

fn item(kind: Kind, bytes: &[u8]) -> Item<'_> {
    match kind {
        Kind::Dir { mode } => Item::Dir { mode },
        Kind::File { mode, .. } => Item::File { mode, bytes },
        Kind::Link { target } => Item::Link { target },
    }
}

fn member_kind(kind: Kind, bytes: &[u8]) -> MemberKind {
    match kind {
        Kind::Dir { mode } => MemberKind::Dir { mode: Mode(mode) },
        Kind::File { mode, config, .. } => {
            MemberKind::File { mode: Mode(mode), size: bytes.len() as u64, sha256: sums::sha256(bytes), config }
        }
        Kind::Link { target } => MemberKind::Link { target: target.to_string() },
    }
}
