//! `[supervisorctl]`.

use super::error::ConfigError;
use super::expand::Names;
use super::ini::Document;
use super::model::CtlConfig;
use super::section::Reader;
use super::{Host, decode, load, locate, paths, rpcinterface};

const SECTION: &str = "supervisorctl";

impl Default for CtlConfig {
    /// What holds without any file.
    fn default() -> Self {
        CtlConfig {
            serverurl: "http://localhost:9001".to_owned(),
            username: None,
            password: None,
            prompt: "supervisor".to_owned(),
            history_file: None,
            skipped_plugins: Vec::new(),
        }
    }
}

/// Reads `[supervisorctl]` of the file given with `-c`, or of the first one found; `None` when there is none.
///
/// `program` is `argv[0]`, which the search starts from. `[include]` is not followed
/// (`Supervisor: options.py ClientOptions`).
pub fn load_ctl(config_file: Option<&str>, program: &str, host: &dyn Host) -> Result<Option<CtlConfig>, ConfigError> {
    let Some(file) = config_file.map(str::to_owned).or_else(|| locate::first_existing(program, host)) else {
        return Ok(None);
    };
    let mut document = Document::default();
    let bytes = load::main_bytes(&file, host)?;
    let text = decode::text(&file, &bytes)?.text;
    document.read_sections(&file, &text, is_wanted).map_err(|malformed| malformed.error())?;
    rpcinterface::check_ctl_plugins(&document, host)?;
    let Some(section) = document.section(SECTION) else {
        return Err(ConfigError::in_file(&file, None, ".ini file does not include supervisorctl section")
            .advise("add a section [supervisorctl] with serverurl=..."));
    };
    let path = paths::resolve(&file, host);
    let mut config = read(Reader { document: &document, section }, paths::dirname(&path), host)?;
    config.skipped_plugins = rpcinterface::ctl_plugin_notices(&document).map(|notice| notice.text).collect();
    Ok(Some(config))
}

/// Of a file with a thousand programs, all but a few lines are of no use here.
fn is_wanted(section: &str) -> bool {
    section == SECTION || rpcinterface::is_ctl_plugin(section)
}

/// The first error that `supervisorctl` would report, for `supervisord -t`; a file without the section is none.
pub(super) fn check(document: &Document, here: &str, host: &dyn Host) -> Result<(), ConfigError> {
    rpcinterface::check_ctl_plugins(document, host)?;
    match document.section(SECTION) {
        Some(section) => read(Reader { document, section }, here, host).map(drop),
        None => Ok(()),
    }
}

fn read(reader: Reader<'_>, here: &str, host: &dyn Host) -> Result<CtlConfig, ConfigError> {
    let names = Names::of_environment(&host.environment());
    let names_here = names.with("here", here);
    let mut config = CtlConfig::default();
    if let Some(url) = reader.text("serverurl", &names_here)? {
        config.serverurl = match url.strip_prefix("unix://") {
            Some(path) => format!("unix://{}", paths::resolve(path, host)),
            None => url,
        };
    }
    if let Some(prompt) = reader.text("prompt", &names)? {
        config.prompt = prompt;
    }
    config.username = reader.text("username", &names)?;
    config.password = reader.text("password", &names)?;
    let history_file = reader.text("history_file", &names_here)?.filter(|file| !file.is_empty());
    config.history_file = history_file.map(|file| paths::resolve(&file, host).into());
    Ok(config)
}
