//! The smaller pages: what an update would do, the feed of events, the host, about, and asking back before an action.

use super::frame::{Page, Place};
use super::journal::Happening;
use super::markup::{Html, put};
use super::model::{Facts, Feed, Outcome, Plan};
use super::overview::{exit_words, outcomes, size};
use super::texts::fill;
use crate::core::Action;
use crate::{KIT_VERSION, SUPERVISOR_VERSION};

/// `/changes`.
pub fn changes(page: &Page<'_>, plan: &Plan, results: &[Outcome]) -> String {
    let texts = page.texts;
    page.whole(texts.changes, Place::Changes, Some("changes.js"), |html| {
        put!(html, "<h1>" (texts.plan) "</h1>");
        outcomes(html, texts, results);
        let plan = match plan {
            Ok(plan) => plan,
            Err(text) => {
                put!(
                    html,
                    "<p class=\"notice bad\">" (texts.plan_unreadable) "</p><pre class=\"log wrap\">" (text)
                    "</pre>"
                );
                return;
            }
        };
        if plan.iter().all(|line| line.action == Action::Keep) {
            put!(html, "<p class=\"lead\" id=\"plan\">" (texts.plan_nothing) "</p>");
            return;
        }
        put!(
            html,
            "<p class=\"lead\">" (texts.plan_intro) "</p><form id=\"programs\" method=\"post\" action=\"/actions\">"
        );
        page.token_field(html);
        put!(
            html,
            "<input type=\"hidden\" name=\"next\" value=\"/changes\"><div class=\"wide\">"
            "<table class=\"list\" id=\"plan\"><thead><tr><th scope=\"col\">" (texts.action)
            "</th><th scope=\"col\">" (texts.group) "</th><th scope=\"col\">" (texts.program)
            "</th><th scope=\"col\">" (texts.keys) "</th><th scope=\"col\">" (texts.outcome_up)
            "</th><th scope=\"col\" class=\"act\"></th></tr></thead><tbody>"
        );
        let mut told: Option<&str> = None;
        for line in plan.iter().filter(|line| line.action != Action::Keep) {
            let (word, name) = match line.action {
                Action::Keep => ("keep", texts.keep),
                Action::Apply => ("apply", texts.apply),
                Action::Restart => ("restart", texts.plan_restart),
                Action::Start => ("start", texts.plan_start),
                Action::Stop => ("stop", texts.plan_stop),
            };
            put!(
                html,
                "<tr class=\"plan-" (word) "\"><td class=\"todo\">" (name) "</td><td>" (line.group)
                "</td><th scope=\"row\">" (line.name) "</th><td class=\"code\">" (line.keys.join(", ")) "</td><td>"
                (if line.is_up { texts.yes } else { texts.no }) "</td><td class=\"act\">"
            );
            if page.may_act() && told != Some(&line.group) {
                put!(
                    html,
                    "<button name=\"do\" value=\"update:" (line.group) "\">"
                    (fill(texts.update_one, &[&line.group])) "</button>"
                );
            }
            told = Some(&line.group);
            put!(html, "</td></tr>");
        }
        put!(html, "</tbody></table></div>");
        if page.may_act() {
            put!(
                html,
                "<p><button class=\"primary\" name=\"do\" value=\"update:*\">" (texts.update_all) "</button></p>"
            );
        }
        put!(html, "</form>");
    })
}

/// `/events`.
pub fn events(page: &Page<'_>, feed: &Feed) -> String {
    let texts = page.texts;
    page.whole(texts.events, Place::Events, Some("events.js"), |html| {
        put!(
            html,
            "<h1>" (texts.events) "</h1><p class=\"hint\">"
            (fill(texts.feed_intro, &[&super::journal::FEED_MAX.to_string()])) "</p>"
        );
        put!(
            html,
            "<div class=\"wide\"><table class=\"list\" data-seq=\"" (feed.seq) "\"><thead><tr><th scope=\"col\">"
            (texts.when) "</th><th scope=\"col\">" (texts.what) "</th><th scope=\"col\">" (texts.who)
            "</th></tr></thead><tbody id=\"feed\">"
        );
        for entry in &feed.entries {
            put!(html, "<tr");
            if let Happening::Program { change, .. } = &entry.what {
                put!(html, " data-s=\"" (change.to.name()) "\"");
            }
            put!(html, "><td>");
            page.moment(html, entry.when_secs);
            put!(html, "</td><td>");
            happening(html, page, &entry.what);
            put!(html, "</td><td>");
            if let Happening::Action { who, .. } = &entry.what {
                put!(html, (who));
            }
            put!(html, "</td></tr>");
        }
        put!(html, "</tbody></table></div>");
        if feed.entries.is_empty() {
            put!(html, "<p class=\"lead\" id=\"empty\">" (texts.feed_empty) "</p>");
        }
    })
}

fn happening(html: &mut Html, page: &Page<'_>, what: &Happening) {
    let texts = page.texts;
    match what {
        Happening::Program { name, change } => {
            put!(
                html,
                "<span class=\"dot\"></span><a href=\"/program?name=" [name] "\">" (name) "</a> "
                (texts.state(change.from)) " → <b>" (texts.state(change.to)) "</b>"
            );
            if let Some(status) = change.exit {
                put!(html, " · "(exit_words(texts, status)));
            }
        }
        Happening::GroupAdded(name) => put!(html, (fill(texts.group_added, &[name]))),
        Happening::GroupRemoved(name) => put!(html, (fill(texts.group_removed, &[name]))),
        Happening::Started => put!(html, (texts.daemon_started)),
        Happening::Stopping => put!(html, (texts.daemon_stopping)),
        Happening::Action { what, is_done, .. } => {
            let class = if *is_done { "fine" } else { "bad" };
            put!(html, "<span class=\"" (class) "\">" (what) "</span>");
        }
    }
}

