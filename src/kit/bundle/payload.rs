//! Unpacking a payload into memory, against its manifest.
//!
//! The `tar` and `flate2` crates alone accept a payload with a flipped bit or a cut tail: tar stops at its end marker,
//! before the decoder has compared its checksum. So the decoder is drained to its trailer here.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use flate2::bufread::GzDecoder;
use tar::EntryType;

use super::manifest::{Manifest, Member, MemberKind};
use super::sums;
use crate::kit::tree;

/// No payload unpacks to more: a limit against a small archive that fills the memory of the host.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;

/// The bytes of each file, by path on the host. The installer is not in it: it lies beside the payload.
///
/// # Errors
/// What differs from the manifest, or is no archive, in words.
pub(super) fn unpack(payload: &[u8], manifest: &Manifest) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut contents = BTreeMap::new();
    let mut expected = manifest.members.iter().filter(|member| member.path != tree::INSTALLER);
    let decoder = GzDecoder::new(Cursor::new(payload)).take(UNPACKED_BYTES_MAX);
    let mut archive = tar::Archive::new(decoder);
    for entry in archive.entries().map_err(words)? {
        let mut entry = entry.map_err(words)?;
        let path = entry_path(&entry)?;
        let member = expected.next().ok_or_else(|| format!("{path} is not in the manifest"))?;
        if member.path != path {
            return Err(format!("it holds {path} where the manifest has {}", member.path));
        }
        if let Some(bytes) = check_entry(&mut entry, member)? {
            contents.insert(path, bytes);
        }
    }
    if let Some(member) = expected.next() {
        return Err(format!("{} is missing from it", member.path));
    }
    let mut rest = archive.into_inner();
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(words)?;
    if rest.limit() == 0 {
        return Err(format!("it unpacks to more than {UNPACKED_BYTES_MAX} bytes"));
    }
    if rest.into_inner().into_inner().position() != payload.len() as u64 {
        return Err("something follows the end of the compressed data".to_string());
    }
    Ok(contents)
}

/// The path on the host. Compared with the manifest, whose paths are already known to be plain.
fn entry_path<R: Read>(entry: &tar::Entry<'_, R>) -> Result<String, String> {
    let bytes = entry.path_bytes();
    let path = std::str::from_utf8(&bytes).map_err(|_| "it holds a name that is not UTF-8".to_string())?;
    Ok(format!("/{}", path.trim_end_matches('/')))
}

/// Compares one entry with its member; the bytes when it is a file.
fn check_entry<R: Read>(entry: &mut tar::Entry<'_, R>, member: &Member) -> Result<Option<Vec<u8>>, String> {
    let path = &member.path;
    let found_mode = entry.header().mode().map_err(words)?;
    match (&member.kind, entry.header().entry_type()) {
        (MemberKind::Dir { mode }, EntryType::Directory) if mode.0 == found_mode => Ok(None),
        (MemberKind::Link { target }, EntryType::Symlink) => {
            let found = entry.link_name_bytes().unwrap_or_default();
            if *found == *target.as_bytes() { Ok(None) } else { Err(format!("{path} links to another target")) }
        }
        (MemberKind::File { mode, size, sha256, .. }, EntryType::Regular) if mode.0 == found_mode => {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(words)?;
            if bytes.len() as u64 != *size || sums::sha256(&bytes) != *sha256 {
                return Err(format!("{path} has other contents than the manifest says"));
            }
            Ok(Some(bytes))
        }
        (_, found) => {
            Err(format!("{path} is an entry of type {found:?}, mode {found_mode:04o}: not as in the manifest"))
        }
    }
}

fn words(error: std::io::Error) -> String {
    error.to_string()
}
