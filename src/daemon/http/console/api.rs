//! `/api/v1/`: the same as the pages for programs and scripts, `/metrics`, and logs as files.

use std::io;
use std::path::PathBuf;

use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::{Exchange, answer, pages};
use crate::daemon::console::log_file::{self, PIECE_BYTES, Side};
use crate::daemon::console::stream::{Changes, Lines, STREAMS_MAX, cursor};
use crate::daemon::console::{look, usage};
use crate::daemon::http::content::{Body, with_type};
use crate::web::assets::asset;
use crate::web::form::percent_decode;
use crate::web::log::Shown;
use crate::web::{json, metrics};

/// An answer, or the status and code of an error with a sentence.
type Answer = Result<Response<Body>, (StatusCode, &'static str, String)>;

const GONE: (StatusCode, &str, &str) = (StatusCode::SERVICE_UNAVAILABLE, "ended", "the daemon is ending");

/// Any path below `/api/v1/`, and `/metrics`.
pub async fn respond(exchange: &Exchange<'_>) -> Response<Body> {
    find(exchange).await.unwrap_or_else(|(status, code, text)| answer::api_error(status, code, &text))
}

fn gone() -> (StatusCode, &'static str, String) {
    (GONE.0, GONE.1, GONE.2.to_owned())
}

fn missing(text: impl Into<String>) -> (StatusCode, &'static str, String) {
    (StatusCode::NOT_FOUND, "not_found", text.into())
}

async fn find(exchange: &Exchange<'_>) -> Answer {
    let inbox = &exchange.server.inbox;
    let value: Value = match exchange.path.strip_prefix("/api/v1/").unwrap_or("metrics") {
        "metrics" => {
            let (rows, daemon) = inbox.look(|core, shell| look::metrics(core, shell)).await.ok_or_else(gone)?;
            return Ok(answer::text(exchange, metrics::CONTENT_TYPE, metrics::document(&rows, &daemon)));
        }
        "openapi.json" => {
            return asset("openapi.json")
                .map(|asset| answer::file(exchange, asset))
                .ok_or_else(|| missing("openapi.json"));
        }
        "programs" => {
            let console = &exchange.server.console;
            let view = inbox.look(|core, shell| look::overview(core, shell)).await.ok_or_else(gone)?;
            let mut value = json::overview(&view);
            value["cursor"] = console.cursor(view.seq).into();
            value
        }
        "events" => {
            let since = exchange.query.number("since").unwrap_or(0);
            let feed = inbox.look(move |_, shell| look::feed(shell, since)).await.ok_or_else(gone)?;
            let entries: Vec<Value> = feed.entries.iter().map(json::entry).collect();
            json!({ "seq": feed.seq, "events": entries })
        }
        "changes" => json::plan(&inbox.look(|core, shell| look::plan(core, shell)).await.ok_or_else(gone)?),
        "host" => json::facts(&inbox.look(|_, shell| look::facts(shell)).await.ok_or_else(gone)?),
        "stream" => return stream(exchange),
        "log" => json::piece(&piece(exchange).await?),
        "log/search" => search(exchange).await?,
        "log/follow" => return follow(exchange).await,
        path => {
            let name = percent_decode(path.strip_prefix("programs/").ok_or_else(|| missing("no such path"))?);
            let asked = name.clone();
            let view = inbox.look(move |core, shell| look::detail(core, shell, &asked)).await.ok_or_else(gone)?;
            json::detail(&view.ok_or_else(|| missing(format!("no program {name}")))?)
        }
    };
    Ok(answer::api(exchange, &value))
}

fn stream(exchange: &Exchange<'_>) -> Answer {
    let server = exchange.server;
    if usage::watchers(&server.console) >= STREAMS_MAX {
        return Err((StatusCode::SERVICE_UNAVAILABLE, "busy", "too many streams are open".to_owned()));
    }
    let last = exchange.headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let since = cursor(last, exchange.query.get("since"));
    let changes = Changes::new(&server.console, &server.inbox, exchange.visitor, since);
    Ok(answer::events(Body::endless(changes)))
}

/// The path of the log that a query means.
async fn path_of(exchange: &Exchange<'_>) -> Result<PathBuf, (StatusCode, &'static str, String)> {
    let Shown { name, is_stderr } = Shown::of(&exchange.query);
    let channel = pages::channel_of(is_stderr);
    let path = exchange.server.inbox.look(move |core, shell| look::log_path(core, shell, name.as_deref(), channel));
    let path = path.await.ok_or_else(gone)?.ok_or_else(|| missing("no such program"))?;
    path.ok_or_else(|| missing("there is no log file"))
}

fn unreadable(error: &io::Error) -> (StatusCode, &'static str, String) {
    match error.kind() {
        io::ErrorKind::NotFound => (StatusCode::NOT_FOUND, "no_file", "the file is not there (any more)".to_owned()),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "unreadable", error.to_string()),
    }
}

