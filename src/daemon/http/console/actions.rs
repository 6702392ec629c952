//! Changes: from the forms of our pages, from their scripts and other programs, and by the addresses that Supervisor has.

use hyper::header;
use hyper::{Method, Response, StatusCode};
use serde_json::Value;

use super::{Exchange, answer, ctime, origin, pages};
use crate::daemon::console::act::{self, TARGETS_MAX, Targets, Verb, is_many};
use crate::daemon::http::content::{Body, error};
use crate::web::form::{Form, is_local_path};
use crate::web::texts::{fill, texts};
use crate::web::{json, percent_encode, places};

/// Why a change is not made, as the page says it and as programs are told.
struct Refusal {
    code: &'static str,
    text: String,
}

/// Whether the visitor may change anything, and whether it is his own wish.
fn refusal(exchange: &Exchange<'_>, token: Option<&str>) -> Option<Refusal> {
    let words = texts(exchange.language());
    let refuse = |code, text: &str| Some(Refusal { code, text: text.to_owned() });
    let headers = &exchange.headers;
    if origin::is_browser(headers) && origin::is_misled(exchange.server, headers) {
        return refuse("host", words.forbidden_host);
    }
    if origin::is_forged(exchange.server, headers) {
        return refuse("origin", words.forbidden_origin);
    }
    if !exchange.may_act() {
        return refuse("role", &fill(words.forbidden_role, &[&exchange.visitor.user]));
    }
    if origin::is_browser(headers) && !exchange.has_token(token) {
        return refuse("token", words.forbidden_token);
    }
    None
}

/// `POST /actions`: a button of a page. Its value is `verb`, for what is selected, or `verb:target`.
pub async fn by_form(exchange: &Exchange<'_>, form: &Form) -> Response<Body> {
    if let Some(refusal) = refusal(exchange, form.get("token")) {
        return pages::refuse(exchange, &refusal.text);
    }
    let (name, target) = match form.get("do").unwrap_or_default().split_once(':') {
        Some((name, target)) => (name, Some(target.to_owned())),
        None => (form.get("do").unwrap_or_default(), None),
    };
    let signal = form.get("signal").unwrap_or_default();
    let Some(verb) = Verb::named(name, Some(signal)) else { return error(StatusCode::BAD_REQUEST) };
    let targets: Targets = match target {
        Some(target) => vec![target],
        None => form.all("p").map(str::to_owned).collect(),
    };
    let next = form.get("next").filter(|next| is_local_path(next)).unwrap_or("/");
    if targets.is_empty() || targets.len() > TARGETS_MAX {
        return answer::see_other(next);
    }
    // Starting one harms nobody. Everything else is asked for twice.
    let hurts = verb != Verb::Start || targets.iter().any(|target| is_many(target));
    if hurts && form.get("confirmed").is_none() {
        let words = texts(exchange.language()).verb(verb.name());
        return pages::draw(exchange, StatusCode::OK, |page, _| {
            places::confirm(page, verb.name(), words, &targets, signal, next)
        });
    }
    let (server, visitor) = (exchange.server, exchange.visitor);
    let Some(outcomes) = act::run(&server.console, &server.inbox, visitor, verb, targets).await else {
        return busy(exchange);
    };
    if let Some(id) = &visitor.session
        && let Some(session) = server.console.sessions.borrow_mut().find(id, &visitor.server)
    {
        session.keep(outcomes);
    }
    answer::see_other(next)
}

fn busy(exchange: &Exchange<'_>) -> Response<Body> {
    let words = texts(exchange.language());
    pages::draw(exchange, StatusCode::SERVICE_UNAVAILABLE, |page, _| {
        crate::web::frame::message(page, words.failed, words.busy)
    })
}

/// `POST /api/v1/actions` with `{"action": …, "targets": […], "signal": …}`.
pub async fn by_api(exchange: &Exchange<'_>, body: &[u8]) -> Response<Body> {
    let token = exchange.headers.get("x-console-token").and_then(|token| token.to_str().ok());
    if let Some(Refusal { code, text }) = refusal(exchange, token) {
        return answer::api_error(StatusCode::FORBIDDEN, code, &text);
    }
    // A page of another site cannot send this type without asking first.
    let is_json = exchange.header(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json {
        return answer::api_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "type", "send application/json");
    }
    let (verb, targets) = match read(body) {
        Ok(read) => read,
        Err(text) => return answer::api_error(StatusCode::BAD_REQUEST, "body", text),
    };
    let server = exchange.server;
    match act::run(&server.console, &server.inbox, exchange.visitor, verb, targets).await {
        Some(outcomes) => answer::api(exchange, &json::outcomes(&outcomes)),
        None => answer::api_error(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many actions are under way"),
    }
}

fn read(body: &[u8]) -> Result<(Verb, Targets), &'static str> {
    let body: Value = serde_json::from_slice(body).map_err(|_| "the body is not JSON")?;
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let name = text("action").ok_or("\"action\" is missing: start, stop, restart, signal, clear or update")?;
    let verb = Verb::named(name, text("signal"))
        .ok_or("\"action\" is start, stop, restart, signal (with \"signal\"), clear or update")?;
    let targets = body.get("targets").and_then(Value::as_array).ok_or("\"targets\" is missing: a list of names")?;
    if targets.is_empty() || targets.len() > TARGETS_MAX {
        return Err("\"targets\" is empty or too long");
    }
    let targets: Option<Targets> = targets.iter().map(|target| target.as_str().map(str::to_owned)).collect();
    Ok((verb, targets.ok_or("each of \"targets\" is a name, a group:* or *")?))
}

/// `/index.html?action=…&processname=…`, for the scripts that use it. A browser that comes this way, from a bookmark or a link of
/// ours, is asked back first: any page in the world could have such a link.
pub async fn by_old_address(exchange: &Exchange<'_>, form: &Form) -> Response<Body> {
    let (action, name) = (form.get("action").unwrap_or_default(), form.get("processname").unwrap_or_default());
    if exchange.method == Method::HEAD {
        return error(StatusCode::NOT_FOUND);
    }
    let is_browser = origin::is_browser(&exchange.headers);
    let words = texts(exchange.language());
    if is_browser && origin::is_forged(exchange.server, &exchange.headers) {
        return pages::refuse(exchange, words.forbidden_origin);
    }
    if action != "refresh" && !exchange.may_act() {
        return pages::refuse(exchange, &fill(words.forbidden_role, &[&exchange.visitor.user]));
    }
    if is_browser && action != "refresh" {
        let (verb, target) = match action {
            "stopall" => ("stop", "*"),
            "restartall" => ("restart", "*"),
            "clearlog" => ("clear", name),
            other => (other, name),
        };
        let Some(verb) = Verb::named(verb, None).filter(|_| !target.is_empty()) else {
            return error(StatusCode::BAD_REQUEST);
        };
        let (targets, word) = (vec![target.to_owned()], words.verb(verb.name()));
        return pages::draw(exchange, StatusCode::OK, |page, _| {
            places::confirm(page, verb.name(), word, &targets, "", "/")
        });
    }
    let server = exchange.server;
    let said = act::legacy(&server.console, &server.inbox, exchange.visitor, action, name, &ctime()).await;
    let Some(said) = said else { return error(StatusCode::BAD_REQUEST) };
    answer::see_other(&format!("/?message={}", percent_encode(&said)))
}
