//! Makes the offline bundles; see [`supervisor_kit::kit::pack`].

use clap::Parser;
use supervisor_kit::kit::pack::{Cli, run};

fn main() -> anyhow::Result<()> {
    run(&Cli::parse())
}
