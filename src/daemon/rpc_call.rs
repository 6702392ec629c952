//! What the servers ask of the loop, and how a call is run from its bytes to its answer.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::{mpsc, oneshot};

use super::follow::{Follower, Reading};
use super::perform::{Answer, Shell};
use crate::config::Level;
use crate::core::{Core, Request, Ticket};
use crate::rpc::Channel;
use crate::xmlrpc::{self, Call, Fault, Value, code};

/// Most requests that wait for the loop; further clients wait to hand theirs over.
pub const INBOX_REQUESTS_MAX: usize = 64;

/// Most multicalls that run at a time. Each runs on when its client leaves, so clients alone do not bound them.
pub const MULTICALLS_MAX: usize = 64;

/// One question to the loop.
pub enum Ask {
    /// Run a method.
    Call(Call, Origin, oneshot::Sender<Reply>),
    /// Follow this log. `None` as name is the activity log.
    Follow(Option<String>, Channel, oneshot::Sender<Option<Follower>>),
    /// Go on following a log where a client of another image was.
    FollowFrom(Reading, oneshot::Sender<Option<Follower>>),
    /// Where the answer of this number comes, for a client of another image.
    Await(Ticket, oneshot::Sender<Option<oneshot::Receiver<Answer>>>),
    /// Write a line to the activity log.
    Note(Level, String),
    /// Look at how things are, or have the shell do something.
    Look(Look),
    /// Have the core do something.
    Request(Request, oneshot::Sender<Reply>),
}

/// What is done with the core and the shell at hand, in a turn of the loop.
pub type Look = Box<dyn FnOnce(&Core, &mut Shell)>;

/// Where a call comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A client.
    Client,
    /// A multicall, whose calls the log does not name one by one (`Supervisor: xmlrpc.py multicall`).
    Multicall,
}

/// An answer, or the calls of a multicall to be run one after the other.
pub enum Reply {
    /// The method is done.
    Answer(Answer),
    /// The method waits; its answer comes here, under this number.
    Later(Ticket, oneshot::Receiver<Answer>),
    /// `system.multicall`.
    Multicall(Vec<Result<Call, Fault>>),
}

impl Reply {
    /// The answer, however long it takes.
    pub async fn answer(self) -> Answer {
        match self {
            Reply::Answer(answer) => answer,
            Reply::Later(_, later) => later.await.unwrap_or_else(|_| Err(ended())),
            // Only a call can be one.
            Reply::Multicall(_) => Err(Fault::new(code::INCORRECT_PARAMETERS)),
        }
    }
}

/// A way to ask the loop, shared by all connections.
#[derive(Clone)]
pub struct Loop {
    asks: mpsc::Sender<Ask>,
    /// The least level that the activity log writes.
    level: Level,
    /// Multicalls that run.
    multicalls: Rc<Cell<usize>>,
}

impl Loop {
    /// To the loop that takes in `asks` and logs lines of at least `level`.
    pub fn new(asks: mpsc::Sender<Ask>, level: Level) -> Self {
        Loop { asks, level, multicalls: Rc::default() }
    }

    /// Whether a line of `level` would be written: for those that are costly to make.
    pub fn is_enabled(&self, level: Level) -> bool {
        level >= self.level
    }

    /// Has a line written to the activity log.
    pub async fn note(&self, level: Level, text: String) {
        // A loop that has ended logs nothing.
        let _ = self.asks.send(Ask::Note(level, text)).await;
    }

