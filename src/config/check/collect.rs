//! All errors of a configuration: read it as a start would, note the error, take out what caused it, and read again.
//! So each error is the one that a start would report once those before it are mended.

use std::collections::BTreeSet;

use super::super::error::{ConfigError, Place};
use super::super::ini::{Document, Located, Section};
use super::super::load::{Source, resolve};
use super::super::model::Config;
use super::super::{Host, Options, values};

/// Most errors that are reported in one run.
const ERRORS_MAX: usize = 100;

/// Values that stand in for a wrong or missing one of a key that a section must have.
const STAND_INS: &[(&str, &str)] = &[
    ("command", "/bin/true"),
    ("events", "EVENT"),
    ("file", "/nonexistent/socket"),
    ("password", "x"),
    ("port", "127.0.0.1:9001"),
    ("socket", "unix:///nonexistent/socket"),
    ("supervisor.rpcinterface_factory", "supervisor.rpcinterface:make_main_rpcinterface"),
    ("username", "x"),
];

/// What was taken out so far. Errors that only follow from it are not reported.
#[derive(Default)]
struct Removed {
    sections: BTreeSet<String>,
    /// Sections whose `environment` is gone, and with it names of the form `ENV_x`.
    environments: BTreeSet<String>,
}

/// Appends every error to `list`. The answer is the configuration without what is wrong in it.
pub(super) fn errors(
    source: &mut Source,
    options: &Options,
    host: &dyn Host,
    list: &mut Vec<ConfigError>,
) -> Option<Config> {
    let written = source.document.clone();
    let mut removed = Removed::default();
    while list.len() < ERRORS_MAX {
        let mut error = match resolve(source, options, host) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let place = error.place.clone();
        if !removed.explains(&error) {
            show_as_written(&mut error, &written);
            list.push(error);
        }
        if !place.is_some_and(|place| mend(&mut source.document, &place, &mut removed)) {
            return None;
        }
    }
    None
}

impl Removed {
    fn explains(&self, error: &ConfigError) -> bool {
        let section = error.place.as_ref().and_then(|place| place.section.as_deref()).unwrap_or_default();
        let lacks_variable = error.text.contains(" contains names ('ENV_");
        let of_environment = ["supervisord", section].iter().any(|one| self.environments.contains(*one));
        let unknown = error.text.split_once(" names unknown program or fcgi-program ").map(|(_, member)| member);
        let of_section = unknown.is_some_and(|member| {
            ["program", "fcgi-program"].iter().any(|kind| self.sections.contains(&format!("{kind}:{member}")))
        });
        (lacks_variable && of_environment) || of_section
    }
}

/// Takes out what an error is about; false when that is not possible.
fn mend(document: &mut Document, place: &Place, removed: &mut Removed) -> bool {
    let Some(section) = &place.section else {
        // What lacks is [supervisord] itself.
        let file = place.file.clone();
        let is_new = document.section("supervisord").is_none();
        let name = "supervisord".to_owned();
        let missing = Section { name: name.clone(), file, line: 1, entries: Vec::new() };
        document.sections.entry(name).or_insert(missing);
        return is_new;
    };
    let Some(key) = &place.key else { return remove_section(document, section, removed) };
    if key == "programs" && drop_member(document, section) {
        return true;
    }
    if key == "environment" {
        removed.environments.insert(section.clone());
    }
    let stand_in = STAND_INS.iter().find(|(name, _)| name == key).map(|(_, text)| (*text).to_owned());
    let current = document.section(section).and_then(|found| document.get(found, key));
    match stand_in.filter(|text| current.is_none_or(|value| value.text != *text)) {
        Some(text) => {
            let (file, line) = (place.file.clone(), place.line.unwrap_or(1));
            document.put(section, key, Located { file, line, column: 1, text, comments: Vec::new() });
            true
        }
        None => document.take(section, key).is_some() || remove_section(document, section, removed),
    }
}

fn remove_section(document: &mut Document, name: &str, removed: &mut Removed) -> bool {
    removed.sections.insert(name.to_owned());
    document.sections.shift_remove(name).is_some()
}

/// Drops the first member of a group that is not exactly one program.
fn drop_member(document: &mut Document, group: &str) -> bool {
    let Some(value) = document.section(group).and_then(|section| document.get(section, "programs")).cloned() else {
        return false;
    };
    let mut members = values::strings(&value.text);
    let is_known = |member: &String| {
        let kinds = ["program", "fcgi-program"].iter();
        kinds.filter(|kind| document.section(&format!("{kind}:{member}")).is_some()).count() == 1
    };
    let Some(bad) = members.iter().position(|member| !is_known(member)) else { return false };
    members.remove(bad);
    document.put(group, "programs", Located { text: members.join(","), ..value });
    true
}

/// The value in the file, not what stands in for it.
fn show_as_written(error: &mut ConfigError, written: &Document) {
    let Some(place) = &mut error.place else { return };
    let (Some(section), Some(key)) = (&place.section, &place.key) else { return };
    let value = written.section(section).and_then(|section| written.get(section, key));
    place.value = value.map(|value| value.text.clone());
}
