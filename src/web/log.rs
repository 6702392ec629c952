//! `/log`: a log to read, search and follow; and `/tail.html`, where Supervisor has its own.

use super::form::Form;
use super::frame::{Page, Place};
use super::markup::{Html, put};
use super::model::LogPiece;
use super::texts::fill;

/// Which log a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The program, or `None` for the daemon's own log.
    pub name: Option<String>,
    /// Its standard error rather than its output.
    pub is_stderr: bool,
}

impl Shown {
    /// As the query of the page has it.
    pub fn of(form: &Form) -> Shown {
        let name = form.get("name").filter(|name| !name.is_empty()).map(str::to_owned);
        Shown { name, is_stderr: form.get("channel") == Some("stderr") }
    }

    fn channel(&self) -> &'static str {
        if self.is_stderr { "stderr" } else { "stdout" }
    }
}

/// The page. Without a piece there is no log.
pub fn page(page: &Page<'_>, shown: &Shown, piece: Option<&LogPiece>) -> String {
    let texts = page.texts;
    let title = shown.name.as_deref().unwrap_or(texts.log_of_daemon);
    let place = if shown.name.is_some() { Place::Elsewhere } else { Place::Log };
    page.whole(title, place, Some("log.js"), |html| {
        put!(html, "<div class=\"head\"><h1>");
        match &shown.name {
            Some(name) => put!(html, "<a href=\"/program?name=" [name] "\">" (name) "</a>"),
            None => put!(html, (texts.log_of_daemon)),
        }
        put!(html, "</h1>");
        if let Some(name) = &shown.name {
            put!(html, "<nav class=\"tabs\" aria-label=\"" (texts.logs) "\">");
            for (channel, label) in [("stdout", texts.stdout), ("stderr", texts.stderr)] {
                put!(html, "<a href=\"/log?name=" [name] "&amp;channel=" (channel) "\"");
                if channel == shown.channel() {
                    put!(html, " aria-current=\"page\"");
                }
                put!(html, ">" (label) "</a>");
            }
            put!(html, "</nav>");
        }
        put!(html, "</div>");
        match piece {
            None => put!(html, "<p class=\"lead\">" (texts.no_log) "</p>"),
            Some(piece) => viewer(html, page, shown, piece),
        }
    })
}

fn viewer(html: &mut Html, page: &Page<'_>, shown: &Shown, piece: &LogPiece) {
    let texts = page.texts;
    put!(
        html,
        "<div class=\"bar tools logtools\">"
        "<button id=\"follow\" class=\"js\" aria-pressed=\"true\" type=\"button\">" (texts.follow)
        "</button><form id=\"search\" class=\"js pair\" role=\"search\">"
        "<input type=\"search\" name=\"q\" aria-label=\"" (texts.search_log) "\" placeholder=\"" (texts.search_log)
        "\"><button>" (texts.search)
        "</button></form><label class=\"js\"><input id=\"wrap\" type=\"checkbox\" checked> " (texts.wrap)
        "</label><label class=\"js\"><input id=\"times\" type=\"checkbox\"> " (texts.times)
        "</label><span class=\"gap\"></span>"
    );
    if piece.start > 0 {
        link(html, shown, "before", piece.start, &piece.file, texts.older);
    } else if let Some(older) = &piece.older {
        link(html, shown, "before", u64::MAX >> 12, older, texts.older);
    }
    if piece.end < piece.size {
        link(html, shown, "after", piece.end, &piece.file, texts.newer);
    } else if let Some(newer) = &piece.newer {
        link(html, shown, "after", 0, newer, texts.newer);
    }
    put!(html, "<a class=\"button\" id=\"latest\" href=\"/log?");
    target(html, shown);
    put!(html, "\">" (texts.latest) "</a><a class=\"button\" href=\"/log/download?");
    target(html, shown);
    put!(
        html,
        "&amp;file=" [&piece.file] "\">" (texts.download)
        "</a></div><div id=\"hits\" class=\"hits\" hidden></div><p class=\"hint\" id=\"where\">"
        (fill(texts.log_file, &[&piece.path, &piece.start.to_string(), &piece.end.to_string(), &piece.size.to_string()]))
        "</p><pre id=\"log\" class=\"log wrap\" tabindex=\"0\" aria-label=\"" (texts.logs) "\" data-name=\""
        (shown.name.as_deref().unwrap_or_default()) "\" data-channel=\"" (shown.channel()) "\" data-file=\""
        (piece.file) "\" data-start=\"" (piece.start) "\" data-end=\"" (piece.end) "\" data-size=\"" (piece.size)
        "\" data-age=\"" (piece.age) "\">"
    );
    for line in &piece.lines {
        put!(html, "<span>" (without_escapes(line)) "\n</span>");
    }
    put!(html, "</pre>");
    if piece.lines.is_empty() {
        put!(html, "<p class=\"hint\" id=\"nothing\">" (texts.log_empty) "</p>");
    }
}

fn target(html: &mut Html, shown: &Shown) {
    put!(html, "name=" [shown.name.as_deref().unwrap_or_default()] "&amp;channel=" (shown.channel()));
}

fn link(html: &mut Html, shown: &Shown, side: &str, offset: u64, file: &str, label: &str) {
    put!(html, "<a class=\"button nojs\" href=\"/log?");
    target(html, shown);
    put!(html, "&amp;" (side) "=" (offset) "&amp;file=" [file] "\">" (label) "</a>");
}

/// A line without the colours that only the script can draw.
fn without_escapes(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let after = &rest[at + 2..];
        let end = after.find(|c: char| ('\u{40}'..='\u{7e}').contains(&c)).map_or(after.len(), |end| end + 1);
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

/// What `/tail.html` can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// The query names no program.
    NoName,
    /// The end of the log.
    Text(String),
    /// It has none.
    NoFile,
    /// There is no such program.
    Unknown,
}

/// `/tail.html` (`Supervisor: web.py TailView`): the words are those that scripts look for.
pub fn tail_page(page: &Page<'_>, name: Option<&str>, limit: u64, tail: &Tail) -> String {
    let title = format!("Supervisor tail of process {}", name.unwrap_or("None"));
    let shown = name.unwrap_or_default();
    page.whole(&title, Place::Elsewhere, None, |html| {
        put!(
            html,
            "<h1>" (title) "</h1><p><a class=\"button\" href=\"/tail.html?processname=" [shown] "&amp;limit="
            (limit) "\">" (page.texts.refresh) "</a> <a class=\"button\" href=\"/log?name=" [shown] "\">"
            (page.texts.logs) "</a></p><pre class=\"log wrap\">"
        );
        match tail {
            Tail::NoName => put!(html, "No process name found"),
            Tail::NoFile => put!(html, "No file for "(shown)),
            Tail::Unknown => put!(html, "ERROR: unexpected rpc fault [10] BAD_NAME: "(shown)),
            Tail::Text(text) => put!(html, (without_escapes(text))),
        }
        put!(html, "</pre>");
    })
}

#[cfg(test)]
mod tests {
    use super::without_escapes;

    #[test]
    fn colours_leave_nothing_behind() {
        assert_eq!(without_escapes("\u{1b}[1;31mred\u{1b}[0m plain"), "red plain");
        assert_eq!(without_escapes("cut \u{1b}[31"), "cut ");
        assert_eq!(without_escapes("\u{1b}[支x付"), "付");
    }
}
