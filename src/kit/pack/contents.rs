//! Everything that goes onto a host, with its bytes: [`crate::kit::tree`] for one processor and one family of packages.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::archive::gzip;
use crate::kit::bundle::manifest::{Member, MemberKind, Mode};
use crate::kit::bundle::{elf, sums};
use crate::kit::state::{Installed, PackageManager, PackageReceipt};
use crate::kit::tree::{CONFIG, Kind, PACKAGE_RECEIPT, Source, TREE};

/// Where a family of packages has things.
pub(super) trait Layout {
    /// The place of what the table has at `path`.
    fn path(&self, path: &str) -> String;
    /// A text of the table, with the places in it.
    fn text(&self, text: String) -> String;
}

/// The places of the table itself.
pub(super) struct AsTheTable;

impl Layout for AsTheTable {
    fn path(&self, path: &str) -> String {
        path.to_owned()
    }

    fn text(&self, text: String) -> String {
        text
    }
}

/// What is packed.
#[derive(Debug, Clone)]
pub(super) struct Contents {
    /// Processor, as `uname -m` prints it.
    pub(super) arch: String,
    /// A directory before what is in it.
    pub(super) members: Vec<Member>,
    /// The bytes of each file, by its path on the host.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

impl Contents {
    /// Gathers everything. `arch` must be what the programs were built for; without it, the first one decides.
    pub(super) fn gather(bin_dir: &Path, arch: Option<&str>, layout: &dyn Layout) -> Result<Contents> {
        let mut found_arch = arch.map(str::to_owned);
        let mut contents = Contents { arch: String::new(), members: Vec::new(), files: BTreeMap::new() };
        for entry in TREE {
            let path = layout.path(entry.path);
            match entry.kind {
                Kind::Dir { mode } => contents.add_dir(&path, mode),
                Kind::Link { target } => contents.add_link(&path, target),
                Kind::File { mode, source, config } => {
                    let bytes = match source {
                        Source::Text(text) => layout.text(text.to_owned()).into_bytes(),
                        Source::Made(make) => layout.text(make()).into_bytes(),
                        Source::Page(make) => gzip(layout.text(make()).as_bytes())?,
                        Source::Program(name) => program(&bin_dir.join(name), &mut found_arch)?,
                    };
                    contents.add_file(&path, mode, bytes, config);
                }
            }
        }
        contents.arch = found_arch.context("the table has no program")?;
        Ok(contents)
    }

    pub(super) fn add_dir(&mut self, path: &str, mode: u32) {
        self.members.push(Member { path: path.to_owned(), kind: MemberKind::Dir { mode: Mode(mode) } });
    }

    pub(super) fn add_link(&mut self, path: &str, target: &str) {
        self.members.push(Member { path: path.to_owned(), kind: MemberKind::Link { target: target.to_owned() } });
    }

    pub(super) fn add_file(&mut self, path: &str, mode: u32, bytes: Vec<u8>, config: bool) {
        let (size, sha256) = (bytes.len() as u64, sums::sha256(&bytes));
        let kind = MemberKind::File { mode: Mode(mode), size, sha256, config };
        self.members.push(Member { path: path.to_owned(), kind });
        self.files.insert(path.to_owned(), bytes);
    }

    /// Adds what `verify` goes by on a host where a package put the files. A site may tell its package manager to leave
    /// documentation out, so that is not part of it.
    pub(super) fn add_receipt(&mut self, manager: PackageManager, layout: &dyn Layout, epoch_secs: u64) -> Result<()> {
        let config = Some(layout.path(CONFIG)).filter(|path| path != CONFIG);
        let is_always_there = |member: &&Member| !is_documentation(&member.path);
        let members = self.members.iter().filter(is_always_there).cloned().collect();
        let installed = Installed { members, config, ..Installed::default() };
        let receipt = PackageReceipt::new(manager, crate::KIT_VERSION, &self.arch, epoch_secs, installed);
        let text = receipt.to_json()?;
        self.add_dir(PACKAGE_RECEIPT.rsplit_once('/').map_or("/", |(dir, _)| dir), 0o755);
        self.add_file(PACKAGE_RECEIPT, 0o644, text.into_bytes(), false);
        Ok(())
    }

    /// The bytes of a member; none for what is no file.
    pub(super) fn bytes(&self, member: &Member) -> &[u8] {
        self.files.get(&member.path).map_or(&[], Vec::as_slice)
    }
}

/// What `rpm --excludedocs` and dpkg's `path-exclude` leave out.
pub(super) fn is_documentation(path: &str) -> bool {
    ["/usr/share/doc/", "/usr/share/man/"].iter().any(|dir| path.starts_with(dir))
}

/// A built program, which must be for the processor that was asked for, or that the programs before it are for.
fn program(path: &Path, arch: &mut Option<String>) -> Result<Vec<u8>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}: build it first", path.display()))?;
    let Some(found) = elf::architecture(&bytes) else { bail!("{} is not an ELF program", path.display()) };
    let wanted = arch.get_or_insert_with(|| found.clone());
    if *wanted != found {
        bail!("{} is built for {found}, not for {wanted}", path.display());
    }
    Ok(bytes)
}
