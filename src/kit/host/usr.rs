//! Whether `/usr` takes an installation.

use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

use super::Root;
use crate::kit::bundle::Manifest;
use crate::kit::failure::Failure;
use crate::kit::prefix::LINK_DIR;

/// There where the system is an ostree image: what is written to an unlocked `/usr` is gone with the next update.
const OSTREE_RUNS: &str = "/run/ostree-booted";

/// Whether links to the programs can be made.
///
/// # Errors
/// [`Failure::LeavesRoot`].
pub fn may_link(root: &Root) -> Result<bool, Failure> {
    Ok(refusal(&root.nearest_dir(&format!("{LINK_DIR}supervisord"))?).is_none())
}

/// What keeps an installation out of `/usr`, as directory and the system's reason; `None` when nothing does, or nothing
/// that another place would mend.
///
/// # Errors
/// [`Failure::LeavesRoot`].
pub fn obstacle(root: &Root, manifest: &Manifest) -> Result<Option<String>, Failure> {
    if root.exists(OSTREE_RUNS) {
        return Ok(Some(OSTREE_RUNS.to_owned()));
    }
    for member in manifest.members.iter().filter(|member| member.path.starts_with("/usr/")) {
        if let Some(errno) = refusal(&root.nearest_dir(&member.path)?) {
            let dir = member.path.rsplit_once('/').map_or("", |(dir, _)| dir);
            return Ok(Some(format!("{dir}: {}", errno.desc())));
        }
    }
    Ok(None)
}

/// EROFS: a read-only file system; EPERM: an immutable directory. Other refusals are about us.
fn refusal(dir: &Path) -> Option<Errno> {
    let outcome = access(dir, AccessFlags::W_OK | AccessFlags::X_OK);
    outcome.err().filter(|errno| matches!(errno, Errno::EROFS | Errno::EPERM))
}