async fn piece(exchange: &Exchange<'_>) -> Result<crate::web::model::LogPiece, (StatusCode, &'static str, String)> {
    let path = path_of(exchange).await?;
    let query = &exchange.query;
    let side = match query.number("after") {
        Some(after) => Side::After(after),
        None => Side::Before(query.number("before").unwrap_or(u64::MAX)),
    };
    let bytes = query.number("bytes").unwrap_or(PIECE_BYTES);
    log_file::piece(&path, query.get("file"), side, bytes).map_err(|error| unreadable(&error))
}

/// On another thread: it may read many megabytes.
async fn search(exchange: &Exchange<'_>) -> Result<Value, (StatusCode, &'static str, String)> {
    let path = path_of(exchange).await?;
    let query = &exchange.query;
    let needle = query.get("q").unwrap_or_default().to_owned();
    if needle.is_empty() {
        return Err((StatusCode::BAD_REQUEST, "query", "\"q\" is empty".to_owned()));
    }
    let (file, before) = (query.get("file").map(str::to_owned), query.number("before").unwrap_or(u64::MAX));
    let found = tokio::task::spawn_blocking(move || log_file::search(&path, file.as_deref(), before, &needle));
    let found = found.await.map_err(|_| gone())?.map_err(|error| unreadable(&error))?;
    Ok(json::search(&found))
}

/// From where a page left off, if that is still the file that grows; else from its end.
async fn follow(exchange: &Exchange<'_>) -> Answer {
    let server = exchange.server;
    let Shown { name, is_stderr } = Shown::of(&exchange.query);
    let follower = server.inbox.follow(name, pages::channel_of(is_stderr)).await;
    let mut follower = follower.ok_or_else(|| missing("there is no log to follow"))?;
    let is_same = exchange.query.get("file").is_some_and(|file| file == follower.file_name());
    if let Some(from) = exchange.query.number("from").filter(|_| is_same) {
        follower.seek(from);
    }
    Ok(answer::events(Body::endless(Lines::new(&server.console, exchange.visitor, follower))))
}

/// `/log/download`: a whole file of a log.
pub async fn download(exchange: &Exchange<'_>) -> Response<Body> {
    let part = match path_of(exchange).await {
        Ok(path) => log_file::open(&path, exchange.query.get("file")).map_err(|error| unreadable(&error)),
        Err(error) => Err(error),
    };
    match part {
        Ok(part) => {
            let name = part.path.file_name().map_or_else(|| "log".into(), |name| name.to_string_lossy().into_owned());
            let mut response = with_type("text/plain", Body::part(part.file, part.size));
            let disposition = format!("attachment; filename*=UTF-8''{}", crate::web::percent_encode(&name));
            if let Ok(disposition) = HeaderValue::try_from(disposition) {
                response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
            }
            answer::guarded(response, "no-store")
        }
        Err((status, code, text)) => answer::api_error(status, code, &text),
    }
}
