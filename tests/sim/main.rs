//! The core against two judges: what stock Supervisor really did, and what must always hold.
//!
//! | file | what |
//! |---|---|
//! | `record` | runs `tests/oracle/record.py` and keeps its traces in `target/oracle/` |
//! | `trace` | reads them |
//! | `replay` | holds one process of ours against every step, with the list of intended divergences |
//! | `world` | a whole core, an invented operating system, and a clock that jumps to the next deadline |
//! | `audience` | event listeners, and what every pool is owed |
//! | `machine` | the invented operating system: children, and a dial for faults |
//! | `obliging` | one on which everything works |
//! | `clients` | random requests, and the answers still owed |
//! | `scale` | another number of processes touches nothing but the difference |
//! | `update` | what an update of random configurations leaves alone |
//! | `succeed` | another supervisor, whose processes go on |
//! | `snapshot` | the core replaced by its restored self, and snapshots that are damaged, forged or from elsewhere |
//! | `invariant` | what is checked after every step |

// Tests touch the machine, and a test that cannot set itself up should fail loudly.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod audience;
mod chance;
mod clients;
mod invariant;
mod machine;
mod obliging;
mod record;
mod replay;
mod scale;
mod snapshot;
mod succeed;
mod trace;
mod update;
mod world;
