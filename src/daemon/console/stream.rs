//! Changes as server-sent events. A stream is a place in the journal and nothing more: what has changed since is gathered when its
//! client can take it, so a client that does not read costs no memory, and one that comes back goes on where it was.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::usage::Watcher;
use super::{Console, log_file, look};
use crate::core::Core;
use crate::daemon::follow::Follower;
use crate::daemon::http::{Next, Source, Visitor};
use crate::daemon::perform::Shell;
use crate::daemon::rpc_call::Loop;
use crate::web::json;

/// Most streams at a time.
pub const STREAMS_MAX: usize = 256;

/// How long changes are gathered before they are sent: many come together.
const GATHERING: Duration = Duration::from_millis(50);

/// After this time without a change something is sent all the same, so that nobody in between cuts the connection.
const HEARTBEAT: Duration = Duration::from_secs(25);

/// Longest part of a line that waits for its end, in bytes.
const OPEN_LINE_BYTES_MAX: usize = 64 * 1024;

/// The changes of programs, and the feed.
pub struct Changes {
    console: Rc<Console>,
    inbox: Loop,
    visitor: Visitor,
    /// What the client knows; `None` for nothing that it could add to.
    seq: Option<u64>,
    sampled: u64,
    _watcher: Watcher,
}

impl Changes {
    /// From the place that a client names.
    pub fn new(console: &Rc<Console>, inbox: &Loop, visitor: &Visitor, cursor: &str) -> Self {
        Changes {
            seq: console.seq_of(cursor),
            console: Rc::clone(console),
            inbox: inbox.clone(),
            visitor: visitor.clone(),
            sampled: 0,
            _watcher: Watcher::new(console, inbox),
        }
    }

    async fn wait(&mut self) -> Option<Bytes> {
        let console = Rc::clone(&self.console);
        let beat = Instant::now() + HEARTBEAT;
        loop {
            let mut changed = std::pin::pin!(console.changed.notified());
            changed.as_mut().enable();
            if !still_signed_in(&console, &self.visitor) {
                return None;
            }
            if let Some(bytes) = self.gather().await? {
                return Some(bytes);
            }
            tokio::select! {
                () = changed => tokio::time::sleep(GATHERING).await,
                () = tokio::time::sleep_until(beat.min(end_of(&console, &self.visitor))) => {
                    if Instant::now() >= beat {
                        return Some(Bytes::from_static(b":\n\n"));
                    }
                }
            }
        }
    }

    /// The outer `None`: the loop has ended. The inner one: nothing is new.
    async fn gather(&mut self) -> Option<Option<Bytes>> {
        let (seq, sampled) = (self.seq, self.sampled);
        let news = self.inbox.look(move |core, shell| news(core, shell, seq, sampled)).await?;
        (self.seq, self.sampled) = (Some(news.seq), news.sampled);
        Some(news.bytes)
    }
}

impl Source for Changes {
    fn next(mut self: Box<Self>) -> Next {
        Box::pin(async move {
            let bytes = self.wait().await?;
            Some((self as Box<dyn Source>, Ok(bytes)))
        })
    }
}

/// What is sent to a stream, and where in the journal and in the samples it is then.
#[derive(Clone)]
struct News {
    seq: u64,
    sampled: u64,
    bytes: Option<Bytes>,
}

/// The last news. Streams are mostly at the same place, so what one is sent all are: the same bytes, made and kept once.
pub struct Told {
    since: (u64, u64),
    at_secs: i64,
    news: News,
}

/// What is new since a place in the journal and a number of the samples.
fn news(core: &Core, shell: &mut Shell, seq: Option<u64>, sampled: u64) -> News {
    let console = Rc::clone(&shell.console);
    let (now, sampled_now) = (console.journal.borrow().seq(), console.samples.borrow().seq());
    let gone = seq.and_then(|seq| console.journal.borrow().gone_since(seq));
    let (Some(seq), Some(gone)) = (seq, gone) else {
        // Too long away, or of another life: everything has to be asked for anew.
        return News { seq: now, sampled, bytes: Some(event("reset", &console.cursor(now), &json!({}))) };
    };
    let (since, at_secs) = ((seq, sampled), crate::daemon::perform::wall_secs());
    if let Some(told) = &*console.told.borrow()
        && (told.since, told.at_secs) == (since, at_secs)
        && (told.news.seq, told.news.sampled) == (now, sampled_now)
    {
        return told.news.clone();
    }
    let data = differences(core, &console, since, gone, at_secs);
    let bytes = data.map(|data| event("change", &console.cursor(now), &data));
    let news = News { seq: now, sampled: sampled_now, bytes };
    console.told.replace(Some(Told { since, at_secs, news: news.clone() }));
    news
}

