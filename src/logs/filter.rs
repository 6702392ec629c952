//! What happens to the bytes of one pipe before they are logged.

use super::capture::{Capture, Piece};
use super::{AnsiStripper, ansi};

/// Takes messages out of a stream, and colours, each only if it is asked for.
#[derive(Debug, Default)]
pub struct Filter {
    capture: Option<Capture>,
    stripper: Option<AnsiStripper>,
}

impl Filter {
    /// `capture_maxbytes` of 0 or less leaves messages where they are.
    pub fn new(capture_maxbytes: i64, strip_ansi: bool) -> Self {
        let bytes_max = usize::try_from(capture_maxbytes).ok().filter(|bytes| *bytes > 0);
        Filter { capture: bytes_max.map(Capture::new), stripper: strip_ansi.then(AnsiStripper::default) }
    }

    /// Takes in the next bytes and hands out what they complete, in order.
    pub fn feed(&mut self, bytes: &[u8], take: &mut dyn FnMut(Piece<'_>)) {
        let Filter { capture, stripper } = self;
        match capture {
            Some(capture) => capture.feed(bytes, &mut |piece| strip(stripper, piece, take)),
            None => strip(stripper, Piece::Text(bytes), take),
        }
    }

    /// The stream has ended: hands out what was held back.
    pub fn finish(&mut self, take: &mut dyn FnMut(Piece<'_>)) {
        let Filter { capture, stripper } = self;
        if let Some(capture) = capture {
            capture.finish(&mut |piece| strip(stripper, piece, take));
        }
        // An escape sequence cut off by the end is no colour any more: it is text.
        let held = stripper.as_mut().map(AnsiStripper::finish).unwrap_or_default();
        if !held.is_empty() {
            take(Piece::Text(&held));
        }
    }
}

fn strip(stripper: &mut Option<AnsiStripper>, piece: Piece<'_>, take: &mut dyn FnMut(Piece<'_>)) {
    let Some(stripper) = stripper else { return take(piece) };
    match piece {
        Piece::Text(bytes) => {
            let text = stripper.strip(bytes);
            if !text.is_empty() {
                take(Piece::Text(&text));
            }
        }
        Piece::Captured(bytes) => take(Piece::Captured(&ansi::strip(bytes))),
        Piece::Message(bytes) => take(Piece::Message(ansi::strip(&bytes))),
        Piece::Unfinished(count) => take(Piece::Unfinished(count)),
    }
}
