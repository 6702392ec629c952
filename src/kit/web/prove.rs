//! Asking the console, as its user and as a stranger.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine;

use super::{Account, Console};

/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Only the first line of an answer matters.
const ANSWER_BYTES_MAX: u64 = 4096;
/// A question that every Supervisor answers.
const BODY: &str = "<?xml version=\"1.0\"?><methodCall><methodName>supervisor.getPID</methodName></methodCall>";

/// The status codes for a stranger and for the user.
pub(super) fn ask(console: &Console) -> Result<(u16, u16), String> {
    let (ip, port) = console.address.from_here();
    let stranger = request(ip, port, None)?;
    let user = request(ip, port, console.account.as_ref())?;
    Ok((stranger, user))
}

fn request(ip: IpAddr, port: u16, account: Option<&Account>) -> Result<u16, String> {
    let words = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect_timeout(&SocketAddr::new(ip, port), ANSWER_LIMIT).map_err(words)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT)).map_err(words)?;
    let login = account.map(|account| {
        let pair = format!("{}:{}", account.user, account.password);
        format!("Authorization: Basic {}\r\n", base64::engine::general_purpose::STANDARD.encode(pair))
    });
    let head = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nConnection: close\r\n{}Content-Length: \
         {}\r\n\r\n{BODY}",
        login.unwrap_or_default(),
        BODY.len()
    );
    stream.write_all(head.as_bytes()).map_err(words)?;
    let mut answer = Vec::new();
    // A server may close a refused connection hard: what came until then counts.
    let _ = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let status = text.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| format!("no HTTP answer: {:?}", text.lines().next().unwrap_or_default()))
}