/// All that differs from what was known at a place in the journal and a number of the samples; `None` for nothing.
fn differences(
    core: &Core,
    console: &Console,
    (seq, sampled): (u64, u64),
    gone: Vec<String>,
    at_secs: i64,
) -> Option<Value> {
    let changed: Vec<Value> = {
        let ids = console.journal.borrow().changed_since(seq);
        ids.iter()
            .filter_map(|id| core.process(*id))
            .map(|process| json::program(&look::program(process, console)))
            .collect()
    };
    let mut usage = Map::new();
    for (id, used) in console.samples.borrow().changed_since(sampled) {
        if let Some(process) = core.process(id) {
            usage.insert(process.namespec(), used.map_or(Value::Null, json::usage));
        }
    }
    let entries: Vec<Value> = console.journal.borrow().feed_since(seq).map(json::entry).collect();
    let is_new = !changed.is_empty() || !gone.is_empty() || !usage.is_empty() || !entries.is_empty();
    is_new.then(|| {
        json!({
            "now": at_secs, "daemon": core.mood().name(), "programs": changed, "gone": gone, "usage": usage, "events": entries,
        })
    })
}

/// A log as it grows, line by line.
pub struct Lines {
    console: Rc<Console>,
    visitor: Visitor,
    follower: Follower,
    /// A line whose end has not come.
    open: Vec<u8>,
    has_begun: bool,
}

impl Lines {
    /// Of what a follower reads.
    pub fn new(console: &Rc<Console>, visitor: &Visitor, follower: Follower) -> Self {
        Lines { console: Rc::clone(console), visitor: visitor.clone(), follower, open: Vec::new(), has_begun: false }
    }

    async fn wait(&mut self) -> Option<io::Result<Bytes>> {
        if !std::mem::replace(&mut self.has_begun, true) {
            let data = json!({ "file": self.follower.file_name(), "start": self.follower.position_bytes() });
            return Some(Ok(event("begin", "", &data)));
        }
        let console = Rc::clone(&self.console);
        let beat = Instant::now() + HEARTBEAT;
        loop {
            let end = beat.min(end_of(&console, &self.visitor));
            tokio::select! {
                bytes = self.follower.next() => return Some(bytes.map(|bytes| self.take(&bytes))),
                () = tokio::time::sleep_until(end) => {}
            }
            if !still_signed_in(&console, &self.visitor) {
                return None;
            }
            if Instant::now() >= beat {
                return Some(Ok(Bytes::from_static(b":\n\n")));
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Bytes {
        self.open.extend_from_slice(bytes);
        let mut lines: Vec<String> = Vec::new();
        if let Some(last) = self.open.iter().rposition(|byte| *byte == b'\n') {
            lines.extend(self.open[..last].split(|byte| *byte == b'\n').map(log_file::text));
            self.open.drain(..=last);
        }
        if self.open.len() > OPEN_LINE_BYTES_MAX {
            lines.push(log_file::text(&self.open));
            self.open.clear();
        }
        event("lines", "", &json!({ "lines": lines, "open": log_file::text(&self.open) }))
    }
}

impl Source for Lines {
    fn next(mut self: Box<Self>) -> Next {
        Box::pin(async move {
            let bytes = self.wait().await?;
            Some((self as Box<dyn Source>, bytes))
        })
    }
}

/// One event as it is sent. JSON has no line ends in it.
fn event(kind: &str, id: &str, data: &Value) -> Bytes {
    let id = if id.is_empty() { String::new() } else { format!("id: {id}\n") };
    format!("event: {kind}\n{id}data: {data}\n\n").into()
}

/// Whoever signed in is cut off when his session ends; others are let in by each request.
fn still_signed_in(console: &Console, visitor: &Visitor) -> bool {
    let Some(id) = visitor.session.as_deref().filter(|_| visitor.is_signed_in) else { return true };
    console.sessions.borrow_mut().find(id, &visitor.server).is_some()
}

/// When his session ends, or a moment that does not come.
fn end_of(console: &Console, visitor: &Visitor) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let session = visitor.session.as_deref().filter(|_| visitor.is_signed_in);
    let mut sessions = console.sessions.borrow_mut();
    let deadline = session.and_then(|id| Some(sessions.find(id, &visitor.server)?.deadline()));
    deadline.unwrap_or_else(|| Instant::now() + FAR)
}

/// The cursor that an `EventSource` sends when it comes back, or the one of its address.
pub fn cursor<'a>(last_event_id: Option<&'a str>, since: Option<&'a str>) -> &'a str {
    last_event_id.or(since).unwrap_or_default()
}
