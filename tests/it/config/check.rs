//! `supervisord -t`: every problem at once, each with its place, and what is legal but wrong.

use supervisor_kit::config::{Check, Config, Language, Report, check, load};

use super::host::{Table, main_options};

fn checked(host: &Table, report: Report) -> Check {
    check(&main_options(), report, host)
}

/// Exit code and report of a file that comes after `[supervisord]`.
#[track_caller]
fn check_text(text: &str, exit_code: i32, expect: &[&str]) {
    let outcome = checked(&Table::with_main(&format!("[supervisord]\n{text}")), Report::default());
    let lines: Vec<&str> = outcome.text.lines().collect();
    assert_eq!(lines, expect, "for\n{text}");
    assert_eq!(outcome.exit_code, exit_code, "for\n{text}");
}

#[test]
fn nothing_wrong() {
    let text = "[program:a]\ncommand=a ; a comment\nnumprocs=2\nprocess_name=%(process_num)d";
    check_text(text, 0, &["OK: /etc/s.conf: 1 group, 2 processes"]);
}

#[test]
fn all_problems_of_all_files_in_one_run() {
    let main = "[supervisord]\nminfds=many\njunk\n  nodaemon=maybe\nenvironment=A\n[program:a]\ncommand=50%\nstartsecs=x\n\
                [program:b]\n[group:g]\nprograms=a,zork,b\n[inet_http_server]\nport=0\nusername=u\n[include]\nfiles=d/*\n";
    let host = Table::with_main(main)
        .file("/etc/d/1.ini", b"early=1\nlater=2\n[program:c d]\ncommand=c\n")
        .file("/etc/d/2.ini", b"[eventlistener:e]\ncommand=%(ENV_A)s\nevents=FOO\nbuffer_size=0\n=1\n");
    let outcome = checked(&host, Report::default());
    let places: Vec<&str> =
        outcome.text.lines().filter_map(|line| line.strip_prefix("error: ")?.split(": ").next()).collect();
    let expect = [
        "/etc/s.conf:3:1",
        "/etc/d/1.ini:1:1",
        "/etc/d/2.ini:5:1",
        "/etc/s.conf:2:8",
        "/etc/s.conf:5:13",
        "/etc/s.conf:8:11",
        "/etc/s.conf:7:9",
        "/etc/s.conf:11:10",
        "/etc/s.conf:9:1",
        "/etc/d/1.ini:3:1",
        "/etc/d/2.ini:4:13",
        "/etc/d/2.ini:3:8",
        "/etc/s.conf:12:1",
        "/etc/s.conf:13:6",
    ];
    assert_eq!(places, expect, "{}", outcome.text);
    assert_eq!(outcome.exit_code, 2);
    assert!(outcome.text.ends_with("\nnot usable: /etc/s.conf: 14 errors, 0 warnings\n"), "{}", outcome.text);
}

#[test]
fn an_error_shows_the_value_and_the_next_step() {
    check_text(
        "identifier=50%\n",
        2,
        &[
            "error: /etc/s.conf:2:12: [supervisord] identifier=50%: Format string '50%' for 'supervisord.identifier' \
             is badly formatted: incomplete format",
            "  next step: write %% for a percent sign, %(ENV_NAME)s for an environment variable",
            "not usable: /etc/s.conf: 1 error, 0 warnings",
        ],
    );
}

#[test]
fn what_python_would_have_to_run_is_an_error() {
    let text =
        "[rpcinterface:x]\nsupervisor.rpcinterface_factory=my.mod:make\n[ctlplugin:y]\nsupervisor.ctl_factory = m:n\n";
    check_text(
        text,
        2,
        &[
            "error: /etc/s.conf:5:26: [ctlplugin:y] supervisor.ctl_factory=m:n: [ctlplugin:y] is skipped: its factory \
             m:n is not part of this program, which runs no Python plug-ins",
            "error: /etc/s.conf:3:33: [rpcinterface:x] supervisor.rpcinterface_factory=my.mod:make: [rpcinterface:x] is \
             skipped: its factory my.mod:make is not part of this program, which runs no Python plug-ins",
            "not usable: /etc/s.conf: 2 errors, 0 warnings",
        ],
    );
    let config = load(&main_options(), &Table::with_main(&format!("[supervisord]\n{text}"))).unwrap();
    assert_eq!((config.has_supervisor_rpc, config.notices.len()), (false, 1));
}

