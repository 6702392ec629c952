//! The size of a page of memory, which differs between machines: 64 KiB on many of those with ARM processors.

/// In KiB.
pub fn page_kib() -> u64 {
    // SAFETY: asks for a constant; there are no pointers.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).map_or(4, |bytes| bytes / 1024)
}
