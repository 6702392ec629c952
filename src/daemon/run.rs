//! The loop. It sleeps until something happens or something is due, and then takes one turn:
//!
//! 1. readable pipes, a record from each, so that what a program wrote comes before anything that is done about it;
//! 2. signals; SIGCHLD reaps, and the pipes of a dead child are drained before the core hears of its end;
//! 3. requests of clients;
//! 4. what is due by now ([`Core::tick`]): starts, retries, SIGKILLs, reports, the next step of a shutdown.
//!
//! Reaping comes before what is due, so a program that has ended is never taken for RUNNING. Nothing here ever waits
//! but the sleep at the top: with nothing to do, the daemon makes no wake-up at all.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot};

use super::boot::Standing;
use super::channel_log::Sinks;
use super::follow::Follower;
use super::handover::upgrade::Upgrade;
use super::listen::Listeners;
use super::perform::{Answer, Shell, wall_time};
use super::programs::Token;
use super::rpc_call::{Ask, INBOX_REQUESTS_MAX, Origin, Reply};
use crate::config::{self, Level, signal};
use crate::core::{Core, Input, Mono, Mood, Now, Outbox, Request, Ticket};
use crate::rpc::{self, Channel, Job, LogSource, Outcome};
use crate::sys::code_pages::CodePages;
use crate::sys::poller::Ready;
use crate::sys::reap;
use crate::sys::signals::Signals;
use crate::xmlrpc::{Call, Fault, code};

/// Most rounds of the poller in one turn, so that programs that flood their output delay nothing else for long.
const ROUNDS_PER_TURN_MAX: usize = 4;

/// So many bytes of output end a turn early: what is read and written in a millisecond.
const OUTPUT_BYTES_PER_TURN: usize = 2 * 1024 * 1024;

/// How often programs are looked at that are not our children, where the kernel has no handles of processes (before 5.3).
const LOOK_AFTER_INTERVAL: Duration = Duration::from_secs(1);

/// How long nothing may have happened before code pages are given back: what happens more often is kept at hand.
const REST_AFTER: Duration = Duration::from_secs(1);

/// The daemon while it runs.
pub struct Daemon<'a> {
    /// Decides.
    pub core: Core,
    /// Does.
    pub shell: Shell,
    /// What is to be done.
    pub out: Outbox,
    /// The queue of signals.
    pub signals: &'a Signals,
    /// Zero of the monotonic clock: the boot of the machine, so that images of the daemon agree.
    pub epoch: Instant,
    /// What stays over restarts.
    pub standing: &'a Standing,
    /// The sockets of the servers, and who is connected.
    pub servers: Rc<Listeners>,
    /// How far an upgrade is.
    pub upgrade: Upgrade,
    /// Nothing has happened since code pages were given back.
    pub rested: bool,
    /// Asks for it, at the very moment when the thread goes to sleep: [`rest_when_parked`].
    pub rest: Arc<AtomicBool>,
}

