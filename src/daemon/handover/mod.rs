//! What the daemon hands to the image that goes on in its place: the core's snapshot, and behind it everything that the shell
//! holds, with each descriptor by its role. One document serves an upgrade, where the descriptors stay open over `execve`,
//! and the time after a crash, where a store has kept copies of them.
//!
//! | file | what |
//! |---|---|
//! | `held` | descriptors in a document: written with what is behind them, taken back only if that is still so |
//! | `compose` | writes the document of a running daemon |
//! | `resume` | reads one, and makes a daemon of it |
//! | `settings` | the daemon's own settings in a document |
//! | `check` | `supervisord --check-resume`: could this image go on from that document? |
//! | `upgrade` | the steps of an upgrade, between the turns of the loop |

pub mod check;
mod compose;
pub mod held;
pub mod resume;
pub mod settings;
pub mod upgrade;

pub use compose::{Purpose, compose};
pub use held::{Descriptors, Kept, Seat};
pub use resume::Past;
