//! Whole configurations on a machine made of a table: what the comparison with stock Supervisor cannot show.

use supervisor_kit::config::{
    Address, Config, CtlConfig, DEFAULT_RESULT_HANDLER, FcgiSocket, GroupKind, LengthUnit, Level, MainLog, Options,
    load, load_ctl,
};

use super::host::{Table, main_options};

fn loaded(host: &Table) -> Config {
    load(&main_options(), host).unwrap()
}

fn notices(config: &Config) -> Vec<(Level, &str)> {
    config.notices.iter().map(|notice| (notice.level, notice.text.as_str())).collect()
}

#[test]
fn the_path_is_pinned_and_relative_paths_resolve_against_the_working_directory() {
    let host = Table::default().file("/start/dir/etc/s.conf", b"[supervisord]\n[include]\nfiles=%(here)s/x.ini\n");
    let options = Options { config_file: Some("etc/s.conf".into()), ..main_options() };
    // A table knows absolute names only, so the file is there under both.
    let host = host.file("etc/s.conf", b"[supervisord]\n[include]\nfiles=%(here)s/x.ini y.ini\n");
    let config = load(&options, &host).unwrap();
    assert_eq!(config.path.to_str(), Some("/start/dir/etc/s.conf"));
    assert_eq!(config.supervisord.logfile, MainLog::File("/start/dir/supervisord.log".into()));
    assert_eq!(config.supervisord.pidfile.to_str(), Some("/start/dir/supervisord.pid"));
    let missing = |file| format!("No file matches via include \"/start/dir/etc/{file}\"");
    let expect = [missing("x.ini"), missing("y.ini")];
    assert_eq!(notices(&config), [(Level::Warn, expect[0].as_str()), (Level::Warn, expect[1].as_str())]);
}

#[test]
fn the_search_starts_beside_the_program() {
    let search = |program: &str, host: &Table| {
        let options = Options { program: program.into(), ..Options::default() };
        load(&options, host).map(|config| config.path.to_string_lossy().into_owned()).map_err(|error| error.text)
    };
    let text = b"[supervisord]\n";
    let host = Table::default().file("/opt/sv/etc/supervisord.conf", text).file("/etc/supervisord.conf", text);
    assert_eq!(search("/opt/sv/bin/supervisord", &host).as_deref(), Ok("/opt/sv/etc/supervisord.conf"));
    assert_eq!(search("/usr/bin/supervisord", &host).as_deref(), Ok("/etc/supervisord.conf"));
    let host = host.file("/opt/sv/bin/supervisord", b"").variable("PATH", "/nowhere:/opt/sv/bin");
    assert_eq!(search("supervisord", &host).as_deref(), Ok("/opt/sv/etc/supervisord.conf"));
    let error = search("/usr/bin/supervisord", &Table::default()).unwrap_err();
    assert_eq!(
        error,
        "No config file found at default paths (/usr/etc/supervisord.conf, /usr/supervisord.conf, supervisord.conf, \
         etc/supervisord.conf, /etc/supervisord.conf, /etc/supervisor/supervisord.conf); \
         use the -c option to specify a config file at a different path"
    );
}

