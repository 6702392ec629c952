//! The listening sockets of FastCGI programs: one for each section, made when the first of its processes starts and
//! kept while one lives, so that a restart of one process loses no connection (`Supervisor: socket_manager.py`).

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::handover::{Descriptors, Kept, Seat};
use crate::config::{Address, Config, FcgiSocket, Level};
use crate::core::snapshot::SnapshotError;
use crate::core::snapshot::text::{Document, Writer};
use crate::core::{Core, Pid, SpawnError};
use crate::logs::ActivityLog;
use crate::sys::sockets::{FcgiError, listen_fcgi_inet, listen_fcgi_unix};

/// The sockets that are open.
#[derive(Debug, Default)]
pub struct FcgiSockets {
    open: Vec<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: FcgiSocket,
    socket: OwnedFd,
    users: BTreeSet<Pid>,
}

impl FcgiSockets {
    /// The socket for a process that is about to start.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn get(&mut self, config: &FcgiSocket, log: &mut ActivityLog) -> Result<BorrowedFd<'_>, SpawnError> {
        let index = match self.position(config) {
            Some(index) => index,
            None => {
                let socket = listen(config, log)?;
                self.open.push(Shared { config: config.clone(), socket, users: BTreeSet::new() });
                self.open.len() - 1
            }
        };
        Ok(self.open[index].socket.as_fd())
    }

    /// The process has started.
    pub fn hold(&mut self, config: &FcgiSocket, pid: Pid) {
        if let Some(index) = self.position(config) {
            self.open[index].users.insert(pid);
        }
    }

    /// A process has ended, or did not start: closes what nobody uses any more. The file of a Unix socket stays, as ever.
    pub fn release(&mut self, pid: Option<Pid>, log: &mut ActivityLog) {
        self.open.retain_mut(|shared| {
            if let Some(pid) = pid {
                shared.users.remove(&pid);
            }
            if shared.users.is_empty() {
                log.write(Level::Info, &format!("Closing socket {}", shared.config.url()));
            }
            !shared.users.is_empty()
        });
    }

    /// Writes every socket, with the section that it belongs to and who uses it.
    pub fn write_snapshot(&self, to: &mut Writer, kept: &mut Kept) {
        for Shared { config, socket, users } in &self.open {
            to.section("fcgi");
            to.put("section", &[&config.section]);
            users.iter().for_each(|pid| to.put("user", &[pid]));
            kept.put(to, "socket", socket);
        }
    }

    /// Takes the sockets of a document, for the processes of a core that was restored. One that did not come along is made
    /// again when it is needed.
    ///
    /// # Errors
    /// The document contradicts itself.
    pub fn restore(document: &Document<'_>, core: &Core, descriptors: &mut Descriptors) -> Result<Self, SnapshotError> {
        let mut open = Vec::new();
        for from in document.named("fcgi") {
            let (section,): (String,) = from.get("section")?;
            let users: Vec<(Pid,)> = from.rows("user")?;
            let mut configs = core.processes().filter_map(|process| process.config.fcgi.as_ref());
            let config = configs.find(|config| config.section == section).cloned();
            if let (Some(config), Some(socket)) = (config, descriptors.take(Seat::read(from, "socket")?)) {
                open.push(Shared { config, socket, users: users.into_iter().map(|(pid,)| pid).collect() });
            }
        }
        Ok(FcgiSockets { open })
    }

    fn position(&self, config: &FcgiSocket) -> Option<usize> {
        // Sockets are equal by their address; two sections do not share one.
        self.open.iter().position(|shared| shared.config.section == config.section && shared.config == *config)
    }
}

/// Makes every socket once and closes it again, so that one which cannot be made is known at the start
/// (Supervisor dies of it, divergence D15).
///
/// # Errors
/// The first that cannot be made.
pub fn check(config: &Config, log: &mut ActivityLog) -> Result<(), SpawnError> {
    let mut sockets = FcgiSockets::default();
    for process in config.groups.iter().flat_map(|group| &group.processes) {
        if let Some(fcgi) = &process.fcgi {
            sockets.get(fcgi, log)?;
        }
    }
    sockets.release(None, log);
    Ok(())
}

fn listen(config: &FcgiSocket, log: &mut ActivityLog) -> Result<OwnedFd, SpawnError> {
    let url = config.url();
    log.write(Level::Info, &format!("Creating socket {url}"));
    let made = match &config.address {
        Address::Unix { path, mode, uid, gid } => listen_fcgi_unix(path, *mode, *uid, *gid, config.backlog),
        Address::Inet { host, port } => listen_fcgi_inet(host, *port, config.backlog).map(|socket| (socket, false)),
    };
    let (socket, was_live) =
        made.map_err(|error: FcgiError| SpawnError::Socket { url: url.clone(), reason: error.to_string() })?;
    if was_live {
        log.write(Level::Warn, &format!("replaced the socket {url}, on which another program still listens"));
    }
    Ok(socket)
}
