//! The line that says who asked for what (`Supervisor: http.py log()`, at level TRAC).

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::{Request, Response};
use tokio::net::unix::UCred;

use super::content::Body;

/// Who is at the other end.
#[derive(Debug, Clone)]
pub enum Peer {
    /// A network address.
    Inet(SocketAddr),
    /// A process of this machine, if the kernel still knows it.
    Unix(Option<UCred>),
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Peer::Inet(address) => write!(f, "{address}"),
            Peer::Unix(Some(credentials)) => match credentials.pid() {
                Some(pid) => write!(f, "a local process (pid {pid}, uid {})", credentials.uid()),
                None => write!(f, "a local process (uid {})", credentials.uid()),
            },
            Peer::Unix(None) => write!(f, "a local process"),
        }
    }
}

/// The first line of a request, as the log shows it.
pub fn request_line<B>(request: &Request<B>) -> String {
    format!("{} {} {:?}", request.method(), request.uri(), request.version())
}

/// The whole line. The date is that of the world clock, as the original has it; the length is the body's.
pub fn line(peer: &Peer, request_line: &str, response: &Response<Body>) -> String {
    let who = match peer {
        Peer::Inet(address) => format!("{}:{}", address.ip(), address.port()),
        Peer::Unix(_) => "localhost:0".to_owned(),
    };
    let secs = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (status, bytes) = (response.status().as_u16(), response.body().len());
    format!("{who} - - [{} +0000] \"{request_line}\" {status} {bytes}", date(secs))
}

/// `24/Nov/2026:16:51:46` of seconds since 1970.
fn date(secs: u64) -> String {
    let when = httpdate::fmt_http_date(UNIX_EPOCH + std::time::Duration::from_secs(secs));
    // `Tue, 24 Nov 2026 16:51:46 GMT`
    let mut words = when.split(' ').skip(1);
    let mut word = || words.next().unwrap_or_default();
    format!("{}/{}/{}:{}", word(), word(), word(), word())
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates() {
        assert_eq!(super::date(0), "01/Jan/1970:00:00:00");
        assert_eq!(super::date(1_795_539_106), "24/Nov/2026:16:51:46");
    }
}
