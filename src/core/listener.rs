//! What one event listener says on its standard output (`Supervisor: dispatchers.py PEventListenerDispatcher`).
//!
//! ```text
//!                  READY\n                an event is sent
//!  ACKNOWLEDGED ────────────► READY ────────────────────────► BUSY
//!       ▲  │                    │                              │ │
//!       │  └── anything else    └── anything ──► UNKNOWN ◄─────┼─┘ no RESULT line
//!       └───────────────────── RESULT <len>\n and as many bytes┘
//! ```
//!
//! Every start begins with ACKNOWLEDGED. UNKNOWN is left by a restart only: whoever breaks the protocol gets no more events.
//! However the bytes are split, the same happens.

use crate::config::values;

/// Most bytes of a RESULT line, without its end. A listener that writes more breaks the protocol.
pub const RESULT_LINE_BYTES_MAX: usize = 1024;

pub(super) const READY: &[u8] = b"READY\n";
const RESULT: &str = "RESULT ";
pub(super) const OK: &[u8] = b"OK";

/// How far the conversation is (`Supervisor: states.py EventListenerStates`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerState {
    /// It has to say READY before it gets an event.
    Acknowledged,
    /// It waits for an event.
    Ready,
    /// It has an event and owes a result.
    Busy,
    /// It broke the protocol.
    Unknown,
}

impl ListenerState {
    /// As log lines name it.
    pub fn name(self) -> &'static str {
        match self {
            ListenerState::Acknowledged => "ACKNOWLEDGED",
            ListenerState::Ready => "READY",
            ListenerState::Busy => "BUSY",
            ListenerState::Unknown => "UNKNOWN",
        }
    }
}

/// What came of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// READY: the next event may come.
    Ready,
    /// The event was processed.
    Processed,
    /// The event was not.
    Rejected,
    /// Not a RESULT line, but this; the event counts as rejected.
    BadResultLine(Vec<u8>),
    /// Something said in this state, in which nothing like it may be said.
    OutOfTurn(ListenerState),
}

/// One listener, as far as its output tells.
#[derive(Debug, Clone)]
pub struct Listener {
    pub(super) state: ListenerState,
    /// What has not made a whole READY, RESULT line or result yet: [`RESULT_LINE_BYTES_MAX`] at most.
    pub(super) buffer: Vec<u8>,
    /// Length of the result that is being read, and how much of it is to come.
    pub(super) result: Option<(u64, u64)>,
}

impl Default for Listener {
    fn default() -> Self {
        Listener { state: ListenerState::Acknowledged, buffer: Vec::new(), result: None }
    }
}

impl Listener {
    /// Its state.
    pub fn state(&self) -> ListenerState {
        self.state
    }

    /// An event was sent to it.
    pub fn sent(&mut self) {
        self.enter(ListenerState::Busy);
    }

    /// Takes in what it wrote. `tell` hears what came of it, in order.
    pub fn feed(&mut self, mut bytes: &[u8], tell: &mut dyn FnMut(Heard)) {
        while !bytes.is_empty() {
            let (taken, heard) = match (self.state, self.result) {
                (ListenerState::Acknowledged, _) => self.greet(bytes),
                (ListenerState::Ready, _) => (bytes.len(), Some(Heard::OutOfTurn(ListenerState::Ready))),
                (ListenerState::Busy, None) => self.read_line(bytes),
                (ListenerState::Busy, Some((len, rest))) => self.read_result(bytes, len, rest),
                (ListenerState::Unknown, _) => (bytes.len(), None),
            };
            bytes = bytes.get(taken..).unwrap_or_default();
            if let Some(heard) = heard {
                self.enter(match heard {
                    Heard::Ready => ListenerState::Ready,
                    Heard::Processed | Heard::Rejected => ListenerState::Acknowledged,
                    Heard::BadResultLine(_) | Heard::OutOfTurn(_) => ListenerState::Unknown,
                });
                tell(heard);
            }
        }
    }

    /// Waits for READY. Nothing is decided before there are as many bytes as it has.
    fn greet(&mut self, bytes: &[u8]) -> (usize, Option<Heard>) {
        let taken = self.take(bytes, READY.len() - self.buffer.len());
        let heard = (self.buffer.len() == READY.len())
            .then(|| if self.buffer == READY { Heard::Ready } else { Heard::OutOfTurn(ListenerState::Acknowledged) });
        (taken, heard)
    }

    /// Waits for the end of a RESULT line.
    fn read_line(&mut self, bytes: &[u8]) -> (usize, Option<Heard>) {
        // One byte more than the longest line: its end.
        let room = RESULT_LINE_BYTES_MAX + 1 - self.buffer.len();
        match bytes.iter().take(room).position(|byte| *byte == b'\n') {
            Some(end) => {
                self.buffer.extend_from_slice(&bytes[..end]);
                let line = std::mem::take(&mut self.buffer);
                (end + 1, self.begin_result(line))
            }
            None if bytes.len() < room => (self.take(bytes, room), None),
            None => {
                self.take(bytes, room - 1);
                (room, Some(Heard::BadResultLine(std::mem::take(&mut self.buffer))))
            }
        }
    }

    fn begin_result(&mut self, line: Vec<u8>) -> Option<Heard> {
        let text = std::str::from_utf8(&line).ok().and_then(|line| line.strip_prefix(RESULT));
        let len = text.and_then(|text| values::integer(text).ok()).and_then(|len| u64::try_from(len).ok());
        match len {
            Some(0) => Some(Heard::Rejected),
            Some(len) => {
                self.result = Some((len, len));
                None
            }
            None => Some(Heard::BadResultLine(line)),
        }
    }

    /// Waits for the whole result. Only `OK` means something, so no more than that is kept.
    fn read_result(&mut self, bytes: &[u8], len: u64, rest: u64) -> (usize, Option<Heard>) {
        let taken = bytes.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
        self.take(&bytes[..taken], OK.len().saturating_sub(self.buffer.len()));
        let rest = rest - taken as u64;
        self.result = Some((len, rest));
        let is_ok = len == OK.len() as u64 && self.buffer == OK;
        (taken, (rest == 0).then_some(if is_ok { Heard::Processed } else { Heard::Rejected }))
    }

    /// Keeps at most `room` bytes and says how many.
    fn take(&mut self, bytes: &[u8], room: usize) -> usize {
        let taken = bytes.len().min(room);
        self.buffer.extend_from_slice(&bytes[..taken]);
        taken
    }

    fn enter(&mut self, state: ListenerState) {
        self.state = state;
        // A listener that once wrote a long line need not keep the room for it.
        self.buffer = Vec::new();
        self.result = None;
    }
}
