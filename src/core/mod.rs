//! The supervisor itself, pure: told the time and what happened, it decides. No I/O, no clock.
//!
//! | file | what |
//! |---|---|
//! | [`process`] | one process: the states, who may cause each arrow, retries and deadlines |
//! | `supervisor` | [`Core`]: the process table, the timers, what is done with each [`Input`] |
//! | `act` | the requests of clients: whom, in which order, answered when; `start`, `stop`, `signalling`, `groups` have the verbs |
//! | `pending` | replies that wait for a process to start or stop |
//! | `shutdown` | the order in which everything stops |
//! | [`Kernel`], [`Outbox`] | what the core asks, and what it tells |

mod act;
pub mod event;
mod exit;
pub mod groups;
mod input;
mod kernel;
mod outbox;
mod pending;
pub mod process;
mod shutdown;
mod signalling;
mod start;
mod state;
mod stop;
mod supervisor;
mod time;

pub use event::{Channel, Event};
pub use exit::ExitStatus;
pub use groups::{Difference, same_settings};
pub use input::{Input, Refusal, Reply, Request, Status, Ticket};
pub use kernel::{CommandError, Kernel, Pid, SignalError, SpawnError, SpawnPlan, Target};
pub use outbox::{Outbox, Tell};
pub use process::Process;
pub use state::{Mood, State};
pub use supervisor::{Core, DUE_PER_TURN_MAX, Group};
pub use time::{Mono, Now};

/// Names one process for as long as it is configured; a slot that is used again gets a new generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcId {
    /// Index into the process table.
    pub slot: u32,
    /// How often the slot was used before.
    pub generation: u32,
}
