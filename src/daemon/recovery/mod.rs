//! Surviving one's own death. While it runs, the daemon keeps a record of what another one would go on from; should it be
//! killed, the next one takes every program back: by pid and kernel start time, with the pipes that the service manager kept,
//! and with the bytes that were on their way into a log.
//!
//! | file | what |
//! |---|---|
//! | `record` | keeps the record: a whole document, and behind it what changed since |
//! | `left` | what a daemon that was killed has left |
//! | `take_back` | takes its programs back |
//! | `watch` | programs that are not our children: nobody tells us how they end, only that they do |
//! | `breakdown` | a turn that panics: another image of this process goes on from the record |
//! | `after_stop` | `supervisord --after-stop`: what a service that has stopped leaves behind is ended |

pub mod after_stop;
mod breakdown;
mod left;
mod record;
mod take_back;
mod watch;

pub use left::{Intent, Left, Whole, end_programs, look};
pub use record::{Extent, Record, in_flight_path, path as record_path};
pub use take_back::Orphans;
pub use watch::Adopted;
