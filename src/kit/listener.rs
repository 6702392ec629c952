//! Where words for people go.

use std::io::{IsTerminal, Write, stderr, stdin, stdout};

use indicatif::{ProgressBar, ProgressStyle};

use super::failure::Failure;
use super::plan::Step;
use super::text::{Lang, Note};

/// The one way from the installer to people.
pub trait Listener {
    /// Something to know.
    fn note(&mut self, note: Note);
    /// A step of a plan that is only shown.
    fn planned(&mut self, number: usize, step: &Step);
    /// So many steps will be done.
    fn begin(&mut self, steps: usize);
    /// This one is next.
    fn step(&mut self, step: &Step);
    /// No more steps.
    fn end(&mut self);
    /// It failed.
    fn failed(&mut self, failure: &Failure);
    /// Whether there is somebody to ask.
    fn can_ask(&self) -> bool;
    /// Asks whether to go on.
    fn may_go_on(&mut self) -> bool;
}

/// A terminal with a progress bar, or plain lines where there is none.
pub struct Console {
    lang: Lang,
    /// Whether somebody can watch and answer.
    is_terminal: bool,
    bar: Option<ProgressBar>,
}

impl Console {
    /// Speaks `lang`.
    pub fn new(lang: Lang) -> Console {
        Console { lang, is_terminal: stdout().is_terminal() && stderr().is_terminal(), bar: None }
    }

    /// Prints above the bar. A reader that has gone away is no reason to stop an installation.
    fn print(&self, text: &str) {
        let print = || {
            let _ = writeln!(stdout(), "{text}");
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Listener for Console {
    fn note(&mut self, note: Note) {
        self.print(&self.lang.note(&note));
    }

    fn planned(&mut self, number: usize, step: &Step) {
        self.print(&format!("{number:3} {}", self.lang.step(step)));
    }

    fn begin(&mut self, steps: usize) {
        if self.is_terminal {
            let bar = ProgressBar::new(steps as u64);
            let style = ProgressStyle::with_template("[{bar:30}] {pos}/{len} {wide_msg}");
            // ASCII: a text console may not have block characters.
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            self.bar = Some(bar);
        }
    }

    fn step(&mut self, step: &Step) {
        let text = self.lang.step(step);
        match &self.bar {
            Some(bar) => {
                bar.inc(1);
                bar.set_message(text);
            }
            None => self.print(&format!("  {text}")),
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn failed(&mut self, failure: &Failure) {
        let _ = writeln!(stderr(), "install: {}", self.lang.failure(failure));
    }

    fn can_ask(&self) -> bool {
        self.is_terminal && stdin().is_terminal()
    }

    fn may_go_on(&mut self) -> bool {
        let (question, yes) = self.lang.question();
        let _ = write!(stderr(), "{question}");
        let mut answer = String::new();
        // Nothing read is the end of input, Ctrl-D: that is no consent.
        let read = stdin().read_line(&mut answer).unwrap_or(0);
        read > 0 && yes.contains(&answer.trim().to_lowercase().as_str())
    }
}
