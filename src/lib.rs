//! supervisor-kit: the supervisor that installs itself.
//!
//! # Where to start reading
//!
//! | you want to know | read |
//! |---|---|
//! | how a process changes state | [`core::process`], which opens with the state diagram |
//! | what a configuration key means | [`config`], one file per section |
//! | how event listeners are served | [`core::listener`] for the protocol, [`core::pool`] for who gets what |
//! | which RPC method does what | [`rpc`] |
//! | what the daemon does when something happens | `daemon::run`, the loop, and `daemon::perform`, its hands |
//! | what a `supervisorctl` command prints | [`ctl`], one file per verb |
//! | what `./install` does to a host | `kit::plan` (pure: facts in, steps out), then `kit::apply` |
//!
//! # Layers
//!
//! ```text
//! supervisord.conf ─► config ─► Config ─► core::Core ◄─ Input ── daemon (tokio) ◄─► sys (unsafe)
//!                                            │  ▲
//!                                     Outbox ▼  │ Kernel: the asks that decide a transition
//!                                          daemon::perform
//! ```
//!
//! # Invariants (enforced by lints and `tests/it/tidy.rs`)
//!
//! 1. `config`, `core`, `xmlrpc`, `rpc`, `web` and `kit::plan` do no I/O and read no clock.
//! 2. `core` is the only owner of process state: no statics, no `Mutex`, no `Rc<RefCell>` around it.
//! 3. Asks are a trait, tells are data: a call whose answer decides a transition goes through [`core::Kernel`];
//!    everything else goes to [`core::Outbox`], in order.
//! 4. Only `sys` contains `unsafe`; each block says SAFETY.
//! 5. Only `sys::reap` waits for children. One thread runs the supervisor.
//! 6. Every open descriptor of a child is in one registry, by role and [`core::ProcId`]; nothing else closes one.
//! 7. Every queue and buffer has a limit with a name and a unit.
//! 8. After boot no error may end the daemon: set-up errors exit with a message, run-time errors are logged and retried.
//! 9. A snapshot is its own versioned text; nothing in `core` derives a serialisation.

pub mod config;
pub mod core;
pub mod rpc;
pub mod web;
pub mod xmlrpc;

// The shell: the modules that may touch the machine.
#[allow(clippy::disallowed_methods)]
pub mod ctl;
#[allow(clippy::disallowed_methods)]
pub mod daemon;
#[allow(clippy::disallowed_methods)]
pub mod echo_conf;
pub mod getopt;
#[cfg(feature = "kit")]
pub mod kit;
#[allow(clippy::disallowed_methods)]
pub mod logs;
#[allow(clippy::disallowed_methods)]
pub mod password;
#[allow(clippy::disallowed_methods)]
pub mod pidproxy;
#[allow(clippy::disallowed_methods, unsafe_code)]
pub mod sys;

/// The Supervisor release this program stands in for: what `-v` and `getSupervisorVersion` report.
pub const SUPERVISOR_VERSION: &str = "4.3.0";

/// The version of supervisor-kit itself: bundles, packages and the start-up log line.
pub const KIT_VERSION: &str = env!("CARGO_PKG_VERSION");
