//! The clients that people have, each against our daemon, and against stock Supervisor in the same run where that tells what is
//! right. `scripts/setup` installs them. Measurements are printed: `cargo test --test clients -- --nocapture`.

// Tests touch the machine, and a failed `unwrap` is a failed test, in functions that they share as well.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod ansible;
#[path = "../it/daemon/client.rs"]
#[allow(dead_code)]
mod client;
mod curl;
mod differences;
mod followers;
mod hostile;
mod listeners;
#[path = "../parity/proc.rs"]
mod proc;
mod python;
mod scale;
mod stage;
mod superlance;
#[path = "../parity/world.rs"]
#[allow(dead_code)]
mod world;
