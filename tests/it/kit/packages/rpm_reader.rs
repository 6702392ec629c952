//! An rpm package byte by byte, as the documentation of the format has it ("RPM Package format", rpm.org).

use std::collections::BTreeMap;

pub const LEAD_BYTES: usize = 96;

/// The data of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    Numbers(Vec<u64>),
    Texts(Vec<String>),
    Bytes(Vec<u8>),
}

impl Data {
    #[track_caller]
    pub fn text(&self) -> &str {
        match self {
            Data::Texts(texts) if texts.len() == 1 => &texts[0],
            other => panic!("{other:?} is not one text"),
        }
    }

    #[track_caller]
    pub fn texts(&self) -> &[String] {
        match self {
            Data::Texts(texts) => texts,
            other => panic!("{other:?} is no list of texts"),
        }
    }

    #[track_caller]
    pub fn numbers(&self) -> &[u64] {
        match self {
            Data::Numbers(numbers) => numbers,
            other => panic!("{other:?} is no list of numbers"),
        }
    }
}

/// A header, by tag.
pub type Header = BTreeMap<u32, Data>;

pub struct Package {
    pub lead: Vec<u8>,
    pub signature: Header,
    pub header: Header,
    /// Header and payload, as they are in the file.
    pub signed: Vec<u8>,
    pub header_bytes: Vec<u8>,
    pub payload: Vec<u8>,
}

pub fn read(bytes: &[u8]) -> Package {
    let (signature, signature_bytes) = header(&bytes[LEAD_BYTES..], 62);
    let signed = &bytes[(LEAD_BYTES + signature_bytes).next_multiple_of(8)..];
    let (found, header_bytes) = header(signed, 63);
    Package {
        lead: bytes[..LEAD_BYTES].to_vec(),
        signature,
        header: found,
        signed: signed.to_vec(),
        header_bytes: signed[..header_bytes].to_vec(),
        payload: signed[header_bytes..].to_vec(),
    }
}

fn word(bytes: &[u8]) -> usize {
    u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize
}

/// A header and the bytes it takes. It must be in order: one region that spans all, tags that grow, data that neither
/// overlap nor leave their order; rpm 4.14 and later refuse anything else, older ones misread it.
fn header(bytes: &[u8], region_tag: usize) -> (Header, usize) {
    assert_eq!(bytes[..8], [0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0]);
    let (count, data_bytes) = (word(&bytes[8..]), word(&bytes[12..]));
    let index = &bytes[16..16 + count * 16];
    let data = &bytes[16 + count * 16..16 + count * 16 + data_bytes];
    let fields = |entry: &[u8]| [word(entry), word(&entry[4..]), word(&entry[8..]), word(&entry[12..])];
    let [tag, kind, offset, size] = fields(index);
    assert_eq!((tag, kind, size, offset + 16), (region_tag, 7, 16, data_bytes), "the region is not around everything");
    let trailer = fields(&data[offset..]);
    let back = (count as u32 * 16).wrapping_neg() as usize;
    assert_eq!(trailer, [region_tag, 7, back, 16], "the end of the region");
    let mut found = Header::new();
    let mut end = 0;
    for entry in index.chunks(16).skip(1) {
        let [tag, kind, offset, size] = fields(entry);
        assert!(offset >= end && offset <= data_bytes, "tag {tag} overlaps");
        let (value, used) = value(kind, size, &data[offset..]);
        end = offset + used;
        let last = found.last_key_value().map(|(last, _)| *last);
        assert!(last < Some(tag as u32), "tag {tag} comes after {last:?}");
        found.insert(tag as u32, value);
    }
    (found, 16 + count * 16 + data_bytes)
}

fn value(kind: usize, count: usize, bytes: &[u8]) -> (Data, usize) {
    let numbers = |width: usize| {
        let all = bytes[..count * width].chunks(width);
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        (Data::Numbers(all.map(number).collect()), count * width)
    };
    match kind {
        2 => numbers(1),
        3 => numbers(2),
        4 => numbers(4),
        5 => numbers(8),
        6 | 8 | 9 => {
            let texts: Vec<String> = bytes
                .split(|byte| *byte == 0)
                .take(count)
                .map(|text| String::from_utf8(text.to_vec()).unwrap())
                .collect();
            let used = texts.iter().map(|text| text.len() + 1).sum();
            (Data::Texts(texts), used)
        }
        7 => (Data::Bytes(bytes[..count].to_vec()), count),
        other => panic!("data of kind {other}"),
    }
}
