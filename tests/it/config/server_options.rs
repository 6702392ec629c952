//! Whole configurations, resolved by us and by the stock Supervisor: every setting, notice and error text is equal.

use std::fmt::Write;
use std::path::Path;

use supervisor_kit::config::{
    Address, ChannelConfig, Config, GroupConfig, GroupKind, Invocation, Level, LogFile, MainLog, Options,
    ProcessConfig, ServerConfig, load, repr,
};
use supervisor_kit::sys::host::Machine;

use super::oracle::ask_python;
use super::server_cases::CASES;

#[test]
fn stock_supervisor_agrees() {
    let root = tempfile::tempdir().unwrap();
    let mut names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    names.sort_unstable();
    for case in CASES {
        let directory = root.path().join(case.name);
        std::fs::create_dir_all(directory.join("conf.d")).unwrap();
        std::fs::write(directory.join("args"), case.args.join("\n")).unwrap();
        for (file, text) in case.files {
            std::fs::write(directory.join(file), text).unwrap();
        }
    }
    let stock = ask_python("server_options.py", root.path());
    let stock: Vec<&str> = stock.split("case ").skip(1).collect();
    assert_eq!(stock.len(), names.len());
    for (name, stock) in names.into_iter().zip(stock) {
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        let ours = format!("{name}\n{}", resolve(&root.path().join(name), case.args));
        assert_eq!(ours, stock, "case {name} (ours on the left)\n{ours}\n--- stock\n{stock}");
        assert_eq!(stock.contains("\nrefused"), case.refused, "case {name}: {stock}");
    }
}

pub fn resolve(directory: &Path, args: &[&str]) -> String {
    let file = directory.join("supervisord.conf");
    let mut words = vec!["-c".to_owned(), file.to_string_lossy().into_owned()];
    words.extend(args.iter().map(|arg| (*arg).to_owned()));
    let machine = Machine::new();
    let config = match Options::parse("supervisord", &words, &machine) {
        Ok(Invocation::Run(options)) => load(&options, &machine),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    };
    match config {
        Ok(config) => show(&config),
        Err(error) => format!("refused {error}\n"),
    }
}

