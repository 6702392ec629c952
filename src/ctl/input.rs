//! Lines from the standard input. There is one buffer for all who read it: what was typed ahead belongs to the next reader.

use std::io::stdin;

use nix::errno::Errno;
use nix::unistd::read;

use crate::sys::stdin_ready::StdinReady;

/// How much is read at once, in bytes.
const READ_BYTES: usize = 4096;
/// The longest line, in bytes; a longer one is handed over in pieces of this length.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// The standard input.
#[derive(Default)]
pub struct Input {
    ahead: Vec<u8>,
}

impl Input {
    /// The next line without its end; `None` at the end of the input. Needs a tokio runtime.
    pub async fn line(&mut self) -> Option<String> {
        // A regular file cannot be waited for, and need not be.
        let waiting = StdinReady::watch().ok();
        loop {
            if let Some(line) = self.take_line() {
                return Some(line);
            }
            if let Some(waiting) = &waiting {
                waiting.ready().await;
            }
            let mut buffer = [0; READ_BYTES];
            match read(stdin(), &mut buffer) {
                Ok(0) => return self.take_rest(),
                Ok(count) => self.ahead.extend_from_slice(&buffer[..count]),
                Err(Errno::EINTR) => {}
                Err(_) => return self.take_rest(),
            }
        }
    }

    fn take_line(&mut self) -> Option<String> {
        let end = match self.ahead.iter().position(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if self.ahead.len() >= LINE_BYTES_MAX => LINE_BYTES_MAX,
            None => return None,
        };
        let line: Vec<u8> = self.ahead.drain(..end).collect();
        Some(text(&line))
    }

    /// What stands before the end of the input without a line end.
    fn take_rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.ahead);
        (!rest.is_empty()).then(|| text(&rest))
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned()
}