#[test]
fn the_section_of_supervisorctl_is_checked_too() {
    let outcome = checked(&Table::with_main("[supervisord]\n[supervisorctl]\npassword=50%\n"), Report::default());
    assert!(
        outcome.text.starts_with("error: /etc/s.conf:3:10: [supervisorctl] password=***: Format"),
        "{}",
        outcome.text
    );
    let outcome = checked(&Table::with_main("[supervisord]\n[ctlplugin:x]\n"), Report::default());
    assert!(
        outcome.text.contains("section [ctlplugin:x] does not specify a supervisor.ctl_factory"),
        "{}",
        outcome.text
    );
}

#[test]
fn legal_but_wrong() {
    let one = |text: &str, warning: &str| {
        let outcome = checked(&Table::with_main(&format!("[supervisord]\n{text}")), Report::default());
        let first = outcome.text.lines().next().unwrap_or_default();
        assert_eq!(first, format!("warning: /etc/s.conf:{warning}"), "for\n{text}");
        assert_eq!(outcome.exit_code, 1, "for\n{text}");
        assert!(outcome.text.ends_with(", 1 warning\n"), "{}", outcome.text);
    };
    one(
        "[program:a]\ncommand=a\nstartsecs=0",
        "4:11: [program:a] startsecs=0: startsecs=0 with autorestart: a program that fails at once counts as started \
         and is restarted for ever",
    );
    one(
        "[unix_http_server]\nfile=/tmp/s.sock",
        "3:6: [unix_http_server] file=/tmp/s.sock: the socket is in /tmp, which is cleaned: it may vanish while the \
         service runs",
    );
    one(
        "[program:a]\ncommand=sh -c \"a ; b\"",
        "3:9: [program:a] command=sh -c \"a: a comment starts at ' ;' and cuts the value; not read: ; b\"",
    );
    one(
        "[program:a]\ncommand=a #1",
        "3:9: [program:a] command=a: a comment starts at ' #' and cuts the value; not read: #1",
    );
    one("[program:a]\ncommand=a\nautostrat=true", "4:11: [program:a] autostrat=true: unknown key, it is ignored");
    one("[Program:a]\ncommand=a", "2:1: [Program:a]: unknown section, it is ignored");
    one("nodaemon=true\numask=077", "3:7: [supervisord] umask=077: no effect in the foreground (nodaemon=true)");
    one(
        "[program:a]\ncommand=a\nredirect_stderr=true\nstderr_logfile=/tmp/e",
        "5:16: [program:a] stderr_logfile=/tmp/e: For [program:a], redirect_stderr=true but stderr_logfile has also been \
         set to a filename, the filename has been ignored",
    );
    one(
        "[program:a]\ncommand=a\nstdout_logfile_maxbytes=0",
        "4:25: [program:a] stdout_logfile_maxbytes=0: For [program:a], AUTO logging used for stdout_logfile without \
         rollover, set maxbytes > 0 to avoid filling up filesystem unintentionally",
    );
    one(
        "[inet_http_server]\nport=*:9001",
        "3:6: [inet_http_server] port=*:9001: whoever reaches this port can run programs: there is no password",
    );
}

#[test]
fn comments_that_are_set_apart_are_no_mistake() {
    for line in ["command=a ; b", "command=a   ;b", "directory=/tmp ;x", "command=a;b", "command=it's ok ; x"] {
        let text = format!("[program:a]\ncommand=a\n{line}\n");
        check_text(&text, 0, &["OK: /etc/s.conf: 1 group, 1 process"]);
    }
}

