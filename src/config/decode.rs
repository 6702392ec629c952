//! Bytes of a configuration file to text: UTF-8, else the Chinese standard encoding that older systems here write.

use std::borrow::Cow;

use super::error::{ConfigError, Place};
use super::model::Notice;
use super::repr;

/// The text of a file, and what to say about its encoding.
#[derive(Default)]
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) notice: Option<Notice>,
}

/// UTF-8 as it is; everything else as GB18030, which holds GBK and GB 2312, with a warning.
pub(super) fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<Decoded<'a>, ConfigError> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(Decoded { text: text.into(), notice: None }),
        Err(error) => error,
    };
    let position = error.valid_up_to();
    let before = &bytes[..position];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let column = 1 + String::from_utf8_lossy(&before[start..]).chars().count();
    if let Some(text) = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        let notice = format!("{file}:{line}: not UTF-8, read as GB18030; save the file as UTF-8");
        let notice = Notice::warn(notice).at(Place::in_file(file, Some((line, column))));
        return Ok(Decoded { text, notice: Some(notice) });
    }
    let byte = bytes.get(position).copied().unwrap_or(0);
    let reason = match (error.error_len(), byte) {
        (None, _) => "unexpected end of data",
        (Some(_), 0xc2..=0xf4) => "invalid continuation byte",
        (Some(_), _) => "invalid start byte",
    };
    let text = format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {position}: {reason}");
    Err(ConfigError::in_file(file, Some((line, column)), text).advise(format!("save {} as UTF-8", repr::text(file))))
}
