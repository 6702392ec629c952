//! Log files: written and rotated, read back, freed of colours and messages; and the daemon's own activity log.

pub mod activity;
pub mod ansi;
pub mod auto;
pub mod capture;
pub mod filter;
pub mod read;
pub mod rotate;
pub mod syslog;

pub use activity::ActivityLog;
pub use ansi::AnsiStripper;
pub use capture::Piece;
pub use filter::Filter;
pub use rotate::{RotatingFile, Rotation};
pub use syslog::Syslog;