#[test]
fn a_misspelt_word_is_guessed() {
    let hint = |text: &str| {
        let outcome = checked(&Table::with_main(&format!("[supervisord]\n{text}")), Report::default());
        outcome.text.lines().nth(1).and_then(|line| line.strip_prefix("  next step: ")).map(str::to_owned)
    };
    for (text, expect) in [
        ("[program:a]\ncommand=a\nstdout_logfle=AUTO", Some("did you mean stdout_logfile?")),
        ("[program:a]\ncommand=a\nstop_signal=TERM", Some("did you mean stopsignal?")),
        ("[program:a]\ncommand=a\nx_vendor=1", None),
        ("[supervisorctrl]\n", Some("did you mean [supervisorctl]?")),
        ("[prgoram:web]\n", Some("did you mean [program:web]?")),
        ("[Program:web]\n", Some("did you mean [program:web]?")),
        ("[circus]\n", None),
    ] {
        assert_eq!(hint(text).as_deref(), expect, "for {text}");
    }
}

#[test]
fn a_password_that_everybody_can_read() {
    let text = "[supervisord]\n[inet_http_server]\nport=9001\nusername=u\npassword=";
    let warns = |password: &str, mode: u32| {
        let host = Table { mode, ..Table::with_main(&format!("{text}{password}\n")) };
        let outcome = checked(&host, Report::default());
        assert!(!outcome.text.contains("secret"), "{}", outcome.text);
        outcome.text.contains("can read this password: /etc/s.conf has mode 0644")
    };
    assert!(warns("secret", 0o644));
    assert!(!warns("secret", 0o640));
    assert!(!warns("{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d", 0o644));
}

#[test]
fn gb18030_is_read_with_a_warning() {
    let gbk = b"[supervisord]\n; \xb2\xe2\xca\xd4\n[program:\xb2\xe2\xca\xd4]\ncommand=a\n";
    let host = Table::default().file("/etc/s.conf", gbk);
    let outcome = checked(&host, Report::default());
    let expect = "warning: /etc/s.conf:2:3: /etc/s.conf:2: not UTF-8, read as GB18030; save the file as UTF-8\n\
                  OK: /etc/s.conf: 1 group, 1 process, 1 warning\n";
    assert_eq!((outcome.exit_code, outcome.text.as_str()), (1, expect));
    assert_eq!(load(&main_options(), &host).unwrap().groups[0].name, "测试");
}

#[test]
fn in_chinese() {
    let text = "[supervisord]\nminfds=many\n[program:a]\ncomand=a\n";
    let expect = "错误：/etc/s.conf:2:8: [supervisord] minfds=many: 应为整数（invalid literal for int() with base 10: 'many'）\n\
                  错误：/etc/s.conf:3:1: [program:a] command: 缺少 command（program section program:a does not specify a command \
                  in section 'program:a' (file: '/etc/s.conf')）\n  建议：添加 command=/path/to/program\n\
                  警告：/etc/s.conf:4:8: [program:a] comand=a: 未知的配置项，将被忽略\n  建议：是否应为 command？\n\
                  不可用：/etc/s.conf：2 个错误，1 个警告\n";
    let asked = Report { language: Some(Language::Chinese), ..Report::default() };
    assert_eq!(checked(&Table::with_main(text), asked).text, expect);
    let by_locale = Table::with_main(text).variable("LANG", "C.UTF-8").variable("LC_ALL", "zh_CN.UTF-8");
    assert_eq!(checked(&by_locale, Report::default()).text, expect);
    let english = Report { language: Some(Language::English), ..Report::default() };
    assert!(checked(&by_locale, english).text.starts_with("error: "));
}

