//! A turn that broke down: an error of ours that nobody foresaw. What it was in the middle of is not to be trusted any more, so
//! a new image of this very process goes on from the record of the turn before. Children stay children, pipes stay open.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use super::Whole;
use crate::config::Level;
use crate::core::{Mono, Mood};
use crate::daemon::handover::Seat;
use crate::daemon::rpc_call::Ask;
use crate::daemon::run::Daemon;
use crate::sys::exec_self;

/// Most breakdowns in a minute. After one more the daemon ends, and whoever started it decides.
const BREAKDOWNS_MAX: usize = 3;

/// What counts as a minute.
const BREAKDOWN_SECS: i64 = 60;

impl Daemon<'_> {
    /// Runs, see [`Daemon::run`], and goes on when a turn breaks down.
    ///
    /// # Panics
    /// Turns break down again and again, or nobody can go on.
    pub async fn run_guarded(&mut self, inbox: mpsc::Receiver<Ask>, pollers: AsyncFd<std::os::fd::OwnedFd>) -> Mood {
        let outcome = {
            let mut running = pin!(self.run(inbox, pollers));
            std::future::poll_fn(|context| {
                // What the turn was changing is not looked at again: another image goes on.
                match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(mood)) => Poll::Ready(Ok(mood)),
                    Err(panic) => Poll::Ready(Err(panic)),
                }
            })
            .await
        };
        match outcome {
            Ok(mood) => mood,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                self.go_on_after(&text.unwrap_or_default());
                std::panic::resume_unwind(panic)
            }
        }
    }

    /// Has another image go on from the record. Comes back only if that cannot be.
    fn go_on_after(&mut self, text: &str) {
        let now = self.now().mono;
        let since = now.plus_secs(-BREAKDOWN_SECS);
        let recent = self.upgrade.breakdowns().iter().filter(|clock| **clock >= since).count();
        self.shell.log(Level::Critical, &format!("supervisord broke down, this is an error in it: {text}"));
        if recent >= BREAKDOWNS_MAX {
            return self.shell.log(Level::Critical, &format!("giving up after {recent} breakdowns in a minute"));
        }
        if let Err(error) = self.exec_from_record(now) {
            self.shell.log(Level::Critical, &format!("cannot go on from the record: {error}"));
        }
    }

    fn exec_from_record(&mut self, now: Mono) -> std::io::Result<()> {
        let text = self.shell.record.read_after_breakdown(now)?;
        let numbers: Vec<_> = {
            let whole = Whole::read(&text).map_err(std::io::Error::other)?;
            Seat::all(&whole.document).into_iter().map(|seat| seat.number).collect()
        };
        let document = exec_self::document(&text, &self.run_directory())?;
        Err(exec_self::exec(&self.standing.image, &document, &numbers))
    }
}
