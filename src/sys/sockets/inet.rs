//! TCP sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener};
use std::os::fd::AsRawFd;
use std::{fs, io};

use nix::sys::socket::sockopt::{Ipv6V6Only, ReuseAddr};
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, listen, setsockopt, socket};

use super::{BACKLOG_CONNECTIONS, BindError, hosts};

/// Listens on `host`:`port`, non-blocking and closed on exec.
///
/// `host` is an IPv4 or IPv6 address (brackets are fine), `localhost` (127.0.0.1), a name in `/etc/hosts`, or empty for every
/// interface: IPv4, and IPv6 where the machine has it. DNS is never asked.
///
/// # Errors
/// [`BindError`].
pub fn listen_inet(host: &str, port: u16) -> Result<Vec<TcpListener>, BindError> {
    if host.is_empty() {
        let every = open(Ipv4Addr::UNSPECIFIED.into(), port)?;
        // IPv6 may be switched off, or its port taken by a program that Supervisor, which is IPv4 only, would not meet.
        let every_v6 = open(Ipv6Addr::UNSPECIFIED.into(), port).ok();
        return Ok([every].into_iter().chain(every_v6).collect());
    }
    Ok(vec![listen_one(host, port)?])
}

/// The same at one address.
pub(super) fn listen_one(host: &str, port: u16) -> Result<TcpListener, BindError> {
    Ok(open(resolve(host)?, port)?)
}

fn resolve(host: &str) -> Result<IpAddr, BindError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return Ok(address);
    }
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let known = hosts::addresses_of(host, &fs::read_to_string("/etc/hosts").unwrap_or_default());
    let preferred = known.iter().find(|address| address.is_ipv4()).or(known.first());
    preferred.copied().ok_or_else(|| BindError::UnknownHost { host: host.to_owned() })
}

fn open(address: IpAddr, port: u16) -> io::Result<TcpListener> {
    let (family, address) = match address {
        IpAddr::V4(_) => (AddressFamily::Inet, SocketAddr::new(address, port)),
        IpAddr::V6(v6) => (AddressFamily::Inet6, SocketAddrV6::new(v6, port, 0, 0).into()),
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, None)?;
    setsockopt(&socket, ReuseAddr, &true)?;
    if family == AddressFamily::Inet6 {
        setsockopt(&socket, Ipv6V6Only, &true)?;
    }
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    listen(&socket, Backlog::new(BACKLOG_CONNECTIONS)?)?;
    Ok(socket.into())
}