#[test]
fn for_programs() {
    let json = Report { json: true, ..Report::default() };
    let text = "[supervisord]\nminfds=\"\u{1}测\n[program:a]\ncommand=a\nautostrat=1\n";
    let outcome = checked(&Table::with_main(text), json);
    let expect = "{\"file\":\"/etc/s.conf\",\"exit_code\":2,\"errors\":1,\"warnings\":1,\"groups\":1,\"processes\":1,\
                  \"version\":\"@\",\"problems\":[{\"severity\":\"error\",\"file\":\"/etc/s.conf\",\"line\":2,\"column\":8,\
                  \"section\":\"supervisord\",\"key\":\"minfds\",\"message\":\"invalid literal for int() with base 10: \
                  '\\\"\\\\x01测'\"},{\"severity\":\"warning\",\"file\":\"/etc/s.conf\",\"line\":5,\"column\":11,\
                  \"section\":\"program:a\",\"key\":\"autostrat\",\"message\":\"unknown key, it is ignored\",\
                  \"next_step\":\"did you mean autostart?\"}]}\n";
    assert_eq!(outcome.text, expect.replace('@', supervisor_kit::KIT_VERSION));
    let missing = check(&main_options(), json, &Table::default());
    assert!(missing.text.contains("\"message\":\"could not find config file /etc/s.conf\""), "{}", missing.text);
    assert_eq!(missing.exit_code, 2);
}

/// What the dump must keep: everything but where it was read from and what was said while reading.
fn meaning(config: Config) -> Config {
    Config { path: "/".into(), notices: Vec::new(), ..config }
}

#[test]
fn the_effective_configuration_means_the_same() {
    let main = "[DEFAULT]\nstartretries=7\n[unix_http_server]\nfile=%(here)s/s.sock\nchown=op:ops\n[inet_http_server:2]\nport=9001\n\
                username=u\npassword=100%%\n[supervisord]\nidentifier=%(ENV_X)s\nenvironment=A=\"1\",B=\"two, \\\"%%\"\nuser=op\n\
                [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\
                [supervisorctl]\nserverurl=unix://%(here)s/s.sock\n[include]\nfiles=d/*\n\
                [group:g]\nprograms=b,f\npriority=3\n[group:h]\nprograms=b\n[program:none]\ncommand=n\nnumprocs=0\n\
                [eventlistener:e]\ncommand=e\nevents=TICK_5,PROCESS_STATE\nnumprocs=2\nprocess_name=%(program_name)s_%(process_num)02d\n";
    let included = b"[program:b]\ncommand=/bin/b %(group_name)s --x\n  --more=%%\nstdout_logfile=/tmp/50%%%%.log\nexitcodes=\n\
                     [program:w]\ncommand=w %(process_num)d\nnumprocs=3\nnumprocs_start=4\nprocess_name=%(process_num)s\n\
                     environment=N=\"%(process_num)s\",A=\"own\"\nredirect_stderr=true\nstopsignal=0\numask=077\ndirectory=%(here)s\n\
                     [fcgi-program:f]\ncommand=f\nsocket=unix:///run/f.sock\nuser=op\nsocket_backlog=9\nserverurl=http://x/\n";
    let host = Table::with_main(main).file("/etc/d/a.ini", included).variable("X", "50%");
    let report = Report { effective: true, ..Report::default() };
    let dump = checked(&host, report).text;
    assert!(dump.contains("\n; /etc/d/a.ini:7\ncommand=w %(process_num)d\n"), "{dump}");
    assert!(
        dump.contains("; default\nloglevel=info\n") && dump.contains("; /etc/s.conf:2\nstartretries=7\n"),
        "{dump}"
    );

    let host = Table::with_main(&dump).file("/etc/d/a.ini", b"").file("/start/dir/x", b"");
    let original = Table::with_main(main).file("/etc/d/a.ini", included).variable("X", "50%");
    let again = load(&main_options(), &host).unwrap_or_else(|error| panic!("{}\n{dump}", error.located()));
    assert_eq!(meaning(again), meaning(load(&main_options(), &original).unwrap()), "{dump}");
}

#[test]
fn a_folder_without_programs_yet_is_no_warning() {
    let outcome = checked(&Table::with_main("[supervisord]\n[include]\nfiles=d/*"), Report::default());
    let expected = "info: /etc/s.conf:3:7: [include] files=d/*: No file matches via include \"/etc/d/*\"\n";
    assert!(outcome.text.starts_with(expected), "{}", outcome.text);
    assert_eq!(outcome.exit_code, 0);
}
