//! Archives whose bytes depend on nothing but what is added.

use std::io::Write;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder, write::GzEncoder};
use tar::{EntryType, Header};

use crate::kit::bundle::manifest::MemberKind;
use crate::kit::tree::OWNER;

/// The byte for Unix in a gzip header (RFC 1952, 2.3.1).
const GZIP_OS_UNIX: u8 = 3;

/// `bytes` compressed, without a name or time.
pub(super) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = encoder();
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn encoder() -> GzEncoder<Vec<u8>> {
    GzBuilder::new().mtime(0).operating_system(GZIP_OS_UNIX).write(Vec::new(), Compression::best())
}

/// A gzipped tar: owner 0:0, one time, a fixed gzip header.
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

impl<'a> Item<'a> {
    /// A member of the table, with its bytes.
    pub(super) fn of(kind: &'a MemberKind, bytes: &'a [u8]) -> Item<'a> {
        match kind {
            MemberKind::Dir { mode } => Item::Dir { mode: mode.0 },
            MemberKind::File { mode, .. } => Item::File { mode: mode.0, bytes },
            MemberKind::Link { target } => Item::Link { target },
        }
    }
}

impl Archive {
    pub(super) fn new(epoch_secs: u64) -> Archive {
        Archive { tar: tar::Builder::new(encoder()), epoch_secs }
    }

    /// Adds an entry. A name that no ustar header holds gets a GNU one before it, which every tar reads.
    pub(super) fn add(&mut self, path: &str, item: Item<'_>) -> Result<()> {
        let (kind, mode, bytes): (_, _, &[u8]) = match item {
            Item::Dir { mode } => (EntryType::Directory, mode, &[]),
            Item::File { mode, bytes } => (EntryType::Regular, mode, bytes),
            Item::Link { .. } => (EntryType::Symlink, 0o777, &[]),
        };
        let name = if kind == EntryType::Directory { format!("{path}/") } else { path.to_string() };
        let mut header = Header::new_ustar();
        let is_short = set_name(&mut header, &name);
        if !is_short {
            header = Header::new_gnu();
        }
        if let Item::Link { target } = item {
            header.set_link_name(target).with_context(|| format!("the target of {path} does not fit a tar header"))?;
        }
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_username(OWNER)?;
        header.set_groupname(OWNER)?;
        header.set_mtime(self.epoch_secs);
        header.set_size(bytes.len() as u64);
        if is_short {
            header.set_cksum();
            return Ok(self.tar.append(&header, bytes)?);
        }
        self.tar.append_data(&mut header, &name, bytes).with_context(|| format!("cannot pack {name}"))
    }

    pub(super) fn finish(self) -> Result<Vec<u8>> {
        Ok(self.tar.into_inner()?.finish()?)
    }
}

/// Puts a name into an ustar header as it is, a leading `./` included, which dpkg's own tool has; `false`: it does not fit.
fn set_name(header: &mut Header, name: &str) -> bool {
    let field = &mut header.as_old_mut().name;
    match field.get_mut(..name.len()) {
        Some(field) => {
            field.copy_from_slice(name.as_bytes());
            true
        }
        None => header.set_path(name).is_ok(),
    }
}
