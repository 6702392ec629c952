//! Version numbers as packages have them.

use anyhow::{Result, bail};

/// No version or release is longer.
const BYTES_MAX: usize = 40;

/// A version of ours as rpm and dpkg order it: `0.2.0-rc.1` comes before `0.2.0`, so it becomes `0.2.0~rc.1`.
pub(super) fn package(version: &str) -> Result<String> {
    let (numbers, rest) = version.split_once('-').map_or((version, None), |(numbers, rest)| (numbers, Some(rest)));
    let written = rest.map_or_else(|| numbers.to_owned(), |rest| format!("{numbers}~{}", rest.replace('-', ".")));
    check("version", &written)?;
    Ok(written)
}

/// The release of a package: which packing of this version it is.
pub(super) fn release(release: &str) -> Result<&str> {
    check("release", release)?;
    Ok(release)
}

/// What both rpm and dpkg take, and order alike.
fn check(what: &str, text: &str) -> Result<()> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'~');
    let begins_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    if !begins_well || text.len() > BYTES_MAX || !text.bytes().all(is_fine) {
        bail!(
            "{text:?} is no {what} of a package: it begins with a digit, has letters, digits and . + ~ only, \
             and at most {BYTES_MAX} of them"
        );
    }
    Ok(())
}
