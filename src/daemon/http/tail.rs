//! `/logtail/<namespec>[/stdout|/stderr]` and `/mainlogtail`: a log as it grows (`Supervisor: http.py logtail_handler`).

use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

use super::Server;
use super::content::{Body, error, with_type};
use crate::rpc::Channel;
use crate::web::form::percent_decode;

/// Finds the log and begins to stream it.
pub async fn respond(server: &Server, path: &str) -> Response<Body> {
    let (name, channel) = match path.strip_prefix("/logtail") {
        None => (None, Channel::Stdout),
        Some(rest) => match read_target(rest) {
            Some((name, channel)) => (Some(name), channel),
            None => return error(StatusCode::NOT_FOUND),
        },
    };
    let is_program = name.is_some();
    let Some(follower) = server.inbox.follow(name, channel).await else { return error(StatusCode::NOT_FOUND) };
    let modified = follower.modified().map(httpdate::fmt_http_date);
    let mut response = with_type("text/plain;charset=utf-8", Body::log(follower));
    let headers = response.headers_mut();
    if let Some(modified) = modified.and_then(|date| HeaderValue::try_from(date).ok()) {
        headers.insert(header::LAST_MODIFIED, modified);
    }
    if is_program {
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    }
    response
}

/// The program and channel that a log URL names.
fn read_target(rest: &str) -> Option<(String, Channel)> {
    let decoded = percent_decode(rest);
    let mut parts = decoded.trim_matches('/').splitn(2, '/');
    let name = parts.next().filter(|name| !name.is_empty())?.to_owned();
    match parts.next() {
        None | Some("stdout") => Some((name, Channel::Stdout)),
        Some("stderr") => Some((name, Channel::Stderr)),
        Some(_) => None,
    }
}
