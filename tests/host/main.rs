//! The bundle on booted machines: a real systemd as PID 1, no network, and the identity of a distribution.
//!
//! Needs root and systemd-nspawn (`scripts/setup`), and the bundle (`make bundle`); `make test` brings both.
//! Without them these tests fail and say so, unless `SUPERVISOR_KIT_NO_MACHINES=1` gives them up on purpose.

// Tests are a shell around the product: they run commands and look at files.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod bundle;
mod checks;
mod console;
mod continuity;
mod footprint;
mod install;
mod interrupted;
mod kill;
mod machine;
mod packages;
mod quirks;
mod read_only_usr;
mod reexec;
mod refusals;
mod security;
mod takeover;
mod transaction;
mod upgrades;
