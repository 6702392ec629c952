//! What is refused, and that the refusal points at the place.

use supervisor_kit::config::{ConfigError, load};

use super::host::{Table, main_options};

fn refused(host: &Table) -> ConfigError {
    load(&main_options(), host).expect_err("it should be refused")
}

/// The last lines of a file after `[supervisord]`, and how the error is located.
#[track_caller]
fn check_located(text: &str, expect: &str) {
    let error = refused(&Table::with_main(&format!("[supervisord]\n{text}")));
    assert_eq!(error.located(), expect);
}

#[test]
fn errors_name_file_line_section_key_and_value() {
    check_located(
        "minfds=many",
        "/etc/s.conf:2:8: [supervisord] minfds=many: invalid literal for int() with base 10: 'many'",
    );
    check_located(
        "[program:a]\ncommand=a\n\nstartsecs = 1.5 ; no",
        "/etc/s.conf:5:13: [program:a] startsecs=1.5: invalid literal for int() with base 10: '1.5' in section 'program:a' \
         (file: '/etc/s.conf')",
    );
    check_located(
        "[program:a]\nautostart=true",
        "/etc/s.conf:2:1: [program:a] command: program section program:a does not specify a command in section 'program:a' \
         (file: '/etc/s.conf')",
    );
    check_located(
        "[inet_http_server]\nport=1\nusername=u\npassword=50%",
        "/etc/s.conf:5:10: [inet_http_server] password=***: Format string '50%' for 'inet_http_server.password' \
         is badly formatted: incomplete format",
    );
    check_located(
        "[program:a]\ncommand=a\nenvironment=A=\"1\",\n  B",
        "/etc/s.conf:4:13: [program:a] environment=A=\"1\",\\nB: Unexpected end of key/value pairs in value 'A=\"1\",\nB' \
         in section 'program:a' (file: '/etc/s.conf')",
    );
}

#[test]
fn an_included_file_is_named() {
    let host = Table::with_main("[supervisord]\n[include]\nfiles=d/*.ini\n")
        .file("/etc/d/a.ini", b"[program:a]\ncommand=%x\n");
    let located = refused(&host).located();
    assert!(located.starts_with("/etc/d/a.ini:2:9: [program:a] command=%x: "), "{located}");
}

#[test]
fn one_name_for_two_groups_or_processes() {
    check_located(
        "[program:b]\ncommand=b\n[program:a]\ncommand=a\n[group:b]\nprograms=a",
        "/etc/s.conf:2:1: [program:b]: two groups have the name 'b': [group:b] and [program:b]",
    );
    let twins =
        "[program:a]\ncommand=a\nprocess_name=x\n[program:b]\ncommand=b\nprocess_name=x\n[group:g]\nprograms=a,b";
    check_located(twins, "/etc/s.conf:8:1: [group:g]: two processes of group 'g' have the name 'x'");
    let numbered = "[program:a]\ncommand=a\nnumprocs=2\nprocess_name=x%(process_num).0s";
    check_located(numbered, "/etc/s.conf:2:1: [program:a]: two processes of group 'a' have the name 'x'");
}

#[test]
fn group_members_are_checked_against_their_own_group() {
    let programs = "[program:a]\ncommand=a\n[group:g]\nprograms=";
    check_located(
        &format!("{programs}a,"),
        "/etc/s.conf:5:10: [group:g] programs=a,: [group:g] has an empty name in programs",
    );
    check_located(
        &format!("{programs}a,c"),
        "/etc/s.conf:5:10: [group:g] programs=a,c: [group:g] names unknown program or fcgi-program c",
    );
    check_located(
        &format!("[fcgi-program:a]\n{programs}a"),
        "/etc/s.conf:6:10: [group:g] programs=a: [group:g] name a is ambiguous (exists as program and fcgi-program)",
    );
}

#[test]
fn numprocs_has_a_limit() {
    let error = refused(&Table::with_main(
        "[supervisord]\n[program:a]\ncommand=a\nprocess_name=%(process_num)d\nnumprocs=1000000",
    ));
    assert!(error.text.starts_with("numprocs 1000000 is above the limit of 10000"), "{error}");
}

#[test]
fn files_that_cannot_be_used() {
    assert_eq!(refused(&Table::default()).text, "could not find config file /etc/s.conf");
    let directory = Table::default().file("/etc/s.conf/x", b"");
    assert_eq!(refused(&directory).text, "could not read config file /etc/s.conf");
    let neither = refused(&Table::default().file("/etc/s.conf", b"[supervisord]\nidentifier=\xb2\xff\n"));
    let expect = "/etc/s.conf:2:12: 'utf-8' codec can't decode byte 0xb2 in position 25: invalid start byte";
    assert_eq!(neither.located(), expect);
    assert!(neither.next_step.unwrap().contains("UTF-8"));
}
