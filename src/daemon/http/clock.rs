//! How long a client may take. A connection has one deadline, or none while its answer is being made: nobody is woken
//! for a connection that keeps to its times, and nobody at all where there is no connection.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::core::Ticket;
use crate::daemon::follow::{Place, Reading};

/// Longest time without a request on a kept connection (`Supervisor: medusa http_server.py zombie_timeout`).
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(30 * 60);

/// Longest time from the first byte of a request to the end of its headers.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(30);

/// Longest time that the body of a request takes.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(120);

/// Longest time in which a client takes no byte of what is written to it. Long enough for somebody who stops the output of
/// `tail -f` to read it.
pub const STALL_TIME_MAX: Duration = Duration::from_secs(5 * 60);

/// A moment that does not come, for an alarm that must have one.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A request.
    Idle,
    /// The rest of one's head.
    Head,
    /// Us; a body that comes slowly is its reader's affair.
    Busy,
    /// A log that grows.
    Log,
}

/// What a connection needs from another image of the daemon that goes on with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waits {
    /// Nothing of what these bytes ask for has been done: they can be read again.
    Request(Vec<u8>),
    /// The answer of this number.
    Answer(Ticket),
    /// The rest of a log, in chunks or, to a client of HTTP/1.0, as it is.
    Log(Reading, bool),
    /// Nothing: its client comes back by itself and says how far it was.
    Stream,
    /// What we are just writing or doing.
    Us,
}

/// Most bytes of a request that are kept until something is done about it: calls are shorter, and whoever sends more waits
/// for an upgrade at his own risk.
const REPLAYED_BYTES_MAX: usize = 4 * 1024;

/// The times of one connection, and how far its request is.
#[derive(Debug)]
pub struct Clock {
    /// What was read of a request that nothing has been done about; `None` when it was too much to keep.
    unanswered: RefCell<Option<Vec<u8>>>,
    /// Something has been done about it.
    is_begun: Cell<bool>,
    ticket: Cell<Option<Ticket>>,
    log: RefCell<Option<(Rc<Place>, bool)>>,
    phase: Cell<Phase>,
    since: Cell<Instant>,
    /// Since when the client has taken nothing, if there is something to take.
    stalled: Cell<Option<Instant>>,
    /// Rings when the connection may be closed.
    freed: Rc<Notify>,
}

impl Clock {
    /// Of a connection that was just made: its client has as long as for a head to say something.
    pub fn new(freed: Rc<Notify>) -> Self {
        Clock {
            unanswered: RefCell::new(Some(Vec::new())),
            is_begun: Cell::new(false),
            ticket: Cell::new(None),
            log: RefCell::new(None),
            phase: Cell::new(Phase::Head),
            since: Cell::new(Instant::now()),
            stalled: Cell::new(None),
            freed,
        }
    }

    /// What another image would have to go on with. Between two turns an answer that was made is also written, unless the
    /// client does not take it.
    pub fn waits(&self) -> Waits {
        if self.phase.get() == Phase::Log && self.log.borrow().is_none() {
            return Waits::Stream;
        }
        if self.stalled.get().is_some() {
            return Waits::Us;
        }
        if self.phase.get() == Phase::Log {
            return self
                .log
                .borrow()
                .as_ref()
                .map_or(Waits::Us, |(place, chunked)| Waits::Log(place.reading(), *chunked));
        }
        match (self.is_begun.get(), self.ticket.get()) {
            (false, _) => self.unanswered.borrow().clone().map_or(Waits::Us, Waits::Request),
            (true, Some(ticket)) => Waits::Answer(ticket),
            (true, None) => Waits::Us,
        }
    }

    /// How little the connection would be missed, the least first: one without a request by how long it has been so, then
    /// one that follows a log. `None` while a request is being answered.
    pub fn dispensable(&self) -> Option<(u8, Instant)> {
        match self.phase.get() {
            Phase::Idle | Phase::Head => Some((0, self.since.get())),
            Phase::Log => Some((1, self.since.get())),
            Phase::Busy => None,
        }
    }

    /// When the connection is to be closed.
    pub fn deadline(&self) -> Option<Instant> {
        let phase = match self.phase.get() {
            Phase::Idle => Some(self.since.get() + IDLE_TIME_MAX),
            Phase::Head => Some(self.since.get() + HEAD_TIME_MAX),
            Phase::Busy | Phase::Log => None,
        };
        let stall = self.stalled.get().map(|since| since + STALL_TIME_MAX);
        phase.into_iter().chain(stall).min()
    }

    /// The same, or a moment that does not come.
    pub fn deadline_or_far(&self) -> Instant {
        self.deadline().unwrap_or_else(|| Instant::now() + FAR)
    }

    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(Instant::now());
        if phase == Phase::Idle {
            *self.unanswered.borrow_mut() = Some(Vec::new());
            self.is_begun.set(false);
            self.ticket.set(None);
        }
        if self.dispensable().is_some() {
            self.freed.notify_waiters();
        }
    }

    fn has_read(&self, bytes: &[u8]) {
        if !self.is_begun.get() {
            let mut unanswered = self.unanswered.borrow_mut();
            match unanswered.as_mut() {
                Some(kept) if kept.len() + bytes.len() <= REPLAYED_BYTES_MAX => kept.extend_from_slice(bytes),
                _ => *unanswered = None,
            }
        }
        if self.phase.get() == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    fn has_written<T>(&self, result: Poll<T>) -> Poll<T> {
        match &result {
            Poll::Ready(_) => self.stalled.set(None),
            Poll::Pending => self.stalled.set(self.stalled.get().or_else(|| Some(Instant::now()))),
        }
        result
    }
}

/// A request is being answered, until this is dropped with the last byte of the answer.
pub struct Busy(Rc<Clock>);

impl Busy {
    /// From now on.
    pub fn new(clock: &Rc<Clock>) -> Self {
        clock.enter(Phase::Busy);
        Busy(Rc::clone(clock))
    }

    /// Whoever sent the request may be closed in favour of others, and is not gone on with.
    pub fn yields(&self) {
        self.0.enter(Phase::Idle);
        self.begins();
    }

    /// Something is done about the request from now on.
    pub fn begins(&self) {
        self.0.is_begun.set(true);
        *self.0.unanswered.borrow_mut() = Some(Vec::new());
    }

    /// The answer comes under this number, in a while.
    pub fn waits_for(&self, ticket: Ticket) {
        self.0.ticket.set(Some(ticket));
    }

    /// The answer is a stream that does not end, and that its client can ask for anew.
    pub fn streams(&self) {
        *self.0.log.borrow_mut() = None;
        self.0.enter(Phase::Log);
    }

    /// The answer is a log that does not end; `chunked` as HTTP/1.1 has it.
    pub fn follows_a_log(&self, place: Rc<Place>, chunked: bool) {
        *self.0.log.borrow_mut() = Some((place, chunked));
        self.0.enter(Phase::Log);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.enter(Phase::Idle);
    }
}

/// A stream that tells its clock.
pub struct Timed<S> {
    stream: S,
    clock: Rc<Clock>,
}

impl<S> Timed<S> {
    /// Around `stream`.
    pub fn new(stream: S, clock: Rc<Clock>) -> Self {
        Timed { stream, clock }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.clock.has_read(&buffer.filled()[before..]);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.clock.has_written(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.clock.has_written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
