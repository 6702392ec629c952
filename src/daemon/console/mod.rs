//! What the console knows beside the core: what has happened, what programs use, who is signed in. All of it is bounded, and nothing
//! runs for it while nobody looks.
//!
//! | file | what |
//! |---|---|
//! | `sessions` | who is signed in, and the token of each visitor |
//! | `look` | gathers what a page or the API shows, inside the loop |
//! | `act` | carries out what somebody asks for, to its end, and writes it down |
//! | `usage` | what processes use, from `/proc`; the task that measures while somebody watches |
//! | `host` | facts about the machine, process trees |
//! | `log_file` | pieces of a log, also of rotated ones; searching |
//! | `stream` | the changes as server-sent events |

pub mod act;
pub mod host;
pub mod log_file;
pub mod look;
pub mod sessions;
pub mod stream;
pub mod usage;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;

use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::perform::wall_secs;
use crate::core::{Core, Event, EventKind, EventSet, ExitStatus, ProcId, Process};
use crate::web::journal::Journal;
use crate::web::samples::Samples;
use sessions::Sessions;

/// Everything the console keeps, shared by the loop and all connections.
pub struct Console {
    /// What has happened.
    pub journal: RefCell<Journal>,
    /// What programs use.
    pub samples: RefCell<Samples>,
    /// Who is signed in.
    pub sessions: RefCell<Sessions>,
    /// What streams were sent last.
    pub told: RefCell<Option<stream::Told>>,
    /// Rings when anything of this has changed.
    pub changed: Notify,
    /// Random: numbers of changes count within it.
    pub epoch: String,
    /// Name of the cookie that carries a session. Cookies do not know ports, so two daemons of one machine need two names.
    pub cookie: String,
    /// Name of the machine.
    pub host_name: String,
    /// When this daemon was started.
    pub start_secs: i64,
    started: Instant,
    watchers: Cell<usize>,
    last_watched: Cell<Option<Instant>>,
    is_measuring: Cell<bool>,
    actions: Cell<usize>,
}

impl Console {
    /// Of a daemon with this configuration file and identifier.
    pub fn new(config: &Path, identifier: &str) -> Rc<Self> {
        let mut hash = Sha256::new();
        hash.update(config.as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update(identifier);
        Rc::new(Console {
            journal: RefCell::default(),
            samples: RefCell::default(),
            sessions: RefCell::default(),
            told: RefCell::default(),
            changed: Notify::new(),
            epoch: sessions::random_word(),
            cookie: format!("console_{}", &sessions::hex(&hash.finalize())[..8]),
            host_name: host::name(),
            start_secs: wall_secs(),
            started: Instant::now(),
            watchers: Cell::new(0),
            last_watched: Cell::new(None),
            is_measuring: Cell::new(false),
            actions: Cell::new(0),
        })
    }

    /// The events that the journal is made of.
    pub fn wanted() -> EventSet {
        EventKind::ALL.into_iter().filter(|kind| is_kept(*kind)).fold(EventSet::default(), EventSet::with)
    }

    /// The core tells something.
    pub fn note(&self, event: &Event) {
        if is_kept(event.kind()) {
            self.journal.borrow_mut().note(wall_secs(), event);
            self.changed.notify_waiters();
        }
    }

    /// A child was reaped; what the core makes of it comes next.
    pub fn reaped(&self, status: ExitStatus) {
        self.journal.borrow_mut().reaped(status);
    }

    /// There is a process more.
    pub fn added(&self, process: &Process) {
        self.journal.borrow_mut().added(process.id, &process.group, &process.config.name, process.namespec());
        self.changed.notify_waiters();
    }

    /// The processes of a core that goes on from another one, which told of them.
    pub fn know(&self, core: &Core) {
        core.processes().for_each(|process| self.added(process));
    }

    /// A process is gone.
    pub fn removed(&self, id: ProcId) {
        self.journal.borrow_mut().removed(id);
        self.changed.notify_waiters();
    }

    /// A process has other settings.
    pub fn adapted(&self, id: ProcId) {
        self.journal.borrow_mut().touched(id);
        self.changed.notify_waiters();
    }

    /// A number of the journal, as clients keep it.
    pub fn cursor(&self, seq: u64) -> String {
        format!("{}-{seq}", self.epoch)
    }

    /// The number behind it, if it is of this daemon's life.
    pub fn seq_of(&self, cursor: &str) -> Option<u64> {
        let (epoch, seq) = cursor.split_once('-')?;
        (epoch == self.epoch).then(|| seq.parse().ok())?
    }

    /// Milliseconds of a clock that does not jump.
    fn clock_millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// What programs write is not the console's: only states, groups and the daemon itself.
fn is_kept(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::ProcessCommunicationStdout
            | EventKind::ProcessCommunicationStderr
            | EventKind::ProcessLogStdout
            | EventKind::ProcessLogStderr
            | EventKind::RemoteCommunication
            | EventKind::Tick5
            | EventKind::Tick60
            | EventKind::Tick3600
    )
}
