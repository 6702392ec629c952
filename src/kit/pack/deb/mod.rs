//! The deb package: gzip members, for every dpkg since 1.18.

mod ar;
mod control;
mod layout;

use std::path::PathBuf;

use anyhow::Result;

use super::archive::{Archive, Item, gzip};
use super::contents::Contents;
use super::{PackageArgs, output, version};
use crate::kit::state::PackageManager;
use layout::{ALIAS, Debian, UNIT_NAME};

/// The format's version, the first member.
const DEBIAN_BINARY: &[u8] = b"2.0\n";

/// Makes the package and returns its path.
pub(super) fn pack(args: &PackageArgs) -> Result<PathBuf> {
    let epoch_secs = args.input.source_date_epoch;
    let version = format!("{}-{}", version::package(crate::KIT_VERSION)?, version::release(&args.release)?);
    let mut contents = Contents::gather(&args.input.bin_dir, args.input.arch.as_deref(), &Debian)?;
    let arch = control::architecture(&contents.arch)?;
    contents.add_link(ALIAS, UNIT_NAME);
    let maintainer = args.packager.as_deref().unwrap_or(super::MAINTAINER);
    let changelog = control::changelog(&version, maintainer, epoch_secs);
    contents.add_file(&control::changelog_path(), 0o644, gzip(changelog.as_bytes())?, false);
    contents.add_receipt(PackageManager::Dpkg, &Debian, epoch_secs)?;
    layout::complete(&mut contents);

    let mut data = Archive::new(epoch_secs);
    data.add(".", Item::Dir { mode: 0o755 })?;
    for member in &contents.members {
        data.add(&format!(".{}", member.path), Item::of(&member.kind, contents.bytes(member)))?;
    }
    let mut about = Archive::new(epoch_secs);
    about.add(".", Item::Dir { mode: 0o755 })?;
    for (name, mode, text) in control::files(&contents, &version, arch, maintainer) {
        about.add(&format!("./{name}"), Item::File { mode, bytes: text.as_bytes() })?;
    }
    let (about, data) = (about.finish()?, data.finish()?);
    let members = [("debian-binary", DEBIAN_BINARY), ("control.tar.gz", &about), ("data.tar.gz", &data)];
    let name = format!("{}_{version}_{arch}.deb", env!("CARGO_PKG_NAME"));
    output::write(&args.input.out, &name, &ar::write(&members, epoch_secs))
}
