//! `[include] files`: more files, read after the main one and merged over it.

use super::error::ConfigError;
use super::expand::Names;
use super::ini::Document;
use super::load::{self, Source, Strictness};
use super::model::Notice;
use super::section::Reader;
use super::{Host, paths, python};

/// How the notice begins that a pattern names no file.
pub(super) const NO_MATCH: &str = "No file matches via include";

/// Reads every file that the patterns name into the document. Patterns are relative to the directory of the main file;
/// matches of one pattern are read in bytewise order (`Supervisor: options.py read_config`).
pub(super) fn read(source: &mut Source, host: &dyn Host, strictness: &mut Strictness<'_>) -> Result<(), ConfigError> {
    let Some(section) = source.document.section("include") else { return Ok(()) };
    let section = section.name.clone();
    let Source { document, path, notices, .. } = source;
    let here = paths::dirname(path).to_owned();
    document.expand_here(&here);
    let names = Names::of_environment(&host.environment());
    let names = names.with("here", &here).with("host_node_name", &host.node_name());
    let patterns = strictness.judge(patterns(document, &names))?;
    let place = document.section(&section).map(|section| Reader { document, section }.place("files"));
    for pattern in patterns {
        let pattern = paths::join(&here, &pattern);
        let matches = host.glob(&pattern);
        if matches.is_empty() {
            let notice = Notice::warn(format!("{NO_MATCH} \"{pattern}\""));
            notices.push(Notice { place: place.clone().map(Box::new), ..notice });
        }
        for path in matches {
            let file = path.to_string_lossy();
            notices.push(Notice::info(format!("Included extra file \"{file}\" during parsing")));
            match host.read(&path) {
                Err(why) => notices.push(Notice::warn(format!("could not read included file \"{file}\": {why}"))),
                Ok(bytes) => load::read_file(document, &file, &bytes, notices, strictness)?,
            }
            document.expand_here(paths::dirname(&paths::absolute(&file, host)));
        }
    }
    Ok(())
}

fn patterns(document: &Document, names: &Names) -> Result<Vec<String>, ConfigError> {
    let Some(section) = document.section("include") else { return Ok(Vec::new()) };
    let reader = Reader { document, section };
    let files = reader.expanded("files", names, "include.files")?.ok_or_else(|| {
        reader
            .error("files", ".ini file has [include] section, but no files setting")
            .advise("add files=/etc/supervisord.d/*.ini, or remove the section")
    })?;
    Ok(python::words(&files).map(str::to_owned).collect())
}
