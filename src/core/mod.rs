//! The supervisor itself, pure: told the time and what happened, it decides. No I/O, no clock.
//!
//! | file | what |
//! |---|---|
//! | [`process`] | one process: the states, who may cause each arrow, retries and deadlines |
//! | `rest` | what a program leaves behind when it ends, with `killmode=tree` |
//! | `supervisor` | [`Core`]: the process table, the timers, what is done with each [`Input`] |
//! | `act` | the requests of clients: whom, in which order, answered when; `start`, `stop`, `signalling`, `groups` have the verbs |
//! | `update`, `settings` | bringing a group to a new configuration: what differs, and what that asks for |
//! | `scale` | another number of processes than the configuration says |
//! | [`event`] | what can be subscribed to, with names and payloads |
//! | [`listener`], [`pool`], `pools` | what a listener says, which event goes to which, TICKs |
//! | `pending` | replies that wait for a process to start or stop |
//! | `succeed` | taking the place of another supervisor |
//! | `shutdown` | the order in which everything stops |
//! | [`snapshot`] | the whole core as text, and back |
//! | [`Kernel`], [`Outbox`] | what the core asks, and what it tells |

mod act;
pub mod event;
mod exit;
pub mod groups;
mod input;
mod kernel;
pub mod listener;
mod outbox;
mod pending;
pub mod pool;
mod pools;
pub mod process;
mod rest;
mod scale;
mod settings;
mod shutdown;
mod signalling;
pub mod snapshot;
mod start;
mod state;
mod stop;
mod succeed;
mod supervisor;
mod time;
mod update;

pub use event::{Channel, Event, EventKind, EventSet};
pub use exit::ExitStatus;
pub use groups::Difference;
pub use input::{Input, Refusal, Reply, Request, Status, Ticket};
pub use kernel::{Closed, CommandError, Kernel, Pid, SignalError, SpawnError, SpawnPlan, Target, Tree};
pub use outbox::{Outbox, Tell};
pub use process::Process;
pub use settings::{Key, changed_keys, same_settings};
pub use state::{Mood, State};
pub use succeed::Report;
pub use supervisor::{Core, DUE_PER_TURN_MAX, Group};
pub use time::{Mono, Now};
pub use update::{Action, Change};

/// Names one process for as long as it is configured; a slot that is used again gets a new generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcId {
    /// Index into the process table.
    pub slot: u32,
    /// How often the slot was used before.
    pub generation: u32,
}
