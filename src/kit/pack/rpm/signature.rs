//! Completing the signature header with what the rpm crate leaves out, and rpm 4.11 goes by: the size of the unpacked
//! archive, from which it draws its progress bar, and an MD5 of header and payload, the only sum of the whole that it checks.
//!
//! ```text
//! lead (96) │ signature header, filled up to 8 │ header │ payload
//! header:  8e ad e8 01 00000000 │ entries │ bytes of data │ entries × (tag, type, offset, count) │ data
//! ```
//!
//! All numbers are big-endian. The data of the entries stand in the order of the entries; rpm 4.14 and later check that.

use std::io::{self, Read};

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use md5::{Digest, Md5};

const LEAD_BYTES: usize = 96;
const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
const INTRO_BYTES: usize = 16;
const ENTRY_BYTES: usize = 16;

/// The entry that says: all others are one region. Its data are the last of them all.
const TAG_REGION: u32 = 62;
/// rpm's `RPMSIGTAG_MD5`: of header and payload.
const TAG_MD5: u32 = 1004;
/// rpm's `RPMSIGTAG_PAYLOADSIZE`: bytes of the unpacked cpio archive.
const TAG_PAYLOAD_SIZE: u32 = 1007;
const TYPE_INT16: u32 = 3;
const TYPE_INT32: u32 = 4;
const TYPE_INT64: u32 = 5;
const TYPE_STRING: u32 = 6;
const TYPE_BIN: u32 = 7;

struct Entry {
    tag: u32,
    kind: u32,
    count: u32,
    data: Vec<u8>,
}

/// The package `bytes` with a complete signature header.
pub(super) fn complete(bytes: &[u8]) -> Result<Vec<u8>> {
    let lead = bytes.get(..LEAD_BYTES).context("the package is cut")?;
    let (mut entries, signature_bytes) = read(&bytes[LEAD_BYTES..])?;
    let rest = &bytes[LEAD_BYTES + signature_bytes.next_multiple_of(8)..];
    let (_, header_bytes) = read(rest)?;
    let payload_bytes = unpacked_bytes(&rest[header_bytes..])?;
    let payload_bytes = u32::try_from(payload_bytes).context("the payload is too large")?;
    entries.push(Entry { tag: TAG_MD5, kind: TYPE_BIN, count: 16, data: Md5::digest(rest).to_vec() });
    let size = payload_bytes.to_be_bytes().to_vec();
    entries.push(Entry { tag: TAG_PAYLOAD_SIZE, kind: TYPE_INT32, count: 1, data: size });
    entries.sort_by_key(|entry| entry.tag);

    let mut signature = write(&entries)?;
    signature.resize(signature.len().next_multiple_of(8), 0);
    Ok([lead, &signature, rest].concat())
}

fn unpacked_bytes(payload: &[u8]) -> io::Result<u64> {
    io::copy(&mut GzDecoder::new(payload), &mut io::sink())
}

/// The entries of a header but for its region, and the bytes that it takes.
fn read(mut bytes: &[u8]) -> Result<(Vec<Entry>, usize)> {
    let mut intro = [0; INTRO_BYTES];
    bytes.read_exact(&mut intro).context("a header is cut")?;
    ensure!(intro[..8] == MAGIC, "a header does not begin as one");
    let (count, data_bytes) = (word(&intro[8..])?, word(&intro[12..])?);
    let index = bytes.get(..count * ENTRY_BYTES).context("a header is cut")?;
    let data = bytes.get(count * ENTRY_BYTES..count * ENTRY_BYTES + data_bytes).context("a header is cut")?;
    let mut entries = Vec::with_capacity(count);
    for entry in index.chunks(ENTRY_BYTES) {
        let field = |at: usize| word(&entry[at..]);
        let (tag, kind, offset, count) = (field(0)?, field(4)?, field(8)?, field(12)?);
        let from = data.get(offset..).context("an entry lies outside of its header")?;
        let data_bytes = data_bytes_of(kind as u32, count, from)?;
        if tag as u32 != TAG_REGION {
            let data = from.get(..data_bytes).context("an entry lies outside of its header")?.to_vec();
            entries.push(Entry { tag: tag as u32, kind: kind as u32, count: count as u32, data });
        }
    }
    Ok((entries, INTRO_BYTES + count * ENTRY_BYTES + data_bytes))
}

/// How many bytes the data of an entry take.
fn data_bytes_of(kind: u32, count: usize, from: &[u8]) -> Result<usize> {
    let end_of_string = || from.iter().position(|byte| *byte == 0).map(|end| end + 1);
    match kind {
        TYPE_BIN => Ok(count),
        TYPE_INT16 => Ok(count * 2),
        TYPE_INT32 => Ok(count * 4),
        TYPE_INT64 => Ok(count * 8),
        TYPE_STRING => end_of_string().context("a text has no end"),
        // In the header proper, whose entries are only counted.
        _ => Ok(0),
    }
}

/// A header of these entries, in one region.
fn write(entries: &[Entry]) -> Result<Vec<u8>> {
    let index_bytes = u32::try_from((entries.len() + 1) * ENTRY_BYTES)?;
    let mut data = Vec::new();
    let mut index = Vec::new();
    for entry in entries {
        let align = match entry.kind {
            TYPE_INT16 => 2,
            TYPE_INT32 => 4,
            TYPE_INT64 => 8,
            _ => 1,
        };
        data.resize(data.len().next_multiple_of(align), 0);
        index.extend(fields(entry.tag, entry.kind, u32::try_from(data.len())?, entry.count));
        data.extend(&entry.data);
    }
    // The region's own data point back over the whole index.
    let region = fields(TAG_REGION, TYPE_BIN, u32::try_from(data.len())?, ENTRY_BYTES as u32);
    data.extend(fields(TAG_REGION, TYPE_BIN, index_bytes.wrapping_neg(), ENTRY_BYTES as u32));
    let (count, data_bytes) = (u32::try_from(entries.len() + 1)?, u32::try_from(data.len())?);
    Ok([&MAGIC[..], &count.to_be_bytes(), &data_bytes.to_be_bytes(), &region, &index, &data].concat())
}

fn fields(tag: u32, kind: u32, offset: u32, count: u32) -> Vec<u8> {
    [tag, kind, offset, count].iter().flat_map(|field| field.to_be_bytes()).collect()
}

fn word(bytes: &[u8]) -> Result<usize> {
    let bytes = bytes.get(..4).context("a header is cut")?;
    Ok(u32::from_be_bytes(bytes.try_into()?) as usize)
}
