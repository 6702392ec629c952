//! Event listeners without processes: the protocol, and the pools of a core on a machine that does what it is told.

mod kernel;
mod pools;
mod protocol;
mod ticks;
