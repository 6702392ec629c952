//! `--json`: one document on standard output in place of text, with identifiers that scripts may rely on.

use std::io::{Write, stdout};

use serde_json::{Value, json};

use super::failure::{ExitCode, Failure};
use super::listener::Listener;
use super::plan::Step;
use super::preflight::{Finding, Verdict};
use super::text::{Lang, Note};

/// Collects what a run tells, and prints it at the end.
pub struct Json {
    lang: Lang,
    verb: &'static str,
    findings: Vec<Value>,
    steps: Vec<Value>,
    notes: Vec<Value>,
    status: Option<Value>,
    has_changed: bool,
    failure: Option<Value>,
    code: ExitCode,
}

impl Json {
    /// For a run of `verb`; texts are in `lang`.
    pub fn new(lang: Lang, verb: &'static str) -> Json {
        Json {
            lang,
            verb,
            findings: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
            status: None,
            has_changed: false,
            failure: None,
            code: ExitCode::Done,
        }
    }

    /// The document so far.
    pub fn document(&self) -> Value {
        let mut document = json!({
            "verb": self.verb,
            "ok": self.failure.is_none(),
            "exit_code": self.code as u8,
            "changed": self.has_changed && self.failure.is_none(),
            "installer": env!("CARGO_PKG_VERSION"),
            "findings": self.findings,
            "steps": self.steps,
            "notes": self.notes,
            "failure": self.failure,
        });
        if let (Some(status), Some(document)) = (&self.status, document.as_object_mut()) {
            document.insert("status".to_owned(), status.clone());
        }
        document
    }

    /// Prints the document. A reader that has gone away is no reason to fail.
    pub fn print(&self) {
        let _ = writeln!(stdout(), "{:#}", self.document());
    }

    fn finding(&self, finding: &Finding) -> Value {
        let level = match finding.verdict {
            Verdict::Pass => "pass",
            Verdict::Warn(_) => "warn",
            Verdict::Fail(_) => "fail",
        };
        let words = finding.trouble().map(|trouble| self.lang.trouble(trouble));
        json!({
            "id": finding.probe.id(),
            "level": level,
            "trouble": finding.trouble().map(|trouble| trouble.id()),
            "text": words.map(|words| words.0),
            "evidence": finding.evidence,
            "remedy": words.map(|_| self.lang.remedy(finding)),
        })
    }

    fn remember_step(&mut self, step: &Step, is_done: bool) {
        self.has_changed |= is_done && step.is_change();
        let text = self.lang.step(step).split_whitespace().collect::<Vec<_>>().join(" ");
        self.steps.push(json!({ "id": name_of(step), "text": text, "change": step.is_change(), "done": is_done }));
    }
}

impl Listener for Json {
    fn note(&mut self, note: Note) {
        match &note {
            Note::Finding(finding) => {
                let finding = self.finding(finding);
                self.findings.push(finding);
            }
            Note::Status(status) => self.status = serde_json::to_value(status).ok(),
            Note::RolledBack | Note::Uninstalled { .. } => {
                self.has_changed = true;
                self.notes.push(json!({ "id": name_of(&note), "text": self.lang.note(&note) }));
            }
            _ => self.notes.push(json!({ "id": name_of(&note), "text": self.lang.note(&note) })),
        }
    }

    fn planned(&mut self, _number: usize, step: &Step) {
        self.remember_step(step, false);
    }

    fn begin(&mut self, _steps: usize) {}

    fn step(&mut self, step: &Step) {
        self.remember_step(step, true);
    }

    fn end(&mut self) {}

    fn failed(&mut self, failure: &Failure) {
        let text = self.lang.failure(failure);
        let next = text.rsplit_once(self.lang.next()).map(|(_, next)| next.trim().to_owned());
        if let Failure::Findings { findings, .. } = failure
            && self.findings.is_empty()
        {
            self.findings = findings.iter().map(|finding| self.finding(finding)).collect();
        }
        self.code = failure.code();
        self.failure =
            Some(json!({ "id": name_of(failure), "exit_code": self.code as u8, "text": text, "next": next }));
    }

    fn can_ask(&self) -> bool {
        false
    }

    fn may_go_on(&mut self) -> bool {
        false
    }
}

/// The stable name of a note, a step or a failure: its variant's, and that of the one inside it, with hyphens.
pub fn name_of(thing: &impl std::fmt::Debug) -> String {
    let shown = format!("{thing:?}");
    let mut words: Vec<&str> = Vec::new();
    let mut rest = shown.as_str();
    while rest.starts_with(|c: char| c.is_ascii_uppercase()) {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        if words.last() != Some(&&rest[..end]) {
            words.push(&rest[..end]);
        }
        rest = rest[end..].strip_prefix('(').unwrap_or("");
    }
    let mut name = String::new();
    for character in words.join("-").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}
