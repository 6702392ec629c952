//! The web console, the answers, and the init script: what of them needs no machine.

use std::fs;
use std::path::Path;
use std::process::Command;

use supervisor_kit::kit::answers::{Problem, complete};
use supervisor_kit::kit::plan::{Restart, Step};
use supervisor_kit::kit::web::{Address, Console, Deed, Existing, Refusal, WebFacts, Wish, edit, plan, wish};
use supervisor_kit::password::is_right;

fn console(address: &str) -> Console {
    let Ok(Wish::On(console)) = wish(address, Some("admin"), Some("secret")) else { panic!("{address}") };
    console
}

#[test]
fn an_address_is_what_the_daemon_can_listen_on() {
    for (text, shown, is_loopback) in [
        ("127.0.0.1:9001", "127.0.0.1:9001", true),
        ("localhost:80", "localhost:80", true),
        ("[::1]:9001", "[::1]:9001", true),
        ("0.0.0.0:9001", "0.0.0.0:9001", false),
        (":9001", "*:9001", false),
        ("*:9001", "*:9001", false),
    ] {
        let address = Address::parse(text).unwrap();
        assert_eq!((address.to_string().as_str(), address.is_loopback()), (shown, is_loopback));
    }
    for text in ["9001", "host:0", "host:70000", "example.org:9001", "", "off:1"] {
        assert_eq!(Address::parse(text), None, "{text}");
    }
}

#[test]
fn a_console_that_others_reach_needs_a_password() {
    assert!(matches!(wish("0.0.0.0:9001", None, None), Err(Refusal::Open(_))));
    assert!(matches!(wish("127.0.0.1:9001", None, None), Ok(Wish::On(_))));
    assert!(matches!(wish("127.0.0.1:9001", Some("u"), None), Err(Refusal::Account(_))));
    assert!(matches!(wish("127.0.0.1:9001", None, Some("p")), Err(Refusal::Account(_))));
    assert!(matches!(wish("127.0.0.1:9001", Some("a:b"), Some("p")), Err(Refusal::Account(_))));
    assert!(matches!(wish("127.0.0.1:9001", Some("u\nx=y"), Some("p")), Err(Refusal::Account(_))));
    assert!(matches!(wish("127.0.0.1:9001", Some("u"), Some("")), Err(Refusal::Account(_))));
    assert_eq!(wish("off", None, None), Ok(Wish::Off));
}

#[test]
fn only_our_block_changes_and_goes_again() {
    for config in
        ["", "[supervisord]\n", "[supervisord]\r\n; x\r\n", "[supervisord]", "a\r\nb", "\u{feff}[x]\ny=\u{e9}\n\n"]
    {
        let with = edit(config.as_bytes(), Some(&console("127.0.0.1:9001"))).unwrap();
        let text = String::from_utf8(with.clone()).unwrap();
        assert!(text.starts_with(config) && text.contains("port=127.0.0.1:9001"), "{text}");
        let hash = text.lines().find_map(|line| line.strip_prefix("password=")).unwrap();
        assert!(hash.starts_with("{BCRYPT}") && bool::from(is_right(hash, b"secret")), "{text}");
        assert!(!text.contains("secret"));
        assert_eq!(text.contains("\r\n"), config.contains("\r\n"));
        let moved = edit(&with, Some(&console("127.0.0.1:9002"))).unwrap();
        assert_eq!(String::from_utf8(moved.clone()).unwrap(), text.replace("9001", "9002"));
        assert_eq!(edit(&moved, None).unwrap(), config.as_bytes());
    }
    let own = b"[supervisord]\n[inet_http_server]\nport=1\n";
    assert_eq!(edit(own, Some(&console("127.0.0.1:9001"))), Err(Existing(2)));
    assert_eq!(edit(own, None).unwrap(), own);
    assert!(edit(b";[inet_http_server]\n", Some(&console("127.0.0.1:9001"))).is_ok());
}

