//! The web console: which path is what, who may do what, and the headers that keep browsers in bounds.
//!
//! | file | what |
//! |---|---|
//! | `origin` | whether a request was made by one of our own pages |
//! | `pages` | the pages |
//! | `actions` | changes, from forms, from scripts, and by Supervisor's old addresses |
//! | `api` | `/api/v1/` and `/metrics` |
//! | `login` | signing in and out, language and theme |
//! | `answer` | responses with their headers |

mod actions;
mod answer;
mod api;
mod login;
mod origin;
mod pages;

use std::rc::Rc;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::timeout;

use super::access::Peer;
use super::clock::{BODY_TIME_MAX, Busy};
use super::content::{Body, error};
use super::{Server, Visitor};
use crate::config::{Language, Role};
use crate::daemon::perform::wall_secs;
use crate::web::form::{self, Form};

pub use origin::is_forged;

/// Most bytes of a form or of a request to the API.
const FORM_BYTES_MAX: usize = 1024 * 1024;

/// The pages; for any other path a browser asks by itself, as for `/basic`, from where it goes on.
const PAGES: [&str; 9] = ["", "index.html", "program", "log", "events", "changes", "host", "about", "tail.html"];

/// One request with what is read of it before it is known what it is.
struct Exchange<'a> {
    server: &'a Server,
    visitor: &'a Visitor,
    method: Method,
    path: String,
    query: Form,
    /// Path and query as they came.
    here: String,
    headers: HeaderMap,
}

impl Exchange<'_> {
    fn header(&self, name: header::HeaderName) -> Option<&str> {
        text_of(&self.headers, name)
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        form::cookie(self.header(header::COOKIE)?, name)
    }

    fn language(&self) -> Language {
        form::language(self.cookie("lang"), self.header(header::ACCEPT_LANGUAGE))
    }

    fn theme(&self) -> Option<&'static str> {
        match self.cookie("theme") {
            Some("dark") => Some("dark"),
            Some("light") => Some("light"),
            _ => None,
        }
    }

    fn may_act(&self) -> bool {
        self.visitor.role == Role::Operator
    }

    /// Whether a form or a script says the token of the session that its cookie names.
    fn has_token(&self, given: Option<&str>) -> bool {
        let Some(id) = &self.visitor.session else { return false };
        let mut sessions = self.server.console.sessions.borrow_mut();
        let session = sessions.find(id, &self.visitor.server).filter(|session| session.user == self.visitor.user);
        session.is_some_and(|session| session.has_token(given.unwrap_or_default()))
    }
}

