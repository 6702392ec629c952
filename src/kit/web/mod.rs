//! The web console: off until somebody asks for it, and then with a password.
//!
//! A block between two marks at the end of the configuration holds `[inet_http_server]`; every other byte of the file
//! stays. It is a change like every other: planned, journalled, checked by `supervisord -t`, and rolled back by
//! `rollback`. A server section takes effect with a restart of the daemon, which restarts every program: that happens only
//! when the operator says so (`--restart always`), else the next step is told.

mod deed;
mod edit;
mod plan;
mod prove;

pub use deed::perform;
pub use edit::{Existing, edit};
pub use plan::{WebFacts, plan};

use std::net::{IpAddr, Ipv4Addr};

pub use crate::password::PASSWORD_BYTES_MAX;
use crate::password::{self, COST_DEFAULT};

/// What the operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// No console.
    Off,
    /// A console.
    On(Console),
}

/// A console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// Where it listens.
    pub address: Address,
    /// Who may come in; `None`: everybody on this host.
    pub account: Option<Account>,
}

/// User and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub user: String,
    /// The password itself: only its hash is written anywhere.
    pub password: String,
    /// Its hash, as the configuration has it.
    pub hash: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

/// `ADDR:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// An address, `localhost`, or `*`.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Address {
    /// Reads `127.0.0.1:9001`, `[::1]:9001`, `localhost:9001`, `*:9001` or `:9001`.
    pub fn parse(text: &str) -> Option<Address> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_known = matches!(host, "" | "*" | "localhost") || bare.parse::<IpAddr>().is_ok();
        let host = if host.is_empty() { "*" } else { host };
        is_known.then(|| Address { host: host.to_owned(), port })
    }

    /// Whether only this host can reach it.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    fn ip(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// Where to reach it from here.
    pub fn from_here(&self) -> (IpAddr, u16) {
        let ip = self.ip().filter(|ip| !ip.is_unspecified()).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        (ip, self.port)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// One thing that only the console needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Let the port through firewalld, now and after a reboot.
    OpenFirewall {
        /// The port.
        port: u16,
    },
    /// Close it again.
    CloseFirewall {
        /// The port.
        port: u16,
    },
    /// Ask the console as its user, and as a stranger.
    Prove {
        /// The console.
        console: Console,
    },
}

impl Deed {
    /// Whether it changes anything on the host.
    pub fn is_change(&self) -> bool {
        !matches!(self, Deed::Prove { .. })
    }
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A daemon that is re-executed goes on with the servers that it has.
    Reexec,
    /// No address that can be listened on.
    Address(String),
    /// Others could reach it, and nobody would be asked for a password.
    Open(Address),
    /// User without password or the other way round, or with characters that cannot be.
    Account(String),
    /// The configuration has a server section of its own.
    Existing {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
    },
    /// The console does not answer as it should.
    NotProven {
        /// Where.
        address: String,
        /// What came.
        answer: String,
    },
}

/// What to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It answers its user, and nobody else.
    Proven {
        /// Where.
        address: String,
        /// Whether a stranger was refused: there is a password.
        has_password: bool,
    },
    /// Written, but the running daemon does not know yet.
    RestartNeeded,
    /// The firewall lets nobody through.
    FirewallClosed {
        /// The port.
        port: u16,
    },
    /// There is nothing to do.
    AsWished,
}

/// Puts the pieces of a command line together.
///
/// # Errors
/// They do not make a console, or not a safe one.
pub fn wish(address: &str, user: Option<&str>, password: Option<&str>) -> Result<Wish, Refusal> {
    if address == "off" {
        return Ok(Wish::Off);
    }
    let address = Address::parse(address).ok_or_else(|| Refusal::Address(address.to_owned()))?;
    let account = match (user, password) {
        (None, None) => None,
        (Some(user), Some(password)) => Some(account(user, password)?),
        (None, Some(_)) => return Err(Refusal::Account("--web-user".to_owned())),
        (Some(_), None) => return Err(Refusal::Account("--web-password-file".to_owned())),
    };
    if account.is_none() && !address.is_loopback() {
        return Err(Refusal::Open(address));
    }
    Ok(Wish::On(Console { address, account }))
}

fn account(user: &str, password: &str) -> Result<Account, Refusal> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
    if user.is_empty() || !user.bytes().all(is_plain) {
        return Err(Refusal::Account("--web-user".to_owned()));
    }
    let unfit = |_| Refusal::Account("--web-password-file".to_owned());
    let hash = password::hash(password.as_bytes(), COST_DEFAULT).map_err(unfit)?;
    Ok(Account { user: user.to_owned(), password: password.to_owned(), hash })
}
