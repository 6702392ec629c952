//! `/program?name=…`: everything about one program.

use super::chart;
use super::frame::{Page, Place};
use super::markup::{Html, put};
use super::model::{Detail, Outcome};
use super::overview::{SIGNALS, exit_sentence, exit_words, outcomes, percent, size};
use super::texts::fill;
use crate::core::State;

/// The page.
pub fn page(page: &Page<'_>, view: &Detail, results: &[Outcome]) -> String {
    let (texts, program) = (page.texts, &view.program);
    page.whole(&program.namespec, Place::Elsewhere, Some("program.js"), |html| {
        put!(
            html,
            "<div class=\"head\" data-n=\"" (program.namespec) "\" data-s=\"" (program.state.name())
            "\" data-start=\"" (program.start_secs) "\"><h1>" (program.namespec)
            "</h1><p class=\"state\"><span class=\"dot\"></span><b>" (texts.state(program.state))
            "</b></p><dl class=\"facts\">"
        );
        facts(html, page, view);
        put!(html, "</dl></div>");
        outcomes(html, texts, results);
        actions(html, page, view);
        put!(html, "<div class=\"columns\"><div>");
        charts(html, page, view);
        history(html, page, view);
        put!(html, "</div><div>");
        tree(html, page, view);
        settings(html, page, view);
        environment(html, page, view);
        put!(html, "</div></div>");
    })
}

fn facts(html: &mut Html, page: &Page<'_>, view: &Detail) {
    let (texts, program) = (page.texts, &view.program);
    let is_up = matches!(program.state, State::Running | State::Starting | State::Stopping);
    put!(html, "<div><dt>" (texts.pid) "</dt><dd class=\"pid\">");
    if program.pid == 0 {
        put!(html, "–")
    } else {
        put!(html, (program.pid))
    }
    put!(html, "</dd></div><div><dt>" (texts.uptime) "</dt><dd class=\"uptime\">");
    if is_up {
        put!(html, (texts.duration(view.now_secs - program.start_secs)))
    } else {
        put!(html, "–")
    }
    put!(html, "</dd></div><div><dt>" (texts.cpu) "</dt><dd class=\"cpu\" title=\"" (texts.cpu_hint) "\">");
    match program.usage {
        Some(usage) => {
            put!(
                html,
                (percent(usage.cpu_permille)) "</dd></div><div><dt>" (texts.memory)
                "</dt><dd class=\"memory\" title=\"" (texts.memory_hint) "\">" (size(u64::from(usage.rss_kib)))
            )
        }
        None => put!(html, "–</dd></div><div><dt>" (texts.memory) "</dt><dd class=\"memory\">–"),
    }
    put!(
        html,
        "</dd></div><div><dt>" (texts.restarts) "</dt><dd class=\"restarts\">" (program.starts.saturating_sub(1))
        "</dd></div><div><dt>" (texts.last_exit) "</dt><dd class=\"exit\">"
    );
    match &program.last_exit {
        Some(exit) => {
            put!(html, (exit_sentence(texts, exit)) " · ");
            page.moment(html, exit.when_secs);
        }
        None => put!(html, "–"),
    }
    put!(html, "</dd></div>");
    if !program.trouble.is_empty() {
        put!(
            html,
            "<div class=\"long\"><dt>" (texts.failed) "</dt><dd class=\"trouble\">" (program.trouble) "</dd></div>"
        );
    }
}

