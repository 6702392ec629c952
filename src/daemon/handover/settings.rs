//! The daemon's own settings in a document: who goes on changes nothing, whatever the file says by now.

use std::path::PathBuf;

use crate::config::{
    Account, Config, Credentials, Level, MainLog, OnCrash, Role, SESSION_IDLE_SECS, ServerConfig, Supervisord, User,
};
use crate::core::snapshot::SnapshotError;
use crate::core::snapshot::settings::{read_address, write_address};
use crate::core::snapshot::text::{Document, Section, Writer};

/// Writes everything of a configuration but its groups, which are the core's.
pub fn write(config: &Config, to: &mut Writer) {
    // No `..`: a setting that is new must be written too.
    let Config { path, supervisord, groups: _, servers, has_supervisor_rpc, twiddler, users, notices: _ } = config;
    to.section("settings");
    to.put("path", &[&path.as_path()]);
    to.put("has_supervisor_rpc", &[has_supervisor_rpc]);
    to.put("has_twiddler", &[&twiddler.is_some()]);
    twiddler.iter().flatten().for_each(|method| to.put("twiddler", &[method]));
    write_supervisord(supervisord, to);
    for Account { credentials: Credentials { username, password }, role } in users {
        to.put("user_account", &[username, password, &role.name()]);
    }
    for ServerConfig { section, address, credentials, metrics_auth, session_idle_secs } in servers {
        to.section("server");
        to.put("section", &[section]);
        write_address(address, to);
        if let Some(Credentials { username, password }) = credentials {
            to.put("credentials", &[username, password]);
        }
        to.put("console", &[metrics_auth, session_idle_secs]);
    }
}

fn write_supervisord(settings: &Supervisord, to: &mut Writer) {
    let Supervisord {
        logfile,
        logfile_maxbytes,
        logfile_backups,
        loglevel,
        pidfile,
        umask,
        nodaemon,
        silent,
        minfds,
        minprocs,
        nocleanup,
        childlogdir,
        user,
        directory,
        strip_ansi,
        environment,
        identifier,
        on_crash,
    } = settings;
    if let MainLog::File(path) = logfile {
        to.put("logfile", &[&path.as_path()]);
    }
    to.put("logfile_rotation", &[logfile_maxbytes, logfile_backups]);
    to.put("loglevel", &[&loglevel.tag()]);
    to.put("pidfile", &[&pidfile.as_path()]);
    to.put("umask", &[umask]);
    to.put("foreground", &[nodaemon, silent]);
    to.put("least", &[minfds, minprocs]);
    to.put("nocleanup", &[nocleanup]);
    to.put("childlogdir", &[&childlogdir.as_path()]);
    if let Some(User { name, uid, gid }) = user {
        to.put("user", &[name, uid, gid]);
    }
    if let Some(directory) = directory {
        to.put("directory", &[&directory.as_path()]);
    }
    to.put("strip_ansi", &[strip_ansi]);
    environment.iter().for_each(|(name, value)| to.put("environment", &[name, value]));
    to.put("identifier", &[identifier]);
    to.put("on_crash", &[&on_crash.name()]);
}

/// The configuration of a document, without groups.
///
/// # Errors
/// Something is missing.
pub fn read(document: &Document<'_>) -> Result<Config, SnapshotError> {
    let from = document.one("settings")?;
    let methods: Vec<(String,)> = from.rows("twiddler")?;
    let (has_twiddler,) = from.get("has_twiddler")?;
    Ok(Config {
        path: from.get::<(PathBuf,)>("path")?.0,
        supervisord: read_supervisord(document)?,
        groups: Vec::new(),
        servers: document.named("server").map(read_server).collect::<Result<_, _>>()?,
        has_supervisor_rpc: from.get::<(_,)>("has_supervisor_rpc")?.0,
        twiddler: if has_twiddler { Some(methods.into_iter().map(|(method,)| method).collect()) } else { None },
        users: read_users(from)?,
        notices: Vec::new(),
    })
}

fn read_supervisord(document: &Document<'_>) -> Result<Supervisord, SnapshotError> {
    let from = document.one("settings")?;
    let logfile: Option<(PathBuf,)> = from.maybe("logfile")?;
    let (logfile_maxbytes, logfile_backups) = from.get("logfile_rotation")?;
    let (level,): (String,) = from.get("loglevel")?;
    let loglevel = Level::ALL.into_iter().find(|known| known.tag() == level).ok_or_else(|| from.bad("loglevel"))?;
    let (nodaemon, silent) = from.get("foreground")?;
    let (minfds, minprocs) = from.get("least")?;
    let user: Option<(String, u32, u32)> = from.maybe("user")?;
    // Images that do not know it take programs back all the same.
    let on_crash = from.maybe::<(String,)>("on_crash")?.map(|(name,)| name).unwrap_or_default();
    Ok(Supervisord {
        logfile: logfile.map_or(MainLog::Syslog, |(path,)| MainLog::File(path)),
        logfile_maxbytes,
        logfile_backups,
        loglevel,
        pidfile: from.get::<(PathBuf,)>("pidfile")?.0,
        umask: from.get::<(_,)>("umask")?.0,
        nodaemon,
        silent,
        minfds,
        minprocs,
        nocleanup: from.get::<(_,)>("nocleanup")?.0,
        childlogdir: from.get::<(PathBuf,)>("childlogdir")?.0,
        user: user.map(|(name, uid, gid)| User { name, uid, gid }),
        directory: from.maybe::<(PathBuf,)>("directory")?.map(|(path,)| path),
        strip_ansi: from.get::<(_,)>("strip_ansi")?.0,
        environment: from.rows("environment")?,
        identifier: from.get::<(String,)>("identifier")?.0,
        on_crash: OnCrash::ALL.into_iter().find(|known| known.name() == on_crash).unwrap_or(OnCrash::Adopt),
    })
}

fn read_users(from: &Section<'_>) -> Result<Vec<Account>, SnapshotError> {
    let rows: Vec<(String, String, String)> = from.rows("user_account")?;
    let read = |(username, password, role): (String, String, String)| {
        let role = if role == Role::Operator.name() { Role::Operator } else { Role::Readonly };
        Account { credentials: Credentials { username, password }, role }
    };
    Ok(rows.into_iter().map(read).collect())
}

fn read_server(from: &Section<'_>) -> Result<ServerConfig, SnapshotError> {
    let credentials: Option<(String, String)> = from.maybe("credentials")?;
    // Images that do not know it have no console.
    let console: Option<(bool, i64)> = from.maybe("console")?;
    let (metrics_auth, session_idle_secs) = console.unwrap_or((true, SESSION_IDLE_SECS));
    Ok(ServerConfig {
        section: from.get::<(String,)>("section")?.0,
        address: read_address(from)?,
        credentials: credentials.map(|(username, password)| Credentials { username, password }),
        metrics_auth,
        session_idle_secs,
    })
}
