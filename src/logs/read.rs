//! Reading log files back, by bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use thiserror::Error;

/// Most bytes of one answer; a longer slice is cut there.
pub const SLICE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why there is no slice.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A negative length, or a length with a negative offset: fault BAD_ARGUMENTS.
    #[error("BAD_ARGUMENTS")]
    BadArguments,
    /// The file cannot be read: fault FAILED.
    #[error("FAILED")]
    Failed(#[from] io::Error),
}

/// Bytes of a file, and whether there are more on either side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The file has bytes before these.
    pub more_before: bool,
    /// The file had bytes after these.
    pub more_after: bool,
}

impl Slice {
    /// The bytes as text: what is not UTF-8 becomes U+FFFD, but a character that the edge of the slice cuts in two is left out.
    pub fn text(&self) -> String {
        let mut bytes = self.bytes.as_slice();
        if self.more_before {
            bytes = &bytes[partial_head_bytes(bytes)..];
        }
        if self.more_after {
            bytes = &bytes[..bytes.len() - partial_tail_bytes(bytes)];
        }
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// The end of a file, for one who follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The bytes.
    pub slice: Slice,
    /// Where to go on: the size of the file.
    pub offset: i64,
    /// Bytes between the asked offset and these were left out.
    pub overflow: bool,
}

/// Reads `length` bytes from `offset`; all of the rest with length 0; the last `-offset` bytes with a negative offset
/// (`Supervisor: options.py readFile()`). At most [`SLICE_BYTES_MAX`].
///
/// # Errors
/// [`ReadError`].
pub fn read_slice(path: &Path, offset: i64, length: i64) -> Result<Slice, ReadError> {
    let wanted = u64::try_from(length).map_err(|_| ReadError::BadArguments)?;
    if offset < 0 && length != 0 {
        return Err(ReadError::BadArguments);
    }
    let (file, size) = open(path)?;
    let start = match u64::try_from(offset) {
        Ok(start) => start,
        Err(_) => size.saturating_sub(offset.unsigned_abs()),
    };
    let count = if wanted == 0 { u64::MAX } else { wanted };
    Ok(slice(file, size, start, count)?)
}

/// The last `length` bytes of the file for one who has seen it up to `offset`: nothing when there is nothing new
/// (`Supervisor: options.py tailFile()`). A file that cannot be read gives nothing and the same offset.
pub fn tail(path: &Path, offset: i64, length: i64) -> Tail {
    read_tail(path, offset, length).unwrap_or(Tail {
        slice: Slice { bytes: Vec::new(), more_before: false, more_after: false },
        offset,
        overflow: false,
    })
}

fn read_tail(path: &Path, offset: i64, length: i64) -> io::Result<Tail> {
    let (file, size) = open(path)?;
    let size_signed = i64::try_from(size).unwrap_or(i64::MAX);
    let overflow = size_signed > offset.saturating_add(length);
    let nothing_new = !overflow && offset >= size_signed;
    let count = if nothing_new { 0 } else { u64::try_from(length).unwrap_or(0).min(size) };
    Ok(Tail { slice: slice(file, size, size - count, count)?, offset: size_signed, overflow })
}

/// Opens a regular file and asks its size. Anything else is refused, and opened without waiting: a named pipe would block.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok((file, metadata.len()))
}

fn slice(mut file: File, size: u64, start: u64, count: u64) -> io::Result<Slice> {
    let mut bytes = Vec::new();
    let start = start.min(size);
    file.seek(SeekFrom::Start(start))?;
    file.take(count.min(SLICE_BYTES_MAX)).read_to_end(&mut bytes)?;
    let end = start.saturating_add(bytes.len() as u64);
    Ok(Slice { bytes, more_before: start > 0, more_after: end < size })
}

/// Continuation bytes at the start, at most three: the rest of a character.
fn partial_head_bytes(bytes: &[u8]) -> usize {
    bytes.iter().take(3).take_while(|&&byte| byte & 0b1100_0000 == 0b1000_0000).count()
}

/// Bytes at the end that begin a character which is not complete: a lead byte closer to the end than it promises.
fn partial_tail_bytes(bytes: &[u8]) -> usize {
    let lead = bytes.iter().rev().take(3).position(|&byte| byte & 0b1100_0000 != 0b1000_0000);
    let Some(count) = lead.map(|at| at + 1) else {
        return 0;
    };
    // A lead byte has as many ones in front as its character has bytes.
    let character_bytes = bytes[bytes.len() - count].leading_ones() as usize;
    if (2..=4).contains(&character_bytes) && count < character_bytes { count } else { 0 }
}
