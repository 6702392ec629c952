//! `[supervisord]`, and what the command line overrides in it.

use std::path::PathBuf;

use super::error::ConfigError;
use super::expand::Names;
use super::load::Context;
use super::model::{Level, MainLog, OnCrash, Supervisord, User};
use super::section::Reader;
use super::{Host, Options, environment, paths, values};

/// Reads the section, all but `user`. Its keys are checked even when the command line overrides them.
pub(super) fn read(reader: Reader<'_>, context: &Context<'_>) -> Result<Supervisord, ConfigError> {
    let host = context.host;
    let names = context.names.with("here", &context.here);
    let integer = |key, default| reader.or(key, &names, default, values::integer);
    let boolean = |key| reader.or(key, &names, false, values::boolean);
    let directory = |key| reader.optional(key, &names, |text| values::directory(text, host));
    let file = |key| reader.optional(key, &names, |text| values::file_path(text, host));
    let minfds = integer("minfds", 1024)?;
    Ok(Supervisord {
        minfds,
        minprocs: integer("minprocs", 200)?,
        directory: directory("directory")?.map(|path| absolute(&path, host)),
        user: None,
        umask: reader.or("umask", &names, 0o022, values::octal)?,
        logfile: main_log(&file("logfile")?.unwrap_or_else(|| "supervisord.log".to_owned()), host),
        logfile_maxbytes: reader.or("logfile_maxbytes", &names, 50 << 20, values::byte_size)?,
        logfile_backups: integer("logfile_backups", 10)?,
        loglevel: reader.or("loglevel", &names, Level::Info, values::level)?,
        pidfile: absolute(&file("pidfile")?.unwrap_or_else(|| "supervisord.pid".to_owned()), host),
        identifier: reader.text("identifier", &names)?.unwrap_or_else(|| "supervisor".to_owned()),
        nodaemon: boolean("nodaemon")?,
        silent: boolean("silent")?,
        childlogdir: absolute(&directory("childlogdir")?.unwrap_or_else(|| temporary_directory(host)), host),
        nocleanup: boolean("nocleanup")?,
        strip_ansi: boolean("strip_ansi")?,
        on_crash: reader.or("on_crash", &names, OnCrash::Adopt, values::on_crash)?,
        environment: read_environment(reader, &names.with("host_node_name", &context.node_name))?,
    })
}

/// `user` of the command line or of the section, which must exist. Looked up last, as Supervisor does.
pub(super) fn account(
    reader: Reader<'_>,
    options: &Options,
    context: &Context<'_>,
) -> Result<Option<User>, ConfigError> {
    match &options.user {
        Some(user) => values::user(user, context.host).map(Some).map_err(ConfigError::new),
        None => {
            let names = context.names.with("here", &context.here);
            reader.optional("user", &names, |text| values::user(text, context.host))
        }
    }
}

/// Puts what the command line says over what the section says.
pub(super) fn override_by(options: &Options, config: &mut Supervisord, host: &dyn Host) {
    fn put<T: Clone>(target: &mut T, value: &Option<T>) {
        if let Some(value) = value {
            target.clone_from(value);
        }
    }
    config.nodaemon |= options.nodaemon;
    config.silent |= options.silent;
    config.nocleanup |= options.nocleanup;
    config.strip_ansi |= options.strip_ansi;
    put(&mut config.umask, &options.umask);
    put(&mut config.logfile_maxbytes, &options.logfile_maxbytes);
    put(&mut config.logfile_backups, &options.logfile_backups);
    put(&mut config.loglevel, &options.loglevel);
    put(&mut config.identifier, &options.identifier);
    put(&mut config.minfds, &options.minfds);
    put(&mut config.minprocs, &options.minprocs);
    let path = |path: &String| absolute(path, host);
    put(&mut config.pidfile, &options.pidfile.as_ref().map(path));
    put(&mut config.childlogdir, &options.childlogdir.as_ref().map(path));
    put(&mut config.logfile, &options.logfile.as_ref().map(|logfile| main_log(logfile, host)));
    if let Some(directory) = &options.directory {
        config.directory = Some(absolute(directory, host));
    }
}

/// Expanded once, with `host_node_name`, which the other keys of the section do not know.
fn read_environment(reader: Reader<'_>, names: &Names) -> Result<Vec<(String, String)>, ConfigError> {
    let text = reader.expanded("environment", names, "environment")?.unwrap_or_default();
    environment::parse(&text).map_err(|text| reader.error("environment", text).advise(environment::QUOTING))
}

fn main_log(logfile: &str, host: &dyn Host) -> MainLog {
    if logfile == "syslog" { MainLog::Syslog } else { MainLog::File(absolute(logfile, host)) }
}

fn absolute(path: &str, host: &dyn Host) -> PathBuf {
    paths::absolute(path, host).into()
}

/// Where Python's `tempfile` puts things: the first directory of its list that can be written.
fn temporary_directory(host: &dyn Host) -> String {
    let environment = host.environment();
    let variable = |name: &str| environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let named = ["TMPDIR", "TEMP", "TMP"].into_iter().filter_map(variable).filter(|value| !value.is_empty());
    let usual = ["/tmp", "/var/tmp", "/usr/tmp"].into_iter().map(str::to_owned);
    let cwd = host.cwd().to_string_lossy().into_owned();
    named
        .chain(usual)
        .map(|path| paths::absolute(&path, host))
        .find(|path| host.is_writable_dir(path.as_ref()))
        .unwrap_or(cwd)
}
