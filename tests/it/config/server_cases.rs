//! The configurations that both sides resolve: realistic files first, then one for every refusal.

/// A directory with a `supervisord.conf`, maybe more files, and more command-line words.
pub struct Case {
    pub name: &'static str,
    pub args: &'static [&'static str],
    pub files: &'static [(&'static str, &'static str)],
    pub refused: bool,
}

const fn accepted(name: &'static str, main: &'static [(&'static str, &'static str)]) -> Case {
    Case { name, args: &[], files: main, refused: false }
}

const fn with_args(name: &'static str, args: &'static [&'static str], refused: bool) -> Case {
    Case { name, args, files: &[("supervisord.conf", "[supervisord]\nlogfile=/tmp/a.log\nloglevel=debug\n")], refused }
}

const fn refused(name: &'static str, main: &'static [(&'static str, &'static str)]) -> Case {
    Case { name, args: &[], files: main, refused: true }
}

/// Names are unique; they name the directories.
pub const CASES: &[Case] = &[
    accepted("minimal", &[("supervisord.conf", "[supervisord]\n")]),
    accepted(
        "packaged",
        &[
            (
                "supervisord.conf",
                "; package default\n[unix_http_server]\nfile=/run/supervisor.sock ; socket\nchmod=0770\nchown=root:root\n\n\
                 [supervisord]\nlogfile=/tmp/supervisord.log\npidfile=/tmp/supervisord.pid\nchildlogdir=/tmp\n\n\
                 [rpcinterface:supervisor]\n\
                 supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n\
                 [supervisorctl]\nserverurl=unix:///run/supervisor.sock\n\n[include]\nfiles = conf.d/*.conf none/*.ini\n",
            ),
            ("conf.d/b.conf", "[program:b]\ncommand=%(here)s/run --x\nautorestart=true\n[include]\nfiles=never\n"),
            ("conf.d/a.conf", "[program:a]\r\ncommand=/bin/a \"x y\"\r\n[program:b]\r\npriority=5\r\n"),
            ("conf.d/.hidden.conf", "[program:h]\ncommand=h\n"),
        ],
    ),
    accepted(
        "web-workers",
        &[(
            "supervisord.conf",
            "[supervisord]\nnodaemon=true\nenvironment=LANG=\"zh_CN.UTF-8\",ROOT=/srv\nuser=root\n\
             [program:web]\ncommand=/bin/web --port=80%(process_num)02d %(ENV_ROOT)s\nprocess_name=%(program_name)s_%(process_num)02d\n\
             numprocs=3\nnumprocs_start=8\ndirectory=%(ENV_ROOT)s/%(process_num)d\nuser=nobody\numask=027\nautorestart=unexpected\n\
             exitcodes=0, 2,255\nstopsignal=quit\nstopwaitsecs=3_0\nstopasgroup=yes\nstartsecs=0\nstartretries= 5\npriority=10\n\
             environment=PORT=\"80%(process_num)02d\",ROOT=\"/opt,1\"\nredirect_stderr=true\nstdout_logfile=/tmp/%(program_name)s-%(process_num)d.log\n\
             stdout_logfile_maxbytes=5MB\nstdout_logfile_backups=3\nstdout_capture_maxbytes=1kb\nstdout_events_enabled=on\n",
        )],
    ),
    accepted(
        "groups",
        &[(
            "supervisord.conf",
            "[supervisord]\n[program:z]\ncommand=z\npriority=1\n[program:y]\ncommand=y\n[program:x]\ncommand=x\npriority=3\n\
             [group:g]\nprograms=y, z\npriority=2\n[group:h]\nprograms=z\n[group:empty]\n[group:none]\nprograms=\n",
        )],
    ),
    accepted(
        "logs",
        &[(
            "supervisord.conf",
            "[supervisord]\nlogfile=syslog\n[program:a]\ncommand=a\nstdout_logfile=NONE\nstderr_logfile=syslog\n\
             [program:b]\ncommand=b\nstdout_logfile_maxbytes=0\nstderr_logfile_maxbytes=0\nredirect_stderr=1\n\
             [program:c]\ncommand=c\nredirect_stderr=true\nstderr_logfile=/tmp/c.err\nstdout_logfile=AUTO\nstdout_syslog=true\n\
             [program:d]\ncommand=d\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\nstderr_logfile=off\n\
             [program:e]\ncommand=e\nstdout_logfile=/tmp/50%%%%.log\nstderr_logfile=relative.log\n",
        )],
    ),
    accepted(
        "servers",
        &[(
            "supervisord.conf",
            "[unix_http_server]\nfile = ~/s.sock\nusername=u\npassword={SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d\n[supervisord]\n\
             [inet_http_server]\nport=*:9001\n[inet_http_server:second]\nport=LocalHost:9002\nusername=\npassword=\n\
             [inet_http_server:third]\nport=9003\n[unix_http_server:two]\nfile=%(here)s/../two.sock\nchown=nobody\nchmod=700\n",
        )],
    ),
    accepted(
        "ini-quirks",
        &[(
            "supervisord.conf",
            "[DEFAULT]\nstartsecs=7\nautostart=no\n[supervisord] trailing\nLogLevel : TRACE\nunknown=1\n[program:a]\ncommand=sh -c \"a ; b\"\n\
             [Program:b]\ncommand=b\n[program:a]\ncommand=/bin/a\n  --more\n\n  --less ; comment\nstartsecs=2\n[program:测试]\ncommand=/bin/测\n",
        )],
    ),
    accepted(
        "expansion",
        &[(
            "supervisord.conf",
            "[supervisord]\nidentifier=%(here)r\n[program:a]\ncommand=/bin/echo 100%% %(program_name)5s|%(group_name)-4s|%(numprocs)03d %(host_node_name)s\n\
             process_name=%(program_name)s-x\nserverurl=auto\n[program:b]\ncommand=\nserverurl=http://h:1\ndirectory=\n",
        )],
    ),
    accepted("numprocs-zero", &[("supervisord.conf", "[supervisord]\n[program:a]\ncommand=a\nnumprocs=0\n")]),
    accepted(
        "values",
        &[(
            "supervisord.conf",
            "[supervisord]\numask=0o27\nminfds=+2048\nminprocs= 1\nlogfile_maxbytes=1 GB\nlogfile_backups=-1\nsilent=On\nnocleanup=TRUE\n\
             strip_ansi=1\ndirectory=/tmp\npidfile=x.pid\n[program:a]\ncommand=a\nstopsignal=SIGusr1\nexitcodes=\nkillasgroup=true\numask=-1\n\
             [program:b]\ncommand=b\nstopsignal=9\nautorestart=UNEXPECTED\nuser=0\n",
        )],
    ),
    with_args(
        "args",
        &["-n", "-l", "/tmp/b.log", "-e", "warn", "-y", "1KB", "-z3", "--umask=077", "-i", "x", "--minprocs", "5"],
        false,
    ),
    with_args(
        "args-user",
        &["-u", "nobody", "-a", "10", "-k", "-s", "--strip", "-j", "p.pid", "-d", "/tmp", "-q", "/tmp"],
        false,
    ),
    with_args("args-conflict", &["-n", "--nodaemon"], true),
    with_args("args-configuration-twice", &["-c", "other"], true),
    with_args("args-level", &["-e", "foo"], true),
    with_args("args-directory", &["-d", "/nonexistent"], true),
    with_args("args-size", &["--logfile_maxbytes=1K"], true),
    with_args("args-octal", &["-m", "9"], true),
    with_args("args-words", &["foo", "it's"], true),
    with_args("args-unknown", &["-x"], true),
    with_args("args-user-unknown", &["-u", "no_such_user"], true),
    refused("no-supervisord", &[("supervisord.conf", "[program:a]\ncommand=a\n")]),
    refused("no-header", &[("supervisord.conf", "# x\nlogfile=a\n")]),
    refused("junk-lines", &[("supervisord.conf", "[supervisord]\njunk it's\nx=1\n\n=2\n")]),
    refused(
        "include-junk",
        &[("supervisord.conf", "[supervisord]\n[include]\nfiles=conf.d/*\n"), ("conf.d/a", "[x]\njunk\n")],
    ),
    refused("include-no-files", &[("supervisord.conf", "[supervisord]\n[include]\n")]),
    refused("include-percent", &[("supervisord.conf", "[supervisord]\n[include]\nfiles=%(x)s\n")]),
    refused("integer", &[("supervisord.conf", "[supervisord]\nminfds=many\n")]),
    refused("boolean", &[("supervisord.conf", "[supervisord]\nnodaemon=maybe\n")]),
    refused("size", &[("supervisord.conf", "[supervisord]\nlogfile_maxbytes=1.5MB\n")]),
    refused("level", &[("supervisord.conf", "[supervisord]\nloglevel=warning\n")]),
    refused("octal", &[("supervisord.conf", "[supervisord]\numask=089\n")]),
    refused("log-directory", &[("supervisord.conf", "[supervisord]\nlogfile=/nonexistent/x.log\n")]),
    refused("directory", &[("supervisord.conf", "[supervisord]\ndirectory=~nobody_here/x\n")]),
    refused("lone-percent", &[("supervisord.conf", "[supervisord]\nidentifier=100%\n")]),
    refused("percent-type", &[("supervisord.conf", "[supervisord]\nidentifier=%(here)d\n")]),
    refused("user", &[("supervisord.conf", "[supervisord]\nuser=no_such_user\n")]),
    refused("user-id", &[("supervisord.conf", "[supervisord]\nuser=987654\n")]),
    refused("environment-end", &[("supervisord.conf", "[supervisord]\nenvironment=A\n")]),
    refused("environment-quote", &[("supervisord.conf", "[supervisord]\n[program:a]\ncommand=a\nenvironment=A=\"x\n")]),
    refused("no-command", &[("supervisord.conf", "[supervisord]\n[program:a]\nautostart=true\n")]),
    refused("numprocs", &[("supervisord.conf", "[supervisord]\n[program:a]\ncommand=a\nnumprocs=2\n")]),
    refused(
        "killasgroup",
        &[("supervisord.conf", "[supervisord]\n[program:a]\ncommand=a\nstopasgroup=true\nkillasgroup=false\n")],
    ),
    refused("program-integer", &[("supervisord.conf", "[supervisord]\n[program:a]\ncommand=a\nstartsecs=1.5\n")]),
    refused(
        "program-in-include",
        &[
            ("supervisord.conf", "[supervisord]\n[include]\nfiles=conf.d/*\n"),
            ("conf.d/a", "[program:x]\ncommand=a\nstopsignal=FOO\n"),
        ],
    ),
    refused("signal-number", &[("supervisord.conf", "[supervisord]\n[program:a]\ncommand=a\nstopsignal=40\n")]),
    refused("exit-codes", &[("supervisord.conf", "[supervisord]\n[program:a]\ncommand=a\nexitcodes=0,256\n")]),
    refused("autorestart", &[("supervisord.conf", "[supervisord]\n[program:a]\ncommand=a\nautorestart=Sometimes\n")]),
    refused("program-user", &[("supervisord.conf", "[supervisord]\n[program:a]\ncommand=a\nuser=no_such_user\n")]),
    refused(
        "program-log",
        &[("supervisord.conf", "[supervisord]\n[program:a]\ncommand=a\nstdout_logfile=/nonexistent/x\n")],
    ),
    refused("program-name", &[("supervisord.conf", "[supervisord]\n[program:a b]\ncommand=a\n")]),
    refused("process-name", &[("supervisord.conf", "[supervisord]\n[program:a]\ncommand=a\nprocess_name=a/b\n")]),
    refused("group-unknown", &[("supervisord.conf", "[supervisord]\n[group:g]\nprograms=a\n")]),
    refused("inet-no-port", &[("supervisord.conf", "[supervisord]\n[inet_http_server]\n")]),
    refused("inet-port", &[("supervisord.conf", "[supervisord]\n[inet_http_server]\nport=http\n")]),
    refused("inet-port-high", &[("supervisord.conf", "[supervisord]\n[inet_http_server]\nport=*:70000\n")]),
    refused("inet-port-none", &[("supervisord.conf", "[supervisord]\n[inet_http_server]\nport=*:\n")]),
    refused("unix-no-file", &[("supervisord.conf", "[supervisord]\n[unix_http_server]\n")]),
    refused("unix-chmod", &[("supervisord.conf", "[supervisord]\n[unix_http_server]\nfile=/tmp/s\nchmod=9\n")]),
    refused("unix-chown", &[("supervisord.conf", "[supervisord]\n[unix_http_server]\nfile=/tmp/s\nchown=zork\n")]),
    refused("auth", &[("supervisord.conf", "[supervisord]\n[inet_http_server]\nport=9001\nusername=u\n")]),
    refused("no-factory", &[("supervisord.conf", "[supervisord]\n[rpcinterface:x]\n")]),
];
