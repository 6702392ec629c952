//! The pages: gathers what each shows, and has it drawn.

use hyper::{Response, StatusCode};

use super::{Exchange, answer, clock};
use crate::daemon::console::log_file::{self, PIECE_BYTES, Side};
use crate::daemon::console::look;
use crate::daemon::http::content::{Body, error};
use crate::logs::read;
use crate::rpc::Channel;
use crate::web::frame::{self, Page};
use crate::web::log::{self, Shown, Tail};
use crate::web::model::Outcome;
use crate::web::overview::{self, Filter};
use crate::web::texts::{fill, texts};
use crate::web::{places, program};

/// Least bytes of `/tail.html` (`Supervisor: web.py TailView`).
const TAIL_BYTES: u64 = 1024;

/// Most bytes of it.
const TAIL_BYTES_MAX: u64 = 1024 * 1024;

/// Any page by its name.
pub async fn respond(exchange: &Exchange<'_>, name: &str) -> Response<Body> {
    let inbox = &exchange.server.inbox;
    let query = &exchange.query;
    match name {
        "" | "index.html" => {
            let Some(view) = inbox.look(|core, shell| look::overview(core, shell)).await else { return gone() };
            let filter = Filter::of(query);
            draw(exchange, StatusCode::OK, |page, results| overview::page(page, &view, &filter, results))
        }
        "program" => {
            let wanted = query.get("name").unwrap_or_default().to_owned();
            let asked = wanted.clone();
            let Some(view) = inbox.look(move |core, shell| look::detail(core, shell, &asked)).await else {
                return gone();
            };
            let Some(view) = view else { return missing(exchange, &wanted) };
            draw(exchange, StatusCode::OK, |page, results| program::page(page, &view, results))
        }
        "log" => log_page(exchange).await,
        "tail.html" => tail_page(exchange).await,
        "events" => {
            let Some(feed) = inbox.look(|_, shell| look::feed(shell, 0)).await else { return gone() };
            draw(exchange, StatusCode::OK, |page, _| places::events(page, &feed))
        }
        "changes" => {
            let Some(plan) = inbox.look(|core, shell| look::plan(core, shell)).await else { return gone() };
            draw(exchange, StatusCode::OK, |page, results| places::changes(page, &plan, results))
        }
        "host" => {
            let Some(facts) = inbox.look(|_, shell| look::facts(shell)).await else { return gone() };
            draw(exchange, StatusCode::OK, |page, _| places::host(page, &facts))
        }
        "about" => draw(exchange, StatusCode::OK, |page, _| places::about(page, env!("BUILD_TARGET"))),
        _ => error(StatusCode::NOT_FOUND),
    }
}

/// Draws a page for the session of its visitor, which begins here if there is none.
pub fn draw(
    exchange: &Exchange<'_>,
    status: StatusCode,
    draw: impl FnOnce(&Page<'_>, &[Outcome]) -> String,
) -> Response<Body> {
    let (server, visitor) = (exchange.server, exchange.visitor);
    let (token, results, begun) = {
        let mut sessions = server.console.sessions.borrow_mut();
        let is_own = |user: &str| user == visitor.user;
        let known = visitor.session.as_deref().and_then(|id| sessions.find(id, &visitor.server));
        match known.filter(|session| is_own(&session.user)) {
            Some(session) => {
                session.touch();
                (session.token.clone(), std::mem::take(&mut session.results), None)
            }
            None => {
                let session = sessions.begin(&visitor.server, &visitor.user, visitor.role, None);
                (session.token.clone(), Vec::new(), Some(session.id.clone()))
            }
        }
    };
    let page = Page {
        texts: texts(exchange.language()),
        theme: exchange.theme(),
        identifier: &server.identifier,
        host: &server.console.host_name,
        user: &visitor.user,
        role: visitor.role,
        has_session: visitor.is_signed_in,
        token: &token,
        here: &exchange.here,
        clock: &clock,
    };
    let text = draw(&page, &results);
    let mut response = answer::page(exchange, status, text);
    if let Some(id) = begun {
        answer::set_cookie(&mut response, exchange, &server.console.cookie, &id, None);
    }
    response
}

/// A page that says why something was not done.
pub fn refuse(exchange: &Exchange<'_>, text: &str) -> Response<Body> {
    let title = texts(exchange.language()).forbidden;
    draw(exchange, StatusCode::FORBIDDEN, |page, _| frame::message(page, title, text))
}

fn missing(exchange: &Exchange<'_>, name: &str) -> Response<Body> {
    let words = texts(exchange.language());
    let text = fill(words.not_found_text, &[name]);
    draw(exchange, StatusCode::NOT_FOUND, |page, _| frame::message(page, words.not_found, &text))
}

/// The loop has ended.
fn gone() -> Response<Body> {
    error(StatusCode::SERVICE_UNAVAILABLE)
}

async fn log_page(exchange: &Exchange<'_>) -> Response<Body> {
    let shown = Shown::of(&exchange.query);
    let (name, channel) = (shown.name.clone(), channel_of(shown.is_stderr));
    let path = exchange.server.inbox.look(move |core, shell| look::log_path(core, shell, name.as_deref(), channel));
    let Some(path) = path.await else { return gone() };
    let Some(path) = path else { return missing(exchange, shown.name.as_deref().unwrap_or_default()) };
    let side = match (exchange.query.number("before"), exchange.query.number("after")) {
        (_, Some(after)) => Side::After(after),
        (before, None) => Side::Before(before.unwrap_or(u64::MAX)),
    };
    let file = exchange.query.get("file");
    let piece = path.and_then(|path| {
        // A file that is gone by now is shown from the end of the newest.
        log_file::piece(&path, file, side, PIECE_BYTES)
            .or_else(|_| log_file::piece(&path, None, Side::Before(u64::MAX), PIECE_BYTES))
            .ok()
    });
    draw(exchange, StatusCode::OK, |page, _| log::page(page, &shown, piece.as_ref()))
}

/// The channel that a query means.
pub fn channel_of(is_stderr: bool) -> Channel {
    if is_stderr { Channel::Stderr } else { Channel::Stdout }
}

async fn tail_page(exchange: &Exchange<'_>) -> Response<Body> {
    let limit = exchange.query.number("limit").unwrap_or(TAIL_BYTES).clamp(TAIL_BYTES, TAIL_BYTES_MAX);
    let name = exchange.query.get("processname").filter(|name| !name.is_empty());
    let tail = match name {
        None => Tail::NoName,
        Some(name) => {
            let asked = name.to_owned();
            let path = exchange
                .server
                .inbox
                .look(move |core, shell| look::log_path(core, shell, Some(&asked), Channel::Stdout));
            match path.await {
                None => return gone(),
                Some(None) => Tail::Unknown,
                Some(Some(path)) => {
                    let slice = path.and_then(|path| read::read_slice(&path, -limit.cast_signed(), 0).ok());
                    slice.map_or(Tail::NoFile, |slice| Tail::Text(slice.text()))
                }
            }
        }
    };
    draw(exchange, StatusCode::OK, |page, _| log::tail_page(page, name, limit, &tail))
}
