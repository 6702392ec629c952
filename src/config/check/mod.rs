//! `supervisord -t`: reads a configuration and says everything that is wrong with it, in one run.
//!
//! [`collect`] finds the errors by the very code that a start runs, [`lint`] what is legal but wrong. [`print`] shows both,
//! [`effective`] the configuration that results.

mod collect;
mod effective;
mod known_keys;
mod lint;
mod print;
mod zh;

use super::error::{ConfigError, Place};
use super::load::{Strictness, gather, resolve};
use super::model::{Level, Notice, ProcessConfig};
use super::{Host, Options, include, paths, rpcinterface, supervisorctl};

/// The language of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// 简体中文.
    Chinese,
}

impl Language {
    /// The one of two texts that is in this language.
    pub fn pick<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    /// By `en` or `zh`, also with a country and an encoding after it.
    pub fn named(name: &str) -> Option<Language> {
        match name.get(..2)?.to_ascii_lowercase().as_str() {
            "zh" => Some(Language::Chinese),
            "en" => Some(Language::English),
            _ => None,
        }
    }

    /// What `LC_ALL`, `LC_MESSAGES` or `LANG`, the first that is set, asks for.
    pub fn of_environment(environment: &[(String, String)]) -> Language {
        let value = |name: &str| environment.iter().find(|(key, value)| key == name && !value.is_empty());
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(value);
        set.and_then(|(_, value)| Language::named(value)).unwrap_or_default()
    }
}

/// How a report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// `--json`.
    pub json: bool,
    /// `--effective`: show the resolved configuration.
    pub effective: bool,
    /// `--lang`; `None` is the language of the environment.
    pub language: Option<Language>,
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key.
    pub key: String,
    /// The value in effect.
    pub value: String,
    /// File and line; `None` for a default.
    pub origin: Option<(String, usize)>,
}

/// What the files say of one process.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessSettings {
    /// Value by value.
    pub settings: Vec<Setting>,
    /// All together.
    pub config: ProcessConfig,
}

/// Reads the files as they are now, and says what they say of one process; `None` when they do not know it.
///
/// # Errors
/// The files cannot be used.
pub fn process_settings(
    options: &Options,
    host: &dyn Host,
    group: &str,
    process: &str,
) -> Result<Option<ProcessSettings>, ConfigError> {
    let source = gather(options, host, &mut Strictness(None))?;
    let config = resolve(&source, options, host)?;
    let Some(group) = config.groups.iter().find(|one| one.name == group) else { return Ok(None) };
    let mut members = group.processes.iter().zip(&group.sections);
    Ok(members.find(|(one, _)| one.name == process).map(|(process, section)| ProcessSettings {
        settings: effective::settings(&source.document, section, &group.kind, process),
        config: process.as_ref().clone(),
    }))
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What to print, with a final newline.
    pub text: String,
    /// 0 when nothing is wrong, 1 when there are warnings only, 2 when `supervisord` would refuse the configuration or
    /// start without a part of it.
    pub exit_code: i32,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Error,
    Warning,
    Info,
}

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sentence {
    english: String,
    chinese: String,
}

/// One thing to say about a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    severity: Severity,
    place: Option<Place>,
    text: Sentence,
    next_step: Option<Sentence>,
}

/// What a configuration amounts to.
struct Summary {
    path: String,
    groups: usize,
    processes: usize,
}

/// The keys that a section may have, by its name without brackets; `None` when any may be there, or the section is none of
/// ours.
pub fn section_keys(section: &str) -> Option<Vec<&'static str>> {
    match known_keys::of_section(section) {
        known_keys::Keys::Closed(keys) => Some(keys),
        known_keys::Keys::Open | known_keys::Keys::Unknown => None,
    }
}

/// Reads the configuration as a start would, and changes nothing.
pub fn check(options: &Options, report: Report, host: &dyn Host) -> Check {
    let language = report.language.unwrap_or_else(|| Language::of_environment(&host.environment()));
    let mut errors = Vec::new();
    let mut source = match gather(options, host, &mut Strictness(Some(&mut errors))) {
        Ok(source) => source,
        Err(error) => {
            let path = options.config_file.clone().unwrap_or_default();
            let summary = Summary { path, groups: 0, processes: 0 };
            return print::report(&[Finding::from(&error)], &summary, report.json, language);
        }
    };
    let written = source.document.clone();
    let config = collect::errors(&mut source, options, host, &mut errors);
    errors.extend(supervisorctl::check(&written, paths::dirname(&source.path), host).err());
    let mut findings: Vec<Finding> = errors.iter().map(Finding::from).collect();
    findings.extend(rpcinterface::ctl_plugin_notices(&written).map(|notice| Finding::from(&notice)));
    if let Some(config) = &config {
        findings.extend(config.notices.iter().map(Finding::from));
        findings.extend(lint::findings(&written, config, host));
    }
    // Once each, however many processes of a section it is about; the worst first, then in the order of the files.
    let mut seen = std::collections::BTreeSet::new();
    findings
        .retain(|finding| seen.insert((finding.place.as_ref().map(ToString::to_string), finding.text.english.clone())));
    findings.sort_by_key(|finding| finding.severity);
    if report.effective
        && let Some(config) = config.as_ref().filter(|_| findings.iter().all(|one| one.severity != Severity::Error))
    {
        let exit_code = print::exit_code(&findings);
        return Check { text: effective::ini(config, &written, language), exit_code };
    }
    let groups = config.iter().flat_map(|config| &config.groups);
    let (groups, processes) = groups.fold((0, 0), |(count, sum), group| (count + 1, sum + group.processes.len()));
    print::report(&findings, &Summary { path: source.path, groups, processes }, report.json, language)
}

impl From<&ConfigError> for Finding {
    fn from(error: &ConfigError) -> Finding {
        Finding {
            severity: Severity::Error,
            place: error.place.as_deref().cloned(),
            text: zh::sentence(&error.text),
            next_step: error.next_step.as_deref().map(zh::advice),
        }
    }
}

impl From<&Notice> for Finding {
    /// Something left out is an error here: the daemon would start without it.
    fn from(notice: &Notice) -> Finding {
        let severity = match notice.level {
            Level::Critical | Level::Error => Severity::Error,
            // A folder without programs yet is how every fresh installation begins.
            Level::Warn if notice.text.starts_with(include::NO_MATCH) => Severity::Info,
            Level::Warn => Severity::Warning,
            _ => Severity::Info,
        };
        let place = notice.place.as_deref().cloned();
        Finding { severity, place, text: zh::sentence(&notice.text), next_step: None }
    }
}
