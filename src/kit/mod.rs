//! The kit: what packs supervisor-kit into a bundle and installs it on a host without internet.
//!
//! ```text
//! tree ─► pack ─► bundle (tgz) ┄┄ carried to the host ┄┄► bundle ─► Manifest ─┐
//!                                                          host ─► Facts ────┼─► plan ─► [Step] ─► apply
//!                                                          flags ─► Wishes ──┘   (pure)           (changes the host)
//! ```
//!
//! * [`plan`] is pure: the whole decision of what an installation does is one function from facts to steps.
//! * [`apply`] does the steps and can take them back; it decides nothing. What it needs for that is on the disk ([`state`])
//!   before it does anything.
//! * Every word for people is in [`text`], in English and Chinese; it reaches them through one [`listener::Listener`].
//! * Every foreign program is run through [`commands::Commands`].

pub mod answers;
#[allow(clippy::disallowed_methods)]
pub mod apply;
#[allow(clippy::disallowed_methods)]
pub mod bundle;
#[allow(clippy::disallowed_methods)]
pub mod cli;
#[allow(clippy::disallowed_methods)]
pub mod commands;
pub mod diff;
pub mod failure;
#[allow(clippy::disallowed_methods)]
pub mod host;
pub mod json;
pub mod listener;
#[allow(clippy::disallowed_methods)]
pub mod log_file;
pub mod manual;
#[allow(clippy::disallowed_methods)]
#[cfg(feature = "pack")]
pub mod pack;
pub mod plan;
pub mod prefix;
#[allow(clippy::disallowed_methods)]
pub mod preflight;
pub mod restart_policy;
#[allow(clippy::disallowed_methods)]
pub mod state;
pub mod sysv;
#[allow(clippy::disallowed_methods)]
pub mod takeover;
pub mod text;
pub mod tree;
#[allow(clippy::disallowed_methods)]
pub mod verbs;
#[allow(clippy::disallowed_methods)]
pub mod web;
