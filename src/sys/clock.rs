//! The monotonic clock of the machine, which all images of the daemon share.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

/// The moment from which the monotonic clock counts. Where it cannot be told, the present: then times of another image mean
/// nothing.
pub fn zero() -> Instant {
    let now = Instant::now();
    let since_zero = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from);
    since_zero.ok().and_then(|since| now.checked_sub(since)).unwrap_or(now)
}
