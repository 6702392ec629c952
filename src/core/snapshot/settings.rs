//! The settings of processes and groups, resolved: who restores them reads no file again.

use std::path::PathBuf;

use super::SnapshotError;
use super::text::{Section, Writer};
use crate::config::{
    Address, Autorestart, ChannelConfig, FcgiSocket, GroupConfig, GroupKind, KillMode, LengthUnit, LogFile,
    ProcessConfig, User,
};

const OUTPUTS: [&str; 2] = ["stdout", "stderr"];

pub(super) fn write_process(config: &ProcessConfig, to: &mut Writer) {
    // No `..`: a setting that is new must be written too.
    let ProcessConfig {
        name,
        command,
        directory,
        umask,
        priority,
        autostart,
        autorestart,
        startsecs,
        startretries,
        exitcodes,
        stopsignal,
        stopwaitsecs,
        stopasgroup,
        killasgroup,
        killmode,
        user,
        environment,
        serverurl,
        fcgi,
        redirect_stderr,
        stdout,
        stderr,
    } = config;
    to.put("name", &[name]);
    to.put("command", &[command]);
    to.put_some("directory", directory.as_ref().map(|directory| directory as _));
    to.put("umask", &[umask]);
    to.put("priority", &[priority]);
    to.put("autostart", &[autostart]);
    to.put("autorestart", &[&autorestart_name(*autorestart)]);
    to.put("startsecs", &[startsecs]);
    to.put("startretries", &[startretries]);
    exitcodes.iter().for_each(|code| to.put("exitcode", &[code]));
    to.put("stopsignal", &[stopsignal]);
    to.put("stopwaitsecs", &[stopwaitsecs]);
    to.put("stopasgroup", &[stopasgroup]);
    to.put("killasgroup", &[killasgroup]);
    to.put("killtree", &[&(*killmode == KillMode::Tree)]);
    if let Some(User { name, uid, gid }) = user {
        to.put("user", &[name, uid, gid]);
    }
    environment.iter().for_each(|(name, value)| to.put("environment", &[name, value]));
    to.put_some("serverurl", serverurl.as_ref().map(|url| url as _));
    if let Some(FcgiSocket { section, address, backlog }) = fcgi {
        to.put("fcgi", &[section, backlog]);
        write_address(address, to);
    }
    to.put("redirect_stderr", &[redirect_stderr]);
    for (output, channel) in OUTPUTS.into_iter().zip([stdout, stderr]) {
        write_channel(output, channel, to);
    }
}

pub(super) fn read_process(from: &Section<'_>) -> Result<ProcessConfig, SnapshotError> {
    let user: Option<(String, u32, u32)> = from.maybe("user")?;
    let [stdout, stderr] = OUTPUTS;
    Ok(ProcessConfig {
        name: one(from, "name")?,
        command: one(from, "command")?,
        directory: some(from, "directory")?,
        umask: from.get::<(_,)>("umask")?.0,
        priority: from.get::<(_,)>("priority")?.0,
        autostart: from.get::<(_,)>("autostart")?.0,
        autorestart: read_autorestart(from)?,
        startsecs: from.get::<(_,)>("startsecs")?.0,
        startretries: from.get::<(_,)>("startretries")?.0,
        exitcodes: from.rows::<(_,)>("exitcode")?.into_iter().map(|(code,)| code).collect(),
        stopsignal: from.get::<(_,)>("stopsignal")?.0,
        stopwaitsecs: from.get::<(_,)>("stopwaitsecs")?.0,
        stopasgroup: from.get::<(_,)>("stopasgroup")?.0,
        killasgroup: from.get::<(_,)>("killasgroup")?.0,
        killmode: read_killmode(from)?,
        user: user.map(|(name, uid, gid)| User { name, uid, gid }),
        environment: from.rows("environment")?,
        serverurl: some(from, "serverurl")?,
        fcgi: read_fcgi(from)?,
        redirect_stderr: from.get::<(_,)>("redirect_stderr")?.0,
        stdout: read_channel(stdout, from)?,
        stderr: read_channel(stderr, from)?,
    })
}

/// A writer that does not know it has no program that asks for it.
fn read_killmode(from: &Section<'_>) -> Result<KillMode, SnapshotError> {
    let is_tree = from.maybe::<(bool,)>("killtree")?.is_some_and(|(is_tree,)| is_tree);
    Ok(if is_tree { KillMode::Tree } else { KillMode::Default })
}

fn write_channel(output: &str, channel: &ChannelConfig, to: &mut Writer) {
    let ChannelConfig { file, maxbytes, backups, capture_maxbytes, events_enabled, syslog } = channel;
    match file {
        LogFile::None => to.put(&format!("{output}_logfile"), &[&"none"]),
        LogFile::Auto => to.put(&format!("{output}_logfile"), &[&"auto"]),
        LogFile::Path(path) => to.put(&format!("{output}_logfile"), &[&"path", &path.as_path()]),
    }
    to.put(&format!("{output}_rotation"), &[maxbytes, backups]);
    to.put(&format!("{output}_streams"), &[capture_maxbytes, events_enabled, syslog]);
}

