//! Responses of the console, with their headers.

use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Exchange;
use crate::config::Language;
use crate::daemon::console::sessions::hex;
use crate::daemon::http::content::{Body, error, with_type};
use crate::web::assets::{Asset, asset as find, words};
use crate::web::form::accepts_gzip;
use crate::web::gzip::{COMPRESSED_FROM_BYTES, gzip};
use crate::web::json;

/// Nothing from elsewhere, no script or style but our files, no frames, no forms to elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What every response of the console says.
const ALWAYS: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    // Not `no-referrer`: it would take the origin from our own forms.
    ("referrer-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// Puts them on.
pub fn guarded(mut response: Response<Body>, caching: &'static str) -> Response<Body> {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

/// A page.
pub fn page(exchange: &Exchange<'_>, status: StatusCode, text: String) -> Response<Body> {
    let mut response = packed(exchange, "text/html;charset=utf-8", text.into_bytes());
    *response.status_mut() = status;
    // As Supervisor has them, for old proxies.
    let headers = response.headers_mut();
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::EXPIRES, HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie, Accept-Language, Accept-Encoding"));
    guarded(response, "no-cache, no-store")
}

/// An answer of the API.
pub fn api(exchange: &Exchange<'_>, value: &Value) -> Response<Body> {
    guarded(packed(exchange, "application/json", value.to_string().into_bytes()), "no-store")
}

/// An error of the API.
pub fn api_error(status: StatusCode, code: &str, text: &str) -> Response<Body> {
    let mut response = with_type("application/json", Body::whole(json::error(code, text).to_string().into()));
    *response.status_mut() = status;
    guarded(response, "no-store")
}

/// Text of some other type.
pub fn text(exchange: &Exchange<'_>, media_type: &'static str, text: String) -> Response<Body> {
    guarded(packed(exchange, media_type, text.into_bytes()), "no-store")
}

/// Compressed, if that is worth it and the client reads it.
fn packed(exchange: &Exchange<'_>, media_type: &'static str, bytes: Vec<u8>) -> Response<Body> {
    if bytes.len() < COMPRESSED_FROM_BYTES || !reads_gzip(exchange) {
        return with_type(media_type, Body::whole(bytes.into()));
    }
    let mut response = with_type(media_type, Body::whole(gzip(&bytes).into()));
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

fn reads_gzip(exchange: &Exchange<'_>) -> bool {
    exchange.header(header::ACCEPT_ENCODING).is_some_and(accepts_gzip)
}

/// Goes on elsewhere, with GET.
pub fn see_other(location: &str) -> Response<Body> {
    let mut response = with_type("text/html", Body::whole("".into()));
    *response.status_mut() = StatusCode::SEE_OTHER;
    match HeaderValue::try_from(location) {
        Ok(location) => response.headers_mut().insert(header::LOCATION, location),
        Err(_) => response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/")),
    };
    guarded(response, "no-store")
}

/// Sets a cookie. `max_age_secs` is `None` for one that goes with the browser.
pub fn set_cookie(
    response: &mut Response<Body>,
    exchange: &Exchange<'_>,
    name: &str,
    value: &str,
    max_age_secs: Option<u64>,
) {
    // What a proxy says here can only make it stricter.
    let is_encrypted = exchange.headers.get("x-forwarded-proto").is_some_and(|scheme| scheme.as_bytes() == b"https");
    let secure = if is_encrypted { "; Secure" } else { "" };
    let age = max_age_secs.map_or_else(String::new, |secs| format!("; Max-Age={secs}"));
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{age}{secure}");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// A file of the console.
pub fn asset(exchange: &Exchange<'_>, name: &str) -> Response<Body> {
    match name {
        "words.en.js" => module(exchange, &words(Language::English)),
        "words.zh.js" => module(exchange, &words(Language::Chinese)),
        _ => match find(name) {
            Some(asset) => file(exchange, asset),
            None => error(StatusCode::NOT_FOUND),
        },
    }
}

fn module(exchange: &Exchange<'_>, text: &str) -> Response<Body> {
    tagged(exchange, text.as_bytes(), || packed(exchange, "text/javascript; charset=utf-8", text.as_bytes().to_vec()))
}

/// A file as it is kept, or as it was before that.
pub fn file(exchange: &Exchange<'_>, asset: Asset) -> Response<Body> {
    tagged(exchange, asset.gzip, || {
        if reads_gzip(exchange) {
            let mut response = with_type(asset.media_type, Body::whole(asset.gzip.into()));
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            return response;
        }
        match unpacked(asset.gzip) {
            Some(bytes) => with_type(asset.media_type, Body::whole(bytes.into())),
            None => error(StatusCode::NOT_ACCEPTABLE),
        }
    })
}

/// Without the ten bytes of the head and the eight of the end.
fn unpacked(gzip: &[u8]) -> Option<Vec<u8>> {
    miniz_oxide::inflate::decompress_to_vec(gzip.get(10..gzip.len() - 8)?).ok()
}

/// With a tag, by which a browser asks whether what it has is still right.
fn tagged(exchange: &Exchange<'_>, bytes: &[u8], make: impl FnOnce() -> Response<Body>) -> Response<Body> {
    let tag = format!("\"{}\"", &hex(&Sha256::digest(bytes))[..16]);
    let is_known = exchange.header(header::IF_NONE_MATCH).is_some_and(|known| known.contains(&tag));
    let mut response = if is_known { with_status(StatusCode::NOT_MODIFIED) } else { make() };
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    guarded(response, "no-cache")
}

fn with_status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::whole("".into()));
    *response.status_mut() = status;
    response
}

/// Events, as long as the client wants them.
pub fn events(body: Body) -> Response<Body> {
    let mut response = with_type("text/event-stream", body);
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    guarded(response, "no-store")
}