fn truth(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn text(value: Option<&str>) -> String {
    value.map_or_else(|| "None".to_owned(), repr::text)
}

fn number(value: Option<u32>) -> String {
    value.map_or_else(|| "None".to_owned(), |value| value.to_string())
}

fn path(path: &Path) -> String {
    repr::text(path.to_str().unwrap())
}

fn pairs(environment: &[(String, String)]) -> String {
    let pairs = environment.iter().map(|(key, value)| format!("{}={}", repr::text(key), repr::text(value)));
    pairs.collect::<Vec<_>>().join(", ")
}

fn show(config: &Config) -> String {
    let mut out = String::new();
    let own = &config.supervisord;
    let log = match &own.logfile {
        MainLog::Syslog => "syslog".to_owned(),
        MainLog::File(file) => path(file),
    };
    let (size, backups, level) = (own.logfile_maxbytes, own.logfile_backups, own.loglevel as i32);
    writeln!(out, "{log} {size} {backups} {level} {}", path(&own.pidfile)).unwrap();
    let (nodaemon, silent) = (truth(own.nodaemon), truth(own.silent));
    writeln!(out, "{} {nodaemon} {silent} {} {}", own.umask, own.minfds, own.minprocs).unwrap();
    let (uid, gid) = (own.user.as_ref().map(|user| user.uid), own.user.as_ref().map(|user| user.gid));
    let nocleanup = truth(own.nocleanup);
    writeln!(out, "{nocleanup} {} {} {}", path(&own.childlogdir), number(uid), number(gid)).unwrap();
    let directory = text(own.directory.as_deref().and_then(Path::to_str));
    writeln!(out, "{directory} {} {}", truth(own.strip_ansi), repr::text(&own.identifier)).unwrap();
    writeln!(out, "environment {}", pairs(&own.environment)).unwrap();
    writeln!(out, "rpc {}", truth(config.has_supervisor_rpc)).unwrap();
    let mut groups: Vec<&GroupConfig> = config.groups.iter().collect();
    groups.sort_by_key(|group| (group.priority, &group.name));
    for group in groups {
        writeln!(out, "group {} {}", repr::text(&group.name), group.priority).unwrap();
        show_kind(&mut out, group);
        group.processes.iter().for_each(|process| show_process(&mut out, process));
    }
    config.servers.iter().for_each(|server| show_server(&mut out, server));
    for notice in &config.notices {
        let level = match notice.level {
            Level::Critical => "criticals",
            Level::Warn => "warnings",
            _ => "infos",
        };
        writeln!(out, "{level} {}", notice.text).unwrap();
    }
    out
}

/// The socket of a FastCGI group, what a listener pool listens to.
fn show_kind(out: &mut String, group: &GroupConfig) {
    let socket = group.processes.first().and_then(|process| process.fcgi.as_ref());
    if let Some(socket) = socket.filter(|_| group.kind == GroupKind::Program) {
        let (mode, uid, gid) = match &socket.address {
            Address::Unix { mode, uid, gid, .. } => (Some(*mode), *uid, *gid),
            Address::Inet { .. } => (None, None, None),
        };
        let (url, backlog) = (repr::text(&socket.url()), number(socket.backlog.map(u32::from)));
        writeln!(out, "  socket {url} {backlog} {} {} {}", number(mode), number(uid), number(gid)).unwrap();
    }
    if let GroupKind::EventListener { events, buffer_size, result_handler, .. } = &group.kind {
        let mut events = events.clone();
        events.sort();
        writeln!(out, "  pool {} {buffer_size} {result_handler}", events.join(",")).unwrap();
    }
}

fn show_process(out: &mut String, process: &ProcessConfig) {
    let p = process;
    writeln!(out, "  process {} {}", repr::text(&p.name), repr::text(&p.command)).unwrap();
    let uid = number(p.user.as_ref().map(|user| user.uid));
    let (directory, umask) = (text(p.directory.as_deref()), number(p.umask));
    writeln!(out, "     {directory} {umask} {uid} {} {}", p.priority, truth(p.autostart)).unwrap();
    writeln!(out, "     {:?} {} {} {:?}", p.autorestart, p.startsecs, p.startretries, p.exitcodes).unwrap();
    let (stop, kill) = (truth(p.stopasgroup), truth(p.killasgroup));
    writeln!(out, "     {} {} {stop} {kill}", p.stopsignal, p.stopwaitsecs).unwrap();
    let (url, redirect) = (text(p.serverurl.as_deref()), truth(p.redirect_stderr));
    writeln!(out, "     {url} {redirect} {}", pairs(&p.environment)).unwrap();
    for channel in [&p.stdout, &p.stderr] {
        writeln!(out, "     {}", log(channel)).unwrap();
    }
}

fn log(channel: &ChannelConfig) -> String {
    let target = match &channel.file {
        LogFile::None => "None".to_owned(),
        LogFile::Auto => "AUTO".to_owned(),
        LogFile::Path(file) => path(file),
    };
    let numbers = [channel.maxbytes, channel.backups, channel.capture_maxbytes];
    format!("{target} {numbers:?} {} {}", truth(channel.events_enabled), truth(channel.syslog))
}

fn show_server(out: &mut String, server: &ServerConfig) {
    let auth = server.credentials.as_ref();
    let auth = auth.map(|auth| format!("{}:{}", repr::text(&auth.username), repr::text(&auth.password)));
    let (auth, section) = (auth.unwrap_or_else(|| "None".to_owned()), repr::text(&server.section));
    match &server.address {
        Address::Inet { host, port } => writeln!(out, "inet {section} {} {port} {auth}", repr::text(host)),
        Address::Unix { path: file, mode, uid, gid } => {
            let (uid, gid) = (number(*uid), number(*gid));
            writeln!(out, "unix {section} {} {mode} {uid} {gid} {auth}", path(file))
        }
    }
    .unwrap();
}