impl Daemon<'_> {
    /// Runs until everything has stopped, and says whether to start over ([`Mood::Restarting`]) or to end.
    pub async fn run(&mut self, mut inbox: mpsc::Receiver<Ask>, pollers: AsyncFd<OwnedFd>) -> Mood {
        let mut asks: VecDeque<Ask> = VecDeque::new();
        let mut more_to_read = false;
        // The programs must be in the registry before the first of them starts.
        let now = self.now();
        self.shell.programs.publish();
        self.shell.perform(&mut self.core, now, &mut self.out);
        // Before the first start, so that it is noted too.
        self.keep_record();
        self.shell.tick(&mut self.core, now, &mut self.out);
        loop {
            let now = self.now();
            self.shell.tick(&mut self.core, now, &mut self.out);
            if let Some(mood) = self.shell.halted {
                return mood;
            }
            self.keep_record();
            if self.upgrade.is_due() {
                self.hand_over(&mut inbox).await;
            }
            let more_to_do = more_to_read || self.core.next_deadline().is_some_and(|due| due <= now.mono);
            self.sleep(&mut inbox, &pollers, &mut asks, more_to_do).await;
            more_to_read = self.read_ready(&pollers);
            self.shell.ring();
            while asks.len() < INBOX_REQUESTS_MAX
                && let Ok(ask) = inbox.try_recv()
            {
                asks.push_back(ask);
            }
            for ask in asks.drain(..) {
                self.answer(ask);
            }
        }
    }

    /// The time of a turn.
    pub fn now(&self) -> Now {
        let nanos = u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let (wall_secs, wall_nanos) = wall_time();
        Now { mono: Mono(nanos), wall_secs, wall_nanos }
    }

    /// Waits for the first of: a descriptor, a request, a deadline. With `more_to_do` it only lets the servers run.
    async fn sleep(
        &mut self,
        inbox: &mut mpsc::Receiver<Ask>,
        pollers: &AsyncFd<OwnedFd>,
        asks: &mut VecDeque<Ask>,
        more_to_do: bool,
    ) {
        if more_to_do {
            return tokio::task::yield_now().await;
        }
        let due = self.core.next_deadline().map(|Mono(nanos)| self.epoch + Duration::from_nanos(nanos));
        // Only where the kernel cannot tell us.
        let look = self.shell.adopted.has_unwatched().then(|| Instant::now() + LOOK_AFTER_INTERVAL);
        let rest = (!self.rested).then(|| Instant::now() + REST_AFTER);
        self.rested = false;
        tokio::select! {
            biased;
            _ = pollers.readable() => {}
            Some(ask) = inbox.recv() => asks.push_back(ask),
            () = sleep_until(due) => {}
            () = sleep_until(self.upgrade.deadline()) => self.end_late_trial(),
            () = sleep_until(look) => self.look_after_adopted(None),
            () = sleep_until(rest) => self.rest(),
        }
    }

    /// Nothing has happened for a while, and may not for days: the code that brought us here need not stay in memory.
    fn rest(&mut self) {
        self.rest.store(true, Ordering::Relaxed);
        self.rested = true;
    }

    /// Takes in what the descriptors have, in bounded rounds; true when there may be more.
    fn read_ready(&mut self, pollers: &AsyncFd<OwnedFd>) -> bool {
        let mut ready: Vec<Ready> = Vec::new();
        let mut bytes = 0;
        for _ in 0..ROUNDS_PER_TURN_MAX {
            // Forget the outer readiness before looking: what comes in between is an edge of its own.
            if let Some(Ok(mut guard)) = futures_ready(pollers) {
                guard.clear_ready();
            }
            if !matches!(self.shell.poller.wait_now(&mut ready), Ok(count) if count > 0) {
                return false;
            }
            let (mut signalled, mut heard, mut ended) = (false, Vec::new(), Vec::new());
            for event in &ready {
                match Token::from_bits(event.token) {
                    Token::Signals => signalled = true,
                    Token::Output(index) => {
                        let (Shell { programs, poller, log, .. }, out) = (&mut self.shell, &mut self.out);
                        bytes += programs.read(index, poller, &mut Sinks { log, out, heard: &mut heard });
                    }
                    Token::Status(slot) => self.shell.programs.read_status(slot, &self.shell.poller),
                    Token::Stdin(slot) => self.shell.programs.flush_stdin(slot, &self.shell.poller),
                    Token::Adopted(slot) => ended.push(slot),
                }
            }
            self.hear(&mut heard);
            if signalled {
                self.take_signals();
            }
            ended.into_iter().for_each(|slot| self.look_after_adopted(Some(slot)));
            if bytes >= OUTPUT_BYTES_PER_TURN {
                break;
            }
        }
        true
    }

    /// Hands on what listeners said.
    fn hear(&mut self, heard: &mut Vec<Input>) {
        for input in heard.drain(..) {
            let now = self.now();
            self.shell.handle(&mut self.core, now, input, &mut self.out);
        }
    }

    fn take_signals(&mut self) {
        while let Some(number) = self.signals.next() {
            let name = signal::name(number);
            match number {
                libc::SIGCHLD => {
                    self.shell.log(Level::Debug, "received SIGCHLD indicating a child quit");
                    self.reap();
                }
                libc::SIGTERM | libc::SIGINT | libc::SIGQUIT => {
                    let now = self.now();
                    self.shell.handle(&mut self.core, now, Input::ExitSignal(name), &mut self.out);
                    self.announce_stop();
                }
                libc::SIGHUP => self.restart_by_signal(),
                libc::SIGUSR1 => {
                    self.shell.log(Level::Info, "received SIGUSR1 indicating upgrade request");
                    self.begin_upgrade(None);
                }
                libc::SIGUSR2 => {
                    self.shell.log(Level::Info, "received SIGUSR2 indicating log reopen request");
                    self.shell.log(Level::Info, "supervisord logreopen");
                    self.reopen_logs();
                }
                _ => self.shell.log(Level::Blather, &format!("received {name} indicating nothing")),
            }
        }
    }

    fn reopen_logs(&mut self) {
        if let Err(error) = self.shell.log.reopen() {
            self.shell.log(Level::Critical, &format!("could not reopen the activity log: {error}"));
        }
        let Shell { programs, log, .. } = &mut self.shell;
        programs.reopen_logs(log);
    }

    /// SIGHUP: a configuration that cannot be used must not stop what runs (divergence D5).
    fn restart_by_signal(&mut self) {
        if self.core.mood() == Mood::Running
            && let Err(text) = self.shell.read_config()
        {
            return self.shell.log(Level::Critical, &format!("ignored SIGHUP indicating restart request: {text}"));
        }
        let now = self.now();
        self.shell.handle(&mut self.core, now, Input::RestartSignal, &mut self.out);
        self.announce_stop();
    }

    /// Tells the service manager that a stop has begun.
    fn announce_stop(&mut self) {
        if self.core.mood() == Mood::Shutdown {
            // Without a manager, or with one that went away, nobody needs to know.
            let _ = crate::sys::notify::stopping("stopping all programs");
        }
    }

    /// Takes in every child that has ended.
    pub fn reap(&mut self) {
        while let Some((pid, status)) = reap::next() {
            if self.judge_trial(pid, status) {
                continue;
            }
            let (Shell { programs, poller, log, .. }, out) = (&mut self.shell, &mut self.out);
            let mut heard = Vec::new();
            let failure = programs.drain(pid, poller, &mut Sinks { log, out, heard: &mut heard });
            self.hear(&mut heard);
            let now = self.now();
            if let Some(text) = failure {
                self.shell.handle(&mut self.core, now, Input::NotSpawned(pid, text), &mut self.out);
            }
            self.shell.console.reaped(status);
            self.shell.handle(&mut self.core, now, Input::Exited(pid, status), &mut self.out);
            self.shell.fcgi.release(Some(pid), &mut self.shell.log);
        }
    }

    /// Does what a server asks for.
    pub fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Call(call, origin, client) => {
                let reply = self.call(&call, origin);
                // A client that has gone away needs no answer.
                let _ = client.send(reply);
            }
            Ask::Note(level, text) => self.shell.log(level, &text),
            Ask::Look(look) => look(&self.core, &mut self.shell),
            Ask::Request(request, client) => {
                let _ = client.send(self.request(request));
            }
            Ask::Follow(name, channel, client) => {
                // A client that has gone away needs no answer.
                let _ = client.send(self.follow(name.as_deref(), channel));
            }
            Ask::FollowFrom(reading, client) => {
                let source = self.source_of(reading.name.as_deref(), reading.channel);
                let feed = source.and_then(|source| self.shell.feed_of(source));
                let _ = client.send(feed.and_then(|feed| feed.follow_from(&reading).ok()));
            }
            Ask::Await(ticket, client) => {
                let _ = client.send(self.shell.left_answers.remove(&ticket));
            }
        }
    }

    fn call(&mut self, call: &Call, origin: Origin) -> Reply {
        let is_logged = origin == Origin::Client && self.shell.log.is_enabled(Level::Trace);
        if is_logged {
            self.shell.log(Level::Trace, &format!("XML-RPC method called: {}()", call.method));
        }
        let reply = match rpc::dispatch(call, &self.core, &self.shell) {
            Err(fault) => Reply::Answer(Err(fault)),
            Ok(Outcome::Value(value)) => Reply::Answer(Ok(value)),
            Ok(Outcome::Job(Job::AddProgram { group, name, settings })) => {
                match config::added_program(&self.shell.config, &*self.shell.host, &group, &name, &settings) {
                    Ok(processes) => self.request(Request::AddProcesses { group, processes }),
                    Err(error) => Reply::Answer(Err(Fault::with(code::INCORRECT_PARAMETERS, error.text))),
                }
            }
            Ok(Outcome::Job(Job::Upgrade)) => {
                let (ticket, receiver) = self.shell.expect_answer();
                self.begin_upgrade(Some(ticket));
                Self::now_or_later(ticket, receiver)
            }
            Ok(Outcome::Job(Job::Scale { group, numprocs })) => self.scale(&group, numprocs),
            Ok(Outcome::Job(job)) => Reply::Answer(self.shell.run_job(&self.core, job)),
            Ok(Outcome::Multicall(calls)) => Reply::Multicall(calls),
            Ok(Outcome::Request(request)) => self.request(request),
        };
        if is_logged {
            let text = match &reply {
                Reply::Answer(Err(fault)) => format!("returned fault: [{}] {}", fault.code, fault.text),
                _ => "returned successfully".to_owned(),
            };
            self.shell.log(Level::Trace, &format!("XML-RPC method {}() {text}", call.method));
        }
        reply
    }

    pub(super) fn request(&mut self, request: Request) -> Reply {
        if request == Request::Restart
            && let Err(text) = self.shell.read_config()
        {
            return Reply::Answer(Err(Fault::with(code::CANT_REREAD, text)));
        }
        let (ticket, receiver) = self.shell.expect_answer();
        let now = self.now();
        self.shell.handle(&mut self.core, now, Input::Request(ticket, request), &mut self.out);
        self.announce_stop();
        Self::now_or_later(ticket, receiver)
    }

    fn now_or_later(ticket: Ticket, mut receiver: oneshot::Receiver<Answer>) -> Reply {
        receiver.try_recv().map_or_else(|_| Reply::Later(ticket, receiver), Reply::Answer)
    }

    fn follow(&mut self, name: Option<&str>, channel: Channel) -> Option<Follower> {
        let source = self.source_of(name, channel)?;
        self.shell.feed_of(source)?.follow(name, channel).ok()
    }

    fn source_of(&self, name: Option<&str>, channel: Channel) -> Option<LogSource> {
        match name {
            None => Some(LogSource::Main),
            Some(name) => self.core.find_process(name).map(|process| LogSource::Process(process.id, channel)),
        }
    }
}

/// The readiness of the poller as tokio knows it, without waiting.
fn futures_ready(
    pollers: &AsyncFd<OwnedFd>,
) -> Option<std::io::Result<tokio::io::unix::AsyncFdReadyGuard<'_, OwnedFd>>> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match pollers.poll_read_ready(&mut context) {
        std::task::Poll::Ready(guard) => Some(guard),
        std::task::Poll::Pending => None,
    }
}

/// What the runtime does before its thread sleeps: gives back code pages if that was asked for. Any earlier, the way into
/// the sleep would bring many of them back.
pub fn rest_when_parked(rest: &AtomicBool, code: &CodePages) {
    if rest.swap(false, Ordering::Relaxed) {
        code.release();
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
