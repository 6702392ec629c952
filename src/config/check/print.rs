//! A report as text for people or as JSON for programs.

use std::fmt::Write;

use super::{Check, Finding, Language, Sentence, Severity, Summary};

/// The whole report.
pub(super) fn report(findings: &[Finding], summary: &Summary, is_json: bool, language: Language) -> Check {
    let exit_code = exit_code(findings);
    let text = if is_json { json(findings, summary, exit_code, language) } else { text(findings, summary, language) };
    Check { text, exit_code }
}

/// 2 with an error, 1 with a warning, else 0.
pub(super) fn exit_code(findings: &[Finding]) -> i32 {
    match findings.iter().map(|finding| finding.severity).min() {
        Some(Severity::Error) => 2,
        Some(Severity::Warning) => 1,
        Some(Severity::Info) | None => 0,
    }
}

impl Sentence {
    pub(super) fn in_language(&self, language: Language) -> &str {
        match language {
            Language::English => &self.english,
            Language::Chinese => &self.chinese,
        }
    }
}

fn text(findings: &[Finding], summary: &Summary, language: Language) -> String {
    let mut out = String::new();
    for finding in findings {
        let label = match (finding.severity, language) {
            (Severity::Error, Language::English) => "error: ",
            (Severity::Warning, Language::English) => "warning: ",
            (Severity::Info, Language::English) => "info: ",
            (Severity::Error, Language::Chinese) => "错误：",
            (Severity::Warning, Language::Chinese) => "警告：",
            (Severity::Info, Language::Chinese) => "信息：",
        };
        out.push_str(label);
        if let Some(place) = &finding.place {
            let _ = write!(out, "{place}: ");
        }
        out.push_str(finding.text.in_language(language));
        out.push('\n');
        if let Some(next_step) = &finding.next_step {
            let label = if language == Language::English { "  next step: " } else { "  建议：" };
            let _ = writeln!(out, "{label}{}", next_step.in_language(language));
        }
    }
    out.push_str(&last_line(findings, summary, language));
    out
}

fn last_line(findings: &[Finding], summary: &Summary, language: Language) -> String {
    let (errors, warnings) = (count(findings, Severity::Error), count(findings, Severity::Warning));
    let Summary { path, groups, processes } = summary;
    let chinese = language == Language::Chinese;
    if errors > 0 {
        return match chinese {
            true => format!("不可用：{path}：{errors} 个错误，{warnings} 个警告\n"),
            false => format!(
                "not usable: {path}: {}, {}\n",
                plural(errors, "error", "errors"),
                plural(warnings, "warning", "warnings")
            ),
        };
    }
    let mut line = match chinese {
        true => format!("正常：{path}：{groups} 个组，{processes} 个进程"),
        false => {
            let groups = plural(*groups, "group", "groups");
            format!("OK: {path}: {groups}, {}", plural(*processes, "process", "processes"))
        }
    };
    if warnings > 0 {
        line.push_str(&match chinese {
            true => format!("，{warnings} 个警告"),
            false => format!(", {}", plural(warnings, "warning", "warnings")),
        });
    }
    line + "\n"
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// One object on one line; what is not known of a place is left out. Values are left out too: they may be secret.
fn json(findings: &[Finding], summary: &Summary, exit_code: i32, language: Language) -> String {
    let problems: Vec<String> = findings.iter().map(|finding| problem(finding, language)).collect();
    let fields = [
        ("file", quoted(&summary.path)),
        ("exit_code", exit_code.to_string()),
        ("errors", count(findings, Severity::Error).to_string()),
        ("warnings", count(findings, Severity::Warning).to_string()),
        ("groups", summary.groups.to_string()),
        ("processes", summary.processes.to_string()),
        ("version", quoted(crate::KIT_VERSION)),
        ("problems", format!("[{}]", problems.join(","))),
    ];
    object(&fields) + "\n"
}

fn problem(finding: &Finding, language: Language) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let mut fields = vec![("severity", quoted(severity))];
    if let Some(place) = &finding.place {
        fields.push(("file", quoted(&place.file)));
        fields.extend(place.line.map(|line| ("line", line.to_string())));
        fields.extend(place.column.map(|column| ("column", column.to_string())));
        fields.extend(place.section.as_deref().map(|section| ("section", quoted(section))));
        fields.extend(place.key.as_deref().map(|key| ("key", quoted(key))));
    }
    fields.push(("message", quoted(finding.text.in_language(language))));
    fields.extend(finding.next_step.as_ref().map(|step| ("next_step", quoted(step.in_language(language)))));
    object(&fields)
}

fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    format!("{{{}}}", fields.join(","))
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
