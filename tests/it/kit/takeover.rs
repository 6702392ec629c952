//! Finding an old Supervisor of an rpm package, and what the plan makes of it, with the host's answers played.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use supervisor_kit::daemon::takeover::Obstacle;
use supervisor_kit::kit::answers::Problem;
use supervisor_kit::kit::commands::{Commands, Output};
use supervisor_kit::kit::failure::Failure;
use supervisor_kit::kit::host::Root;
use supervisor_kit::kit::plan::{Facts, Service, Step};
use supervisor_kit::kit::prefix::Prefix;
use supervisor_kit::kit::takeover::{
    Daemon, Deed, Findings, Layout, Live, Refusal, Told, drop_in, look, lost_settings, running_programs, weave,
};

use supervisor_kit::kit::text::{Lang, Note};
use supervisor_kit::kit::web::{self, Address};

use super::fake::said;

const UNIT: &str = "[Service]\nType=forking\nEnvironment=A=b\nUser=root\nLimitNOFILE=5\nExecStart=/usr/bin/supervisord -c \
                    /etc/supervisord.conf\n";

/// A Red Hat with EPEL's package, its service stopped.
struct Epel;

impl Commands for Epel {
    fn run(&mut self, program: &str, args: &[&str], _limit: Duration) -> io::Result<Output> {
        match (program, args.last()) {
            ("rpm", Some(&"/usr/bin/supervisord")) => Ok(said(0, "supervisor", "")),
            ("rpm", _) => Ok(said(1, "file is not owned by any package\n", "")),
            ("systemctl", Some(&"supervisord.service")) => {
                let path = "/usr/lib/systemd/system/supervisord.service";
                let shown = format!("Id=supervisord.service\nFragmentPath={path}\nActiveState=inactive\n");
                Ok(said(0, &format!("{shown}UnitFileState=enabled\n"), ""))
            }
            ("systemctl", _) => Ok(said(0, "Id=supervisor.service\nFragmentPath=\n", "")),
            ("/usr/bin/supervisorctl", Some(&"status")) => Ok(said(0, "web RUNNING pid 7\n", "")),
            other => panic!("{other:?}"),
        }
    }
    fn has(&self, program: &str) -> bool {
        program != "dpkg-query"
    }
    fn runs(&self, _pid: u32, _program: &Path) -> bool {
        false
    }
    fn pause(&mut self, _time: Duration) {}
}

fn epel() -> (tempfile::TempDir, Findings) {
    let dir = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("usr/bin/supervisord", "#!/usr/bin/python3 -s\nimport sys\n");
    put("usr/bin/supervisorctl", "#!/usr/bin/python3 -s\n");
    put("usr/bin/pidproxy", "\x7fELF");
    put("etc/supervisord.conf", "[supervisord]\n");
    put("usr/lib/systemd/system/supervisord.service", UNIT);
    let findings = look(&Root::pretend_live(dir.path()).unwrap(), &mut Epel);
    (dir, findings)
}

#[test]
fn epels_package_is_found_with_its_unit_and_what_is_lost() {
    let (_dir, findings) = epel();
    let [old] = &findings.olds[..] else { panic!("{findings:?}") };
    assert_eq!(old.layout, Layout::Rpm("supervisor".to_owned()));
    assert_eq!(old.scripts, ["/usr/bin/supervisord", "/usr/bin/supervisorctl"]);
    let [unit] = &findings.units[..] else { panic!("{findings:?}") };
    assert!(unit.is_enabled && !unit.is_active);
    assert_eq!(unit.lost, ["Environment=A=b", "LimitNOFILE=5"]);
    assert_eq!(findings.config(), Ok(Some("/etc/supervisord.conf")));
}

fn facts() -> Facts {
    Facts {
        is_staged: false,
        prefix: Prefix::Usr,
        is_root: true,
        found: Default::default(),
        leftovers: Vec::new(),
        unwritable: Default::default(),
        bytes_free: None,
        has_selinux: false,
        has_kysec: false,
        unmarked: Vec::new(),
        trust_file: None,
        service: Some(Service {
            is_enabled: true,
            is_active: false,
            main_pid: 0,
            needs_reload: false,
            runs_installed: false,
        }),
    }
}

#[test]
fn the_old_one_is_stopped_after_the_judgement_and_before_the_files_go_live() {
    let (_dir, mut findings) = epel();
    findings.units[0].is_active = true;
    let path = || "/usr/bin/supervisord".to_owned();
    let steps = vec![
        Step::Stage { path: path(), mode: 0o755, size: 1, replaces: true },
        Step::CheckConfig { is_program_staged: true, is_config_staged: false },
        Step::GoLive { path: path(), replaces: true },
        Step::Reload,
        Step::Start,
    ];
    let woven = weave(&findings, steps.clone(), &facts());
    let expected = [
        steps[0].clone(),
        Step::Takeover(Deed::Judge { is_program_staged: true }),
        Step::Stop { unit: "supervisord.service".to_owned() },
        steps[2].clone(),
        Step::Reload,
        Step::Start,
        Step::Takeover(Deed::Compare { programs: Vec::new() }),
    ];
    assert_eq!(woven, expected);
    assert_eq!(weave(&Findings::default(), steps.clone(), &facts()), steps);
}

