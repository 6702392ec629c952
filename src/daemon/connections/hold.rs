//! Connections in a document for another image of the daemon, and back.

use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::{Connection, Connections};
use crate::core::snapshot::SnapshotError;
use crate::core::snapshot::text::{Section, Writer};
use crate::core::{Channel, Ticket};
use crate::daemon::follow::Reading;
use crate::daemon::handover::{Descriptors, Kept, Seat};
use crate::daemon::http::go_on::{self, Replayed};
use crate::daemon::http::{Clock, Peer, Server, Waits};
use crate::sys::exec_self::ObjectId;
use crate::xmlrpc::{Fault, code};

/// What a client hears whose call cannot be gone on with.
const BROKEN_OFF: &str = "supervisord was replaced while this call was under way, ask again";

/// A connection of another image.
#[derive(Debug)]
pub struct Inherited {
    /// The section of its server.
    pub section: String,
    socket: OwnedFd,
    waits: Left,
}

#[derive(Debug)]
enum Left {
    Request(Vec<u8>),
    Answer(Ticket),
    Log(Reading, bool),
    Nothing,
}

impl Connections {
    /// Whether every client has been given what was ready for it.
    pub fn are_settled(&self) -> bool {
        self.open.borrow().values().all(|connection| connection.clock.waits() != Waits::Us)
    }

    /// Writes every connection.
    pub fn write_snapshot(&self, to: &mut Writer, kept: &mut Kept) {
        for Connection { clock, number, section, .. } in self.open.borrow().values() {
            if clock.waits() == Waits::Stream {
                continue;
            }
            to.section("connection");
            to.put("section", &[section]);
            kept.put_number(to, "socket", *number);
            match clock.waits() {
                Waits::Request(bytes) => to.put("request", &[&bytes]),
                Waits::Answer(ticket) => to.put("answer", &[&ticket]),
                Waits::Log(Reading { name, channel, file, position_bytes }, chunked) => {
                    to.put_some("log", name.as_ref().map(|name| name as _));
                    to.put("channel", &[&channel.name(), &chunked]);
                    to.put("reading", &[&file.device, &file.inode, &position_bytes]);
                }
                Waits::Us | Waits::Stream => {}
            }
        }
    }
}

impl Inherited {
    /// Reads one, if its socket is to be had.
    ///
    /// # Errors
    /// Something is missing.
    pub fn read(from: &Section<'_>, descriptors: &mut Descriptors) -> Result<Option<Self>, SnapshotError> {
        let (section,): (String,) = from.get("section")?;
        let request: Option<(Vec<u8>,)> = from.maybe("request")?;
        let answer: Option<(Ticket,)> = from.maybe("answer")?;
        let reading: Option<(u64, u64, u64)> = from.maybe("reading")?;
        let waits = match (request, answer, reading) {
            (Some((bytes,)), ..) => Left::Request(bytes),
            (_, Some((ticket,)), _) => Left::Answer(ticket),
            (.., Some((device, inode, position_bytes))) => {
                let (channel, chunked): (String, bool) = from.get("channel")?;
                let channel = if channel == Channel::Stderr.name() { Channel::Stderr } else { Channel::Stdout };
                let name: Option<(String,)> = from.maybe("log")?;
                let (name, file) = (name.map(|(name,)| name), ObjectId { device, inode });
                Left::Log(Reading { name, channel, file, position_bytes }, chunked)
            }
            (None, None, None) => Left::Nothing,
        };
        let socket = Seat::maybe(from, "socket")?.and_then(|seat| descriptors.take(seat));
        Ok(socket.map(|socket| Inherited { section, socket, waits }))
    }

    /// Serves it on, inside a `LocalSet`. One that tokio cannot watch is closed.
    pub fn go_on(self, server: &Rc<Server>, connections: &Rc<Connections>) {
        let Inherited { socket, waits, .. } = self;
        let number = socket.as_raw_fd();
        match nix::sys::socket::getsockname::<nix::sys::socket::UnixAddr>(number) {
            Ok(_) => {
                if let Ok(stream) = tokio::net::UnixStream::from_std(socket.into()) {
                    let peer = Peer::Unix(stream.peer_cred().ok());
                    waits.go_on(server, connections, peer, stream, number);
                }
            }
            Err(_) => {
                if let Ok(stream) = tokio::net::TcpStream::from_std(socket.into())
                    && let Ok(address) = stream.peer_addr()
                {
                    waits.go_on(server, connections, Peer::Inet(address), stream, number);
                }
            }
        }
    }
}

impl Left {
    fn go_on<S>(self, server: &Rc<Server>, connections: &Rc<Connections>, peer: Peer, stream: S, number: i32)
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let (server, connections) = (Rc::clone(server), Rc::clone(connections));
        if let Left::Request(bytes) = self {
            let stream = Replayed::new(bytes, stream);
            tokio::task::spawn_local(async move { connections.serve(&server, peer, stream, number).await });
            return;
        }
        let clock = Rc::new(Clock::new(Rc::clone(&connections.freed)));
        let busy = crate::daemon::http::Busy::new(&clock);
        busy.begins();
        let inbox = server.inbox.clone();
        let serving = async move {
            match self {
                Left::Answer(ticket) => {
                    busy.waits_for(ticket);
                    go_on::answer(stream, &inbox.answer_of(ticket).await).await;
                }
                Left::Log(reading, chunked) => {
                    if let Some(follower) = inbox.follow_from(reading).await {
                        busy.follows_a_log(follower.place(), chunked);
                        go_on::follow(stream, follower, chunked).await;
                    }
                }
                Left::Nothing | Left::Request(_) => {
                    go_on::answer(stream, &Err(Fault::with(code::FAILED, BROKEN_OFF))).await;
                }
            }
        };
        connections.spawn(&server, clock, number, serving);
    }
}