fn text_of(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The session that the cookie of a request names.
pub fn session_id(server: &Server, headers: &HeaderMap) -> Option<String> {
    form::cookie(text_of(headers, header::COOKIE)?, &server.console.cookie).map(str::to_owned)
}

/// A stream stays open by itself: that is nothing that its owner does.
pub fn is_stream(path: &str) -> bool {
    matches!(path, "/api/v1/stream" | "/api/v1/log/follow")
}

/// The few things that nobody has to sign in for.
pub fn is_open_to_all(server: &Server, request: &Request<Incoming>) -> bool {
    match request.uri().path() {
        "/login" | "/prefer" | "/assets/console.css" => true,
        "/metrics" => !server.metrics_auth,
        _ => false,
    }
}

/// What somebody gets who is not let in, where it is not the plain 401: a browser is shown where to sign in, and a script of a page
/// must not make it ask by itself.
pub fn refusal(request: &Request<Incoming>) -> Option<Response<Body>> {
    let headers = request.headers();
    if headers.contains_key(header::AUTHORIZATION) {
        return None;
    }
    if headers.contains_key("x-console") || is_stream(request.uri().path()) {
        return Some(answer::api_error(StatusCode::UNAUTHORIZED, "unauthorized", "sign in first"));
    }
    let wants_page = text_of(headers, header::ACCEPT).is_some_and(|accept| accept.contains("text/html"));
    let is_page = PAGES.contains(&request.uri().path().trim_start_matches('/'));
    if !wants_page || !is_page || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let here = request.uri().path_and_query().map_or("/", |here| here.as_str());
    let was_signed_in = text_of(headers, header::COOKIE).is_some_and(|cookies| cookies.contains("console_"));
    let why = if was_signed_in { "&why=idle" } else { "" };
    Some(answer::see_other(&format!("/login?next={}{why}", crate::web::percent_encode(here))))
}

/// Serves what is open to all to somebody who has not signed in.
pub async fn to_stranger(server: &Server, peer: &Rc<Peer>, request: Request<Incoming>, busy: &Busy) -> Response<Body> {
    let nobody = Visitor {
        user: String::new(),
        role: Role::Readonly,
        peer: Rc::clone(peer),
        server: server.gate.section().to_owned(),
        session: None,
        is_signed_in: false,
    };
    respond(server, &nobody, request, busy).await
}

/// Serves any path but those of XML-RPC and log streams.
pub async fn respond(server: &Server, visitor: &Visitor, request: Request<Incoming>, busy: &Busy) -> Response<Body> {
    let (head, body) = request.into_parts();
    let exchange = Exchange {
        server,
        visitor,
        path: head.uri.path().to_owned(),
        query: Form::parse(head.uri.query().unwrap_or_default()),
        here: head.uri.path_and_query().map_or("/", |here| here.as_str()).to_owned(),
        method: head.method,
        headers: head.headers,
    };
    let path = exchange.path.clone();
    if exchange.method == Method::POST {
        let bytes = match read(body).await {
            Ok(bytes) => bytes,
            Err(status) => return error(status),
        };
        // From here on another image of the daemon must not do it once more.
        busy.begins();
        return post(&exchange, &path, &bytes).await;
    }
    if let Some(name) = path.strip_prefix("/assets/") {
        return answer::asset(&exchange, name);
    }
    if path.starts_with("/api/v1/") || path == "/metrics" {
        return api::respond(&exchange).await;
    }
    match path.trim_start_matches('/') {
        "" | "index.html" if exchange.query.get("action").is_some() => {
            busy.begins();
            actions::by_old_address(&exchange, &exchange.query).await
        }
        "login" => login::page(&exchange),
        "prefer" => login::prefer(&exchange),
        "basic" => answer::see_other("/"),
        "log/download" => api::download(&exchange).await,
        name => pages::respond(&exchange, name).await,
    }
}

async fn post(exchange: &Exchange<'_>, path: &str, bytes: &[u8]) -> Response<Body> {
    let form = || Form::parse(&String::from_utf8_lossy(bytes));
    match path.trim_start_matches('/') {
        "actions" => actions::by_form(exchange, &form()).await,
        "api/v1/actions" => actions::by_api(exchange, bytes).await,
        "login" => login::sign_in(exchange, &form()).await,
        "logout" => login::sign_out(exchange, &form()),
        // Supervisor takes the same fields from a form.
        "" | "index.html" => {
            let form = form();
            match form.get("action") {
                Some(_) => actions::by_old_address(exchange, &form).await,
                None => pages::respond(exchange, "").await,
            }
        }
        _ => error(StatusCode::NOT_FOUND),
    }
}

async fn read(body: Incoming) -> Result<Vec<u8>, StatusCode> {
    match timeout(BODY_TIME_MAX, Limited::new(body, FORM_BYTES_MAX).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes().into()),
        Ok(Err(reason)) if reason.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// A moment in local time, for people.
fn clock(secs: i64) -> String {
    let at = crate::sys::local_time::local_time(secs);
    let time = format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second);
    format!("{:04}-{:02}-{:02} {time}", at.year, at.month, at.day)
}

/// `Sun Nov 22 13:35:53 2026`, as messages of Supervisor have it.
fn ctime() -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let secs = wall_secs();
    let at = crate::sys::local_time::local_time(secs);
    let days = (secs + i64::from(at.utc_offset_secs)).div_euclid(86_400);
    let day = DAYS[days.rem_euclid(7) as usize];
    let month = MONTHS.get(at.month as usize - 1).copied().unwrap_or("???");
    format!("{day} {month} {:2} {:02}:{:02}:{:02} {:04}", at.day, at.hour, at.minute, at.second, at.year)
}
