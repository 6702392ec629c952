//! `supervisord -t --effective`: the configuration that results from all files, expansions and defaults, as one INI
//! file that means the same, with the origin of each value above it.

use std::fmt::Write;

use super::super::error::Place;
use super::super::ini::{Document, Located, Section};
use super::super::model::{
    Address, Autorestart, ChannelConfig, Config, Credentials, GroupConfig, GroupKind, KillMode, LengthUnit, Level,
    LogFile, MainLog, ProcessConfig, ServerConfig, Supervisord, User,
};
use super::super::{paths, signal};
use super::{Language, Setting};

/// Writes sections, each value below a comment that says where it comes from.
struct Writer<'a> {
    document: &'a Document,
    /// Directory of the main file, for texts that are shown as written.
    here: String,
    language: Language,
    section: String,
    out: String,
    /// The same, value by value.
    settings: Vec<Setting>,
}

/// The whole file.
pub(super) fn ini(config: &Config, document: &Document, language: Language) -> String {
    let path = config.path.display().to_string();
    let here = paths::dirname(&path).to_owned();
    let mut writer = Writer { here, ..Writer::new(document, language) };
    let title = writer.say("the configuration in effect of", "实际生效的配置：");
    let _ = writeln!(writer.out, "; {title} {path}");
    config.servers.iter().for_each(|server| writer.server(server));
    writer.supervisord(&config.supervisord);
    let as_written =
        |name: &str| name == "supervisorctl" || name.starts_with("rpcinterface:") || name.starts_with("user:");
    for section in document.sections.values().filter(|section| as_written(&section.name)) {
        writer.section_as_written(section);
    }
    let groups = &config.groups;
    groups.iter().for_each(|group| writer.group(group));
    for section in document.sections.values() {
        let of_section = groups
            .iter()
            .flat_map(|group| group.processes.iter().zip(&group.sections).filter(|(_, name)| **name == section.name));
        let processes: Vec<&ProcessConfig> = of_section.map(|(process, _)| process.as_ref()).collect();
        let kind = groups.iter().find(|group| group.sections.contains(&section.name)).map(|group| &group.kind);
        match kind {
            Some(kind) => writer.program(&section.name, kind, &processes),
            None if is_program(&section.name) => writer.section_as_written(section),
            None => {}
        }
    }
    writer.out
}

/// The settings of one process, as far as they are its own.
pub(super) fn settings(document: &Document, section: &str, kind: &GroupKind, process: &ProcessConfig) -> Vec<Setting> {
    let mut writer = Writer::new(document, Language::English);
    writer.program(section, kind, &[process]);
    writer.settings
}

impl<'a> Writer<'a> {
    fn new(document: &'a Document, language: Language) -> Self {
        let (here, section, out) = (String::new(), String::new(), String::new());
        Writer { document, here, language, section, out, settings: Vec::new() }
    }

    fn say<'t>(&self, english: &'t str, chinese: &'t str) -> &'t str {
        if self.language == Language::English { english } else { chinese }
    }

    fn begin(&mut self, section: &str) {
        section.clone_into(&mut self.section);
        let _ = write!(self.out, "\n[{section}]\n");
    }

    fn written(&self, key: &str) -> Option<&Located> {
        let section = self.document.section(&self.section)?;
        self.document.get(section, key)
    }

    /// A value that is ready to be read again.
    fn line(&mut self, key: &str, value: &str) {
        let origin = match self.written(key) {
            Some(value) => {
                let place = Place::in_file(&value.file, None);
                format!("{place}:{}", value.line)
            }
            None => self.say("default", "默认值").to_owned(),
        };
        let _ = writeln!(self.out, "; {origin}\n{key}={}", value.replace('\n', "\n  "));
        let origin = self.written(key).map(|value| (value.file.to_string(), value.line));
        self.settings.push(Setting { key: key.to_owned(), value: value.replace("%%", "%"), origin });
    }

    fn set(&mut self, key: &str, value: impl ToString) {
        self.line(key, &escaped(&value.to_string()));
    }