fn actions(html: &mut Html, page: &Page<'_>, view: &Detail) {
    let (texts, program) = (page.texts, &view.program);
    let name = &program.namespec;
    put!(html, "<form id=\"programs\" class=\"bar tools\" method=\"post\" action=\"/actions\">");
    if page.may_act() {
        page.token_field(html);
        put!(
            html,
            "<input type=\"hidden\" name=\"p\" value=\"" (name)
            "\"><input type=\"hidden\" name=\"next\" value=\"/program?name=" [name] "\">"
        );
        for (action, label) in
            [("start", texts.start), ("restart", texts.restart), ("stop", texts.stop), ("clear", texts.clear_logs)]
        {
            put!(html, "<button name=\"do\" value=\"" (action) "\">" (label) "</button>");
        }
        put!(html, "<span class=\"pair\"><select name=\"signal\" aria-label=\"" (texts.by_signal) "\">");
        SIGNALS.iter().for_each(|signal| put!(html, "<option>" (signal) "</option>"));
        put!(html, "</select><button name=\"do\" value=\"signal\">" (texts.signal) "</button></span>");
    }
    put!(html, "<span class=\"gap\"></span>");
    for (channel, label, log) in [("stdout", texts.stdout, &view.logs[0]), ("stderr", texts.stderr, &view.logs[1])] {
        if log.is_some() {
            put!(html, "<a class=\"button\" href=\"/log?name=" [name] "&amp;channel=" (channel) "\">" (label) "</a>");
        }
    }
    put!(html, "</form>");
}

fn charts(html: &mut Html, page: &Page<'_>, view: &Detail) {
    let texts = page.texts;
    put!(
        html,
        "<section><h2>" (texts.charts) "</h2><div class=\"pairs\"><figure><figcaption>" (texts.cpu)
        " <b id=\"cpu-now\"></b></figcaption>"
    );
    let label = format!("{}, {}", texts.cpu, texts.last_hour);
    chart::draw(html, "cpu-chart", &label, &view.points, 100, |point| u64::from(point.cpu_permille));
    put!(html, "</figure><figure><figcaption>" (texts.memory) " <b id=\"memory-now\"></b></figcaption>");
    let label = format!("{}, {}", texts.memory, texts.last_hour);
    chart::draw(html, "memory-chart", &label, &view.points, 1024, |point| u64::from(point.rss_kib));
    put!(html, "</figure></div><p class=\"hint\">" (texts.sampling_hint) "</p></section>");
}

fn history(html: &mut Html, page: &Page<'_>, view: &Detail) {
    let texts = page.texts;
    put!(html, "<section><h2>" (texts.history) "</h2>");
    if view.history.is_empty() {
        put!(html, "<p class=\"hint\">" (texts.none_yet) "</p></section>");
        return;
    }
    put!(
        html,
        "<div class=\"wide\"><table class=\"list\"><thead><tr><th scope=\"col\">" (texts.when)
        "</th><th scope=\"col\">" (texts.change) "</th><th scope=\"col\">" (texts.pid) "</th><th scope=\"col\">"
        (texts.last_exit) "</th></tr></thead><tbody id=\"history\">"
    );
    for change in &view.history {
        put!(html, "<tr data-s=\"" (change.to.name()) "\"><td>");
        page.moment(html, change.when_secs);
        put!(
            html,
            "</td><td class=\"state\"><span class=\"dot\"></span>" (texts.state(change.from)) " → "
            (texts.state(change.to)) "</td><td>"
        );
        if change.pid != 0 {
            put!(html, (change.pid));
        }
        put!(html, "</td><td>");
        if let Some(status) = change.exit {
            put!(html, (exit_words(texts, status)));
        }
        put!(html, "</td></tr>");
    }
    put!(html, "</tbody></table></div></section>");
}

fn tree(html: &mut Html, page: &Page<'_>, view: &Detail) {
    let texts = page.texts;
    put!(html, "<section><h2>" (texts.processes) "</h2>");
    if view.tree.is_empty() {
        put!(html, "<p class=\"hint\">" (texts.not_running) "</p></section>");
        return;
    }
    put!(
        html,
        "<div class=\"wide\"><table class=\"list\"><thead><tr><th scope=\"col\">" (texts.pid)
        "</th><th scope=\"col\">" (texts.command) "</th><th scope=\"col\">" (texts.memory)
        "</th></tr></thead><tbody>"
    );
    for process in &view.tree {
        put!(html, "<tr><td>" (process.pid) "</td><td class=\"code\">");
        for _ in 0..process.depth {
            put!(html, "<span class=\"branch\"></span>");
        }
        put!(html, (process.command) "</td><td class=\"memory\">" (size(process.rss_kib)) "</td></tr>");
    }
    put!(html, "</tbody></table></div></section>");
}

