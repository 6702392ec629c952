//! The connection to the server: XML-RPC calls over one kept-alive HTTP/1.1 connection, and log streams.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use nix::errno::Errno;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::{Builder, Runtime};

use super::endpoint::Endpoint;
use crate::sys::interrupt::Interrupt;
use crate::xmlrpc::{Fault, RESPONSE_BYTES_MAX, Value, read_response, write_call};

/// Why a call brought no value.
#[derive(Debug, Error)]
pub enum CallError {
    /// Nobody listens there (ECONNREFUSED).
    #[error("{0} refused connection")]
    Refused(String),
    /// There is no such socket (ENOENT).
    #[error("{0} no such file")]
    NoSocket(String),
    /// HTTP status 401.
    #[error("Server requires authentication")]
    Unauthorized,
    /// Ctrl-C while a shell waited for the answer.
    #[error("interrupted")]
    Interrupted,
    /// The socket is there, but the system does not let us connect or look (EACCES, EPERM).
    #[error("{0}: Permission denied")]
    Denied(String),
    /// Somebody listens there who does not speak HTTP, or not to us.
    #[error("{0} closed the connection before it answered")]
    NoAnswer(String),
    /// The method answered with a fault.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Anything else, as a sentence.
    #[error("{0}")]
    Other(String),
}

impl CallError {
    /// The answer has not the form that the method promises.
    pub fn misunderstood(what: &str) -> Self {
        CallError::Other(format!("the answer of the server is not understood: no usable {what}"))
    }

    /// The code, when this is a fault.
    pub fn fault_code(&self) -> Option<i32> {
        match self {
            CallError::Fault(fault) => Some(fault.code),
            _ => None,
        }
    }
}

/// How a log stream ended.
#[derive(Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// The server closed it, or nobody reads our output any more.
    Closed,
    /// Ctrl-C.
    Interrupted,
    /// It never began: the HTTP status is not 200.
    Refused(u16),
}

/// A client of one server. It connects when first used.
pub struct Client {
    url: String,
    authorization: Option<String>,
    runtime: Runtime,
    /// Once there, Ctrl-C ends what is waited for and not the program.
    interrupt: Option<Interrupt>,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client for `unix://` or `http://` URLs. Credentials are sent only if both parts are there, even if empty.
    pub fn new(url: &str, username: Option<&str>, password: Option<&str>) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let mut client = Client { url: String::new(), authorization: None, runtime, interrupt: None, connection: None };
        client.turn_to(url, username, password);
        Ok(client)
    }

    /// Turns to another server or other credentials.
    pub fn turn_to(&mut self, url: &str, username: Option<&str>, password: Option<&str>) {
        url.clone_into(&mut self.url);
        self.authorization = username
            .zip(password)
            .map(|(username, password)| format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))));
        self.connection = None;
    }

    /// From now on Ctrl-C ends what is waited for, not the program.
    pub fn catch_interrupt(&mut self) -> std::io::Result<()> {
        if self.interrupt.is_none() {
            let _runtime = self.runtime.enter();
            self.interrupt = Some(Interrupt::catch()?);
        }
        Ok(())
    }

    /// Waits for something else than an answer; `None` after Ctrl-C, if that is caught.
    pub fn wait<T>(&self, wanted: impl Future<Output = T>) -> Option<T> {
        self.runtime.block_on(or_interrupt(self.interrupt.as_ref(), wanted))
    }

    /// The URL as the user wrote it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls a method and waits for its answer, however long it takes: `startProcess` answers when the process is up.
    pub fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, CallError> {
        let body = self.request(Method::POST, "/RPC2", write_call(method, params))?;
        let (url, interrupt) = (&self.url, self.interrupt.as_ref());
        let answer = self.runtime.block_on(or_interrupt(interrupt, async {
            let connection = connected(&mut self.connection, url).await?;
            let response = connection.send_request(body).await.map_err(|_| CallError::NoAnswer(url.clone()))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), RESPONSE_BYTES_MAX).collect().await;
            Ok::<_, CallError>((status, body))
        }));
        let Some(answer) = answer else {
            self.connection = None;
            return Err(CallError::Interrupted);
        };
        let (status, body) = answer?;
        match status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => {
                self.connection = None;
                return Err(CallError::Unauthorized);
            }
            other => {
                self.connection = None;
                return Err(CallError::Other(format!("{}/RPC2 answered {method} with HTTP status {other}", self.url)));
            }
        }
        let body = body.map_err(|error| CallError::Other(format!("{}: {error}", self.url)))?.to_bytes();
        read_response(&body)
            .map_err(|error| CallError::Other(format!("the answer of the server to {method} is {error}")))?
            .map_err(CallError::Fault)
    }

    /// Follows a log: hands over each piece as it comes until the stream ends, Ctrl-C is pressed or `sink` says stop.
    pub fn follow(&mut self, path: &str, sink: &mut dyn FnMut(&[u8]) -> bool) -> Result<StreamEnd, CallError> {
        self.catch_interrupt().map_err(|error| CallError::Other(format!("{}: {error}", self.url)))?;
        let following = async {
            let mut body = match self.open_stream(path).await? {
                Ok(body) => body,
                Err(status) => return Ok(StreamEnd::Refused(status)),
            };
            while let Some(piece) = next_piece(&mut body).await {
                if !sink(&piece) {
                    break;
                }
            }
            Ok(StreamEnd::Closed)
        };
        self.wait(following).unwrap_or(Ok(StreamEnd::Interrupted))
    }

    /// Opens a log stream on a connection of its own; the inner error is an HTTP status other than 200.
    pub async fn open_stream(&self, path: &str) -> Result<Result<Incoming, u16>, CallError> {
        let request = self.request(Method::GET, path, Vec::new())?;
        let mut connection = connect(&self.url).await?;
        let response = connection.send_request(request).await.map_err(|_| CallError::NoAnswer(self.url.clone()))?;
        match response.status() {
            StatusCode::OK => Ok(Ok(response.into_body())),
            other => Ok(Err(other.as_u16())),
        }
    }

    fn request(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Request<Full<Bytes>>, CallError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, Endpoint::parse(&self.url)?.host_header())
            .header(ACCEPT, "*/*")
            .header(HeaderName::from_static("user-agent"), concat!("supervisorctl/", env!("CARGO_PKG_VERSION")));
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "text/xml");
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.body(Full::from(body)).map_err(|error| CallError::Other(format!("{}{path}: {error}", self.url)))
    }
}

