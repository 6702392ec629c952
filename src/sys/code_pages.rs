//! Giving back the pages of our own code that only the start, or the last request, needed.

use std::ffi::c_void;
use std::ptr::NonNull;

use nix::sys::mman::{MmapAdvise, madvise};

/// Where the code of our program file is mapped.
///
/// A daemon at rest runs a small part of what brought it there (reading the configuration, answering requests), and the kernel
/// maps the neighbours of every page that is touched: without [`CodePages::release`] most of the file stays in our resident
/// memory for ever.
#[derive(Debug)]
pub struct CodePages {
    ranges: Vec<(usize, usize)>,
}

impl CodePages {
    /// Finds them. Without `/proc` there are none.
    pub fn find() -> Self {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let program = std::fs::read_link("/proc/self/exe").unwrap_or_default();
        let is_ours = |line: &&str| program.to_str().is_some_and(|path| !path.is_empty() && line.ends_with(path));
        CodePages { ranges: maps.lines().filter(is_ours).filter_map(code_range).collect() }
    }

    /// Unmaps them; those that are needed again come back from the page cache, one fault each.
    pub fn release(&self) {
        for &(start, end) in &self.ranges {
            if let Some(address) = NonNull::new(std::ptr::with_exposed_provenance_mut::<c_void>(start)) {
                // SAFETY: the range is one private mapping of our program file's code, which nothing relocates or writes to,
                // so no page of it differs from the file, and one that is dropped is read from there again.
                let advised = unsafe { madvise(address, end - start, MmapAdvise::MADV_DONTNEED) };
                debug_assert!(advised.is_ok(), "{advised:?}");
            }
        }
    }
}

/// The addresses of a line of `/proc/self/maps`, if it is code. A page of data, even a read-only one, may hold addresses
/// that were put in at the start, and must stay.
fn code_range(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let is_code = fields.next() == Some("r-xp");
    is_code.then_some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}
