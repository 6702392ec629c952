//! Time as the core sees it: handed in, never read.

/// A point on the monotonic clock, in nanoseconds since some fixed moment. Every deadline is one of these, so a
/// wall clock that jumps breaks nothing (`Supervisor: process.py _check_and_adjust_for_system_clock_rollback` is the cure
/// that this makes needless).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mono(pub u64);

const NANOS_PER_SEC: i64 = 1_000_000_000;

impl Mono {
    /// The moment `secs` later; a negative number of seconds is earlier, down to the start of time.
    pub fn plus_secs(self, secs: i64) -> Mono {
        Mono(self.0.saturating_add_signed(secs.saturating_mul(NANOS_PER_SEC)))
    }

    /// The very next moment.
    pub fn next(self) -> Mono {
        Mono(self.0.saturating_add(1))
    }
}

/// Both clocks, read once a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// For deadlines.
    pub mono: Mono,
    /// For reports: seconds since 1970.
    pub wall_secs: i64,
    /// How far that second is, for TICK events: below 1,000,000,000.
    pub wall_nanos: u32,
}
