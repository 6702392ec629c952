//! `/var/log/supervisor-install.log`: what every run did, in English, one line each. Failing to write it stops nothing.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::failure::Failure;
use super::host::Root;
use super::listener::Listener;
use super::plan::Step;
use super::preflight::Verdict;
use super::text::{Lang, Note, wall_time};

/// Where it is.
pub const LOG_FILE: &str = "/var/log/supervisor-install.log";
/// Lines of one run; what is more is counted.
const LINES_MAX: usize = 2000;

/// Passes everything on, and remembers it for the log.
pub struct Logged<'a> {
    inner: &'a mut dyn Listener,
    lines: Vec<String>,
    left_out: usize,
}

impl<'a> Logged<'a> {
    /// Begins with the verb and what was asked for.
    pub fn new(inner: &'a mut dyn Listener, verb: &str) -> Logged<'a> {
        let mut log = Logged { inner, lines: Vec::new(), left_out: 0 };
        log.remember(&format!("{verb}: installer {}", env!("CARGO_PKG_VERSION")));
        log
    }

    fn remember(&mut self, text: &str) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let (time, pid) = (wall_time(since), std::process::id());
        for line in text.lines() {
            if self.lines.len() < LINES_MAX {
                self.lines.push(format!("{time} [{pid}] {}\n", line.trim_end()));
            } else {
                self.left_out += 1;
            }
        }
    }

    /// Adds this run to the log of a running host.
    pub fn write(mut self, root: &Root, outcome: &Result<(), Failure>) {
        match outcome {
            Ok(()) => self.remember("outcome: done (0)"),
            Err(failure) => {
                let code = failure.code() as u8;
                self.remember(&format!("outcome: failed ({code})\n{}", Lang::En.failure(failure)));
            }
        }
        if self.left_out > 0 {
            self.lines.push(format!("... {} more lines\n", self.left_out));
        }
        // Nobody's link is followed: /var/log may be writable for others than root.
        let open = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(root.at(LOG_FILE));
        let _ = open.and_then(|mut file| file.write_all(self.lines.concat().as_bytes()));
    }
}

impl Listener for Logged<'_> {
    fn note(&mut self, note: Note) {
        let is_said = match &note {
            Note::Finding(finding) => finding.verdict != Verdict::Pass,
            Note::PlanBegins => false,
            _ => true,
        };
        if is_said {
            self.remember(&Lang::En.note(&note));
        }
        self.inner.note(note);
    }

    fn planned(&mut self, number: usize, step: &Step) {
        self.inner.planned(number, step);
    }

    fn begin(&mut self, steps: usize) {
        self.inner.begin(steps);
    }

    fn step(&mut self, step: &Step) {
        self.remember(&format!("step: {}", Lang::En.step(step).split_whitespace().collect::<Vec<_>>().join(" ")));
        self.inner.step(step);
    }

    fn end(&mut self) {
        self.inner.end();
    }

    fn failed(&mut self, failure: &Failure) {
        self.inner.failed(failure);
    }

    fn can_ask(&self) -> bool {
        self.inner.can_ask()
    }

    fn may_go_on(&mut self) -> bool {
        let answer = self.inner.may_go_on();
        self.remember(if answer { "the operator agreed" } else { "the operator declined" });
        answer
    }
}
