//! Signing in and out; language and theme.

use hyper::{Response, StatusCode};

use super::{Exchange, answer, origin, pages};
use crate::daemon::auth::Verdict;
use crate::daemon::http::content::{Body, error};
use crate::web::form::{Form, is_local_path};
use crate::web::frame;
use crate::web::texts::texts;

/// How long language and theme are remembered.
const PREFERENCE_SECS: u64 = 365 * 24 * 3600;

/// `GET /login`.
pub fn page(exchange: &Exchange<'_>) -> Response<Body> {
    let next = local(exchange.query.get("next"));
    if exchange.server.gate.is_open() || exchange.visitor.is_signed_in {
        return answer::see_other(next);
    }
    let words = texts(exchange.language());
    let why = match exchange.query.get("why") {
        Some("idle") => Some(words.signed_out_idle),
        Some("out") => Some(words.signed_out_now),
        _ => None,
    };
    ask(exchange, StatusCode::OK, next, why)
}

fn ask(exchange: &Exchange<'_>, status: StatusCode, next: &str, why: Option<&str>) -> Response<Body> {
    let words = texts(exchange.language());
    answer::page(exchange, status, frame::sign_in(words, &exchange.server.identifier, next, why))
}

/// `POST /login`. Another site must not sign anybody in either: what he then does would be done as somebody else.
pub async fn sign_in(exchange: &Exchange<'_>, form: &Form) -> Response<Body> {
    let (server, words) = (exchange.server, texts(exchange.language()));
    if origin::is_forged(server, &exchange.headers) {
        return pages::refuse(exchange, words.forbidden_origin);
    }
    let next = local(form.get("next"));
    let field = |name| form.get(name).unwrap_or_default();
    let verdict =
        server.gate.judge_login(field("username"), field("password"), &exchange.visitor.peer, &server.inbox).await;
    match verdict {
        Verdict::Allowed(user, role) => {
            let mut response = answer::see_other(next);
            let console = &server.console;
            if let Some(old) = &exchange.visitor.session {
                console.sessions.borrow_mut().end(old);
            }
            let id = {
                let mut sessions = console.sessions.borrow_mut();
                sessions.begin(server.gate.section(), &user, role, Some(server.session_idle)).id.clone()
            };
            let line = format!("console: {user} from {} signed in", exchange.visitor.peer);
            server.inbox.note(crate::config::Level::Info, line).await;
            answer::set_cookie(&mut response, exchange, &console.cookie, &id, None);
            response
        }
        Verdict::Refused(delay) => {
            tokio::time::sleep(delay).await;
            ask(exchange, StatusCode::FORBIDDEN, next, Some(words.wrong_password))
        }
        Verdict::Overloaded => ask(exchange, StatusCode::SERVICE_UNAVAILABLE, next, Some(words.too_many_logins)),
    }
}

/// `POST /logout`.
pub fn sign_out(exchange: &Exchange<'_>, form: &Form) -> Response<Body> {
    let words = texts(exchange.language());
    if origin::is_forged(exchange.server, &exchange.headers) {
        return pages::refuse(exchange, words.forbidden_origin);
    }
    if !exchange.has_token(form.get("token")) {
        return pages::refuse(exchange, words.forbidden_token);
    }
    let console = &exchange.server.console;
    if let Some(id) = &exchange.visitor.session {
        console.sessions.borrow_mut().end(id);
        // Streams of the session end.
        console.changed.notify_waiters();
    }
    let mut response = answer::see_other("/login?why=out");
    answer::set_cookie(&mut response, exchange, &console.cookie, "", Some(0));
    response
}

/// `GET /prefer?lang=…&theme=…&next=…`: changes how pages look for this browser, and nothing else.
pub fn prefer(exchange: &Exchange<'_>) -> Response<Body> {
    let mut response = answer::see_other(local(exchange.query.get("next")));
    for (name, known) in [("lang", ["en", "zh"]), ("theme", ["light", "dark"])] {
        match exchange.query.get(name) {
            Some(value) if known.contains(&value) => {
                answer::set_cookie(&mut response, exchange, name, value, Some(PREFERENCE_SECS));
            }
            Some(_) => return error(StatusCode::BAD_REQUEST),
            None => {}
        }
    }
    response
}

fn local(next: Option<&str>) -> &str {
    next.filter(|next| is_local_path(next)).unwrap_or("/")
}
