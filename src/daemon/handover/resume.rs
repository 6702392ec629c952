//! From a document to a daemon that goes on.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use super::held::{Descriptors, Seat};
use crate::core::snapshot::SnapshotError;
use crate::core::snapshot::text::Document;
use crate::core::{Core, Mono, Ticket};
use crate::daemon::fcgi::FcgiSockets;
use crate::daemon::programs::Programs;
use crate::daemon::recovery::{Extent, Left};
use crate::sys::exec_self::ObjectId;
use crate::sys::poller::Poller;

/// What there is to go on from.
#[derive(Debug)]
pub enum Past {
    /// The document of the image that made room for this one; its descriptors are open.
    Upgrade(String),
    /// What a daemon left that was killed, and the descriptors that a store kept.
    Crash(Left, HashMap<ObjectId, OwnedFd>),
}

/// What the document says of the daemon itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The version that wrote it.
    pub version: String,
    /// When it was written, on the clock that all images of this boot share.
    pub clock: Mono,
    /// The pid of its writer.
    pub pid: u32,
    /// The boot of the machine in which it was written.
    pub boot: Option<String>,
    /// It was kept for the case that its writer ends, and knows nothing of what listeners were doing.
    pub is_record: bool,
    /// Where relative paths of the command line go by.
    pub directory: PathBuf,
    /// The last number that a client was given.
    pub last_ticket: Ticket,
    /// The clients that asked for the upgrade.
    pub upgrade_tickets: Vec<Ticket>,
    /// All clients that wait for an answer and are connected.
    pub awaited: Vec<Ticket>,
    /// When earlier images of this pid broke down, oldest first.
    pub breakdowns: Vec<Mono>,
    /// How far the record is that the writer has kept, if it is good.
    pub record: Option<Extent>,
    /// The lock of the pidfile.
    pub lock: Option<Seat>,
}

impl Head {
    /// Reads it.
    ///
    /// # Errors
    /// Something is missing.
    pub fn read(document: &Document<'_>) -> Result<Head, SnapshotError> {
        let from = document.one("daemon")?;
        let numbers = |key: &str| from.rows::<(u64,)>(key);
        Ok(Head {
            version: from.get::<(String,)>("version")?.0,
            clock: Mono(from.get::<(u64,)>("clock")?.0),
            pid: from.get::<(u32,)>("pid")?.0,
            boot: from.maybe::<(String,)>("boot")?.map(|(boot,)| boot),
            is_record: from.maybe::<(bool,)>("is_record")?.is_some_and(|(is_record,)| is_record),
            directory: from.get::<(PathBuf,)>("directory")?.0,
            last_ticket: from.get::<(u64,)>("last_ticket")?.0,
            upgrade_tickets: numbers("upgrade")?.into_iter().map(|(ticket,)| ticket).collect(),
            awaited: document
                .named("connection")
                .filter_map(|from| from.maybe::<(u64,)>("answer").transpose())
                .map(|answer| answer.map(|(ticket,)| ticket))
                .collect::<Result<_, _>>()?,
            breakdowns: numbers("breakdown")?.into_iter().map(|(clock,)| Mono(clock)).collect(),
            record: Extent::read(from)?,
            lock: Seat::maybe(from, "lock")?,
        })
    }
}

/// The parts of a daemon, beside its core, that a document brings back.
pub struct Resumed {
    /// Pipes and logs.
    pub programs: Programs,
    /// Sockets of FastCGI programs.
    pub fcgi: FcgiSockets,
    /// What did not come along, for the activity log.
    pub lost: Vec<String>,
}

impl Resumed {
    /// Puts them together.
    ///
    /// # Errors
    /// The document contradicts itself.
    pub fn read(
        document: &Document<'_>,
        core: &Core,
        mut programs: Programs,
        descriptors: &mut Descriptors,
        poller: &Poller,
    ) -> Result<Resumed, SnapshotError> {
        let lost = programs.restore(document, core, descriptors, poller)?;
        let fcgi = FcgiSockets::restore(document, core, descriptors)?;
        Ok(Resumed { programs, fcgi, lost })
    }
}