    fn set_some(&mut self, key: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    /// A value as written, if it is there.
    fn raw(&mut self, key: &str) {
        if let Some(value) = self.written(key) {
            let text = value.text.replace("%(here)s", &escaped(&self.here));
            self.line(key, &text);
        }
    }

    fn section_as_written(&mut self, section: &Section) {
        self.begin(&section.name);
        section.entries.iter().for_each(|(key, _)| self.raw(key));
    }

    /// What all processes of a section have in common; as written when they differ.
    fn common(&mut self, key: &str, processes: &[&ProcessConfig], value: impl Fn(&ProcessConfig) -> Option<String>) {
        let mut values: Vec<Option<String>> = processes.iter().map(|process| value(process)).collect();
        values.dedup();
        match &values[..] {
            [Some(value)] => self.line(key, value),
            [None] => {}
            _ => self.raw(key),
        }
    }

    fn supervisord(&mut self, own: &Supervisord) {
        self.begin("supervisord");
        let logfile = match &own.logfile {
            MainLog::Syslog => "syslog".to_owned(),
            MainLog::File(file) => file.display().to_string(),
        };
        self.set("logfile", logfile);
        self.set("logfile_maxbytes", own.logfile_maxbytes);
        self.set("logfile_backups", own.logfile_backups);
        self.set("loglevel", level(own.loglevel));
        self.set("pidfile", own.pidfile.display());
        self.set("umask", format!("{:03o}", own.umask));
        self.set("nodaemon", own.nodaemon);
        self.set("silent", own.silent);
        self.set("minfds", own.minfds);
        self.set("minprocs", own.minprocs);
        self.set("nocleanup", own.nocleanup);
        self.set("childlogdir", own.childlogdir.display());
        self.set_some("user", own.user.as_ref().map(|user| user.uid));
        self.set_some("directory", own.directory.as_ref().map(|path| path.display().to_string()));
        self.set("strip_ansi", own.strip_ansi);
        self.set("identifier", &own.identifier);
        self.set("on_crash", own.on_crash.name());
        self.line("environment", &environment(&own.environment));
    }

    fn server(&mut self, server: &ServerConfig) {
        self.begin(&server.section);
        match &server.address {
            Address::Unix { path, mode, uid, gid } => {
                self.set("file", path.display());
                self.set("chmod", format!("{mode:04o}"));
                self.set_some("chown", owner(*uid, *gid));
            }
            Address::Inet { host, port } => self.set("port", format!("{host}:{port}")),
        }
        if let Some(Credentials { username, password }) = &server.credentials {
            self.set("username", username);
            self.set("password", password);
        }
        // Supervisor does not know these keys, so they are only written where somebody did.
        self.raw("metrics_auth");
        self.raw("session_idle_secs");
    }

    fn group(&mut self, group: &GroupConfig) {
        if group.kind == GroupKind::Group {
            self.begin(&format!("group:{}", group.name));
            self.set("priority", group.priority);
            self.raw("programs");
        }
    }

    fn program(&mut self, section: &str, kind: &GroupKind, processes: &[&ProcessConfig]) {
        self.begin(section);
        self.common("command", processes, |one| Some(escaped(&one.command)));
        match processes {
            [one] => self.line("process_name", &escaped(&one.name)),
            _ => ["process_name", "numprocs"].iter().for_each(|key| self.raw(key)),
        }
        self.raw("numprocs_start");
        if let GroupKind::EventListener { events, buffer_size, length_unit, result_handler } = kind {
            // A pool and its processes have different defaults for the one key, so only what was said is said again.
            self.raw("priority");
            self.set("events", events.join(","));
            self.set("buffer_size", buffer_size);
            self.set("result_handler", result_handler);
            // Supervisor does not know the key, so it is only written where it says something.
            if *length_unit == LengthUnit::Bytes {
                self.set("payload_length_unit", "bytes");
            }
        } else {
            self.common("priority", processes, |one| Some(one.priority.to_string()));
        }
        self.fcgi(processes);
        self.supervision(processes);
        self.common("user", processes, |one| one.user.as_ref().map(|User { uid, .. }| uid.to_string()));
        self.common("umask", processes, |one| one.umask.map(|bits| format!("{bits:03o}")));
        self.common("directory", processes, |one| one.directory.as_deref().map(escaped));
        self.common("environment", processes, |one| Some(environment(&one.environment)));
        self.common("serverurl", processes, |one| Some(one.serverurl.as_deref().map_or("AUTO".into(), escaped)));
        self.common("redirect_stderr", processes, |one| Some(one.redirect_stderr.to_string()));
        self.channel("stdout", processes, |one| &one.stdout);
        self.channel("stderr", processes, |one| &one.stderr);
    }

    fn supervision(&mut self, processes: &[&ProcessConfig]) {
        self.common("autostart", processes, |one| Some(one.autostart.to_string()));
        self.common("autorestart", processes, |one| {
            Some(match one.autorestart {
                Autorestart::Never => "false".into(),
                Autorestart::Unexpected => "unexpected".into(),
                Autorestart::Always => "true".into(),
            })
        });
        self.common("startsecs", processes, |one| Some(one.startsecs.to_string()));
        self.common("startretries", processes, |one| Some(one.startretries.to_string()));
        self.common("exitcodes", processes, |one| {
            Some(one.exitcodes.iter().map(i32::to_string).collect::<Vec<_>>().join(","))
        });
        self.common("stopsignal", processes, |one| {
            let name = signal::known_name(one.stopsignal).and_then(|name| name.strip_prefix("SIG"));
            Some(name.map_or_else(|| one.stopsignal.to_string(), str::to_owned))
        });
        self.common("stopwaitsecs", processes, |one| Some(one.stopwaitsecs.to_string()));
        self.common("stopasgroup", processes, |one| Some(one.stopasgroup.to_string()));
        self.common("killasgroup", processes, |one| Some(one.killasgroup.to_string()));
        // Supervisor does not know the key, so it is only written where it says something.
        self.common("killmode", processes, |one| (one.killmode == KillMode::Tree).then(|| "tree".into()));
    }

    fn channel(&mut self, name: &str, processes: &[&ProcessConfig], of: impl Fn(&ProcessConfig) -> &ChannelConfig) {
        self.common(&format!("{name}_logfile"), processes, |one| {
            Some(match &of(one).file {
                LogFile::None => "NONE".to_owned(),
                LogFile::Auto => "AUTO".to_owned(),
                // Read twice, so escaped twice.
                LogFile::Path(path) => escaped(&escaped(&path.display().to_string())),
            })
        });
        self.common(&format!("{name}_logfile_maxbytes"), processes, |one| Some(of(one).maxbytes.to_string()));
        self.common(&format!("{name}_logfile_backups"), processes, |one| Some(of(one).backups.to_string()));
        self.common(&format!("{name}_capture_maxbytes"), processes, |one| Some(of(one).capture_maxbytes.to_string()));
        self.common(&format!("{name}_events_enabled"), processes, |one| Some(of(one).events_enabled.to_string()));
        self.common(&format!("{name}_syslog"), processes, |one| Some(of(one).syslog.to_string()));
    }

    fn fcgi(&mut self, processes: &[&ProcessConfig]) {
        let Some(socket) = processes.first().and_then(|process| process.fcgi.as_ref()) else { return };
        self.set("socket", socket.url());
        self.set_some("socket_backlog", socket.backlog);
        if let Address::Unix { mode, uid, gid, .. } = &socket.address {
            self.set("socket_mode", format!("{mode:04o}"));
            self.set_some("socket_owner", owner(*uid, *gid));
        }
    }
}

/// A program section; without processes (`numprocs=0`) nothing of it is resolved.
fn is_program(section: &str) -> bool {
    ["program:", "fcgi-program:", "eventlistener:"].iter().any(|kind| section.starts_with(kind))
}

fn owner(uid: Option<u32>, gid: Option<u32>) -> Option<String> {
    uid.map(|uid| gid.map_or_else(|| uid.to_string(), |gid| format!("{uid}:{gid}")))
}

/// A text that expands to itself.
fn escaped(text: &str) -> String {
    text.replace('%', "%%")
}

fn environment(variables: &[(String, String)]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let pairs = variables.iter().map(|(name, value)| {
        let name = if plain(name) { name.clone() } else { quoted(name) };
        escaped(&format!("{name}={}", quoted(value)))
    });
    pairs.collect::<Vec<_>>().join(",")
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Blather => "blather",
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        Level::Critical => "critical",
    }
}
