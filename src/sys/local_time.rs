//! Wall-clock time in the machine's time zone.

use std::mem::MaybeUninit;

/// A moment, as a clock on the wall of this machine shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Such as 2026.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    /// Day of the month, 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 60.
    pub second: u32,
    /// Seconds east of UTC.
    pub utc_offset_secs: i32,
}

/// Converts seconds since 1970 UTC with the zone of `TZ` or `/etc/localtime`; UTC when there is neither.
/// A moment that the C library cannot express gives the epoch.
pub fn local_time(unix_secs: i64) -> LocalTime {
    // The type is the C library's `time_t`, which has 32 bits on some machines.
    #[allow(clippy::unnecessary_fallible_conversions, clippy::useless_conversion)]
    let moment = unix_secs.try_into().unwrap_or_default();
    let mut parts = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid for the call; a zeroed `tm` (numbers and a null pointer) is a valid one, so it may be
    // read even when the call fails.
    let parts = unsafe {
        libc::localtime_r(&raw const moment, parts.as_mut_ptr());
        parts.assume_init()
    };
    LocalTime {
        year: parts.tm_year + 1900,
        month: (parts.tm_mon + 1).unsigned_abs(),
        day: parts.tm_mday.unsigned_abs(),
        hour: parts.tm_hour.unsigned_abs(),
        minute: parts.tm_min.unsigned_abs(),
        second: parts.tm_sec.unsigned_abs(),
        utc_offset_secs: parts.tm_gmtoff as i32,
    }
}