/// `/host`.
pub fn host(page: &Page<'_>, facts: &Facts) -> String {
    let texts = page.texts;
    page.whole(texts.host, Place::Host, None, |html| {
        put!(
            html,
            "<h1>" (texts.host) "</h1><div class=\"columns\"><section><h2>" (facts.host) "</h2><dl class=\"sheet\">"
        );
        fact(html, texts.system, &facts.system);
        fact(html, texts.kernel, &facts.kernel);
        fact(html, texts.architecture, &facts.machine);
        fact(html, texts.processors, &facts.processors.to_string());
        fact(html, texts.uptime_host, &texts.duration(facts.uptime_secs));
        let load = facts.load.map(|load| format!("{}.{:02}", load / 100, load % 100));
        fact(html, texts.load, &load.join(" · "));
        let [total, available] = facts.memory_kib;
        gauge(
            html,
            texts.memory_used,
            total.saturating_sub(available),
            total,
            &fill(texts.free_of, &[&size(available), &size(total)]),
        );
        let [total, free] = facts.disk_kib;
        gauge(
            html,
            &fill(texts.disk_of, &[&facts.log_dir]),
            total.saturating_sub(free),
            total,
            &fill(texts.free_of, &[&size(free), &size(total)]),
        );
        put!(html, "</dl></section><section><h2>" (texts.daemon) "</h2><dl class=\"sheet\">");
        let own = &facts.daemon;
        fact(html, texts.identifier, &own.identifier);
        fact(html, texts.pid, &own.pid.to_string());
        put!(html, "<div><dt>" (texts.started_at) "</dt><dd>");
        page.moment(html, own.start_secs);
        put!(html, "</dd></div>");
        fact(html, texts.config_file, &own.config);
        fact(html, texts.log_of_daemon, own.log.as_deref().unwrap_or("–"));
        fact(html, texts.own_memory, &size(own.rss_kib));
        fact(
            html,
            texts.own_cpu,
            &format!("{}.{:02} {}", own.cpu_millis / 1000, own.cpu_millis % 1000 / 10, texts.second),
        );
        fact(html, texts.descriptors, &own.descriptors.to_string());
        put!(html, "</dl></section></div>");
    })
}

fn fact(html: &mut Html, name: &str, value: &str) {
    put!(html, "<div><dt>" (name) "</dt><dd>" (value) "</dd></div>");
}

fn gauge(html: &mut Html, name: &str, used: u64, total: u64, words: &str) {
    put!(
        html,
        "<div><dt>" (name) "</dt><dd><meter min=\"0\" max=\"" (total.max(1)) "\" high=\"" (total / 10 * 9)
        "\" value=\"" (used) "\" aria-label=\"" (name) "\"></meter> " (words) "</dd></div>"
    );
}

/// `/about`.
pub fn about(page: &Page<'_>, target: &str) -> String {
    let texts = page.texts;
    page.whole(texts.about, Place::About, None, |html| {
        put!(html, "<h1>supervisor-kit</h1><p class=\"lead\">" (texts.about_text) "</p><dl class=\"sheet narrow\">");
        fact(html, texts.version, KIT_VERSION);
        fact(html, texts.serves_as, &format!("Supervisor {SUPERVISOR_VERSION}"));
        fact(html, texts.built_with, target);
        fact(html, texts.licence, "Apache-2.0");
        put!(
            html,
            "</dl><ul class=\"links\"><li><a href=\"/api/v1/openapi.json\">" (texts.api_document)
            "</a></li><li><a href=\"/metrics\">" (texts.metrics) "</a></li></ul>"
        );
    })
}

/// Asking back, before something that hurts: with a script in a dialogue, without one on this page.
pub fn confirm(page: &Page<'_>, action: &str, verb: &str, targets: &[String], signal: &str, next: &str) -> String {
    let texts = page.texts;
    let title = fill(texts.confirm_title, &[verb]);
    page.whole(&title, Place::Elsewhere, None, |html| {
        put!(html, "<h1>" (title) "</h1>");
        if targets.len() > LISTED_MAX {
            put!(html, "<p class=\"lead\">" (fill(texts.confirm_many, &[&targets.len().to_string()])) "</p>");
        } else {
            put!(html, "<p class=\"lead\">" (fill(texts.confirm_text, &[&targets.join(", ")])) "</p>");
        }
        put!(html, "<form method=\"post\" action=\"/actions\">");
        page.token_field(html);
        put!(
            html,
            "<input type=\"hidden\" name=\"confirmed\" value=\"1\"><input type=\"hidden\" name=\"signal\" value=\""
            (signal) "\"><input type=\"hidden\" name=\"next\" value=\"" (next) "\">"
        );
        for target in targets {
            put!(html, "<input type=\"hidden\" name=\"p\" value=\"" (target) "\">");
        }
        put!(
            html,
            "<p class=\"bar\"><button class=\"primary\" name=\"do\" value=\"" (action) "\">"
            (fill(texts.go_on, &[&verb.to_lowercase()])) "</button> <a class=\"button\" href=\"" (next) "\">"
            (texts.cancel) "</a></p></form>"
        );
    })
}

/// More are counted, not listed.
const LISTED_MAX: usize = 12;
