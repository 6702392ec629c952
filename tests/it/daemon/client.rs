//! A plain HTTP client: one connection, one exchange after the other, nothing hidden.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use supervisor_kit::xmlrpc::{Fault, Value, read_response, write_call};

/// How long a read may take before the test fails rather than hangs.
const READ_TIMEOUT: Duration = Duration::from_secs(180);

pub trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

pub struct Connection {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Connection {
    pub fn unix(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
        Self { stream: Box::new(stream), buffer: Vec::new() }
    }

    pub fn inet(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
        Self { stream: Box::new(stream), buffer: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// As [`Connection::send`], for what the other side may refuse to read.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// A request without a body.
    pub fn get(&mut self, path: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        self.response()
    }

    /// Status and headers.
    pub fn head(&mut self) -> Response {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            assert!(self.fill(), "closed in the middle of the headers: {}", String::from_utf8_lossy(&self.buffer));
        };
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap()).map(|(k, v)| (k.to_owned(), v.to_owned()));
        Response { status, headers: headers.collect(), body: Vec::new() }
    }

    /// A whole response, whose length is in its headers.
    pub fn response(&mut self) -> Response {
        let mut response = self.head();
        let length: usize = response.header("content-length").expect("no Content-Length").parse().unwrap();
        while self.buffer.len() < length {
            assert!(self.fill(), "closed after {} of {length} bytes", self.buffer.len());
        }
        response.body = self.buffer.drain(..length).collect();
        response
    }

    /// The next chunk of a chunked body.
    pub fn chunk(&mut self) -> Vec<u8> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let size = usize::from_str_radix(std::str::from_utf8(&self.buffer[..end]).unwrap(), 16).unwrap();
                if self.buffer.len() >= end + 2 + size + 2 {
                    let chunk = self.buffer[end + 2..end + 2 + size].to_vec();
                    self.buffer.drain(..end + 2 + size + 2);
                    return chunk;
                }
            }
            assert!(self.fill(), "the stream ended");
        }
    }

    /// Chunks until their sum ends with `end`.
    pub fn chunks_until(&mut self, end: &str) -> String {
        let mut all = Vec::new();
        while !all.ends_with(end.as_bytes()) {
            all.extend(self.chunk());
        }
        String::from_utf8_lossy(&all).into_owned()
    }

    pub fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, Fault> {
        let body = write_call(method, params);
        let head = format!("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        self.send([head.as_bytes(), &body].concat());
        let response = self.response();
        assert_eq!((response.status, response.header("content-type")), (200, Some("text/xml")), "{}", response.text());
        read_response(&response.body).unwrap()
    }

    /// Whether the other side has closed and nothing is left to read.
    pub fn is_closed(&mut self) -> bool {
        self.buffer.is_empty() && !self.fill()
    }

    fn fill(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        let count = loop {
            match self.stream.read(&mut bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.unwrap_or_else(|error| panic!("reading an answer: {error}")),
            }
        };
        self.buffer.extend_from_slice(&bytes[..count]);
        count > 0
    }
}
