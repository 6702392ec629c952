//! Manual pages render, and completion completes in a real shell.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use supervisor_kit::kit::manual;
use tempfile::TempDir;

/// A page and what must be found in it.
type Expected = (&'static str, fn() -> String, &'static [&'static str]);

const PAGES: [Expected; 6] = [
    (
        "supervisorctl.1",
        manual::supervisorctl,
        &["-c, --configuration FILENAME", "status --watch", "EXIT STATUS", "--json"],
    ),
    ("echo_supervisord_conf.1", manual::echo_supervisord_conf, &["--lang zh"]),
    (
        "supervisord.conf.5",
        manual::supervisord_conf,
        &["[program:myprogram]", "stopwaitsecs=10", "seconds before SIGKILL", "payload_length_unit", "result_handler"],
    ),
    ("pidproxy.1", manual::pidproxy, &["pidfile command [arguments]"]),
    ("supervisord.8", manual::supervisord, &["-n, --nodaemon", "SIGHUP", "/etc/supervisord.conf"]),
    (
        "supervisor-install.8",
        manual::supervisor_install,
        &["--dry-run", "--root DIR", "already up to date", "rollback", "OPTIONS OF UNINSTALL", "--purge"],
    ),
];

#[test]
fn pages_render_without_a_warning() {
    let dir = TempDir::new().unwrap();
    for (name, make, wanted) in PAGES {
        let file = dir.path().join(name);
        fs::write(&file, make()).unwrap();
        let output = Command::new("groff").args(["-man", "-Tascii", "-ww", "-P-cbou"]).arg(&file).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {output:?}");
        for words in wanted {
            assert!(text.contains(words), "{name} has no {words:?}:\n{text}");
        }
        assert!(text.contains("NAME") && text.contains("SEE ALSO"), "{name}");
    }
}

/// Every key that a configuration may have is on both pages, and the Chinese one renders as well.
#[test]
fn the_page_of_the_configuration_has_every_key_in_both_languages() {
    let pages = [manual::supervisord_conf(), manual::supervisord_conf_zh()].map(|page| page.replace("\\-", "-"));
    let sections = ["unix_http_server", "inet_http_server", "supervisord", "supervisorctl", "include"];
    for section in sections.into_iter().chain(["program:x", "fcgi-program:x", "eventlistener:x", "group:x"]) {
        let kind = section.split(':').next().unwrap();
        for page in &pages {
            let start = page.find(&format!(".SS [{kind}")).unwrap_or_else(|| panic!("no section {section}"));
            let part = &page[start + 4..];
            let part = &part[..part.find("\n.S").unwrap_or(part.len())];
            for key in supervisor_kit::config::section_keys(section).unwrap() {
                assert!(part.contains(key), "{section} has no {key}:\n{part}");
            }
        }
    }
    assert!(pages[1].contains("停止"), "{}", pages[1]);
}

#[test]
fn chinese_pages_render_without_a_warning() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("page");
    for (page, words) in [
        (manual::supervisord_conf_zh(), ["套接字文件的路径", "stopwaitsecs=10"]),
        (manual::supervisorctl_zh(), ["status --watch", "退出状态"]),
    ] {
        fs::write(&file, page).unwrap();
        let output =
            // A line without a blank is broken where Chinese may be, or not at all: that is no mistake of the page.
            Command::new("groff").args(["-Kutf8", "-man", "-Tutf8", "-ww", "-Wbreak", "-P-cbou"]).arg(&file).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert!(words.iter().chain(&["名称", "参见"]).all(|word| text.contains(word)), "{text}");
    }
}

#[test]
fn bash_completes_commands_options_and_names_with_colons() {
    let dir = TempDir::new().unwrap();
    symlink(env!("CARGO_BIN_EXE_supervisord"), dir.path().join("supervisorctl")).unwrap();
    symlink(env!("CARGO_BIN_EXE_supervisord"), dir.path().join("supervisord")).unwrap();
    let path = dir.path().display().to_string();
    let conf = format!(
        "[supervisord]\nlogfile={path}/log\npidfile={path}/pid\n[unix_http_server]\nfile={path}/s.sock\n[supervisorctl]\n\
         serverurl=unix://{path}/s.sock\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = \
         supervisor.rpcinterface:make_main_rpcinterface\n[program:m]\ncommand=/bin/cat\nautostart=false\nnumprocs=2\n\
         process_name=m_%(process_num)d\n[program:web]\ncommand=/bin/cat\nautostart=false\n"
    );
    fs::write(dir.path().join("supervisord.conf"), conf).unwrap();
    fs::write(dir.path().join("completion"), manual::bash()).unwrap();
    let script = "set -e; export PATH=$PWD:$PATH; supervisord -c $PWD/supervisord.conf; . ./completion
        try() { COMP_LINE=$1 COMP_POINT=${#1}; _supervisorctl; echo \"${COMPREPLY[*]}\"; }
        try 'supervisorctl --his'
        try 'supervisorctl -c supervisord.conf re'
        try 'supervisorctl -c supervisord.conf start '
        try 'supervisorctl -c supervisord.conf start m:'
        try 'supervisorctl -c supervisord.conf update w'
        supervisorctl -c supervisord.conf shutdown >/dev/null
        try 'supervisorctl -c nowhere.conf start '";
    let output =
        Command::new("bash").args(["-c", script]).current_dir(dir.path()).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<String> = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        ["--history-file", "reload remove reread restart", "m:m_0 m:* m:m_1 web", "m_0 * m_1", "web", ""],
        "{output:?}"
    );
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn scripts_for_other_shells_ask_the_program_too() {
    assert!(manual::zsh().starts_with("#compdef supervisorctl\n") && manual::zsh().contains("supervisorctl --tab"));
    assert!(manual::fish().starts_with("complete -c supervisorctl") && manual::fish().contains("supervisorctl --tab"));
}
