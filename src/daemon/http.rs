//! The HTTP servers (`Supervisor: http.py`): framing and limits, authentication, and the few paths there are.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::auth;
use super::follow::Follower;
use super::rpc_call::{Loop, encode};
use crate::config::Credentials;
use crate::rpc::Channel;
use crate::xmlrpc::{REQUEST_BYTES_MAX, read_call};

/// Most bytes of request line and headers, and of what is buffered of a connection.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Most connections of one server at a time; further ones wait in the backlog. Half of the descriptors that `minfds` asks
/// for by default: clients that hold connections must not keep programs from being started.
pub const CONNECTIONS_MAX: usize = 512;

/// What `Server:` says, for clients that look at it.
const SERVER: HeaderValue = HeaderValue::from_static("Medusa/1.12");

/// What all connections of one server share.
pub struct Server {
    /// Who may enter; `None` is everybody.
    pub credentials: Option<Credentials>,
    /// Where calls go.
    pub inbox: Loop,
}

/// Serves one connection until it is closed.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(server: Rc<Server>, stream: S) {
    let service = service_fn(move |request| {
        let server = Rc::clone(&server);
        async move { Ok::<_, Infallible>(respond(&server, request).await) }
    });
    let mut connection = http1::Builder::new();
    connection.max_buf_size(HEAD_BYTES_MAX).title_case_headers(true);
    // A client that breaks off or talks nonsense is its own affair.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(server: &Server, request: Request<Incoming>) -> Response<Content> {
    let mut response = match &server.credentials {
        Some(credentials) if !auth::is_allowed(credentials, authorization(&request)) => {
            // Many clients send head and body one after the other: closing in between, they would see a broken pipe
            // and never learn why.
            discard(request.into_body()).await;
            unauthorized()
        }
        _ => route(server, request).await,
    };
    response.headers_mut().insert(header::SERVER, SERVER);
    response
}

async fn route(server: &Server, request: Request<Incoming>) -> Response<Content> {
    let path = request.uri().path();
    if path.starts_with("/RPC2") {
        return if request.method() == Method::POST {
            rpc(server, request).await
        } else {
            error(StatusCode::BAD_REQUEST)
        };
    }
    if path.starts_with("/logtail") || path.starts_with("/mainlogtail") {
        return if request.method() == Method::GET { tail(server, path).await } else { error(StatusCode::BAD_REQUEST) };
    }
    match (request.method(), path) {
        (&Method::GET | &Method::POST, "/ok.html") => with_type("text/plain", Content::Whole(Some("OK".into()))),
        (&Method::GET | &Method::HEAD | &Method::POST, _) => error(StatusCode::NOT_FOUND),
        _ => error(StatusCode::BAD_REQUEST),
    }
}

/// `/RPC2`: one XML-RPC call.
async fn rpc(server: &Server, request: Request<Incoming>) -> Response<Content> {
    if !request.headers().contains_key(header::CONTENT_LENGTH) {
        return error(StatusCode::LENGTH_REQUIRED);
    }
    // Refused before it is waited for; a client that sends more than it said is stopped by its own length.
    if request.body().size_hint().lower() > REQUEST_BYTES_MAX as u64 {
        return error(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let body = match Limited::new(request.into_body(), REQUEST_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return error(StatusCode::PAYLOAD_TOO_LARGE),
    };
    match read_call(&body) {
        Ok(call) => with_type("text/xml", Content::Whole(Some(encode(&server.inbox.call(call).await).into()))),
        Err(_) => error(StatusCode::BAD_REQUEST),
    }
}

/// `/logtail/<namespec>[/stdout|/stderr]` and `/mainlogtail`.
async fn tail(server: &Server, path: &str) -> Response<Content> {
    let (name, channel) = match path.strip_prefix("/logtail") {
        None => (None, Channel::Stdout),
        Some(rest) => match read_target(rest) {
            Some((name, channel)) => (Some(name), channel),
            None => return error(StatusCode::NOT_FOUND),
        },
    };
    let is_program = name.is_some();
    let Some(followed) = server.inbox.follow(name, channel).await else { return error(StatusCode::NOT_FOUND) };
    let Ok(follower) = Follower::open(followed) else { return error(StatusCode::NOT_FOUND) };
    let stream = futures_of(follower);
    let mut response = with_type("text/plain;charset=utf-8", Content::Stream(stream));
    if is_program {
        response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    }
    response
}

/// The program and channel that a log URL names.
fn read_target(rest: &str) -> Option<(String, Channel)> {
    let mut parts = rest.trim_matches('/').splitn(2, '/');
    let name = percent_decode(parts.next().filter(|name| !name.is_empty())?)?;
    match parts.next() {
        None | Some("stdout") => Some((name, Channel::Stdout)),
        Some("stderr") => Some((name, Channel::Stderr)),
        Some(_) => None,
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn authorization(request: &Request<Incoming>) -> Option<&[u8]> {
    request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes)
}

fn unauthorized() -> Response<Content> {
    let mut response = error(StatusCode::UNAUTHORIZED);
    let headers = response.headers_mut();
    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"default\""));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Reads a body to its end, or until it is longer than any request may be.
async fn discard(mut body: Incoming) {
    let mut left_bytes = REQUEST_BYTES_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        let count = frame.data_ref().map_or(0, Bytes::len);
        match left_bytes.checked_sub(count) {
            Some(left) => left_bytes = left,
            None => return,
        }
    }
}

/// A short page that says what went wrong.
fn error(status: StatusCode) -> Response<Content> {
    let (code, reason) = (status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let page = format!(
        "<head>\n<title>Error response</title>\n</head>\n<body>\n<h1>Error response</h1>\n<p>Error code {code}.\n\
         <p>Message: {reason}.\n</body>\n"
    );
    let mut response = with_type("text/html", Content::Whole(Some(page.into())));
    *response.status_mut() = status;
    response
}

fn with_type(kind: &'static str, content: Content) -> Response<Content> {
    let mut response = Response::new(content);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

type Stream = Pin<Box<dyn Future<Output = (Follower, std::io::Result<Bytes>)>>>;

/// The next chunk of a followed log, with what is needed for the one after.
fn futures_of(mut follower: Follower) -> Stream {
    Box::pin(async move {
        let bytes = follower.next().await;
        (follower, bytes)
    })
}

/// The body of a response.
pub enum Content {
    /// Everything at once; `None` when it was taken.
    Whole(Option<Bytes>),
    /// A log that grows.
    Stream(Stream),
}

impl Body for Content {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match &mut *self {
            Content::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Stream(stream) => match stream.as_mut().poll(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready((follower, bytes)) => {
                    *stream = futures_of(follower);
                    Poll::Ready(Some(bytes.map(Frame::data)))
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Content::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Stream(_) => SizeHint::default(),
        }
    }
}
