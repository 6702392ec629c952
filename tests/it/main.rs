//! Everything that needs no booted machine, one module per area.

// Tests touch the machine, and a failed `unwrap` is a failed test, in functions that they share as well.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod config;
mod ctl;
mod daemon;
mod events;
#[cfg(feature = "kit")]
mod kit;
mod logs;
mod own_process;
mod pidproxy;
mod program_file;
mod programs;
mod sys;
mod tidy;
mod xmlrpc;
