//! `/`: every program, and what can be done with it.

use super::form::Form;
use super::frame::{Page, Place};
use super::journal::Exit;
use super::markup::{Html, put};
use super::model::{Outcome, Overview, Program};
use super::texts::{Texts, fill};
use crate::config::signal;
use crate::core::{ExitStatus, Mood, State};

/// Signals that are offered.
pub const SIGNALS: [&str; 9] = ["HUP", "USR1", "USR2", "TERM", "INT", "QUIT", "CONT", "STOP", "KILL"];

/// The states, the most worrying first, as filters and counts show them.
pub const STATES: [State; 7] =
    [State::Fatal, State::Backoff, State::Exited, State::Stopped, State::Stopping, State::Starting, State::Running];

/// What is to be shown.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of a name, in small letters.
    pub text: String,
    /// Name of a state, or empty.
    pub state: String,
    /// Name of a group, or empty.
    pub group: String,
}

impl Filter {
    /// As the query of the page has it.
    pub fn of(form: &Form) -> Filter {
        let get = |name| form.get(name).unwrap_or_default().to_owned();
        Filter { text: get("q").to_lowercase(), state: get("state"), group: get("group") }
    }

    fn lets_through(&self, program: &Program) -> bool {
        program.namespec.to_lowercase().contains(&self.text)
            && (self.state.is_empty() || program.state.name() == self.state)
            && (self.group.is_empty() || program.group == self.group)
    }
}

/// The page. `results` is what the last action did.
pub fn page(page: &Page<'_>, view: &Overview, filter: &Filter, results: &[Outcome]) -> String {
    page.whole(page.texts.overview, Place::Overview, Some("overview.js"), |html| {
        put!(html, "<h1 class=\"sr\">" (page.texts.overview) "</h1>");
        match view.mood {
            Mood::Running => {}
            Mood::Shutdown => put!(html, "<p class=\"notice bad\">" (page.texts.shutting_down) "</p>"),
            Mood::Restarting => put!(html, "<p class=\"notice bad\">" (page.texts.restarting_daemon) "</p>"),
        }
        outcomes(html, page.texts, results);
        filter_bar(html, page, view, filter);
        put!(html, "<form id=\"programs\" method=\"post\" action=\"/actions\">");
        page.token_field(html);
        if page.may_act() {
            toolbar(html, page.texts);
        }
        table(html, page, view, filter);
        put!(html, "</form>");
    })
}

/// What an action did, program by program.
pub fn outcomes(html: &mut Html, texts: &Texts, results: &[Outcome]) {
    put!(html, "<section id=\"results\" aria-label=\"" (texts.results) "\"");
    if results.is_empty() {
        put!(html, " hidden");
    }
    put!(html, "><ul>");
    for outcome in results {
        match &outcome.result {
            Ok(()) => put!(html, "<li class=\"good\"><b>" (outcome.name) "</b> " (texts.done_ok) "</li>"),
            Err((_, text)) => {
                put!(html, "<li class=\"bad\"><b>" (outcome.name) "</b> " (texts.failed) ": " (text) "</li>")
            }
        }
    }
    put!(html, "</ul></section>");
}

fn filter_bar(html: &mut Html, page: &Page<'_>, view: &Overview, filter: &Filter) {
    let texts = page.texts;
    put!(html, "<form id=\"filter\" class=\"bar\" method=\"get\" action=\"/\" role=\"search\"><ul class=\"counts\">");
    for state in STATES {
        let count = view.programs.iter().filter(|program| program.state == state).count();
        put!(html, "<li><a class=\"chip\" href=\"/?state=" (state.name()) "\" data-s=\"" (state.name()) "\"");
        if count == 0 {
            put!(html, " hidden");
        }
        if filter.state == state.name() {
            put!(html, " aria-current=\"true\"");
        }
        put!(html, "><b>" (count) "</b> " (texts.state(state)) "</a></li>");
    }
    put!(
        html,
        "</ul><input type=\"search\" name=\"q\" value=\"" (filter.text) "\" placeholder=\""
        (texts.search_placeholder) "\" aria-label=\"" (texts.search_placeholder)
        "\"><select name=\"state\" aria-label=\"" (texts.state) "\"><option value=\"\">" (texts.all_states)
        "</option>"
    );
    for state in STATES {
        option(html, state.name(), texts.state(state), &filter.state);
    }
    put!(
        html,
        "</select><select name=\"group\" aria-label=\"" (texts.group) "\"><option value=\"\">" (texts.all_groups)
        "</option>"
    );
    let mut groups: Vec<&str> = view.programs.iter().map(|program| program.group.as_str()).collect();
    groups.dedup();
    groups.iter().for_each(|group| option(html, group, group, &filter.group));
    put!(
        html,
        "</select><button class=\"nojs\">" (texts.filter)
        "</button><span id=\"shown\" class=\"hint js\"></span></form>"
    );
}

