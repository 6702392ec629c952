//! The sockets of the servers: bound before anything is started, served by one task each, removed at the end.

use std::io;
use std::rc::Rc;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::http::{self, CONNECTIONS_MAX, Server};
use crate::config::{Address, Config, Credentials, Level};
use crate::logs::ActivityLog;
use crate::sys::sockets::{BindError, SocketFile, listen_inet, listen_unix};

/// How long a server rests when it cannot take a connection, in milliseconds: most often no descriptor is free.
const ACCEPT_PAUSE_MS: u64 = 100;

/// A server that cannot listen, and which one it is.
#[derive(Debug, Error)]
#[error("{source}  (section [{section}], {address})")]
pub struct ListenError {
    section: String,
    address: String,
    source: BindError,
}

/// Bound sockets, by server.
#[derive(Debug)]
pub struct Listeners {
    sockets: Vec<(Socket, Option<Credentials>)>,
    files: Vec<SocketFile>,
}

#[derive(Debug)]
enum Socket {
    Unix(std::os::unix::net::UnixListener),
    Inet(std::net::TcpListener),
}

/// Binds every server of the configuration.
///
/// # Errors
/// The first that cannot be bound; files of the others are removed again.
pub fn listen(config: &Config, log: &mut ActivityLog) -> Result<Listeners, ListenError> {
    let mut listeners = Listeners { sockets: Vec::new(), files: Vec::new() };
    for server in &config.servers {
        if let Err(source) = listeners.bind(&server.address, server.credentials.as_ref(), log) {
            // Ours and new: nobody can be using them yet.
            listeners.unlink();
            let address = match &server.address {
                Address::Unix { path, .. } => path.display().to_string(),
                Address::Inet { host, port } => format!("{host}:{port}"),
            };
            return Err(ListenError { section: server.section.clone(), address, source });
        }
        if config.has_supervisor_rpc {
            log.write(Level::Info, "RPC interface 'supervisor' initialized");
        }
        if server.credentials.is_none() {
            let section = &server.section;
            log.write(Level::Critical, &format!("Server '{section}' running without any HTTP authentication checking"));
        }
    }
    Ok(listeners)
}

impl Listeners {
    fn bind(
        &mut self,
        address: &Address,
        credentials: Option<&Credentials>,
        log: &mut ActivityLog,
    ) -> Result<(), BindError> {
        let mut keep = |socket| self.sockets.push((socket, credentials.cloned()));
        match address {
            Address::Unix { path, mode, uid, gid } => {
                let bound = listen_unix(path, *mode, *uid, *gid)?;
                if bound.replaced_stale {
                    log.write(Level::Warn, &format!("Unlinking stale socket {}", path.display()));
                }
                keep(Socket::Unix(bound.listener));
                self.files.push(bound.file);
            }
            Address::Inet { host, port } => listen_inet(host, *port)?.into_iter().map(Socket::Inet).for_each(keep),
        }
        Ok(())
    }

    /// Starts serving, inside a `LocalSet`.
    ///
    /// # Errors
    /// tokio cannot watch a socket.
    pub fn serve(&mut self, server: impl Fn(Option<Credentials>) -> Rc<Server>) -> io::Result<()> {
        for (socket, credentials) in self.sockets.drain(..) {
            let server = server(credentials);
            match socket {
                Socket::Unix(listener) => {
                    let listener = tokio::net::UnixListener::from_std(listener)?;
                    tokio::task::spawn_local(accept(server, async move || Ok(listener.accept().await?.0)));
                }
                Socket::Inet(listener) => {
                    let listener = tokio::net::TcpListener::from_std(listener)?;
                    tokio::task::spawn_local(accept(server, async move || Ok(listener.accept().await?.0)));
                }
            }
        }
        Ok(())
    }

    /// Removes the socket files that are still ours. Answers what could not be removed.
    pub fn unlink(&self) -> Vec<io::Error> {
        self.files.iter().filter_map(|file| file.unlink_if_ours().err()).collect()
    }
}

/// Takes connections for ever, at most [`CONNECTIONS_MAX`] at a time.
async fn accept<S>(server: Rc<Server>, next: impl AsyncFn() -> io::Result<S>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let places = std::sync::Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = std::sync::Arc::clone(&places).acquire_owned().await else { return };
        match next().await {
            Ok(stream) => drop(tokio::task::spawn_local(attend(Rc::clone(&server), stream, place))),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(ACCEPT_PAUSE_MS)).await,
        }
    }
}

async fn attend<S: AsyncRead + AsyncWrite + Unpin>(server: Rc<Server>, stream: S, place: OwnedSemaphorePermit) {
    http::serve(server, stream).await;
    drop(place);
}
