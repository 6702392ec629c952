//! What makes bundles and packages a release: `SHA256SUMS`, a table of contents, the list of components, and signatures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use super::{ReleaseArgs, SUPERVISOR_VERSION, Signer, output, sbom, version};
use crate::kit::bundle::{SUMS, sums};

/// What a signature's name ends in.
const SIGNED: &str = ".minisig";

/// The table of contents.
#[derive(Serialize)]
struct Contents {
    format: u32,
    name: &'static str,
    version: &'static str,
    /// The version of Supervisor that it stands in for.
    supervisor: &'static str,
    /// When the source was last changed, in seconds since 1970.
    created: u64,
    files: Vec<Made>,
    /// Processors that were asked for and not built for, with the reason.
    skipped: Vec<Skipped>,
}

/// One file of the set.
#[derive(Serialize)]
struct Made {
    name: String,
    kind: &'static str,
    /// Processor, as `uname -m` prints it; `None` for sources.
    arch: Option<&'static str>,
    size: u64,
    sha256: String,
}

#[derive(Serialize)]
struct Skipped {
    arch: String,
    reason: String,
}

/// The ends of names, what they are, and for which processor.
const KINDS: [(&str, &str, Option<&str>); 10] = [
    ("-source.tgz", "source", None),
    ("-linux-x86_64.tgz", "tgz", Some("x86_64")),
    ("-linux-aarch64.tgz", "tgz", Some("aarch64")),
    ("-linux-loongarch64.tgz", "tgz", Some("loongarch64")),
    (".x86_64.rpm", "rpm", Some("x86_64")),
    (".aarch64.rpm", "rpm", Some("aarch64")),
    (".loongarch64.rpm", "rpm", Some("loongarch64")),
    ("_amd64.deb", "deb", Some("x86_64")),
    ("_arm64.deb", "deb", Some("aarch64")),
    ("_loong64.deb", "deb", Some("loongarch64")),
];

/// Completes the set in a folder; the paths of what was added.
pub(super) fn complete(args: &ReleaseArgs) -> Result<Vec<PathBuf>> {
    let signer = Signer::from_args(&args.key, args.source_date_epoch)?;
    let own = [format!("{}.cdx.json", stem()), format!("{}.json", stem())];
    let files = made(&args.dir, &own)?;
    ensure!(
        !files.is_empty(),
        "there is nothing to release in {}: make bundles and packages first",
        args.dir.display()
    );
    let mut skipped = Vec::new();
    for one in &args.skipped {
        let (arch, reason) = one.split_once('=').with_context(|| format!("--skipped {one}: it is not ARCH=REASON"))?;
        skipped.push(Skipped { arch: arch.to_owned(), reason: reason.to_owned() });
    }
    let components = sbom::text(&args.from)?;
    let mut listed: Vec<(String, String)> = files.iter().map(|made| (made.name.clone(), made.sha256.clone())).collect();
    let contents = Contents {
        format: 1,
        name: env!("CARGO_PKG_NAME"),
        version: crate::KIT_VERSION,
        supervisor: SUPERVISOR_VERSION,
        created: args.source_date_epoch,
        files,
        skipped,
    };
    let contents = serde_json::to_string_pretty(&contents)? + "\n";
    let [components_name, contents_name] = own;
    let mut added = Vec::new();
    for (name, text) in [(components_name, components), (contents_name, contents)] {
        added.push(output::write(&args.dir, &name, text.as_bytes())?);
        listed.push((name, sums::sha256(text.as_bytes())));
    }
    listed.sort();
    let list = listed.iter().fold(String::new(), |text, (name, sha256)| text + sha256 + "  " + name + "\n");
    added.push(output::write(&args.dir, SUMS, list.as_bytes())?);
    let names = listed.into_iter().map(|(name, _)| name).chain([SUMS.to_owned()]);
    added.extend(sign(&args.dir, names, signer.as_ref())?);
    Ok(added)
}

/// `supervisor-kit-1.2.3`
fn stem() -> String {
    format!("{}-{}", env!("CARGO_PKG_NAME"), crate::KIT_VERSION)
}

/// The bundles and packages, in the order of their names. One of another version, or of no known kind, is an error.
fn made(dir: &Path, own: &[String]) -> Result<Vec<Made>> {
    let unreadable = || format!("cannot read {}", dir.display());
    let version = version::package(crate::KIT_VERSION)?;
    let begins = [crate::KIT_VERSION, &version].map(|version| {
        [format!("{}-{version}-", env!("CARGO_PKG_NAME")), format!("{}_{version}-", env!("CARGO_PKG_NAME"))]
    });
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(unreadable)? {
        let name = entry.with_context(unreadable)?.file_name().to_string_lossy().into_owned();
        if name == SUMS || name.ends_with(SIGNED) || own.contains(&name) {
            continue;
        }
        let kind = KINDS.iter().find(|(end, ..)| name.ends_with(end));
        let is_of_this_version = begins.iter().flatten().any(|begin| name.starts_with(begin.as_str()));
        let Some((_, kind, arch)) = kind.filter(|_| is_of_this_version) else {
            bail!("{} does not belong to release {}: move it away", dir.join(&name).display(), crate::KIT_VERSION);
        };
        let path = dir.join(&name);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        files.push(Made { name, kind, arch: *arch, size: bytes.len() as u64, sha256: sums::sha256(&bytes) });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Signs each file. Without a key, signatures of an earlier run are removed: they would be of other bytes.
fn sign(dir: &Path, names: impl Iterator<Item = String>, signer: Option<&Signer>) -> Result<Vec<PathBuf>> {
    let mut signatures = Vec::new();
    for name in names {
        let path = dir.join(format!("{name}{SIGNED}"));
        let Some(signer) = signer else {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove the old {}", path.display()));
                }
                _ => continue,
            }
        };
        let bytes = fs::read(dir.join(&name)).with_context(|| format!("cannot read {name}"))?;
        signatures.push(output::write(dir, &format!("{name}{SIGNED}"), signer.sign(&name, &bytes).as_bytes())?);
    }
    if signer.is_none() {
        eprintln!("pack: nothing is signed: neither MINISIGN_SECRET_KEY_FILE nor MINISIGN_SECRET_KEY is set");
    }
    Ok(signatures)
}
