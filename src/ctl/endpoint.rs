//! Where the server listens, read from its URL.

use super::client::CallError;

/// The port of an `http://` URL that names none.
const HTTP_PORT: u16 = 80;

/// An address to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A Unix socket, by path.
    Unix(String),
    /// A TCP port.
    Tcp {
        /// Name or address, without brackets.
        host: String,
        /// Port.
        port: u16,
    },
}

impl Endpoint {
    /// Reads `unix://PATH` or `http://HOST[:PORT]`; whatever follows the port is ignored.
    ///
    /// # Errors
    /// [`CallError::Other`] for any other scheme or a port that is no number.
    pub fn parse(url: &str) -> Result<Self, CallError> {
        if let Some(path) = url.strip_prefix("unix://") {
            return Ok(Endpoint::Unix(path.to_owned()));
        }
        let Some(rest) = url.strip_prefix("http://") else {
            return Err(CallError::Other(format!(
                "Unknown protocol for serverurl {url}; it must be http:// or unix://"
            )));
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host_port = authority.rsplit_once('@').map_or(authority, |(_, after)| after);
        let (host, port) = split_port(host_port);
        let port = match port {
            "" => HTTP_PORT,
            digits => digits.parse().map_err(|_| CallError::Other(format!("bad port in serverurl {url}")))?,
        };
        Ok(Endpoint::Tcp { host: host.to_lowercase(), port })
    }

    /// The value of the `Host` header. A path is no host name, so a Unix socket is called `localhost`.
    pub fn host_header(&self) -> String {
        match self {
            Endpoint::Unix(_) => "localhost".to_owned(),
            Endpoint::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Endpoint::Tcp { host, port } => format!("{host}:{port}"),
        }
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split_port(text: &str) -> (&str, &str) {
    match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, after)) => (host, after.strip_prefix(':').unwrap_or_default()),
        None => text.rsplit_once(':').unwrap_or((text, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_an_endpoint() {
        let tcp = |host: &str, port| Endpoint::Tcp { host: host.into(), port };
        for (url, expected) in [
            ("unix:///run/s.sock", Endpoint::Unix("/run/s.sock".into())),
            ("http://localhost:9001", tcp("localhost", 9001)),
            ("http://Host", tcp("host", 80)),
            ("http://u:p@h:1/RPC2?x", tcp("h", 1)),
            ("http://[::1]:9001/", tcp("::1", 9001)),
            ("http://[::1]", tcp("::1", 80)),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap(), expected, "{url}");
        }
        for url in ["ftp://h", "http://h:x", "http://h:70000", "h:1", ""] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
