//! The source bundle: what git has, every crate that `Cargo.lock` names, and the few lines that send cargo to them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::archive::{Archive, Item};
use super::{SourceArgs, output};

/// Where the crates go, in the bundle as in a tree.
const VENDOR: &str = "vendor";
/// What tells cargo, and what it says. `scripts/vendor` writes the same.
const CARGO_CONFIG: &str = ".cargo/config.toml";
const CARGO_CONFIG_TEXT: &str = "\
# made by scripts/vendor
[source.crates-io]
replace-with = \"vendored-sources\"

[source.vendored-sources]
directory = \"vendor\"
";
/// The time of the commit, for the Makefile: without git nobody else knows it.
const TIME: &str = ".source-date-epoch";
/// No folder is nested deeper: a limit against links that go round.
const DEPTH_MAX: u32 = 64;

/// Makes the bundle and returns its path.
pub(super) fn pack(args: &SourceArgs) -> Result<PathBuf> {
    let from = args.from.canonicalize().with_context(|| format!("cannot find {}", args.from.display()))?;
    ensure!(from.join("Cargo.lock").is_file(), "{} is no source tree: it has no Cargo.lock", from.display());
    fs::create_dir_all(&args.out).with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    let scratch = Scratch(args.out.canonicalize()?.join(".vendor.new"));
    let vendor = crates(&from, &scratch)?;

    let mut files: Vec<(String, PathBuf)> = tracked(&from)?;
    files.extend(below(&vendor, VENDOR, 0)?);
    files.sort();
    files.dedup_by(|a, b| a.0 == b.0);
    let folder = format!("{}-{}-source", env!("CARGO_PKG_NAME"), crate::KIT_VERSION);
    let mut archive = Archive::new(args.source_date_epoch);
    for (name, path) in &files {
        add(&mut archive, &format!("{folder}/{name}"), path)?;
    }
    let time = format!("{}\n", args.source_date_epoch);
    for (name, text) in [(CARGO_CONFIG, CARGO_CONFIG_TEXT), (TIME, &time)] {
        archive.add(&format!("{folder}/{name}"), Item::File { mode: 0o644, bytes: text.as_bytes() })?;
    }
    output::write(&args.out, &format!("{folder}.tgz"), &archive.finish()?)
}

/// A folder that is gone in the end, whatever the end is.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The folder with every crate: the tree's own when it is a source bundle itself, else a fresh one.
fn crates(from: &Path, scratch: &Scratch) -> Result<PathBuf> {
    if from.join(CARGO_CONFIG).is_file() {
        return Ok(from.join(VENDOR));
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let vendor = scratch.0.join(VENDOR);
    cargo.args(["vendor", "--locked", "--versioned-dirs", "--quiet"]).arg(&vendor).current_dir(from);
    let output = cargo.output().context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo vendor failed:\n{}", String::from_utf8_lossy(&output.stderr).trim_end());
    Ok(vendor)
}

/// The files of the project: those that git has, or, without git, all but what is built.
fn tracked(from: &Path) -> Result<Vec<(String, PathBuf)>> {
    if !from.join(".git").exists() {
        let built = ["target", "dist", VENDOR, ".cargo", TIME];
        let mut files = Vec::new();
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !built.contains(&name.as_str()) {
                files.extend(below(&entry.path(), &name, 0)?);
            }
        }
        files.push((format!("{VENDOR}/README.md"), from.join(VENDOR).join("README.md")));
        return Ok(files);
    }
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(from).output().context("cannot run git")?;
    ensure!(output.status.success(), "git ls-files failed:\n{}", String::from_utf8_lossy(&output.stderr).trim_end());
    let names = String::from_utf8(output.stdout).context("a file's name is not UTF-8")?;
    Ok(names.split_terminator('\0').map(|name| (name.to_owned(), from.join(name))).collect())
}

/// A file, or everything in a folder, with the names that they get.
fn below(path: &Path, name: &str, depth: u32) -> Result<Vec<(String, PathBuf)>> {
    ensure!(depth < DEPTH_MAX, "{} is nested too deeply", path.display());
    let unreadable = || format!("cannot read {}", path.display());
    if !fs::symlink_metadata(path).with_context(unreadable)?.is_dir() {
        return Ok(vec![(name.to_owned(), path.to_path_buf())]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(unreadable)? {
        let entry = entry?;
        let Some(below_name) = entry.file_name().to_str().map(str::to_owned) else {
            bail!("the name of {} is not UTF-8", entry.path().display());
        };
        files.extend(below(&entry.path(), &format!("{name}/{below_name}"), depth + 1)?);
    }
    Ok(files)
}

fn add(archive: &mut Archive, name: &str, path: &Path) -> Result<()> {
    let unreadable = || format!("cannot read {}", path.display());
    let meta = fs::symlink_metadata(path).with_context(unreadable)?;
    if meta.is_symlink() {
        let target = fs::read_link(path).with_context(unreadable)?;
        let target = target.to_str().with_context(|| format!("the target of {} is not UTF-8", path.display()))?;
        return archive.add(name, Item::Link { target });
    }
    let mode = if meta.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
    archive.add(name, Item::File { mode, bytes: &fs::read(path).with_context(unreadable)? })
}
