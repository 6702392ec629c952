//! What processes use, from `/proc/<pid>/stat`. It is measured while somebody watches and for an hour after, and then everything is
//! forgotten: a daemon that nobody looks at has no timer for it.

use std::fs;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::Console;
use crate::core::ProcId;
use crate::daemon::rpc_call::Loop;
use crate::sys::page_size::page_kib;
use crate::web::samples::{POINT_SECS, Reading};

/// How often while somebody watches.
const PERIOD: Duration = Duration::from_secs(5);

/// Processes that are read in a second at most: more of them are read less often.
const READS_PER_SEC_MAX: u64 = 100;

/// How long after the last watcher has left.
const KEPT: Duration = Duration::from_secs(3600);

/// Milliseconds of a tick that the kernel counts for programs (`USER_HZ` is 100 on every Linux).
const TICK_MILLIS: u64 = 10;

/// What the kernel says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// R, S, D, Z, …
    pub state: char,
    /// Who started it.
    pub parent: i32,
    /// Processor time used.
    pub cpu_millis: u64,
    /// Resident memory.
    pub rss_kib: u64,
}

/// Reads it; `None` when there is no such process any more.
pub fn stat(pid: i32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name, in brackets, may hold anything, brackets too.
fn parse(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        cpu_millis: (number(11)? + number(12)?) * TICK_MILLIS,
        rss_kib: number(21)? * page_kib(),
    })
}

/// Somebody who watches, for as long as this lives.
pub struct Watcher(Rc<Console>);

impl Watcher {
    /// Begins to watch, and to measure if nobody else did.
    pub fn new(console: &Rc<Console>, inbox: &Loop) -> Self {
        console.watchers.set(console.watchers.get() + 1);
        if !console.is_measuring.replace(true) {
            tokio::task::spawn_local(measure(Rc::clone(console), inbox.clone()));
        }
        Watcher(Rc::clone(console))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.watchers.set(self.0.watchers.get().saturating_sub(1));
        self.0.last_watched.set(Some(Instant::now()));
    }
}

/// How many watch.
pub fn watchers(console: &Console) -> usize {
    console.watchers.get()
}

/// Measures until nobody has watched for an hour.
async fn measure(console: Rc<Console>, inbox: Loop) {
    loop {
        let running = inbox.look(|core, _| {
            let running = core.processes().filter(|process| process.pid() != 0);
            running.map(|process| (process.id, process.pid())).collect::<Vec<(ProcId, i32)>>()
        });
        // The loop has ended.
        let Some(running) = running.await else { return };
        let readings: Vec<Reading> = running.iter().filter_map(|(id, pid)| read(*id, *pid)).collect();
        console.samples.borrow_mut().take(console.clock_millis(), &readings);
        let is_watched = watchers(&console) > 0;
        if is_watched {
            console.changed.notify_waiters();
        } else if console.last_watched.get().is_none_or(|last| last.elapsed() >= KEPT) {
            break;
        }
        let at_least = if is_watched { PERIOD } else { Duration::from_secs(POINT_SECS) };
        let by_number = Duration::from_secs(running.len() as u64 / READS_PER_SEC_MAX);
        tokio::time::sleep(at_least.max(by_number)).await;
    }
    console.samples.borrow_mut().clear();
    console.is_measuring.set(false);
}

fn read(id: ProcId, pid: i32) -> Option<Reading> {
    let Stat { cpu_millis, rss_kib, .. } = stat(pid)?;
    Some(Reading { id, pid, cpu_millis, rss_kib: u32::try_from(rss_kib).unwrap_or(u32::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets() {
        let text = "7 (a) b) S 3 7 7 0 -1 4194304 1 2 3 4 150 25 0 0 20 0 1 0 9 1000 30 18446744073709551615";
        let expected = Stat { state: 'S', parent: 3, cpu_millis: 1750, rss_kib: 30 * page_kib() };
        assert_eq!(parse(text), Some(expected));
        assert_eq!(parse("7 (a"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn this_very_process() {
        let own = stat(std::process::id() as i32).unwrap();
        assert!(own.rss_kib > 0 && own.parent > 0, "{own:?}");
    }
}
