//! The sockets of the servers: bound before anything is started, served by one task each, removed at the end.

mod hold;

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use thiserror::Error;

use super::auth::Gate;
use super::connections::{Connections, Inherited};
use super::console::Console;
use super::http::{Peer, Server};
use super::rpc_call::Loop;
use crate::config::{Account, Address, Config, Level, Role, ServerConfig};
use crate::logs::ActivityLog;
use crate::sys::path_watch::PathWatch;
use crate::sys::sockets::{BindError, SocketFile, listen_inet, listen_unix};

/// How long a server rests when it cannot take a connection: most often no descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A server that cannot listen, and which one it is.
#[derive(Debug, Error)]
#[error("{source}  (section [{section}], {address})")]
pub struct ListenError {
    section: String,
    address: String,
    source: BindError,
}

/// Bound sockets, by server, and who is connected to them.
#[derive(Debug, Default)]
pub struct Listeners {
    sockets: RefCell<Vec<(Socket, Rc<Bound>)>>,
    pub(super) bound: Vec<Rc<Bound>>,
    pub(super) connections: Rc<Connections>,
    /// Connections of an earlier image of the daemon.
    pub(super) inherited: RefCell<Vec<Inherited>>,
}

#[derive(Debug)]
enum Socket {
    Unix(std::os::unix::net::UnixListener),
    Inet(std::net::TcpListener),
}

/// What is known of a socket while it is served.
#[derive(Debug)]
pub(super) struct Bound {
    /// Its server.
    pub(super) config: ServerConfig,
    /// The number of its descriptor: a socket that vanished gets another one.
    pub(super) number: Cell<RawFd>,
    /// Where a Unix socket is to be found.
    pub(super) file: Option<RefCell<SocketFile>>,
}

/// Binds every server of the configuration.
///
/// # Errors
/// The first that cannot be bound; files of the others are removed again.
pub fn listen(config: &Config, log: &mut ActivityLog) -> Result<Listeners, ListenError> {
    let mut listeners = Listeners::default();
    for server in &config.servers {
        if let Err(error) = listeners.listen(server, config, log) {
            // Ours and new: nobody can be using them yet.
            listeners.unlink();
            return Err(error);
        }
    }
    Ok(listeners)
}

impl Listeners {
    /// Binds one server, and says what is to be said of it.
    pub(super) fn listen(
        &mut self,
        server: &ServerConfig,
        config: &Config,
        log: &mut ActivityLog,
    ) -> Result<(), ListenError> {
        self.bind(server, log).map_err(|source| {
            let address = match &server.address {
                Address::Unix { path, .. } => path.display().to_string(),
                Address::Inet { host, port } => format!("{host}:{port}"),
            };
            ListenError { section: server.section.clone(), address, source }
        })?;
        if config.has_supervisor_rpc {
            log.write(Level::Info, "RPC interface 'supervisor' initialized");
        }
        if accounts(server, &config.users).is_empty() {
            let section = &server.section;
            log.write(Level::Critical, &format!("Server '{section}' running without any HTTP authentication checking"));
        }
        Ok(())
    }

    fn bind(&mut self, server: &ServerConfig, log: &mut ActivityLog) -> Result<(), BindError> {
        match &server.address {
            Address::Unix { path, mode, uid, gid } => {
                let bound = listen_unix(path, *mode, *uid, *gid)?;
                if bound.replaced_stale {
                    let text = format!("Unlinking stale socket {}", path.display());
                    eprintln!("{text}");
                    log.write(Level::Warn, &text);
                }
                self.keep(server, bound.listener.into(), Some(bound.file));
            }
            Address::Inet { host, port } => {
                for listener in listen_inet(host, *port)? {
                    self.keep(server, listener.into(), None);
                }
            }
        }
        Ok(())
    }

    /// Takes in a socket that listens.
    pub(super) fn keep(&mut self, server: &ServerConfig, socket: OwnedFd, file: Option<SocketFile>) {
        let number = Cell::new(socket.as_raw_fd());
        let bound = Rc::new(Bound { config: server.clone(), number, file: file.map(RefCell::new) });
        let socket = if bound.file.is_some() { Socket::Unix(socket.into()) } else { Socket::Inet(socket.into()) };
        self.bound.push(Rc::clone(&bound));
        self.sockets.get_mut().push((socket, bound));
    }

    /// Starts serving, inside a `LocalSet`.
    ///
    /// # Errors
    /// tokio cannot watch a socket.
    pub fn serve(&self, inbox: &Loop, console: &Rc<Console>, config: &Config) -> io::Result<()> {
        let (users, identifier) = (&config.users, Rc::<str>::from(config.supervisord.identifier.as_str()));
        let mut servers: Vec<Rc<Server>> = Vec::new();
        for (socket, bound) in self.sockets.take() {
            let known = servers.iter().position(|server| server.gate.section() == bound.config.section);
            let index = known.unwrap_or_else(|| {
                let config = &bound.config;
                servers.push(Rc::new(Server {
                    gate: Gate::new(&config.section, accounts(config, users)),
                    inbox: inbox.clone(),
                    console: Rc::clone(console),
                    is_inet: matches!(config.address, Address::Inet { .. }),
                    metrics_auth: config.metrics_auth,
                    session_idle: Duration::from_secs(config.session_idle_secs.unsigned_abs()),
                    identifier: identifier.clone(),
                }));
                servers.len() - 1
            });
            let server = Rc::clone(&servers[index]);
            let connections = Rc::clone(&self.connections);
            match socket {
                Socket::Unix(listener) => {
                    let unix = Unix { listener: tokio::net::UnixListener::from_std(listener)?, bound, told: None };
                    tokio::task::spawn_local(serve_unix(server, connections, unix));
                }
                Socket::Inet(listener) => {
                    let listener = tokio::net::TcpListener::from_std(listener)?;
                    tokio::task::spawn_local(serve_inet(server, connections, listener));
                }
            }
        }
        for connection in self.inherited.take() {
            // A server that is no longer configured serves nobody.
            if let Some(server) = servers.iter().find(|server| server.gate.section() == connection.section) {
                connection.go_on(server, &self.connections);
            }
        }
        Ok(())
    }

