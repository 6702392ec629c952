//! The signature of a bundle: `SHA256SUMS.minisig`, made with minisign. Whoever signs that list has signed every byte.
//!
//! The installer itself travels in the bundle: one who wants to trust nothing in it checks the list with a minisign of
//! his own first (`minisign -Vm SHA256SUMS -p KEY`), then the files with `sha256sum -c SHA256SUMS`.

use std::path::{Path, PathBuf};

use minisign_verify::{PublicKey, Signature};

use super::SUMS;
use crate::kit::failure::{Failure, SignatureFault};

/// The signature of [`SUMS`].
pub const SIGNATURE: &str = "SHA256SUMS.minisig";
/// The key that counts when none is named: a site puts its own here, on every host.
pub const SITE_KEY: &str = "/etc/supervisor-install.pub";

/// No key or signature is larger.
const TEXT_BYTES_MAX: u64 = 16 << 10;

/// Whose signature is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// The key, when one was named: then its signature must be there.
    pub key: Option<PathBuf>,
    /// The site's key, used when no other is named and this one is there.
    pub site_key: Option<PathBuf>,
    /// Whether a bundle without a signature is refused.
    pub is_required: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// There is no signature, and none was wanted.
    No,
    /// There is one, but no key to check it with.
    Unchecked,
    /// It is right.
    Yes,
}

/// Checks the signature of the list `sums` in the bundle `dir`.
///
/// # Errors
/// It is missing although it is wanted, or it is wrong.
pub(super) fn check(dir: &Path, sums: &[u8], trust: &Trust) -> Result<Signed, Failure> {
    let path = dir.join(SIGNATURE);
    let shown = path.display().to_string();
    let is_wanted = trust.is_required || trust.key.is_some();
    let Some(text) = super::read_small(&path, TEXT_BYTES_MAX)? else {
        return if is_wanted { Err(fault(SignatureFault::Missing { path: shown })) } else { Ok(Signed::No) };
    };
    let site_key = || trust.site_key.as_ref().filter(|key| key.exists());
    let Some(key_path) = trust.key.as_ref().or_else(site_key) else {
        return if is_wanted { Err(fault(SignatureFault::NoKey)) } else { Ok(Signed::Unchecked) };
    };
    let key = read_key(key_path)?;
    let wrong = |reason: String| fault(SignatureFault::Wrong { path: shown.clone(), reason });
    let text = String::from_utf8(text).map_err(|_| wrong(format!("it is no text about {SUMS}")))?;
    let signature = Signature::decode(&text).map_err(|error| wrong(error.to_string()))?;
    key.verify(sums, &signature, false).map_err(|error| wrong(error.to_string()))?;
    Ok(Signed::Yes)
}

/// A key file of minisign, or just its second line.
fn read_key(path: &Path) -> Result<PublicKey, Failure> {
    let bad = |reason: String| fault(SignatureFault::BadKey { path: path.display().to_string(), reason });
    let bytes = super::read_small(path, TEXT_BYTES_MAX)?.ok_or_else(|| bad("no such file".to_owned()))?;
    let text = String::from_utf8(bytes).map_err(|_| bad("it is no text".to_owned()))?;
    let parsed = PublicKey::decode(&text).or_else(|_| PublicKey::from_base64(text.trim()));
    parsed.map_err(|error| bad(error.to_string()))
}

fn fault(fault: SignatureFault) -> Failure {
    Failure::Signature(fault)
}