/// The next piece of a stream; `None` at its end.
pub async fn next_piece(body: &mut Incoming) -> Option<Bytes> {
    loop {
        match body.frame().await?.ok()?.into_data() {
            Ok(data) => return Some(data),
            Err(_) => continue,
        }
    }
}

/// What `wanted` gives, or `None` if Ctrl-C comes first.
async fn or_interrupt<T>(interrupt: Option<&Interrupt>, wanted: impl Future<Output = T>) -> Option<T> {
    let Some(interrupt) = interrupt else { return Some(wanted.await) };
    tokio::select! {
        value = wanted => Some(value),
        () = interrupt.pressed() => None,
    }
}

/// The kept-alive connection, or a new one if it was closed in the meantime.
async fn connected<'a>(
    kept: &'a mut Option<SendRequest<Full<Bytes>>>,
    url: &str,
) -> Result<&'a mut SendRequest<Full<Bytes>>, CallError> {
    let alive = match kept.take() {
        Some(mut connection) => connection.ready().await.is_ok().then_some(connection),
        None => None,
    };
    let connection = match alive {
        Some(connection) => connection,
        None => connect(url).await?,
    };
    Ok(kept.insert(connection))
}

async fn connect(url: &str) -> Result<SendRequest<Full<Bytes>>, CallError> {
    let failed = |error: std::io::Error| match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ECONNREFUSED) => CallError::Refused(url.to_owned()),
        Some(Errno::ENOENT) => CallError::NoSocket(url.to_owned()),
        Some(Errno::EACCES | Errno::EPERM) => CallError::Denied(url.to_owned()),
        Some(errno) => CallError::Other(format!("{url}: {}", errno.desc())),
        None => CallError::Other(format!("{url}: {error}")),
    };
    match Endpoint::parse(url)? {
        Endpoint::Unix(path) => greet(UnixStream::connect(path).await.map_err(failed)?, url).await,
        Endpoint::Tcp { host, port } => {
            // Blocking on purpose: there is nothing else to do meanwhile, and an asynchronous look-up would start a
            // thread, to which Ctrl-C could be delivered.
            let stream = std::net::TcpStream::connect((host.as_str(), port)).map_err(failed)?;
            stream.set_nonblocking(true).map_err(failed)?;
            greet(TcpStream::from_std(stream).map_err(failed)?, url).await
        }
    }
}

/// Starts HTTP on a stream. Its driver runs whenever the runtime does.
async fn greet<S>(stream: S, url: &str) -> Result<SendRequest<Full<Bytes>>, CallError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, driver) =
        handshake(TokioIo::new(stream)).await.map_err(|error| CallError::Other(format!("{url}: {error}")))?;
    tokio::spawn(driver);
    Ok(sender)
}