    /// Removes the socket files that are still ours. Answers what could not be removed.
    pub fn unlink(&self) -> Vec<io::Error> {
        let files = self.bound.iter().filter_map(|bound| bound.file.as_ref());
        files.filter_map(|file| file.borrow().unlink_if_ours().err()).collect()
    }
}

/// Who may enter a server. One that asks for no password goes on doing so when it is a socket file, whose mode is its door; a
/// port asks for one as soon as there are users.
fn accounts(server: &ServerConfig, users: &[Account]) -> Vec<Account> {
    let own = server.credentials.clone().map(|credentials| Account { credentials, role: Role::Operator });
    if own.is_none() && matches!(server.address, Address::Unix { .. }) {
        return Vec::new();
    }
    own.into_iter().chain(users.iter().cloned()).collect()
}

/// Takes connections for ever.
async fn serve_inet(server: Rc<Server>, connections: Rc<Connections>, listener: tokio::net::TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Answers are written in one piece; waiting for more would only delay them.
                let _ = stream.set_nodelay(true);
                let number = stream.as_raw_fd();
                connections.serve(&server, Peer::Inet(address), stream, number).await;
            }
            Err(_) => rest(&connections).await,
        }
    }
}

/// No connection can be taken, most often for want of a descriptor: one that nobody misses gives its own.
async fn rest(connections: &Connections) {
    connections.close_one();
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// A Unix socket with what it takes to put it back.
struct Unix {
    listener: tokio::net::UnixListener,
    bound: Rc<Bound>,
    /// Why it could not be put back, as last said.
    told: Option<String>,
}

/// Takes connections for ever, and puts the file of the socket back when it vanishes.
async fn serve_unix(server: Rc<Server>, connections: Rc<Connections>, mut unix: Unix) {
    let mut watch = match PathWatch::open(unix.path()) {
        Ok(watch) => Some(watch),
        Err(error) => {
            let text =
                format!("cannot watch the socket {}: {error}; if it vanishes, restart me", unix.path().display());
            server.inbox.note(Level::Warn, text).await;
            None
        }
    };
    // It may have vanished since it was bound.
    let mut is_to_look = true;
    loop {
        if let Some(watch) = watch.as_mut().filter(|_| std::mem::take(&mut is_to_look)) {
            unix.keep_in_place(watch, &server.inbox).await;
        }
        tokio::select! {
            biased;
            accepted = unix.listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let peer = Peer::Unix(stream.peer_cred().ok());
                    let number = stream.as_raw_fd();
                    connections.serve(&server, peer, stream, number).await;
                }
                Err(_) => rest(&connections).await,
            },
            changed = changed(&mut watch) => match changed {
                Ok(()) => is_to_look = true,
                Err(_) => watch = None,
            },
        }
    }
}

async fn changed(watch: &mut Option<PathWatch>) -> io::Result<()> {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

impl Unix {
    /// Makes the file again if it is not ours any more, unless it belongs to somebody who lives. What cannot be done is
    /// said once, and tried again when something changes where the file should be.
    async fn keep_in_place(&mut self, watch: &mut PathWatch, inbox: &Loop) {
        // A watch that cannot be set leaves us as we were without.
        let _ = watch.aim();
        if self.bound.file.as_ref().is_some_and(|file| file.borrow().is_ours()) {
            return;
        }
        let shown = self.path().display().to_string();
        let (level, text) = match self.listen_again() {
            Ok(()) => {
                let _ = watch.aim();
                (Level::Warn, format!("the socket {shown} had vanished and is put back"))
            }
            Err(error) => (
                Level::Critical,
                format!(
                    "the socket {shown} has vanished and cannot be put back, supervisorctl cannot connect: {error}"
                ),
            ),
        };
        if self.told.as_ref() != Some(&text) {
            inbox.note(level, text.clone()).await;
        }
        self.told = (level == Level::Critical).then_some(text);
    }

    fn path(&self) -> &Path {
        match &self.bound.config.address {
            Address::Unix { path, .. } => path,
            Address::Inet { .. } => Path::new(""),
        }
    }

    fn listen_again(&mut self) -> Result<(), BindError> {
        let (Address::Unix { path, mode, uid, gid }, Some(file)) = (&self.bound.config.address, &self.bound.file)
        else {
            return Ok(());
        };
        let made = listen_unix(path, *mode, *uid, *gid)?;
        self.bound.number.set(made.listener.as_raw_fd());
        self.listener = tokio::net::UnixListener::from_std(made.listener)?;
        *file.borrow_mut() = made.file;
        Ok(())
    }
}