#[test]
fn environments_override_one_another() {
    let text = "[supervisord]\nenvironment=A=\"sup\",B=\"sup%%\"\n[program:a]\ncommand=%(ENV_A)s %(ENV_B)s %(ENV_C)s %(ENV_D)s\n\
                environment=A=\"own\",E=\"%(ENV_B)s\"\n[group:g]\nprograms=a\n[inet_http_server]\nport=%(ENV_P)s\n";
    let host = Table::with_main(text)
        .variable("B", "process")
        .variable("C", "pro%cess")
        .variable("D", "d")
        .variable("P", "9001");
    let config = loaded(&host);
    let process = &config.groups[0].processes[0];
    assert_eq!(process.command, "own sup% pro%cess d");
    let pairs = [("A", "own"), ("B", "sup%"), ("E", "sup%")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(process.environment, pairs);
    assert_eq!(config.servers[0].address, Address::Inet { host: String::new(), port: 9001 });
}

#[test]
fn an_include_that_cannot_be_read_is_warned_about() {
    let host = Table::with_main("[supervisord]\n[include]\nfiles=d/*\n").file("/etc/d/a", b"[program:a]\ncommand=a");
    let config = loaded(&Table { unreadable: Some("/etc/d/a".into()), ..host });
    let expect = [
        (Level::Warn, "could not read included file \"/etc/d/a\": Permission denied"),
        (Level::Info, "Included extra file \"/etc/d/a\" during parsing"),
    ];
    assert_eq!(notices(&config), expect);
}

#[test]
fn fastcgi_programs_share_the_socket_of_their_section() {
    let text = "[supervisord]\n[fcgi-program:f]\ncommand=f\nsocket=unix:///run/../tmp/%(program_name)s.sock\nuser=op\nnumprocs=2\n\
                process_name=%(process_num)d\n[fcgi-program:t]\ncommand=t\nsocket=tcp://LocalHost:9000\nsocket_backlog=64\n\
                [program:a]\ncommand=a\n[group:g]\nprograms=a,f\n";
    let config = loaded(&Table::with_main(text));
    let sockets = |group: usize| -> Vec<Option<FcgiSocket>> {
        config.groups[group].processes.iter().map(|process| process.fcgi.clone()).collect()
    };
    let [None, Some(first), Some(second)] = &sockets(0)[..] else { panic!("{:?}", sockets(0)) };
    assert_eq!((first.url().as_str(), first.section.as_str()), ("unix:///tmp/f.sock", "fcgi-program:f"));
    assert_eq!(first, second);
    let owned = Address::Unix { path: "/tmp/f.sock".into(), mode: 0o700, uid: Some(1000), gid: Some(1001) };
    assert_eq!((&first.address, first.backlog), (&owned, None));
    let tcp = sockets(1)[0].clone().unwrap();
    assert_eq!((tcp.url().as_str(), tcp.backlog), ("tcp://localhost:9000", Some(64)));
}

#[test]
fn event_listeners_are_read_and_named() {
    let text = "[supervisord]\n[eventlistener:e]\ncommand=e\nevents=tick_5, PROCESS_STATE,TICK_5\nbuffer_size=3\n\
                [eventlistener:p]\ncommand=p\nevents=EVENT\nresult_handler=my.module:handler\n\
                payload_length_unit=bytes\n";
    let config = loaded(&Table::with_main(text));
    let kind = |events: &[&str], buffer_size, length_unit, handler: &str| GroupKind::EventListener {
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        buffer_size,
        length_unit,
        result_handler: handler.to_owned(),
    };
    assert_eq!(
        config.groups[0].kind,
        kind(&["TICK_5", "PROCESS_STATE"], 3, LengthUnit::Characters, DEFAULT_RESULT_HANDLER)
    );
    assert_eq!(config.groups[1].kind, kind(&["EVENT"], 10, LengthUnit::Bytes, "my.module:handler"));
    assert_eq!((config.groups[0].priority, config.groups[0].processes[0].priority), (-1, 999));
    let expect = [(
        Level::Critical,
        "[eventlistener:p] cannot run: its result_handler my.module:handler is not part of this program, \
             which runs no Python plug-ins",
    )];
    assert_eq!(notices(&config), expect);
}

#[test]
fn a_byte_order_mark_is_accepted() {
    let config = loaded(&Table::with_main("\u{feff}[supervisord]\nidentifier=bom\n"));
    assert_eq!(config.supervisord.identifier, "bom");
}

#[test]
fn the_control_section() {
    let ctl = |text: &str| load_ctl(Some("/etc/s.conf"), "supervisorctl", &Table::with_main(text));
    assert_eq!(ctl("[supervisorctl]\n"), Ok(Some(CtlConfig::default())));
    let full = "[supervisorctl]\nserverurl=unix://%(here)s/../run/s.sock\nusername=u\npassword=p%%\nprompt=ops\nhistory_file=~/.h\n";
    let expect = CtlConfig {
        serverurl: "unix:///run/s.sock".into(),
        username: Some("u".into()),
        password: Some("p%".into()),
        prompt: "ops".into(),
        history_file: Some("/home/op/.h".into()),
        skipped_plugins: Vec::new(),
    };
    assert_eq!(ctl(full), Ok(Some(expect)));
    assert_eq!(ctl("[supervisord]\n").unwrap_err().text, ".ini file does not include supervisorctl section");
    assert_eq!(load_ctl(None, "supervisorctl", &Table::default()), Ok(None));
}