fn settings(html: &mut Html, page: &Page<'_>, view: &Detail) {
    let texts = page.texts;
    put!(html, "<section><h2>" (texts.settings) "</h2>");
    if let Some(trouble) = &view.settings_trouble {
        put!(html, "<p class=\"notice bad\">" (fill(texts.settings_unreadable, &[trouble])) "</p>");
    }
    if !view.differing.is_empty() {
        put!(
            html,
            "<p class=\"notice\">" (fill(texts.differs_on_disk, &[&view.differing.join(", ")]))
            " <a href=\"/changes\">" (texts.changes) "</a></p>"
        );
    }
    put!(
        html,
        "<div class=\"wide\"><table class=\"list\"><thead><tr><th scope=\"col\">" (texts.setting)
        "</th><th scope=\"col\">" (texts.value) "</th><th scope=\"col\">" (texts.comes_from)
        "</th></tr></thead><tbody>"
    );
    for setting in &view.settings {
        put!(
            html,
            "<tr><th scope=\"row\" class=\"code\">" (setting.key) "</th><td class=\"code\">" (setting.value)
            "</td><td class=\"origin\">"
        );
        match &setting.origin {
            Some((file, line)) => {
                let name = file.rsplit('/').next().unwrap_or(file);
                put!(html, "<span title=\"" (file) "\">" (name) ":" (line) "</span>");
            }
            None => put!(html, "<span class=\"hint\">" (texts.default_value) "</span>"),
        }
        put!(html, "</td></tr>");
    }
    put!(html, "</tbody></table></div></section>");
}

fn environment(html: &mut Html, page: &Page<'_>, view: &Detail) {
    let texts = page.texts;
    put!(html, "<section><h2>" (texts.environment) "</h2>");
    if view.environment.is_empty() {
        put!(html, "<p class=\"hint\">" (texts.none_yet) "</p></section>");
        return;
    }
    put!(html, "<div class=\"wide\"><table class=\"list\"><tbody>");
    for (name, value) in &view.environment {
        put!(html, "<tr><th scope=\"row\" class=\"code\">" (name) "</th><td class=\"code\">" (value) "</td></tr>");
    }
    put!(html, "</tbody></table></div><p class=\"hint\">" (texts.masked_hint) "</p></section>");
}

/// The value of a variable as it may be shown: not at all when its name sounds like a secret, and without the password of an
/// address in it.
pub fn masked(name: &str, value: &str) -> String {
    const SECRET: [&str; 12] =
        ["PASS", "PWD", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "AUTH", "PRIVATE", "SIGN", "COOKIE", "SALT", "DSN"];
    const MASK: &str = "••••••";
    let upper = name.to_uppercase();
    if SECRET.iter().any(|word| upper.contains(word)) {
        return MASK.to_owned();
    }
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@').and_then(|(login, host)| Some((login.split_once(':')?.0, host))) {
        Some((user, host)) => format!("{scheme}://{user}:{MASK}@{host}{}", &rest[authority.len()..]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn secrets_are_masked() {
        assert_eq!(masked("DB_PASSWORD", "x"), "••••••");
        assert_eq!(masked("aws_secret_access_key", "x"), "••••••");
        assert_eq!(masked("PORT", "8080"), "8080");
        assert_eq!(masked("DATABASE_URL", "mysql://app:pa@ss@db:3306/x?y"), "mysql://app:••••••@db:3306/x?y");
        assert_eq!(masked("URL", "http://host/a:b@c"), "http://host/a:b@c");
    }
}
