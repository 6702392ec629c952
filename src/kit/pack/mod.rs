//! Making bundles, on the build machine. English only: its users build supervisor-kit.

mod payload;
mod tgz;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

/// Packs supervisor-kit for a host without internet.
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
}

/// Arguments of `pack tgz`.
#[derive(Debug, Args)]
pub struct TgzArgs {
    /// Directory with the built programs `supervisord` and `install`
    #[arg(long, value_name = "DIR")]
    pub bin_dir: PathBuf,
    /// Directory to put the bundle into; made when missing
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Processor as `uname -m` prints it [default: the one supervisord was built for]
    #[arg(long)]
    pub arch: Option<String>,
    /// English README of the bundle
    #[arg(long, value_name = "FILE")]
    pub readme: PathBuf,
    /// Chinese README of the bundle
    #[arg(long, value_name = "FILE")]
    pub readme_zh: PathBuf,
    /// Seconds since 1970, the time of every file in the bundle: the same sources give the same bytes.
    /// Without it a fixed date is used, never the clock
    #[arg(long, env = "SOURCE_DATE_EPOCH", default_value_t = EPOCH_DEFAULT_SECS, value_name = "SECONDS")]
    pub source_date_epoch: u64,
}

/// 1980-01-01: the oldest date that no archiver complains about.
const EPOCH_DEFAULT_SECS: u64 = 315_532_800;

/// Runs the command line and prints the path of what was made.
///
/// # Errors
/// An input cannot be read, is no program for the wanted processor, or the output cannot be written.
pub fn run(cli: &Cli) -> Result<()> {
    match &cli.format {
        Format::Tgz(args) => {
            let path = tgz::pack(args).context("cannot pack the tgz bundle")?;
            println!("{}", path.display());
            Ok(())
        }
    }
}
