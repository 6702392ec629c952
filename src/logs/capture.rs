//! Messages that a program puts between two tokens in its output: they go to event listeners, not to the log.

use std::collections::VecDeque;

/// Begins a message (`Supervisor: events.py ProcessCommunicationEvent`).
pub const BEGIN: &[u8] = b"<!--XSUPERVISOR:BEGIN-->";
/// Ends it.
pub const END: &[u8] = b"<!--XSUPERVISOR:END-->";

/// A part of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Output for the log.
    Text(&'a [u8]),
    /// A part of a message, as it arrives.
    Captured(&'a [u8]),
    /// A whole message; of one that is longer than the buffer, its end.
    Message(Vec<u8>),
    /// The stream ended inside a message, and this many of its bytes are dropped.
    Unfinished(usize),
}

/// Finds messages in a stream, however its bytes are cut into reads (`Supervisor: dispatchers.py record_output()`).
///
/// What could be the beginning of a token is held back until it is clear what it is; at the end of the stream it is text
/// (Supervisor loses it, divergence D17).
#[derive(Debug)]
pub struct Capture {
    bytes_max: usize,
    held: Vec<u8>,
    message: Option<VecDeque<u8>>,
}

impl Capture {
    /// Keeps at most the last `bytes_max` bytes of a message (`*_capture_maxbytes`).
    pub fn new(bytes_max: usize) -> Self {
        Capture { bytes_max, held: Vec::new(), message: None }
    }

    /// Keeps at most so many bytes of a message from the next read on.
    pub fn set_bytes_max(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// What could be the beginning of a token, and the message that is under way.
    pub fn held(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        (self.held.clone(), self.message.clone().map(Vec::from))
    }

    /// Goes on from what another one held.
    pub fn hold(&mut self, held: Vec<u8>, message: Option<Vec<u8>>) {
        (self.held, self.message) = (held, message.map(VecDeque::from));
    }

    /// Takes in the next bytes and hands out what they complete, in order.
    pub fn feed(&mut self, bytes: &[u8], take: &mut dyn FnMut(Piece<'_>)) {
        let mut joined = std::mem::take(&mut self.held);
        let mut rest = if joined.is_empty() {
            bytes
        } else {
            joined.extend_from_slice(bytes);
            &joined
        };
        while let Some(at) = find(rest, self.token()) {
            self.pass(&rest[..at], take);
            rest = &rest[at + self.token().len()..];
            self.message = match self.message.take() {
                None => Some(VecDeque::new()),
                Some(message) => {
                    take(Piece::Message(message.into()));
                    None
                }
            };
        }
        let (now, held) = rest.split_at(rest.len() - begun(rest, self.token()));
        self.held = held.to_vec();
        self.pass(now, take);
    }

    /// The stream has ended.
    pub fn finish(&mut self, take: &mut dyn FnMut(Piece<'_>)) {
        let held = std::mem::take(&mut self.held);
        self.pass(&held, take);
        if let Some(message) = self.message.take() {
            take(Piece::Unfinished(message.len()));
        }
    }

    /// What is being looked for.
    fn token(&self) -> &'static [u8] {
        if self.message.is_some() { END } else { BEGIN }
    }

    fn pass(&mut self, bytes: &[u8], take: &mut dyn FnMut(Piece<'_>)) {
        if bytes.is_empty() {
            return;
        }
        let Some(message) = &mut self.message else { return take(Piece::Text(bytes)) };
        message.extend(&bytes[bytes.len().saturating_sub(self.bytes_max)..]);
        message.drain(..message.len().saturating_sub(self.bytes_max));
        take(Piece::Captured(bytes));
    }
}

fn find(bytes: &[u8], token: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == token[0]) {
        from += at;
        if bytes[from..].starts_with(token) {
            return Some(from);
        }
        from += 1;
    }
    None
}

/// How many of the last bytes could be the beginning of `token`.
fn begun(bytes: &[u8], token: &[u8]) -> usize {
    let longest = bytes.len().min(token.len() - 1);
    (1..=longest).rev().find(|count| bytes.ends_with(&token[..*count])).unwrap_or(0)
}