fn option(html: &mut Html, value: &str, name: &str, chosen: &str) {
    put!(html, "<option value=\"" (value) "\"");
    if value == chosen {
        put!(html, " selected");
    }
    put!(html, ">" (name) "</option>");
}

fn toolbar(html: &mut Html, texts: &Texts) {
    put!(html, "<div class=\"bar tools\"><span id=\"selected\" class=\"hint\"></span>");
    for (action, name) in
        [("start", texts.start), ("restart", texts.restart), ("stop", texts.stop), ("clear", texts.clear_logs)]
    {
        put!(html, "<button name=\"do\" value=\"" (action) "\">" (name) "</button>");
    }
    put!(html, "<span class=\"pair\"><select name=\"signal\" aria-label=\"" (texts.by_signal) "\">");
    SIGNALS.iter().for_each(|signal| option(html, signal, signal, "HUP"));
    put!(
        html,
        "</select><button name=\"do\" value=\"signal\">" (texts.signal)
        "</button></span><span class=\"gap\"></span><button name=\"do\" value=\"start:*\">" (texts.start_all)
        "</button><button name=\"do\" value=\"restart:*\">" (texts.restart_all)
        "</button><button name=\"do\" value=\"stop:*\">" (texts.stop_all) "</button></div>"
    );
}

fn table(html: &mut Html, page: &Page<'_>, view: &Overview, filter: &Filter) {
    let texts = page.texts;
    put!(
        html,
        "<div class=\"wide\"><table class=\"list programs\" data-seq=\"" (view.seq) "\" data-now=\"" (view.now_secs)
        "\"><caption class=\"sr\">" (texts.programs) "</caption><thead><tr>"
    );
    if page.may_act() {
        put!(
            html,
            "<th class=\"pick\"><input id=\"all\" class=\"js\" type=\"checkbox\" aria-label=\"" (texts.select_all)
            "\"></th>"
        );
    }
    for (key, name, hint) in [
        ("state", texts.state, ""),
        ("name", texts.program, ""),
        ("pid", texts.pid, ""),
        ("uptime", texts.uptime, ""),
        ("cpu", texts.cpu, texts.cpu_hint),
        ("memory", texts.memory, texts.memory_hint),
        ("restarts", texts.restarts, ""),
        ("exit", texts.last_exit, ""),
    ] {
        put!(
            html,
            "<th scope=\"col\" class=\"" (key) "\" data-sort=\"" (key) "\" title=\"" (hint) "\">" (name) "</th>"
        );
    }
    put!(html, "<th scope=\"col\" class=\"act\">" (texts.actions) "</th></tr></thead><tbody>");
    let mut shown = view.programs.iter().filter(|program| filter.lets_through(program)).peekable();
    let is_empty = shown.peek().is_none();
    let (mut group, mut has_heading): (Option<&str>, bool) = (None, false);
    while let Some(program) = shown.next() {
        let begins = group != Some(&program.group);
        group = Some(&program.group);
        let has_more = shown.peek().is_some_and(|next| next.group == program.group);
        if begins {
            has_heading = has_more || program.group != program.name;
            if has_heading {
                group_row(html, page, &program.group);
            }
        }
        row(html, page, program, view.now_secs, has_heading);
    }
    put!(html, "</tbody></table></div><p id=\"empty\" class=\"lead\"");
    if !is_empty {
        put!(html, " hidden");
    }
    let text = if view.programs.is_empty() { texts.no_programs } else { texts.no_match };
    put!(html, ">" (text) "</p>");
}

fn group_row(html: &mut Html, page: &Page<'_>, group: &str) {
    let span = if page.may_act() { 9 } else { 8 };
    put!(
        html,
        "<tr class=\"group\" data-g=\"" (group) "\"><th scope=\"rowgroup\" colspan=\"" (span) "\">" (group)
        "</th><td class=\"act\">"
    );
    if page.may_act() {
        for (action, name) in [("start", page.texts.start), ("restart", page.texts.restart), ("stop", page.texts.stop)]
        {
            put!(
                html,
                "<button name=\"do\" value=\"" (action) ":" (group) ":*\" aria-label=\"" (name) " " (group) ":*\">"
                (name) "</button>"
            );
        }
    }
    put!(html, "</td></tr>");
}

