//! The HTTP servers (`Supervisor: http.py`): framing and limits, who may enter, and the few paths there are.
//!
//! | file | what |
//! |---|---|
//! | `call` | `/RPC2`: one XML-RPC call |
//! | `tail` | `/logtail` and `/mainlogtail`: a log as it grows |
//! | `console` | the web console: pages, API, metrics, and who may ask for a change |
//! | `content` | bodies of responses, and the page that says what went wrong |
//! | `clock` | how long a client may take |
//! | `go_on` | connections that another image of the daemon left in the middle of something |
//! | `access` | the line that says who asked for what |

mod access;
mod call;
mod clock;
mod console;
mod content;
pub mod go_on;
mod tail;

use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::auth::{Gate, Verdict};
use super::console::Console;
use super::rpc_call::Loop;
use crate::config::{Level, Role};
use crate::xmlrpc::REQUEST_BYTES_MAX;
use clock::{BODY_TIME_MAX, Timed};
use content::{Body, error, with_type};

pub use access::Peer;
pub use clock::{Busy, Clock, Waits};
pub use content::{Next, Source};

/// Most bytes of request line and headers, and of what is buffered of a connection.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What `Server:` says, for clients that look at it.
const SERVER: HeaderValue = HeaderValue::from_static("Medusa/1.12");

/// What all connections of one server share.
pub struct Server {
    /// Who may enter.
    pub gate: Gate,
    /// Where calls go.
    pub inbox: Loop,
    /// What the web console keeps.
    pub console: Rc<Console>,
    /// It listens on a port, not on a socket file.
    pub is_inet: bool,
    /// `/metrics` asks for the password too.
    pub metrics_auth: bool,
    /// How long somebody stays signed in without a request.
    pub session_idle: Duration,
    /// `identifier` of the configuration.
    pub identifier: Rc<str>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Name of the user; empty on a server that asks nobody.
    pub user: String,
    /// What he may do.
    pub role: Role,
    /// From where.
    pub peer: Rc<Peer>,
    /// Section of the server.
    pub server: String,
    /// His session, as the cookie says.
    pub session: Option<String>,
    /// He came in by that session.
    pub is_signed_in: bool,
}

impl std::fmt::Display for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let user = if self.user.is_empty() { "somebody" } else { &self.user };
        write!(f, "{user} from {}", self.peer)
    }
}

/// Serves one connection until it is closed, or its client takes longer than [`Clock`] allows.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(server: Rc<Server>, clock: Rc<Clock>, peer: Peer, stream: S) {
    let stream = TokioIo::new(Timed::new(stream, Rc::clone(&clock)));
    let (peer, times) = (Rc::new(peer), Rc::clone(&clock));
    let service = service_fn(move |request| {
        let (server, peer, busy) = (Rc::clone(&server), Rc::clone(&peer), Busy::new(&times));
        async move { Ok::<_, Infallible>(respond(&server, &peer, busy, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX).title_case_headers(true);
    let mut connection = pin!(builder.serve_connection(stream, service));
    let mut alarm = pin!(tokio::time::sleep_until(clock.deadline_or_far()));
    // A client that breaks off, talks nonsense or falls asleep is its own affair: either way the connection is over.
    std::future::poll_fn(|context| {
        if connection.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let Some(deadline) = clock.deadline() else { return Poll::Pending };
        if alarm.deadline() != deadline {
            alarm.as_mut().reset(deadline);
        }
        alarm.as_mut().poll(context)
    })
    .await;
}

async fn respond(server: &Server, peer: &Rc<Peer>, busy: Busy, request: Request<Incoming>) -> Response<Body> {
    let asked = server.inbox.is_enabled(Level::Trace).then(|| access::request_line(&request));
    let version = request.version();
    let mut is_kept = true;
    let mut response = match admit(server, peer, &request).await {
        Admission::Visitor(visitor) => route(server, &visitor, request, &busy).await,
        Admission::Stranger => console::to_stranger(server, peer, request, &busy).await,
        Admission::Overloaded => error(StatusCode::SERVICE_UNAVAILABLE),
        Admission::Refused(delay) => {
            let response = console::refusal(&request).unwrap_or_else(unauthorized);
            // Many clients send head and body one after the other: closing in between, they would see a broken pipe
            // and never learn why.
            let _ = timeout(BODY_TIME_MAX, discard(request.into_body())).await;
            // Whoever waits here may be closed in favour of others.
            busy.yields();
            is_kept = false;
            tokio::time::sleep(delay).await;
            response
        }
    };
    response.headers_mut().insert(header::SERVER, SERVER);
    if version == Version::HTTP_10 && response.body().is_endless() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(asked) = asked {
        server.inbox.note(Level::Trace, access::line(peer, &asked, &response)).await;
    }
    if is_kept {
        response.body_mut().keep(busy, version != Version::HTTP_10);
    }
    response
}

enum Admission {
    /// Somebody who may enter.
    Visitor(Visitor),
    /// Somebody unknown who asks for one of the few things that are open to all.
    Stranger,
    /// Too many passwords are being compared already.
    Overloaded,
    /// Nobody who may enter; he waits so long for his answer.
    Refused(Duration),
}

/// By his session, else by his password.
async fn admit(server: &Server, peer: &Rc<Peer>, request: &Request<Incoming>) -> Admission {
    let section = server.gate.section();
    let session = console::session_id(server, request.headers());
    let visitor = |user, role, session, is_signed_in| {
        Admission::Visitor(Visitor {
            user,
            role,
            peer: Rc::clone(peer),
            server: section.to_owned(),
            session,
            is_signed_in,
        })
    };
    if !server.gate.is_open()
        && let Some(id) = &session
        && let Some(found) = server.console.sessions.borrow_mut().find(id, section).filter(|found| found.is_signed_in)
    {
        if !console::is_stream(request.uri().path()) {
            found.touch();
        }
        return visitor(found.user.clone(), found.role, session.clone(), true);
    }
    let authorization = authorization(request);
    if authorization.is_none() && !server.gate.is_open() && console::is_open_to_all(server, request) {
        return Admission::Stranger;
    }
    match server.gate.judge(authorization, peer, &server.inbox).await {
        Verdict::Allowed(user, role) => visitor(user, role, session, false),
        Verdict::Refused(delay) => Admission::Refused(delay),
        Verdict::Overloaded => Admission::Overloaded,
    }
}

async fn route(server: &Server, visitor: &Visitor, request: Request<Incoming>, busy: &Busy) -> Response<Body> {
    let path = request.uri().path();
    if path.starts_with("/RPC2") {
        return match *request.method() {
            Method::POST if console::is_forged(server, request.headers()) => error(StatusCode::FORBIDDEN),
            Method::POST => call::respond(server, visitor, request, busy).await,
            _ => error(StatusCode::BAD_REQUEST),
        };
    }
    if path.starts_with("/logtail") || path.starts_with("/mainlogtail") {
        return match *request.method() {
            Method::GET => tail::respond(server, path).await,
            _ => error(StatusCode::BAD_REQUEST),
        };
    }
    match (request.method(), path.trim_start_matches('/')) {
        (&Method::GET | &Method::HEAD | &Method::POST, "ok.html") => with_type("text/plain", Body::whole("OK".into())),
        (&Method::GET | &Method::HEAD | &Method::POST, _) => console::respond(server, visitor, request, busy).await,
        _ => error(StatusCode::BAD_REQUEST),
    }
}

fn authorization(request: &Request<Incoming>) -> Option<&[u8]> {
    request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes)
}

fn unauthorized() -> Response<Body> {
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
