//! The real machine: patterns, accounts, and the sample configuration.

use std::path::Path;

use supervisor_kit::config::{Host, Options, check, signal};
use supervisor_kit::echo_conf::SAMPLE;
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
    let outcome = check(&options, &Machine::new());
    assert_eq!(outcome.text, format!("OK: {}: 0 groups, 0 processes\n", file.display()));

    // Switched on, every program example is accepted too; only listeners wait for a later version.
    let on: String = SAMPLE.lines().map(|line| format!("{}\n", line.strip_prefix(';').unwrap_or(line))).collect();
    let examples: String = on[on.find("[program:").unwrap()..on.find("\n[eventlistener:").unwrap()]
        .lines()
        .filter(|line| !line.contains("/a/path") && !line.starts_with("user=") && !line.starts_with(' '))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&file, format!("[supervisord]\n{examples}")).unwrap();
    let outcome = check(&options, &Machine::new());
    assert_eq!(outcome.text, format!("OK: {}: 1 group, 1 process\n", file.display()));
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
