//! Control groups: where processes are kept apart, or together.
//!
//! [`programs`] are where systemd counts programs to a unit of their own, [`trees`] hold together what one program has started.

pub mod members;
pub mod place;
pub mod programs;
pub mod trees;
