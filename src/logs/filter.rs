//! What happens to the bytes of one pipe before they are logged.

use super::capture::{Capture, Piece};
use super::{AnsiStripper, ansi};

/// Takes messages out of a stream, and colours, each only if it is asked for.
#[derive(Debug, Default)]
pub struct Filter {
    capture: Option<Box<Capture>>,
    stripper: Option<AnsiStripper>,
}

/// What a filter holds back in the middle of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// What could be the beginning of a token.
    pub text: Vec<u8>,
    /// The message that is under way.
    pub message: Option<Vec<u8>>,
    /// How far an escape sequence is: 0 not at all, 1 behind its ESC, 2 inside.
    pub escape: u32,
}

impl Filter {
    /// `capture_maxbytes` of 0 or less leaves messages where they are.
    pub fn new(capture_maxbytes: i64, strip_ansi: bool) -> Self {
        let bytes_max = usize::try_from(capture_maxbytes).ok().filter(|bytes| *bytes > 0);
        Filter { capture: bytes_max.map(Capture::new).map(Box::new), stripper: strip_ansi.then(AnsiStripper::default) }
    }

    /// Another size for messages. What is 0 or less ends capturing with the next run: a message may be under way.
    pub fn set_capture(&mut self, capture_maxbytes: i64) {
        let Some(bytes_max) = usize::try_from(capture_maxbytes).ok().filter(|bytes| *bytes > 0) else { return };
        match &mut self.capture {
            Some(capture) => capture.set_bytes_max(bytes_max),
            None => self.capture = Some(Box::new(Capture::new(bytes_max))),
        }
    }

    /// What it holds back, for another image of the daemon.
    pub fn held(&self) -> Held {
        let (text, message) = self.capture.as_deref().map_or((Vec::new(), None), Capture::held);
        Held { text, message, escape: self.stripper.as_ref().map_or(0, AnsiStripper::held) }
    }

    /// Goes on from what another one held back.
    pub fn hold(&mut self, held: Held) {
        let Held { text, message, escape } = held;
        if let Some(capture) = &mut self.capture {
            capture.hold(text, message);
        }
        if let Some(stripper) = &mut self.stripper {
            stripper.hold(escape);
        }
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
