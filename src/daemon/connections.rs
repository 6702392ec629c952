//! All connections of all servers, so that they stay within one limit and an operator always gets in.

mod hold;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::os::fd::RawFd;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::http::{self, Clock, Peer, Server};

pub use hold::Inherited;

/// Most connections at a time. Half of the descriptors that `minfds` asks for by default: clients that hold connections
/// must not keep programs from being started.
pub const CONNECTIONS_MAX: usize = 512;

/// The connections that are open.
#[derive(Debug, Default)]
pub struct Connections {
    open: RefCell<HashMap<u64, Connection>>,
    last_number: Cell<u64>,
    /// Rings when one ends, or becomes one that may be closed.
    freed: Rc<Notify>,
}

#[derive(Debug)]
struct Connection {
    task: AbortHandle,
    clock: Rc<Clock>,
    /// Of its descriptor.
    number: RawFd,
    /// The section of its server.
    section: String,
}

impl Connections {
    /// Serves one more, in a task of its own. When there are too many, it takes the place of the one that has been idle
    /// longest, or else of the one that has followed a log longest; while all are waiting for answers, it waits too.
    /// `descriptor` is the number of what is behind the stream.
    pub async fn serve<S>(self: &Rc<Self>, server: &Rc<Server>, peer: Peer, stream: S, descriptor: RawFd)
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        self.make_room().await;
        let clock = Rc::new(Clock::new(Rc::clone(&self.freed)));
        let serving = http::serve(Rc::clone(server), Rc::clone(&clock), peer, stream);
        self.spawn(server, clock, descriptor, serving);
    }

    async fn make_room(&self) {
        loop {
            let freed = self.freed.notified();
            if self.open.borrow().len() < CONNECTIONS_MAX || self.close_one() {
                break;
            }
            freed.await;
        }
    }

    /// Runs what serves a connection in a task of its own, with a place among the others.
    fn spawn(
        self: &Rc<Self>,
        server: &Rc<Server>,
        clock: Rc<Clock>,
        descriptor: RawFd,
        serving: impl Future<Output = ()> + 'static,
    ) {
        let number = self.last_number.get() + 1;
        self.last_number.set(number);
        let place = Place { connections: Rc::clone(self), number };
        let task = tokio::task::spawn_local(async move {
            serving.await;
            drop(place);
        });
        let section = server.gate.section().to_owned();
        let connection = Connection { task: task.abort_handle(), clock, number: descriptor, section };
        self.open.borrow_mut().insert(number, connection);
    }

    /// Closes the one that is missed least; false when every one of them waits for an answer.
    pub fn close_one(&self) -> bool {
        let least_missed = {
            let open = self.open.borrow();
            let ranked = open.iter().filter_map(|(number, one)| Some((one.clock.dispensable()?, *number)));
            ranked.min().map(|(_, number)| number)
        };
        let Some(closed) = least_missed.and_then(|number| self.open.borrow_mut().remove(&number)) else { return false };
        closed.task.abort();
        true
    }
}

/// A place among the connections, given back at the end.
struct Place {
    connections: Rc<Connections>,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open.borrow_mut().remove(&self.number);
        self.connections.freed.notify_waiters();
    }
}
