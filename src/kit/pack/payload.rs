//! `payload.tgz` and its manifest.

use anyhow::Result;

use super::archive::{Archive, Item};
use super::contents::Contents;
use crate::kit::bundle::manifest::{FORMAT, Manifest, Payload};
use crate::kit::bundle::sums;
use crate::kit::tree::INSTALLER;

/// What goes into a bundle for the sake of the installation.
pub(super) struct Packed {
    pub(super) payload: Vec<u8>,
    pub(super) manifest: Manifest,
}

pub(super) fn pack(contents: &Contents, epoch_secs: u64) -> Result<Packed> {
    let mut archive = Archive::new(epoch_secs);
    // The bundle has the installer beside the payload already.
    for member in contents.members.iter().filter(|member| member.path != INSTALLER) {
        archive.add(member.path.trim_start_matches('/'), Item::of(&member.kind, contents.bytes(member)))?;
    }
    let payload = archive.finish()?;
    let manifest = Manifest {
        format: FORMAT,
        name: env!("CARGO_PKG_NAME").to_string(),
        version: crate::KIT_VERSION.to_string(),
        arch: contents.arch.clone(),
        created: epoch_secs,
        payload: Payload { size: payload.len() as u64, sha256: sums::sha256(&payload) },
        members: contents.members.clone(),
    };
    Ok(Packed { payload, manifest })
}
