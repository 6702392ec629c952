//! The kit: what packs supervisor-kit into a bundle and installs it on a host without internet.
//!
//! ```text
//! tree ─► pack ─► bundle (tgz) ┄┄ carried to the host ┄┄► bundle ─► Manifest ─┐
//!                                                          host ─► Facts ────┼─► plan ─► [Step] ─► apply
//!                                                          flags ─► Wishes ──┘   (pure)           (changes the host)
//! ```
//!
//! * [`plan`] is pure: the whole decision of what an installation does is one function from facts to steps.
//! * [`apply`] does the steps and can take them back; it decides nothing.
//! * Every word for people is in [`text`], in English and Chinese; it reaches them through one [`listener::Listener`].
//! * Every foreign program is run through [`commands::Commands`].

#[allow(clippy::disallowed_methods)]
pub mod apply;
#[allow(clippy::disallowed_methods)]
pub mod bundle;
#[allow(clippy::disallowed_methods)]
pub mod commands;
pub mod failure;
#[allow(clippy::disallowed_methods)]
pub mod host;
#[allow(clippy::disallowed_methods)]
pub mod install;
pub mod listener;
#[allow(clippy::disallowed_methods)]
pub mod pack;
pub mod plan;
pub mod text;
pub mod tree;
