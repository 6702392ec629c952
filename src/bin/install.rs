//! The offline installer; see [`supervisor_kit::kit::install`].

use std::process::ExitCode;

use clap::Parser;
use nix::sys::stat::{Mode, umask};
use supervisor_kit::kit::commands::Machine;
use supervisor_kit::kit::install::{Cli, Request, run};
use supervisor_kit::kit::listener::{Console, Listener};
use supervisor_kit::kit::text::Lang;

fn main() -> ExitCode {
    umask(Mode::from_bits_truncate(0o022));
    let cli = Cli::parse();
    #[allow(clippy::disallowed_methods)]
    let lang = cli.lang.unwrap_or_else(|| Lang::from_environment(|name| std::env::var(name).ok()));
    let mut console = Console::new(lang);
    let outcome = Request::from_cli(cli).and_then(|request| run(&request, &mut Machine, &mut console));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console.failed(&failure);
            ExitCode::from(failure.code() as u8)
        }
    }
}