    /// Looks at how things are; `None` when the loop has ended.
    pub async fn look<T: 'static>(&self, look: impl FnOnce(&Core, &mut Shell) -> T + 'static) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        let look: Look = Box::new(move |core, shell| {
            // Whoever asked may have gone.
            let _ = sender.send(look(core, shell));
        });
        self.asks.send(Ask::Look(look)).await.ok()?;
        receiver.await.ok()
    }

    /// Has the core do something. The request is made when this returns; the answer may take longer.
    pub async fn request(&self, request: Request) -> Reply {
        let (sender, receiver) = oneshot::channel();
        if self.asks.send(Ask::Request(request, sender)).await.is_err() {
            return Reply::Answer(Err(ended()));
        }
        receiver.await.unwrap_or_else(|_| Reply::Answer(Err(ended())))
    }

    /// Runs one call to its end, however long that takes. When it takes a while, `told` hears under which number.
    pub async fn call(&self, call: Call, told: impl FnOnce(Ticket)) -> Answer {
        match self.ask(call, Origin::Client).await {
            Reply::Answer(answer) => answer,
            Reply::Later(ticket, later) => {
                told(ticket);
                later.await.unwrap_or_else(|_| Err(ended()))
            }
            Reply::Multicall(calls) => self.multicall(calls).await,
        }
    }

    /// Runs the calls one after the other, to the end even if the client leaves, as a call that waits does.
    async fn multicall(&self, calls: Vec<Result<Call, Fault>>) -> Answer {
        if self.multicalls.get() == MULTICALLS_MAX {
            return Err(Fault::with(code::FAILED, format!("{MULTICALLS_MAX} multicalls run already, try again later")));
        }
        self.multicalls.set(self.multicalls.get() + 1);
        let this = self.clone();
        let running = tokio::task::spawn_local(async move {
            let results = this.run_all(calls).await;
            this.multicalls.set(this.multicalls.get() - 1);
            results
        });
        running.await.map(Value::Array).map_err(|_| ended())
    }

    /// The answer to a call that another image took in.
    pub async fn answer_of(&self, ticket: Ticket) -> Answer {
        let (sender, receiver) = oneshot::channel();
        if self.asks.send(Ask::Await(ticket, sender)).await.is_err() {
            return Err(ended());
        }
        match receiver.await {
            Ok(Some(answer)) => answer.await.unwrap_or_else(|_| Err(ended())),
            Ok(None) | Err(_) => Err(ended()),
        }
    }

    /// Goes on following a log.
    pub async fn follow_from(&self, reading: Reading) -> Option<Follower> {
        let (sender, receiver) = oneshot::channel();
        self.asks.send(Ask::FollowFrom(reading, sender)).await.ok()?;
        receiver.await.ok()?
    }

    /// Follows a log.
    pub async fn follow(&self, name: Option<String>, channel: Channel) -> Option<Follower> {
        let (sender, receiver) = oneshot::channel();
        self.asks.send(Ask::Follow(name, channel, sender)).await.ok()?;
        receiver.await.ok()?
    }

    async fn ask(&self, call: Call, origin: Origin) -> Reply {
        let (sender, receiver) = oneshot::channel();
        if self.asks.send(Ask::Call(call, origin, sender)).await.is_err() {
            return Reply::Answer(Err(ended()));
        }
        receiver.await.unwrap_or_else(|_| Reply::Answer(Err(ended())))
    }

    /// Results stand bare in the array, faults as structs (`Supervisor: xmlrpc.py multicall`).
    async fn run_all(&self, calls: Vec<Result<Call, Fault>>) -> Vec<Value> {
        let mut results = Vec::with_capacity(calls.len());
        for call in calls {
            let answer = match call {
                Ok(call) => match self.ask(call, Origin::Multicall).await {
                    Reply::Answer(answer) => answer,
                    Reply::Later(_, later) => later.await.unwrap_or_else(|_| Err(ended())),
                    // The method table lets no multicall into a multicall.
                    Reply::Multicall(_) => Err(Fault::new(code::INCORRECT_PARAMETERS)),
                },
                Err(fault) => Err(fault),
            };
            results.push(answer.unwrap_or_else(|fault| {
                Value::Struct(vec![
                    ("faultCode".into(), i64::from(fault.code).into()),
                    ("faultString".into(), fault.text.into()),
                ])
            }));
        }
        results
    }
}

/// The bytes of an answer.
pub fn encode(answer: &Answer) -> Vec<u8> {
    match answer {
        Ok(value) => xmlrpc::write_response(value),
        Err(fault) => xmlrpc::write_fault(fault),
    }
}

/// The loop ended while a client waited.
fn ended() -> Fault {
    Fault::new(code::SHUTDOWN_STATE)
}
