//! `[include] files`: more files, read after the main one and merged over it.

use super::error::ConfigError;
use super::expand::Names;
use super::ini::Document;
use super::model::Notice;
use super::section::Reader;
use super::{Host, load, paths, python};

/// Reads every file that the patterns name into `document`. Patterns are relative to `here`, the directory of the
/// main file; matches of one pattern are read in bytewise order (`Supervisor: options.py read_config`).
pub(super) fn read(
    document: &mut Document,
    here: &str,
    names: &Names,
    host: &dyn Host,
    notices: &mut Vec<Notice>,
) -> Result<(), ConfigError> {
    if document.section("include").is_none() {
        return Ok(());
    }
    document.expand_here(here);
    for pattern in patterns(document, names)? {
        let pattern = paths::join(here, &pattern);
        let matches = host.glob(&pattern);
        if matches.is_empty() {
            notices.push(Notice::warn(format!("No file matches via include \"{pattern}\"")));
        }
        for path in matches {
            let file = path.to_string_lossy();
            notices.push(Notice::info(format!("Included extra file \"{file}\" during parsing")));
            match host.read(&path) {
                Err(why) => notices.push(Notice::warn(format!("could not read included file \"{file}\": {why}"))),
                Ok(bytes) => document.read(&file, load::decode(&file, &bytes)?)?,
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