fn live() -> Live {
    Live {
        pid: 77,
        born: 1,
        command: vec!["/usr/bin/supervisord".to_owned()],
        cwd: "/".to_owned(),
        units: vec!["supervisord.service".to_owned()],
        pidfile: "/run/supervisord.pid".to_owned(),
        adopted: vec![("web".to_owned(), 78)],
        anew: vec!["ear".to_owned()],
        capturing: vec!["web".to_owned()],
    }
}

#[test]
fn a_live_takeover_halts_the_old_one_and_stops_nobody() {
    let (_dir, mut findings) = epel();
    findings.units[0].is_active = true;
    findings.live = Some(live());
    let steps =
        vec![Step::GoLive { path: "/usr/bin/supervisord".to_owned(), replaces: true }, Step::Reload, Step::Start];
    let expected = [
        Step::Takeover(Deed::Judge { is_program_staged: false }),
        Step::Takeover(Deed::Halt { live: Box::new(live()), is_program_staged: false }),
        steps[0].clone(),
        Step::Reload,
        Step::Start,
        Step::Takeover(Deed::Compare { programs: Vec::new() }),
        Step::Takeover(Deed::CompareProcesses { programs: live().adopted }),
    ];
    assert_eq!(weave(&findings, steps, &facts()), expected);
    for (lang, words) in [(Lang::En, ["started anew", "without --live"]), (Lang::Zh, ["重新启动", "不加 --live"])]
    {
        let told = lang.note(&Note::Takeover(Told::Live(Box::new(live()))));
        assert!(words.iter().all(|word| told.contains(word)) && told.contains("ear"), "{told}");
    }
}

#[test]
fn a_daemon_that_systemd_does_not_count_is_stopped_by_its_process() {
    let (_dir, mut findings) = epel();
    let unit = Some("supervisord.service".to_owned());
    let (command, cwd) = (vec!["/usr/bin/supervisord".to_owned()], "/".to_owned());
    let (config, programs) = ("/etc/supervisord.conf".to_owned(), None);
    findings.daemons = vec![Daemon { pid: 7, command: command.clone(), cwd: cwd.clone(), unit, config, programs }];
    let stop = Step::Takeover(Deed::StopProcess { pid: 7, command, cwd });
    assert!(weave(&findings, vec![Step::Start], &facts()).contains(&stop));
    findings.units[0].is_active = true;
    assert!(!weave(&findings, vec![Step::Start], &facts()).contains(&stop));
}

#[test]
fn two_daemons_with_two_configurations_are_for_the_operator_to_sort_out() {
    let daemon = |pid, config: &str| Daemon {
        pid,
        command: Vec::new(),
        cwd: "/".to_owned(),
        unit: None,
        config: config.to_owned(),
        programs: Some(vec![format!("of{pid}")]),
    };
    let mut findings = Findings { daemons: vec![daemon(1, "/a"), daemon(2, "/a")], ..Findings::default() };
    assert_eq!(findings.config(), Ok(Some("/a")));
    assert_eq!(findings.programs(), ["of1", "of2"]);
    findings.daemons[1].config = "/b".to_owned();
    assert!(matches!(findings.config(), Err(Refusal::Several { daemons }) if daemons.len() == 2));
}

#[test]
fn words_of_old_programs_and_units_are_read() {
    let status =
        "web   RUNNING   pid 1, uptime 0:00:01\ng:x STARTING\nold  STOPPED   Not started\nunix:///x no such file\n";
    assert_eq!(running_programs(status), ["web", "g:x"]);
    assert_eq!(lost_settings("User=app\nEnvironment=\n#Nice=3\n Nice = 4"), ["User=app", "Nice = 4"]);
    assert!(drop_in(Prefix::Usr, "/srv/a b%/x.conf").matches("-c \"/srv/a b%%/x.conf\"\n").count() == 2);
}

