//! A changed configuration: read again, added, removed, and nothing else touched.

use supervisor_kit::xmlrpc::Value;

use super::fixture::Daemon;

/// The three lists of a reread: added, changed, removed.
fn reread(daemon: &Daemon) -> [Vec<String>; 3] {
    let answer = daemon.ask("reloadConfig", &[]);
    let lists = answer.as_array().unwrap()[0].as_array().unwrap();
    let names = |list: &Value| list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    [names(&lists[0]), names(&lists[1]), names(&lists[2])]
}

const KEPT: &str = "[program:kept]\ncommand=cat\nstartsecs=0\n";

#[test]
fn groups_are_added_changed_and_removed() {
    let daemon = Daemon::start(&format!(
        "{KEPT}[program:changed]\ncommand=cat\nstartsecs=0\n[program:gone]\ncommand=cat\nstartsecs=0\n"
    ));
    daemon.wait_for_state("gone", "RUNNING");
    assert_eq!(reread(&daemon), [vec![], vec![], Vec::<String>::new()]);
    let kept = daemon.pid_of("kept");
    daemon.site.configure(&format!(
        "{KEPT}[program:changed]\ncommand=cat -u\nstartsecs=0\n[program:new]\ncommand=cat\nstartsecs=0\n"
    ));
    let expected = [vec!["new".to_owned()], vec!["changed".to_owned()], vec!["gone".to_owned()]];
    assert_eq!(reread(&daemon), expected);
    assert_eq!(reread(&daemon), expected, "until it is applied");
    assert_eq!(daemon.state("gone"), "RUNNING", "nothing is started or stopped");
    assert_eq!(daemon.fault("getProcessInfo", &["new".into()]).0, 10);
    let all = daemon.ask("getAllConfigInfo", &[]);
    let in_use: Vec<(&str, bool)> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one.get("name").unwrap().as_str().unwrap(), one.get("inuse") == Some(&true.into())))
        .collect();
    assert_eq!(in_use, [("changed", true), ("kept", true), ("new", false)]);

    assert_eq!(daemon.fault("removeProcessGroup", &["gone".into()]), (91, "STILL_RUNNING: gone".into()));
    assert_eq!(daemon.fault("removeProcessGroup", &["nope".into()]), (10, "BAD_NAME: nope".into()));
    assert_eq!(daemon.fault("addProcessGroup", &["gone".into()]), (10, "BAD_NAME: gone".into()));
    assert_eq!(daemon.fault("addProcessGroup", &["kept".into()]), (90, "ALREADY_ADDED: kept".into()));
    for name in ["gone", "changed"] {
        daemon.ask("stopProcessGroup", &[name.into()]);
        assert_eq!(daemon.ask("removeProcessGroup", &[name.into()]), true.into());
    }
    for name in ["changed", "new"] {
        assert_eq!(daemon.ask("addProcessGroup", &[name.into()]), true.into());
        daemon.wait_for_state(name, "RUNNING");
    }
    assert_eq!(reread(&daemon), [vec![], vec![], Vec::<String>::new()]);
    assert_eq!(daemon.pid_of("kept"), kept);
    assert_eq!(daemon.fault("getProcessInfo", &["gone".into()]).0, 10);
}

#[test]
fn a_broken_configuration_cannot_be_reread() {
    let daemon = Daemon::start(KEPT);
    daemon.wait_for_state("kept", "RUNNING");
    daemon.site.configure("[program:kept]\ncommand=cat\nstartsecs=soon\n");
    let (code, text) = daemon.fault("reloadConfig", &[]);
    assert_eq!(code, 92);
    assert!(text.starts_with("CANT_REREAD: ") && text.contains("soon"), "{text}");
    std::fs::remove_file(daemon.path("supervisord.conf")).unwrap();
    let (code, text) = daemon.fault("reloadConfig", &[]);
    assert_eq!(code, 92);
    assert!(text.contains(daemon.path("supervisord.conf").to_str().unwrap()), "{text}");
    assert_eq!(daemon.state("kept"), "RUNNING");
}

#[test]
fn rereading_leaves_the_daemon_as_it_is() {
    let daemon = Daemon::start(KEPT);
    let childlogdir = daemon.path("elsewhere");
    std::fs::create_dir(&childlogdir).unwrap();
    daemon.site.configure(&format!(
        "[supervisord]\nidentifier=other\nlogfile=%(here)s/other.log\nloglevel=debug\nchildlogdir={}\n{KEPT}\
         [program:new]\ncommand=cat\nstartsecs=0\n",
        childlogdir.display()
    ));
    assert_eq!(reread(&daemon)[0], ["new"]);
    assert_eq!(daemon.ask("getIdentification", &[]), "it".into());
    assert!(daemon.ask("readLog", &[0.into(), 0.into()]).as_str().unwrap().contains("supervisord started"));
    daemon.ask("addProcessGroup", &["new".into()]);
    daemon.wait_for_state("new", "RUNNING");
    let log = daemon.info("new").get("logfile").unwrap().as_str().unwrap().to_owned();
    assert!(log.starts_with(daemon.path("new-stdout---it-").to_str().unwrap()), "{log}");
    assert!(!daemon.path("other.log").exists() && !daemon.log().contains("DEBG"));
}
