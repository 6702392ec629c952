//! Whether a request was made by one of our own pages. Browsers send a visitor's password and cookies with whatever any page in the
//! world makes them ask for; what they add to tell who made them is looked at here. Programs add none of it and are let through:
//! nobody can make them ask against their will.
//!
//! `Sec-Fetch-Site` decides where there is one (browsers leave it out on plain HTTP to other machines), then `Origin`, then
//! `Referer`. Beside that each change by a browser has to carry the token of its session.

use std::net::IpAddr;

use hyper::header::{self, HeaderMap};

use super::text_of;
use crate::daemon::http::Server;

/// Whether a browser sent it, as far as can be seen.
pub fn is_browser(headers: &HeaderMap) -> bool {
    let says = |name: &str| headers.contains_key(name);
    says("sec-fetch-site")
        || says("origin")
        || says("referer")
        || says("cookie")
        || text_of(headers, header::USER_AGENT).is_some_and(|agent| agent.contains("Mozilla/"))
}

/// Whether another site made a browser send it.
pub fn is_forged(server: &Server, headers: &HeaderMap) -> bool {
    is_from_elsewhere(headers) || (is_browser(headers) && is_misled(server, headers))
}

fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        // `none`: the visitor himself typed the address or opened a bookmark.
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(from) = headers.get(header::ORIGIN).or_else(|| headers.get(header::REFERER)) else { return false };
    let from = from.to_str().ok().and_then(|address| address.split_once("://"));
    // `null` is what a page says that hides where it is from.
    let Some((_, from)) = from else { return true };
    let from = from.split('/').next().unwrap_or_default();
    let own = ["host", "x-forwarded-host"].into_iter().filter_map(|name| headers.get(name)?.to_str().ok());
    !own.into_iter().any(|own| without_port(own, from) == without_port(from, own) && !own.is_empty())
}

/// A default port may be said or not.
fn without_port<'a>(host: &'a str, other: &str) -> &'a str {
    let bare = host.strip_suffix(":80").or_else(|| host.strip_suffix(":443"));
    match bare {
        Some(bare) if !other.ends_with(":80") && !other.ends_with(":443") => bare,
        _ => host,
    }
}

/// Whether a server that asks for no password is addressed by a name that is not its own. A name of somebody else's may have been made
/// to point here (DNS rebinding): to the browser his page and ours are then one site.
pub fn is_misled(server: &Server, headers: &HeaderMap) -> bool {
    if !server.gate.is_open() || !server.is_inet {
        return false;
    }
    let Some(host) = text_of(headers, header::HOST) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let own = &server.console.host_name;
    let is_own = name.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case(own)
        || own.split('.').next().is_some_and(|short| name.eq_ignore_ascii_case(short));
    !is_own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn who_made_a_request() {
        let cases: &[(&[(&str, &str)], bool)] = &[
            (&[("host", "x:9001")], false),
            (
                &[("sec-fetch-site", "same-origin"), ("origin", "https://proxy.example"), ("host", "127.0.0.1:9001")],
                false,
            ),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("origin", "http://x:9001"), ("host", "x:9001")], false),
            (&[("origin", "http://x:9002"), ("host", "x:9001")], true),
            (&[("origin", "http://x"), ("host", "x:80")], false),
            (&[("origin", "null"), ("host", "x:9001")], true),
            (&[("origin", "http://evil.example"), ("host", "x:9001")], true),
            (&[("origin", "https://p.example"), ("host", "127.0.0.1:9001"), ("x-forwarded-host", "p.example")], false),
            (&[("referer", "http://evil.example/x:9001/"), ("host", "x:9001")], true),
            (&[("referer", "http://x:9001/program?name=a"), ("host", "x:9001")], false),
        ];
        for (pairs, expected) in cases {
            let pairs: Vec<(&'static str, &'static str)> = pairs.to_vec();
            assert_eq!(is_from_elsewhere(&headers(&pairs)), *expected, "{pairs:?}");
        }
    }
}