/// What a takeover, the console and the answers may be refused for.
pub fn refusals() -> Vec<(Failure, u8, &'static str)> {
    let (_dir, findings) = epel();
    let text = |text: &str| text.to_owned();
    vec![
        (Failure::Takeover(Refusal::Found(Box::new(findings))), 10, "./install --replace"),
        (Failure::Takeover(Refusal::Several { daemons: vec![(7, text("/etc/x")), (8, text("/y"))] }), 10, "/etc/x"),
        (Failure::Takeover(Refusal::StillRuns { pid: 77 }), 9, "77"),
        (Failure::Takeover(Refusal::NotHalted { pid: 77, reason: text("why") }), 9, "77"),
        (Failure::Takeover(Refusal::NotLive(Obstacle::Unanswered { pid: 77, reason: text("why") })), 10, "77"),
        (Failure::Takeover(Refusal::NotLive(Obstacle::ConfigChanged { programs: vec![text("a:b")] })), 10, "a:b"),
        (Failure::Takeover(Refusal::NotLive(Obstacle::SharedSocket { programs: vec![text("a:b")] })), 10, "a:b"),
        (Failure::Takeover(Refusal::NotLive(Obstacle::Pipes { program: text("a"), reason: text("why") })), 10, "why"),
        (Failure::Takeover(Refusal::NotLive(Obstacle::Busy { pid: 77 })), 10, "77"),
        (Failure::Takeover(Refusal::NotLive(Obstacle::NotAdopted(text("kill")))), 10, "on_crash=kill"),
        (Failure::Web(web::Refusal::Reexec), 2, "--web-restart=always"),
        (Failure::Web(web::Refusal::Address(text("x:y"))), 2, "x:y"),
        (Failure::Web(web::Refusal::Open(Address::parse("*:9001").unwrap())), 2, "--web-password-file"),
        (Failure::Web(web::Refusal::Account(text("--web-user"))), 2, "--web-user"),
        (Failure::Web(web::Refusal::Existing { path: text("/etc/c"), line: 9 }), 7, "/etc/c"),
        (Failure::Web(web::Refusal::NotProven { address: text("*:1"), answer: text("200") }), 8, "ss -ltnp"),
        (Failure::Answers(Problem::UnknownKey { place: text("/a:3"), key: text("k"), known: text("yes") }), 2, "/a:3"),
        (
            Failure::Answers(Problem::Value { place: text("/a:3"), key: text("yes"), wanted: text("true or false") }),
            2,
            "/a:3",
        ),
        (Failure::Answers(Problem::File { path: text("/a"), reason: text("why") }), 2, "why"),
    ]
}

#[test]
fn every_refusal_says_what_to_do_in_both_languages() {
    for (failure, code, word) in refusals() {
        assert_eq!(failure.code() as u8, code, "{failure:?}");
        for (lang, next) in [(Lang::En, "\n  Next: "), (Lang::Zh, "\n  解决办法：")] {
            let message = lang.failure(&failure);
            assert!(message.contains(next) && message.contains(word), "{message}");
        }
        assert!(Lang::En.failure(&failure).is_ascii(), "{failure:?}");
    }
}

/// As PyInstaller makes them: no script, and two processes for one daemon.
#[test]
fn a_frozen_supervisor_is_one_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: &str| dir.path().join(path);
    let put = |path: &str, bytes: &[u8]| {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), bytes).unwrap();
    };
    let frozen = super::elf(super::own_machine(), "_MEIPASS2 ");
    let names = ["supervisord", "supervisorctl", "pidproxy", "echo_supervisord_conf"];
    names.iter().for_each(|name| put(&format!("usr/bin/{name}"), &frozen));
    for pid in ["71", "72", "self"] {
        put(&format!("proc/{pid}/cmdline"), b"/usr/bin/supervisord\0-c\0/etc/supervisord.conf\0");
        put(&format!("proc/{pid}/cgroup"), b"0::/system.slice/supervisord.service\n");
        fs::create_dir_all(at(&format!("proc/{pid}/ns"))).unwrap();
        for (link, target) in [("exe", at("usr/bin/supervisord")), ("cwd", "/".into()), ("ns/pid", "pid:[1]".into())] {
            std::os::unix::fs::symlink(target, at(&format!("proc/{pid}/{link}"))).unwrap();
        }
    }
    put("usr/lib/systemd/system/supervisord.service", UNIT.as_bytes());
    let findings = look(&Root::pretend_live(dir.path()).unwrap(), &mut Epel);
    let [old] = &findings.olds[..] else { panic!("{findings:?}") };
    assert_eq!((&old.layout, old.scripts.len()), (&Layout::Rpm("supervisor".to_owned()), 4));
    assert_eq!(findings.daemons.iter().map(|daemon| daemon.pid).collect::<Vec<_>>(), [71, 72]);
    // Ours has its name in it, and is nobody else's.
    put("usr/bin/supervisord", &[&frozen[..], b"supervisor-kit 0.1.0"].concat());
    let findings = look(&Root::pretend_live(dir.path()).unwrap(), &mut Epel);
    assert!(findings.is_empty(), "{findings:?}");
}
