//! The real machine: patterns, accounts, and the sample configuration.

use std::path::Path;

use supervisor_kit::config::ini::Document;
use supervisor_kit::config::{Host, Options, Report, check, signal};
use supervisor_kit::echo_conf::{SAMPLE, SAMPLE_CHINESE, sample};
use supervisor_kit::sys::host::Machine;
use supervisor_kit::sys::{glob, users};

#[test]
fn patterns() {
    let root = tempfile::tempdir().unwrap();
    for name in ["b.ini", "a.ini", ".hidden.ini", "c.conf", "d/x.ini", "d/e/y.ini", "[z].ini", "测试.ini"] {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    let check = |pattern: &str, expect: &[&str]| {
        let found = glob::glob(&format!("{}/{pattern}", root.path().display()));
        let found: Vec<&str> = found.iter().map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap()).collect();
        assert_eq!(found, expect, "for {pattern}");
    };
    check("*.ini", &["[z].ini", "a.ini", "b.ini", "测试.ini"]);
    check("?.ini", &["a.ini", "b.ini"]);
    check("??.ini", &["测试.ini"]);
    check("[ab].ini", &["a.ini", "b.ini"]);
    check("[!a].*", &["b.ini", "c.conf"]);
    check("[a-c].*", &["a.ini", "b.ini", "c.conf"]);
    check("[[]z].ini", &["[z].ini"]);
    check("[z.ini", &[]);
    check(".*.ini", &[".hidden.ini"]);
    check("**/*.ini", &["d/x.ini"]);
    check("*/*/*", &["d/e/y.ini"]);
    check("a.ini", &["a.ini"]);
    check("*i*i*", &["[z].ini", "a.ini", "b.ini", "测试.ini"]);
    check("missing.ini", &[]);
    check("missing/*", &[]);
}

#[test]
fn accounts_of_this_machine() {
    let root = users::user_by_name("root").unwrap();
    assert_eq!((root.uid, root.gid), (0, 0));
    assert_eq!(users::user_by_uid(0), Some(root));
    assert_eq!(users::group_by_name("root"), Some(0));
    assert!(users::group_exists(0));
    assert_eq!(users::groups_of("root", 0).first(), Some(&0));
    assert_eq!(users::home_of("root").as_deref(), Some("/root"));
    for nobody in ["no_such_user", "", "-h", "root:x"] {
        assert_eq!(users::user_by_name(nobody), None, "for {nobody:?}");
        assert_eq!(users::group_by_name(nobody), None, "for {nobody:?}");
    }
    assert!(!users::group_exists(987_654));
}

#[test]
fn a_file_too_large_is_refused() {
    let error = Machine::new().read(Path::new("/dev/zero")).unwrap_err();
    assert!(error.contains("larger than"), "{error}");
}

#[test]
fn the_sample_can_be_used_as_it_is() {
    assert!(SAMPLE.starts_with("; Sample supervisor config file"));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("s.conf");
    std::fs::write(&file, SAMPLE).unwrap();
    let options = Options { config_file: Some(file.to_str().unwrap().into()), ..Options::default() };
    let outcome = check(&options, Report::default(), &Machine::new());
    let last = |text: &str| text.lines().last().map(str::to_owned);
    let path = file.display();
    assert_eq!(last(&outcome.text), Some(format!("OK: {path}: 0 groups, 0 processes, 1 warning")), "{}", outcome.text);

    // Switched on, every program example is accepted too.
    let on: String = SAMPLE.lines().map(|line| format!("{}\n", line.strip_prefix(';').unwrap_or(line))).collect();
    let examples: String = on[on.find("[program:").unwrap()..on.find("\n[fcgi-program:").unwrap()]
        .lines()
        .filter(|line| !line.contains("/a/path") && !line.starts_with("user=") && !line.starts_with(' '))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&file, format!("[supervisord]\n{examples}")).unwrap();
    let outcome = check(&options, Report::default(), &Machine::new());
    assert_eq!(last(&outcome.text), Some(format!("OK: {path}: 1 group, 1 process")), "{}", outcome.text);
}

/// Every option of the manual procedure that operators know, by section.
const MANUAL_OPTIONS: &[(&str, &str)] = &[
    ("unix_http_server", "file chmod chown username password"),
    ("inet_http_server", "port username password"),
    (
        "supervisord",
        "logfile logfile_maxbytes logfile_backups loglevel pidfile nodaemon silent minfds minprocs umask user identifier \
         directory nocleanup childlogdir environment strip_ansi",
    ),
    ("supervisorctl", "serverurl username password prompt history_file"),
    (
        "program:myprogram",
        "command process_name numprocs directory umask priority autostart startsecs startretries autorestart exitcodes \
         stopsignal stopwaitsecs stopasgroup killasgroup user redirect_stderr stdout_logfile stdout_logfile_maxbytes \
         stdout_logfile_backups stdout_capture_maxbytes stdout_events_enabled stdout_syslog stderr_logfile \
         stderr_logfile_maxbytes stderr_logfile_backups stderr_capture_maxbytes stderr_events_enabled stderr_syslog \
         environment serverurl",
    ),
];

#[test]
fn the_chinese_sample_explains_every_option() {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(sample(&words(&["echo_supervisord_conf", "--lang", "zh"])), SAMPLE_CHINESE);
    assert_eq!(sample(&words(&["echo_supervisord_conf", "--lang=zh_CN"])), SAMPLE_CHINESE);
    assert_eq!(sample(&words(&["echo_supervisord_conf", "--help", "zh"])), SAMPLE);

    let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let mut section = String::new();
    let mut explained = Vec::new();
    for line in SAMPLE_CHINESE.lines().map(|line| line.strip_prefix(';').unwrap_or(line)) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((key, rest)) = line.split_once('=').filter(|_| !line.starts_with(' ')) {
            let (_, explanation) = rest.split_once(" ; ").unwrap_or_else(|| panic!("{line}"));
            assert!(is_chinese(explanation), "{line}");
            explained.push((section.clone(), key.trim().to_owned()));
        }
    }
    for (section, keys) in MANUAL_OPTIONS {
        for key in keys.split_whitespace() {
            assert!(explained.contains(&((*section).to_owned(), key.to_owned())), "[{section}] {key}");
        }
    }

    // Both samples set the same.
    let settings = |text: &str| {
        let mut document = Document::default();
        document.read("sample", text).unwrap();
        let values = document.sections.into_values().flat_map(|section| {
            let name = section.name;
            section.entries.into_iter().map(move |(key, value)| (name.clone(), key, value.text))
        });
        values.collect::<Vec<_>>()
    };
    assert_eq!(settings(SAMPLE_CHINESE), settings(SAMPLE));
}

#[test]
fn signal_names() {
    for name in ["TERM", "SIGTERM", "term", " 15 ", "SigTerm"] {
        assert_eq!(signal::number(name), Ok(15), "for {name:?}");
    }
    assert_eq!(signal::number("0"), Ok(0));
    assert_eq!(signal::number("35"), Err("value '35' is not a valid signal number".into()));
    assert_eq!(signal::number("SIGSIGTERM"), Err("value 'SIGSIGTERM' is not a valid signal name".into()));
    assert_eq!(signal::known_name(6), Some("SIGABRT"));
    assert_eq!(signal::known_name(0), None);
}
