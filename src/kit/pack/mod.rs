//! Making bundles and packages, on the build machine. English only: its users build supervisor-kit.
//!
//! Everything that a host gets is in one table ([`crate::kit::tree`]), and every format is made of it: what is in one is in all.

mod archive;
mod contents;
mod deb;
mod output;
mod payload;
mod release;
mod rpm;
mod sbom;
mod sign;
mod source;
mod tgz;
mod version;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

pub use sign::KeyArgs;
use sign::Signer;

/// Packs supervisor-kit for hosts without internet.
#[derive(Debug, Parser)]
#[command(name = "pack", version)]
pub struct Cli {
    /// What to make.
    #[command(subcommand)]
    pub format: Format,
}

/// The kinds of packages.
#[derive(Debug, Subcommand)]
pub enum Format {
    /// An archive with its own installer, for any distribution
    Tgz(TgzArgs),
    /// A package for rpm 4.11 and later: CentOS, openEuler, Anolis, Kylin server, UOS server, SUSE
    Rpm(PackageArgs),
    /// A package for dpkg 1.18 and later: Debian, Ubuntu, UOS desktop, Kylin desktop, deepin
    Deb(PackageArgs),
    /// The sources with every crate: builds where there is no network
    Source(SourceArgs),
    /// What makes bundles and packages in a folder a release: checksums, table of contents, list of components, signatures
    Release(ReleaseArgs),
}

/// What is packed, and where to.
#[derive(Debug, Args)]
pub struct Input {
    /// Directory with the built programs `supervisord` and `install`
    #[arg(long, value_name = "DIR")]
    pub bin_dir: PathBuf,
    /// Directory to put the package into; made when missing
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Processor as `uname -m` prints it [default: the one supervisord was built for]
    #[arg(long)]
    pub arch: Option<String>,
    /// Seconds since 1970, the time of everything inside: the same sources give the same bytes. Without it a fixed date is
    /// used, never the clock
    #[arg(long, env = "SOURCE_DATE_EPOCH", default_value_t = EPOCH_DEFAULT_SECS, value_name = "SECONDS")]
    pub source_date_epoch: u64,
}

/// Arguments of `pack tgz`.
#[derive(Debug, Args)]
pub struct TgzArgs {
    /// What is packed.
    #[command(flatten)]
    pub input: Input,
    /// English README of the bundle
    #[arg(long, value_name = "FILE")]
    pub readme: PathBuf,
    /// Chinese README of the bundle
    #[arg(long, value_name = "FILE")]
    pub readme_zh: PathBuf,
    /// Who signs it.
    #[command(flatten)]
    pub key: KeyArgs,
}

/// Arguments of `pack rpm` and `pack deb`.
#[derive(Debug, Args)]
pub struct PackageArgs {
    /// What is packed.
    #[command(flatten)]
    pub input: Input,
    /// Which packing of this version it is: rpm's release, dpkg's revision
    #[arg(long, default_value = "1")]
    pub release: String,
    /// Who made the package, as `Name <address>`
    #[arg(long, env = "PACKAGER")]
    pub packager: Option<String>,
}

/// Arguments of `pack source`.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// The source tree
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub from: PathBuf,
    /// Directory to put the bundle into; made when missing
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Seconds since 1970, the time of everything inside
    #[arg(long, env = "SOURCE_DATE_EPOCH", default_value_t = EPOCH_DEFAULT_SECS, value_name = "SECONDS")]
    pub source_date_epoch: u64,
}

/// Arguments of `pack release`.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// Directory with the bundles and packages
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// The source tree that they were made of
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub from: PathBuf,
    /// A processor that the set is not made for, and why
    #[arg(long, value_name = "ARCH=REASON")]
    pub skipped: Vec<String>,
    /// Seconds since 1970, the time of the release
    #[arg(long, env = "SOURCE_DATE_EPOCH", default_value_t = EPOCH_DEFAULT_SECS, value_name = "SECONDS")]
    pub source_date_epoch: u64,
    /// Who signs it.
    #[command(flatten)]
    pub key: KeyArgs,
}

/// 1980-01-01: the oldest date that no archiver complains about.
const EPOCH_DEFAULT_SECS: u64 = 315_532_800;

/// The version of Supervisor that a package stands in for.
const SUPERVISOR_VERSION: &str = "4.3.0";
/// For people who look at a package.
const SUMMARY: &str = "Process control system, Supervisor 4.3 as one static program";
const DESCRIPTION: &str = "\
Runs programs, starts them again when they end, and keeps their output in logs.
The configuration, the commands and their output are those of Supervisor 4.3:
supervisord, supervisorctl, pidproxy and echo_supervisord_conf, without Python
and without any other package. supervisor-install verifies the installation.";
const URL: &str = "http://supervisord.org/";
/// Unless a site names somebody of its own.
const MAINTAINER: &str = "supervisor-kit packagers <packagers@supervisor-kit.invalid>";

/// Runs the command line and prints the path of each thing that was made.
///
/// # Errors
/// An input cannot be read, is no program for the wanted processor, or the output cannot be written. Nothing is left half-made.
pub fn run(cli: &Cli) -> Result<()> {
    let made = match &cli.format {
        Format::Tgz(args) => vec![tgz::pack(args).context("cannot pack the tgz bundle")?],
        Format::Rpm(args) => vec![rpm::pack(args).context("cannot pack the rpm package")?],
        Format::Deb(args) => vec![deb::pack(args).context("cannot pack the deb package")?],
        Format::Source(args) => vec![source::pack(args).context("cannot pack the source bundle")?],
        Format::Release(args) => release::complete(args).context("cannot complete the release")?,
    };
    made.iter().for_each(|path| println!("{}", path.display()));
    Ok(())
}
