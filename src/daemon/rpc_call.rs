//! What the servers ask of the loop, and how a call is run from its bytes to its answer.

use std::path::PathBuf;
use std::rc::Rc;

use tokio::sync::{Notify, mpsc, oneshot};

use super::perform::Answer;
use crate::rpc::Channel;
use crate::xmlrpc::{self, Call, Fault, Value, code};

/// Most requests that wait for the loop; further clients wait to hand theirs over.
pub const INBOX_REQUESTS_MAX: usize = 64;

/// One question to the loop.
pub enum Ask {
    /// Run a method.
    Call(Call, oneshot::Sender<Reply>),
    /// Where is this log, and what rings when it grows? `None` as name is the activity log.
    Follow(Option<String>, Channel, oneshot::Sender<Option<Followed>>),
}

/// An answer, or the calls of a multicall to be run one after the other.
pub enum Reply {
    /// The method is done.
    Answer(Answer),
    /// The method waits; its answer comes here.
    Later(oneshot::Receiver<Answer>),
    /// `system.multicall`.
    Multicall(Vec<Result<Call, Fault>>),
}

/// A log to stream.
pub struct Followed {
    /// The file.
    pub path: PathBuf,
    /// Rings after each write.
    pub bell: Rc<Notify>,
}

/// A way to ask the loop, shared by all connections of a server.
#[derive(Clone)]
pub struct Loop(pub mpsc::Sender<Ask>);

impl Loop {
    /// Runs one call to its end, however long that takes.
    pub async fn call(&self, call: Call) -> Answer {
        match self.ask(call).await {
            Reply::Answer(answer) => answer,
            Reply::Later(later) => later.await.unwrap_or_else(|_| Err(ended())),
            Reply::Multicall(calls) => Ok(Value::Array(self.run_all(calls).await)),
        }
    }

    /// Where a log is.
    pub async fn follow(&self, name: Option<String>, channel: Channel) -> Option<Followed> {
        let (sender, receiver) = oneshot::channel();
        self.0.send(Ask::Follow(name, channel, sender)).await.ok()?;
        receiver.await.ok()?
    }

    async fn ask(&self, call: Call) -> Reply {
        let (sender, receiver) = oneshot::channel();
        if self.0.send(Ask::Call(call, sender)).await.is_err() {
            return Reply::Answer(Err(ended()));
        }
        receiver.await.unwrap_or_else(|_| Reply::Answer(Err(ended())))
    }

    /// Results stand bare in the array, faults as structs (`Supervisor: xmlrpc.py multicall`).
    async fn run_all(&self, calls: Vec<Result<Call, Fault>>) -> Vec<Value> {
        let mut results = Vec::with_capacity(calls.len());
        for call in calls {
            let answer = match call {
                Ok(call) => match self.ask(call).await {
                    Reply::Answer(answer) => answer,
                    Reply::Later(later) => later.await.unwrap_or_else(|_| Err(ended())),
                    // The method table lets no multicall into a multicall.
                    Reply::Multicall(_) => Err(Fault::new(code::INCORRECT_PARAMETERS)),
                },
                Err(fault) => Err(fault),
            };
            results.push(answer.unwrap_or_else(|fault| {
                Value::Struct(vec![
                    ("faultCode".to_owned(), i64::from(fault.code).into()),
                    ("faultString".to_owned(), fault.text.into()),
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
