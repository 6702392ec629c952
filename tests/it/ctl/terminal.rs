//! A client on a terminal of its own.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::process::{Child, Command};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};

use super::lab::{DEADLINE, Lab, Whose};

/// Ctrl-C, Ctrl-D and the arrow up, as keys send them.
pub const CTRL_C: &str = "\x03";
pub const CTRL_D: &str = "\x04";
pub const UP: &str = "\x1b[A";

/// The keyboard and the screen of a running client.
pub struct Terminal {
    client: Child,
    terminal: File,
    seen: Vec<u8>,
    /// How much of `seen` was waited for already, in bytes of the readable text.
    read_to: usize,
}

impl Terminal {
    /// Starts a client on a new terminal, of which it is the session leader.
    pub fn start(lab: &Lab, whose: Whose, args: &[&str]) -> Terminal {
        let size = Winsize { ws_row: 24, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        let program = whose.path("supervisorctl", lab.dir.path());
        let client = Command::new("setsid")
            .args(["--ctty", "--wait"])
            .arg(program)
            .args(args.iter().map(|word| lab.fill(word)))
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .env("INPUTRC", "/dev/null")
            .current_dir("/")
            .stdin(File::from(pty.slave.try_clone().unwrap()))
            .stdout(File::from(pty.slave.try_clone().unwrap()))
            .stderr(File::from(pty.slave))
            .spawn()
            .unwrap();
        Terminal { client, terminal: File::from(pty.master), seen: Vec::new(), read_to: 0 }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until a text appears after what was waited for before.
    pub fn wait_for(&mut self, text: &str) {
        loop {
            let screen = self.screen();
            if let Some(at) = screen[self.read_to..].find(text) {
                self.read_to += at + text.len();
                return;
            }
            assert!(self.read_more(), "it ended before it showed {text:?}:\n{screen}");
        }
    }

    /// Waits for the end and tells the exit status.
    pub fn end(&mut self) -> Option<i32> {
        while self.read_more() {}
        self.client.wait().unwrap().code()
    }

    /// What was shown so far, without control sequences.
    pub fn screen(&self) -> String {
        without_escapes(&String::from_utf8_lossy(&self.seen).replace('\r', ""))
    }

    /// The same as it came.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// False at the end: the last one has closed the terminal.
    fn read_more(&mut self) -> bool {
        let mut asked = [PollFd::new(self.terminal.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut asked, PollTimeout::try_from(DEADLINE).unwrap()).unwrap();
        assert_ne!(ready, 0, "nothing more was shown after:\n{}", self.screen());
        let mut buffer = [0; 4096];
        match self.terminal.read(&mut buffer) {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.seen.extend_from_slice(&buffer[..count]);
                true
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

impl Whose {
    /// The path of a program; ours goes by its name.
    pub fn path(self, name: &str, dir: &std::path::Path) -> std::path::PathBuf {
        match self {
            Whose::Stock => self.program(name).get_program().into(),
            Whose::Ours => {
                let link = dir.join(name);
                if !link.exists() {
                    symlink(env!("CARGO_BIN_EXE_supervisord"), &link).unwrap();
                }
                link
            }
        }
    }
}

/// Drops `ESC [ … letter`, and `ESC` with the character after it.
fn without_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\x1b' {
            out.push(letter);
        } else if letters.next() == Some('[') {
            letters.by_ref().find(|letter| letter.is_ascii_alphabetic());
        }
    }
    out
}