fn read_channel(output: &str, from: &Section<'_>) -> Result<ChannelConfig, SnapshotError> {
    let key = format!("{output}_logfile");
    let file = match from.get::<(String,)>(&key)?.0.as_str() {
        "none" => LogFile::None,
        "auto" => LogFile::Auto,
        "path" => LogFile::Path(from.get::<(String, PathBuf)>(&key)?.1),
        _ => return Err(from.bad(&key)),
    };
    let (maxbytes, backups) = from.get(&format!("{output}_rotation"))?;
    let (capture_maxbytes, events_enabled, syslog) = from.get(&format!("{output}_streams"))?;
    Ok(ChannelConfig { file, maxbytes, backups, capture_maxbytes, events_enabled, syslog })
}

/// Where something listens, as a line of a section.
pub fn write_address(address: &Address, to: &mut Writer) {
    match address {
        Address::Unix { path, mode, uid, gid } => to.put("unix", &[&path.as_path(), mode, uid, gid]),
        Address::Inet { host, port } => to.put("inet", &[host, port]),
    }
}

fn read_fcgi(from: &Section<'_>) -> Result<Option<FcgiSocket>, SnapshotError> {
    let Some((section, backlog)) = from.maybe("fcgi")? else { return Ok(None) };
    Ok(Some(FcgiSocket { section, address: read_address(from)?, backlog }))
}

/// Where something listens.
///
/// # Errors
/// The section does not say.
pub fn read_address(from: &Section<'_>) -> Result<Address, SnapshotError> {
    Ok(match from.maybe("unix")? {
        Some((path, mode, uid, gid)) => Address::Unix { path, mode, uid, gid },
        None => {
            let (host, port) = from.get("inet")?;
            Address::Inet { host, port }
        }
    })
}

fn autorestart_name(autorestart: Autorestart) -> &'static str {
    match autorestart {
        Autorestart::Never => "never",
        Autorestart::Unexpected => "unexpected",
        Autorestart::Always => "always",
    }
}

fn read_autorestart(from: &Section<'_>) -> Result<Autorestart, SnapshotError> {
    match one(from, "autorestart")?.as_str() {
        "never" => Ok(Autorestart::Never),
        "unexpected" => Ok(Autorestart::Unexpected),
        "always" => Ok(Autorestart::Always),
        _ => Err(from.bad("autorestart")),
    }
}

pub(super) fn write_kind(kind: &GroupKind, to: &mut Writer) {
    match kind {
        GroupKind::Program => to.put("kind", &[&"program"]),
        GroupKind::Group => to.put("kind", &[&"group"]),
        GroupKind::EventListener { events, buffer_size, length_unit, result_handler } => {
            to.put("kind", &[&"eventlistener"]);
            events.iter().for_each(|event| to.put("event", &[event]));
            let counts_bytes = *length_unit == LengthUnit::Bytes;
            to.put("listening", &[buffer_size, &counts_bytes, result_handler]);
        }
    }
}

pub(super) fn read_kind(from: &Section<'_>) -> Result<GroupKind, SnapshotError> {
    match one(from, "kind")?.as_str() {
        "program" => Ok(GroupKind::Program),
        "group" => Ok(GroupKind::Group),
        "eventlistener" => {
            let (buffer_size, counts_bytes, result_handler) = from.get("listening")?;
            Ok(GroupKind::EventListener {
                events: from.rows::<(_,)>("event")?.into_iter().map(|(event,)| event).collect(),
                buffer_size,
                length_unit: if counts_bytes { LengthUnit::Bytes } else { LengthUnit::Characters },
                result_handler,
            })
        }
        _ => Err(from.bad("kind")),
    }
}

/// The names of the sections of a list of groups: of a group, and of a process of it.
pub(super) type Names = (&'static str, &'static str);
/// The groups of the configuration that was read last.
pub(super) const CONFIGURED: Names = ("configured-group", "configured-process");
/// What the groups that are being updated become.
pub(super) const TARGETS: Names = ("update-group", "update-process");

pub(super) fn write_groups<'a>(
    (group, process): Names,
    groups: impl IntoIterator<Item = &'a GroupConfig>,
    to: &mut Writer,
) {
    for GroupConfig { name, priority, kind, processes, sections } in groups {
        to.section(group);
        to.put("name", &[name]);
        to.put("priority", &[priority]);
        write_kind(kind, to);
        sections.iter().for_each(|section| to.put("section", &[section]));
        for settings in processes {
            to.section(process);
            write_process(settings, to);
        }
    }
}

pub(super) fn read_groups<'a>(
    (group, process): Names,
    sections: impl Iterator<Item = &'a Section<'a>>,
) -> Result<Vec<GroupConfig>, SnapshotError> {
    let mut groups: Vec<GroupConfig> = Vec::new();
    for from in sections {
        if from.name == group {
            groups.push(GroupConfig {
                name: one(from, "name")?,
                priority: from.get::<(_,)>("priority")?.0,
                kind: read_kind(from)?,
                processes: Vec::new(),
                sections: from.rows::<(_,)>("section")?.into_iter().map(|(section,)| section).collect(),
            });
        } else if from.name == process {
            let group = groups.last_mut().ok_or(SnapshotError::Missing { what: group })?;
            group.processes.push(read_process(from)?.into());
        }
    }
    Ok(groups)
}

/// The text of a key.
pub(super) fn one(from: &Section<'_>, key: &str) -> Result<String, SnapshotError> {
    Ok(from.get::<(String,)>(key)?.0)
}

/// The text of a key that may be missing.
pub(super) fn some(from: &Section<'_>, key: &str) -> Result<Option<String>, SnapshotError> {
    Ok(from.maybe::<(String,)>(key)?.map(|(text,)| text))
}
