//! What is legal and probably wrong.

use std::path::Path;

use super::super::error::Place;
use super::super::ini::{Document, Located, Section};
use super::super::model::{Address, Autorestart, Config};
use super::super::section::Reader;
use super::super::{Host, python};
use super::known_keys::{self, Keys};
use super::{Finding, Sentence, Severity};

/// Directories that are emptied from time to time.
const TEMPORARY: &[&str] = &["/tmp", "/var/tmp"];

/// Everybody may read.
const OTHERS_READ: u32 = 0o004;

struct Lint<'a> {
    document: &'a Document,
    config: &'a Config,
    host: &'a dyn Host,
    found: Vec<Finding>,
}

/// Warnings, those about one section together, sections in file order.
pub(super) fn findings(document: &Document, config: &Config, host: &dyn Host) -> Vec<Finding> {
    let mut lint = Lint { document, config, host, found: Vec::new() };
    for section in document.sections.values().chain(&document.defaults) {
        lint.cut_values(section);
        lint.passwords(section);
    }
    for section in document.sections.values() {
        lint.names(section);
    }
    lint.foreground();
    lint.servers();
    lint.fcgi_sockets();
    lint.restarts();
    lint.found
}

impl Lint<'_> {
    fn warn(&mut self, place: Place, english: String, chinese: String) {
        let text = Sentence { english, chinese };
        self.found.push(Finding { severity: Severity::Warning, place: Some(place), text, next_step: None });
    }

    fn advise(&mut self, english: impl Into<String>, chinese: impl Into<String>) {
        if let Some(last) = self.found.last_mut() {
            last.next_step = Some(Sentence { english: english.into(), chinese: chinese.into() });
        }
    }

    fn place(&self, section: &Section, key: &str) -> Place {
        Reader { document: self.document, section }.place(key)
    }

    /// A comment that was probably meant to be part of the value.
    fn cut_values(&mut self, section: &Section) {
        for (key, value) in &section.entries {
            let Some(comment) = value.comments.iter().find(|comment| is_suspicious(key, value, comment)) else {
                continue;
            };
            let (cut, marker) = (comment.trim(), comment.trim().chars().next().unwrap_or(';'));
            let cut = if key == "password" { "***" } else { cut };
            self.warn(
                self.place(section, key),
                format!("a comment starts at ' {marker}' and cuts the value; not read: {cut}"),
                format!("“ {marker}”之后被当作注释，值在此处被截断，未读取的内容：{cut}"),
            );
            self.advise(
                format!("remove the blank before {marker}; if it is needed, put the command into a script"),
                format!("去掉 {marker} 前的空格；如必须保留，请把命令写入脚本"),
            );
        }
    }

    fn passwords(&mut self, section: &Section) {
        let holds = ["unix_http_server", "inet_http_server", "supervisorctl"];
        if !holds.iter().any(|kind| section.name.starts_with(kind)) {
            return;
        }
        let Some(value) = section.get("password").filter(|value| !value.text.starts_with("{SHA}")) else { return };
        let file = value.file.clone();
        let Some(mode) = self.host.mode(Path::new(&*file)).filter(|mode| mode & OTHERS_READ != 0) else { return };
        self.warn(
            self.place(section, "password"),
            format!("every user of this host can read this password: {file} has mode {mode:04o}"),
            format!("本机所有用户都能读取此密码：{file} 的权限为 {mode:04o}"),
        );
        self.advise(format!("chmod 600 {file}"), format!("执行 chmod 600 {file}"));
    }

    /// Sections and keys that nobody reads.
    fn names(&mut self, section: &Section) {
        let name = &section.name;
        let known = match known_keys::of_section(name) {
            Keys::Open => return,
            Keys::Closed(known) => known,
            Keys::Unknown => {
                let place = Reader { document: self.document, section }.header();
                self.warn(place, "unknown section, it is ignored".into(), "未知的配置段，将被忽略".into());
                if let Some(meant) = known_keys::nearest_section(name) {
                    self.advise(format!("did you mean [{meant}]?"), format!("是否应为 [{meant}]？"));
                }
                return;
            }
        };
        for (key, _) in section.entries.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            let place = self.place(section, key);
            self.warn(place, "unknown key, it is ignored".into(), "未知的配置项，将被忽略".into());
            if let Some(meant) = known_keys::nearest(key, &known) {
                self.advise(format!("did you mean {meant}?"), format!("是否应为 {meant}？"));
            }
        }
    }

    /// Keys that only count when daemonising, as in Supervisor, and are set all the same.
    fn foreground(&mut self) {
        let own = &self.config.supervisord;
        let keys = [("directory", own.directory.is_some()), ("umask", own.umask != 0o022)];
        let Some(section) = self.document.section("supervisord").filter(|_| own.nodaemon) else { return };
        for (key, _) in keys.into_iter().filter(|(_, is_set)| *is_set) {
            self.warn(
                self.place(section, key),
                "no effect in the foreground (nodaemon=true)".into(),
                "前台运行（nodaemon=true）时不起作用".into(),
            );
        }
    }

    fn servers(&mut self) {
        let config = self.config;
        for server in &config.servers {
            let Some(section) = self.document.section(&server.section) else { continue };
            match &server.address {
                Address::Unix { path, .. } => self.temporary_socket(self.place(section, "file"), path),
                Address::Inet { host, .. } if server.credentials.is_none() && !is_loopback(host) => {
                    self.warn(
                        self.place(section, "port"),
                        "whoever reaches this port can run programs: there is no password".into(),
                        "未设置密码：任何能访问此端口的人都能运行程序".into(),
                    );
                    self.advise(
                        "set username and password, or port=127.0.0.1:9001",
                        "设置 username 和 password，或 port=127.0.0.1:9001",
                    );
                }
                Address::Inet { .. } => {}
            }
        }
    }

    fn fcgi_sockets(&mut self) {
        let config = self.config;
        for socket in config.groups.iter().flat_map(|group| &group.processes).filter_map(|one| one.fcgi.as_ref()) {
            if let (Address::Unix { path, .. }, Some(section)) =
                (&socket.address, self.document.section(&socket.section))
            {
                self.temporary_socket(self.place(section, "socket"), path);
            }
        }
    }

    fn temporary_socket(&mut self, place: Place, path: &Path) {
        let Some(directory) = TEMPORARY.iter().find(|directory| path.starts_with(directory)) else { return };
        self.warn(
            place,
            format!("the socket is in {directory}, which is cleaned: it may vanish while the service runs"),
            format!("套接字位于 {directory}，该目录会被定期清理，服务运行中套接字可能消失"),
        );
        self.advise(
            "use /run, for example /run/supervisor/supervisor.sock",
            "改用 /run，例如 /run/supervisor/supervisor.sock",
        );
    }

    fn restarts(&mut self) {
        let programs = self.document.sections.values().filter(|section| {
            ["program:", "fcgi-program:", "eventlistener:"].iter().any(|kind| section.name.starts_with(kind))
        });
        for section in programs {
            let reader = Reader { document: self.document, section };
            let says = |key: &str| reader.raw(key).map(|value| python::trim(&value.text).to_lowercase());
            let never_late =
                says("startsecs").is_some_and(|text| super::super::values::integer(&text).is_ok_and(|secs| secs <= 0));
            let autorestart = says("autorestart")
                .map_or(Ok(Autorestart::Unexpected), |text| super::super::values::autorestart(&text));
            if !never_late || matches!(autorestart, Ok(Autorestart::Never) | Err(_)) {
                continue;
            }
            self.warn(
                reader.place("startsecs"),
                "startsecs=0 with autorestart: a program that fails at once counts as started and is restarted for ever".into(),
                "startsecs=0 且启用 autorestart：启动即失败的程序仍被视为启动成功，会被无限重启".into(),
            );
            self.advise(
                "set startsecs to 1 or more, or autorestart=false",
                "将 startsecs 设为 1 或以上，或设置 autorestart=false",
            );
        }
    }
}

/// The rest of the value has an open quote, or the marker follows a single blank and is followed by none, where
/// comments are usually set apart; or a shell was meant to go on after `cd`.
fn is_suspicious(key: &str, value: &Located, comment: &str) -> bool {
    let marker = comment.trim_start();
    let is_tight =
        comment.len() - marker.len() == 1 && marker.chars().nth(1).is_some_and(|next| !python::is_space(next));
    let is_free_text = ["command", "environment", "password", "username", "prompt"].contains(&key);
    has_open_quote(&value.text) || (is_free_text && is_tight) || (key == "command" && value.text.starts_with("cd "))
}

fn has_open_quote(text: &str) -> bool {
    let mut open = None;
    for c in text.chars().filter(|c| ['"', '\''].contains(c)) {
        open = match open {
            None => Some(c),
            Some(quote) if quote == c => None,
            other => other,
        };
    }
    open == Some('"') || (open.is_some() && text.matches('\'').count() > 1) || (open.is_some() && text.contains(" '"))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}
