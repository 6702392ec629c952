//! The sockets of the servers in a document for another image of the daemon, and back.

use std::os::fd::AsFd;

use super::{Bound, Listeners, Socket};
use crate::config::{Address, Config, Level};
use crate::core::snapshot::SnapshotError;
use crate::core::snapshot::settings::{read_address, write_address};
use crate::core::snapshot::text::{Document, Writer};
use crate::daemon::connections::Inherited;
use crate::daemon::handover::{Descriptors, Kept, Seat};
use crate::daemon::programs::park::park;
use crate::logs::ActivityLog;
use crate::sys::exec_self::{ObjectId, object_of_number};
use crate::sys::fd_store::FdStore;
use crate::sys::sockets::SocketFile;

impl Listeners {
    /// Has the service manager keep every socket, so that nobody is refused while there is no daemon.
    pub fn park(&self, store: &FdStore) {
        for (socket, _) in self.sockets.borrow().iter() {
            let descriptor = match socket {
                Socket::Unix(listener) => listener.as_fd(),
                Socket::Inet(listener) => listener.as_fd(),
            };
            park(store, descriptor);
        }
    }

    /// Nobody listens any more, whoever still holds a copy of a socket.
    pub fn retire(&self, store: &FdStore) {
        for bound in &self.bound {
            let number = bound.number.get();
            if let Ok(object) = object_of_number(number) {
                let _ = store.forget(object);
                // Else the copy would keep the port from whoever listens there next.
                let _ = nix::sys::socket::shutdown(number, nix::sys::socket::Shutdown::Both);
            }
        }
    }

    /// Writes every socket.
    pub fn write_sockets(&self, to: &mut Writer, kept: &mut Kept) {
        for bound in &self.bound {
            let Bound { config, number, file } = bound.as_ref();
            to.section("socket");
            to.put("section", &[&config.section]);
            write_address(&config.address, to);
            kept.put_number(to, "listener", number.get());
            if let Some(file) = file {
                let ObjectId { device, inode } = file.borrow().object();
                to.put("file", &[&device, &inode]);
            }
        }
    }

    /// Takes the sockets of a document that are configured as they were, and binds what else the configuration asks for. What
    /// it does not ask for any more is closed.
    ///
    /// # Errors
    /// The document contradicts itself.
    pub fn restore(
        document: &Document<'_>,
        descriptors: &mut Descriptors,
        config: &Config,
        log: &mut ActivityLog,
    ) -> Result<Listeners, SnapshotError> {
        let mut listeners = Listeners::default();
        for from in document.named("socket") {
            let (section,): (String,) = from.get("section")?;
            let address = read_address(from)?;
            let Some(socket) = Seat::maybe(from, "listener")?.and_then(|seat| descriptors.take(seat)) else { continue };
            let file: Option<(u64, u64)> = from.maybe("file")?;
            let file = match (&address, file) {
                (Address::Unix { path, .. }, Some((device, inode))) => {
                    Some(SocketFile::resume(path, ObjectId { device, inode }))
                }
                (Address::Unix { .. }, None) => return Err(from.bad("file")),
                (Address::Inet { .. }, _) => None,
            };
            match config.servers.iter().find(|server| server.section == section && server.address == address) {
                Some(server) => listeners.keep(server, socket, file),
                None => {
                    drop(socket);
                    let _ = file.map(|file| file.unlink_if_ours());
                }
            }
        }
        for from in document.named("connection") {
            if let Some(connection) = Inherited::read(from, descriptors)? {
                listeners.inherited.get_mut().push(connection);
            }
        }
        for server in &config.servers {
            if listeners.bound.iter().all(|bound| bound.config != *server)
                && let Err(error) = listeners.listen(server, config, log)
            {
                // No reason to lose the programs, and the other servers serve on.
                log.write(Level::Critical, &error.to_string());
            }
        }
        Ok(listeners)
    }
}
