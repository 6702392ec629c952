//! The bundle as it is to be on a host whose configuration is not at the usual place.

use std::collections::BTreeMap;

use super::{DROP_IN, drop_in};
use crate::kit::bundle::manifest::Mode;
use crate::kit::bundle::{Manifest, Member, MemberKind, sums};
use crate::kit::prefix::Prefix;
use crate::kit::tree::CONFIG;

/// Without a configuration of its own, and with the drop-in that names the other one. So plan, receipt, later
/// installations and removal treat the drop-in like any other file of ours.
pub fn adapt(manifest: &mut Manifest, contents: &mut BTreeMap<String, Vec<u8>>, prefix: Prefix, config: Option<&str>) {
    let Some(config) = config else { return };
    manifest.members.retain(|member| member.path != CONFIG);
    add(manifest, contents, DROP_IN, 0o644, drop_in(prefix, config).into_bytes());
}

/// Adds a file of ours to what is installed.
pub fn add(manifest: &mut Manifest, contents: &mut BTreeMap<String, Vec<u8>>, path: &str, mode: u32, bytes: Vec<u8>) {
    let kind =
        MemberKind::File { mode: Mode(mode), size: bytes.len() as u64, sha256: sums::sha256(&bytes), config: false };
    manifest.members.push(Member { path: path.to_owned(), kind });
    contents.insert(path.to_owned(), bytes);
}
