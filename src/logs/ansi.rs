//! Dropping ANSI escape sequences from a stream that arrives in pieces.

/// The bytes that end a sequence (`Supervisor: dispatchers.py ANSI_TERMINATORS`).
const TERMINATORS: &[u8] = b"HfABCDRsuJKhlpm";

const ESCAPE: u8 = 0x1b;

/// The text of a whole message.
pub fn strip(bytes: &[u8]) -> Vec<u8> {
    let mut stripper = AnsiStripper::default();
    let mut text = stripper.strip(bytes);
    text.extend(stripper.finish());
    text
}

/// Drops everything from `ESC [` up to and including the next of [`TERMINATORS`]
/// (`Supervisor: dispatchers.py stripEscapes()`), also when a sequence is split over two reads.
#[derive(Debug, Default)]
pub struct AnsiStripper {
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// An ESC that may begin a sequence; not passed on yet.
    Escape,
    /// Behind `ESC [`.
    Sequence,
}

impl AnsiStripper {
    /// How far an escape sequence is: 0 not at all, 1 behind its ESC, 2 inside.
    pub fn held(&self) -> u32 {
        self.state as u32
    }

    /// Goes on from where another one was; what is not known counts as 0.
    pub fn hold(&mut self, held: u32) {
        self.state = match held {
            1 => State::Escape,
            2 => State::Sequence,
            _ => State::Text,
        };
    }

    /// The text among `bytes`. An ESC at their very end is held back until it is clear what follows.
    pub fn strip(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes.len() + 1);
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (State::Text, ESCAPE) => State::Escape,
                (State::Text, _) => {
                    text.push(byte);
                    State::Text
                }
                (State::Escape, b'[') => State::Sequence,
                (State::Escape, ESCAPE) => {
                    text.push(ESCAPE);
                    State::Escape
                }
                (State::Escape, _) => {
                    text.extend([ESCAPE, byte]);
                    State::Text
                }
                (State::Sequence, _) if TERMINATORS.contains(&byte) => State::Text,
                (State::Sequence, _) => State::Sequence,
            };
        }
        text
    }

    /// What was held back, at the end of the stream.
    pub fn finish(&mut self) -> Vec<u8> {
        match std::mem::take(&mut self.state) {
            State::Escape => vec![ESCAPE],
            State::Text | State::Sequence => Vec::new(),
        }
    }
}