#[test]
fn the_firewall_and_a_restart_only_when_asked_for() {
    let facts = WebFacts {
        config: "/etc/supervisord.conf".to_owned(),
        bytes: b"[supervisord]\n".to_vec(),
        mode: 0o640,
        is_staged: false,
        is_active: true,
        has_selinux: false,
        has_firewall: true,
        opened: Vec::new(),
    };
    let on = Wish::On(console("0.0.0.0:9001"));
    let (steps, bytes) = plan(&facts, &on, false, Restart::Never).unwrap();
    assert!(steps.iter().all(|step| !matches!(step, Step::Web(_) | Step::Restart)), "{steps:?}");
    assert!(matches!(&steps[0], Step::Stage { mode: 0o640, .. }));
    let (steps, _) = plan(&facts, &on, true, Restart::Always).unwrap();
    assert!(steps.contains(&Step::Web(Deed::OpenFirewall { port: 9001 })) && steps.contains(&Step::Restart));
    assert!(matches!(steps.last(), Some(Step::Web(Deed::Prove { .. }))));
    let now = WebFacts { bytes, opened: vec![9001], ..facts };
    assert_eq!(plan(&now, &on, true, Restart::Always).unwrap().0, []);
    let (steps, bytes) = plan(&now, &Wish::Off, false, Restart::Never).unwrap();
    assert!(steps.contains(&Step::Web(Deed::CloseFirewall { port: 9001 })));
    assert_eq!(bytes, b"[supervisord]\n");
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn flags_variables_and_file_are_equal_and_win_in_this_order() {
    let file = (Path::new("/a.toml"), "replace = true\nweb = \"127.0.0.1:1\"\nno_start = true\n");
    let variables = [("INSTALL_WEB".to_owned(), "127.0.0.1:2".to_owned()), ("HOME".to_owned(), "/".to_owned())];
    let run = |line: &str, variables: &[(String, String)]| complete(&words(line), variables, Some(file)).unwrap();
    assert_eq!(run("install", &[]), words("install --no-start --replace --web=127.0.0.1:1"));
    assert_eq!(run("install", &variables), words("install --no-start --replace --web=127.0.0.1:2"));
    let flags = run("install --web 127.0.0.1:3 --replace", &variables);
    assert_eq!(flags, words("install --web 127.0.0.1:3 --replace --no-start"));
    // Other verbs take no such answers; the value of a flag is no verb.
    assert_eq!(run("install verify", &variables), words("install verify"));
    assert_eq!(run("install --lang en", &[]).len(), 6);
    let no = [("INSTALL_REPLACE".to_owned(), "false".to_owned())];
    assert_eq!(run("install", &no), words("install --no-start --web=127.0.0.1:1"));
}

#[test]
fn an_unknown_or_wrong_answer_names_file_and_line() {
    let run = |text: &str| complete(&words("install"), &[], Some((Path::new("/a.toml"), text)));
    let unknown = run("yes = true\n\nreplase = true\n");
    assert!(
        matches!(&unknown, Err(Problem::UnknownKey { place, key, .. }) if place == "/a.toml:3" && key == "replase")
    );
    assert!(matches!(run("\nyes = \"x\"\n"), Err(Problem::Value { place, .. }) if place == "/a.toml:2"));
    assert!(matches!(run("yes = \n"), Err(Problem::File { reason, .. }) if reason.contains("line 1")));
    let variables = [("INSTALL_REPLASE".to_owned(), "1".to_owned())];
    assert!(matches!(complete(&words("install"), &variables, None), Err(Problem::UnknownKey { .. })));
}

/// The init script with the real daemon, in a directory of its own.
#[test]
fn the_init_script_starts_tells_reloads_and_stops() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_supervisord"), at("supervisorctl")).unwrap();
    fs::write(
        at("conf"),
        format!(
            "[unix_http_server]\nfile={0}\n[supervisord]\nlogfile={1}\npidfile={2}\n[supervisorctl]\n\
             serverurl=unix://{0}\n[rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n",
            at("sock"),
            at("log"),
            at("pid")
        ),
    )
    .unwrap();
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("units/supervisord.init")).unwrap();
    let script = script
        .replace("/usr/bin/supervisord", env!("CARGO_BIN_EXE_supervisord"))
        .replace("/usr/bin/supervisorctl", &at("supervisorctl"))
        .replace("CONFIG=/etc/supervisord.conf", &format!("CONFIG={}", at("conf")))
        .replace("mkdir -p /run/supervisor /var/log/supervisor", "true");
    fs::write(at("script"), script).unwrap();
    let run = |verb: &str| {
        let output = Command::new("sh").arg(at("script")).arg(verb).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(run("status").0, 3);
    assert_eq!(run("reload").0, 7);
    assert_eq!(run("start").0, 0);
    let pid = fs::read_to_string(at("pid")).unwrap();
    assert_eq!(run("status"), (0, format!("supervisord is running (process {})\n", pid.trim())));
    assert!(run("start").1.contains("already running"));
    assert_eq!(run("reload").0, 0);
    assert_eq!(run("restart").0, 0);
    assert_ne!(fs::read_to_string(at("pid")).unwrap(), pid);
    let good = fs::read_to_string(at("conf")).unwrap();
    fs::write(at("conf"), good.replace("[supervisord]", "[supervisord]\nlogfile_maxbytes=x")).unwrap();
    assert_eq!(run("reload").0, 6);
    fs::write(at("conf"), good).unwrap();
    assert_eq!(run("stop").0, 0);
    assert_eq!((run("status").0, run("stop").0, run("nonsense").0), (3, 0, 2));
}
