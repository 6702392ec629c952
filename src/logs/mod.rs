//! Log files: written and rotated, read back, cleaned of colours; and the daemon's own activity log.

pub mod activity;
pub mod ansi;
pub mod auto;
pub mod read;
pub mod rotate;
pub mod syslog;

pub use activity::ActivityLog;
pub use ansi::AnsiStripper;
pub use rotate::{RotatingFile, Rotation};
pub use syslog::Syslog;