fn row(html: &mut Html, page: &Page<'_>, program: &Program, now_secs: i64, is_member: bool) {
    let texts = page.texts;
    let name = &program.namespec;
    put!(
        html,
        "<tr class=\"" (if is_member { "member" } else { "" }) "\" data-n=\"" (name) "\" data-g=\"" (program.group)
        "\" data-s=\"" (program.state.name()) "\" data-start=\"" (program.start_secs) "\" data-stop=\""
        (program.stop_secs) "\">"
    );
    if page.may_act() {
        let label = fill(texts.select_one, &[name]);
        put!(
            html,
            "<td class=\"pick\"><input type=\"checkbox\" name=\"p\" value=\"" (name) "\" aria-label=\"" (label)
            "\"></td>"
        );
    }
    put!(
        html,
        "<td class=\"state\"><span class=\"dot\"></span>" (texts.state(program.state))
        "</td><th scope=\"row\" class=\"name\"><a href=\"/program?name=" [name] "\">" (shown_name(program)) "</a>"
    );
    if !program.trouble.is_empty() {
        put!(html, "<small class=\"trouble\">" (program.trouble) "</small>");
    }
    put!(html, "</th><td class=\"pid\">");
    if program.pid != 0 {
        put!(html, (program.pid));
    }
    put!(html, "</td><td class=\"uptime\">" (uptime(texts, program, now_secs)) "</td><td class=\"cpu\">");
    if let Some(usage) = program.usage {
        put!(html, (percent(usage.cpu_permille)) "</td><td class=\"memory\">" (size(u64::from(usage.rss_kib))));
    } else {
        put!(html, "</td><td class=\"memory\">");
    }
    put!(html, "</td><td class=\"restarts\">");
    if program.starts > 1 {
        put!(html, (program.starts - 1));
    }
    put!(html, "</td><td class=\"exit\">");
    if let Some(exit) = &program.last_exit {
        put!(
            html,
            "<span class=\"" (if exit.is_expected { "fine" } else { "bad" }) "\">" (exit_words(texts, exit.status))
            "</span>"
        );
    }
    put!(html, "</td><td class=\"act\">");
    buttons(html, page, program);
    put!(html, "</td></tr>");
}

/// What can be done with one program; the script makes the same ones.
fn buttons(html: &mut Html, page: &Page<'_>, program: &Program) {
    let (texts, name) = (page.texts, &program.namespec);
    put!(
        html,
        "<a class=\"button\" href=\"/log?name=" [name] "\" aria-label=\"" (texts.logs) " " (name) "\">" (texts.logs)
        "</a>"
    );
    if !page.may_act() {
        return;
    }
    let offered: &[(&str, &str)] = match program.state {
        State::Running | State::Starting | State::Backoff => &[("restart", texts.restart), ("stop", texts.stop)],
        State::Stopped | State::Exited | State::Fatal => &[("start", texts.start)],
        State::Stopping | State::Unknown => &[],
    };
    for (action, label) in offered {
        put!(
            html,
            "<button name=\"do\" value=\"" (action) ":" (name) "\" aria-label=\"" (label) " " (name) "\">" (label)
            "</button>"
        );
    }
}

/// Below the heading of its group a program needs no more than its own name.
fn shown_name(program: &Program) -> &str {
    &program.name
}

fn uptime(texts: &Texts, program: &Program, now_secs: i64) -> String {
    match program.state {
        State::Running | State::Starting | State::Stopping => texts.duration(now_secs - program.start_secs),
        _ if program.stop_secs > 0 => fill(texts.ago, &[&texts.duration(now_secs - program.stop_secs)]),
        _ => texts.never.to_owned(),
    }
}

/// How a run ended, in words.
pub fn exit_words(texts: &Texts, status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(code) => fill(texts.exit_status, &[&code.to_string()]),
        ExitStatus::Signal { number, core_dumped } => {
            let words = fill(texts.killed_by, &[&signal::name(number)]);
            if core_dumped { format!("{words}, {}", texts.core_dumped) } else { words }
        }
        ExitStatus::Missed => texts.exit_missed.to_owned(),
        ExitStatus::Unknown(raw) => format!("0x{raw:04x}"),
    }
}

/// The same with whether it was expected.
pub fn exit_sentence(texts: &Texts, exit: &Exit) -> String {
    let verdict = if exit.is_expected { texts.expected } else { texts.unexpected };
    format!("{} · {verdict}", exit_words(texts, exit.status))
}

/// Thousandths as percent.
pub fn percent(permille: u32) -> String {
    if permille >= 1000 { format!("{} %", permille / 10) } else { format!("{}.{} %", permille / 10, permille % 10) }
}

/// KiB in a unit that leaves few digits.
pub fn size(kib: u64) -> String {
    match kib {
        0..1024 => format!("{kib} KiB"),
        1024..10_240 => format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024),
        10_240..1_048_576 => format!("{} MiB", kib / 1024),
        _ => format!("{}.{} GiB", kib / 1_048_576, kib % 1_048_576 * 10 / 1_048_576),
    }
}
