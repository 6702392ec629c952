//! What becomes of a running daemon when its program is replaced: the policy of a host, and who asks for it.

use std::fs;

use supervisor_kit::kit::failure::{ExitCode, Failure};
use supervisor_kit::kit::plan::Restart;
use supervisor_kit::kit::restart_policy::parse;

use super::verbs::Host;

#[test]
fn a_policy_is_the_last_assignment_of_a_shell_file() {
    let read = |text: &str| parse("/etc/default/supervisord", text);
    for (text, policy) in [
        ("", None),
        ("# RESTART_ON_UPGRADE=yes\nCONFIG=/x\n", None),
        ("RESTART_ON_UPGRADE=no\n", Some(Restart::Never)),
        ("RESTART_ON_UPGRADE=\n", Some(Restart::Never)),
        ("RESTART_ON_UPGRADE=\"reexec\" # keeps programs\n", Some(Restart::Reexec)),
        ("  export RESTART_ON_UPGRADE='yes'\n", Some(Restart::Always)),
        ("RESTART_ON_UPGRADE=no\nRESTART_ON_UPGRADE=always;\n", Some(Restart::Always)),
        ("RESTART_ON_UPGRADES=maybe\n", None),
    ] {
        assert_eq!(read(text), Ok(policy), "{text}");
    }
    let Err(Failure::RestartPolicy { path, line, value }) = read("A=1\nRESTART_ON_UPGRADE=maybe\n") else { panic!() };
    assert_eq!((path.as_str(), line, value.as_str()), ("/etc/default/supervisord", 2, "maybe"));
}

/// A host whose daemon runs the program of before.
fn with_an_old_daemon(policy: &[(&str, &str)]) -> Option<Host> {
    let mut host = Host::installed()?;
    for (path, value) in policy {
        let path = host.scratch.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("RESTART_ON_UPGRADE={value}\n")).unwrap();
    }
    host.fake.runs_installed = false;
    Some(host)
}

fn note_ids(document: &serde_json::Value) -> Vec<&str> {
    document["notes"].as_array().unwrap().iter().filter_map(|note| note["id"].as_str()).collect()
}

#[test]
fn packages_leave_the_daemon_alone_unless_the_host_says_otherwise() {
    let Some(mut host) = with_an_old_daemon(&[]) else { return };
    let (outcome, document) = host.run(&["restart-by-policy"]);
    outcome.unwrap();
    assert_eq!(note_ids(&document), ["restart-needed"]);
    assert_eq!(host.fake.changes, [""; 0]);

    // Debian's file is read after Red Hat's.
    let files = [("etc/sysconfig/supervisord", "no"), ("etc/default/supervisord", "yes")];
    let Some(mut host) = with_an_old_daemon(&files) else { return };
    let before = host.tree();
    let (outcome, document) = host.run(&["restart-by-policy"]);
    outcome.unwrap();
    assert_eq!(note_ids(&document), ["verified"]);
    assert_eq!(host.fake.changes, ["systemctl restart supervisord.service"]);
    assert_eq!(host.tree(), before, "the files are the package manager's");
    // Now it is the new one, and nothing is to be done.
    host.run(&["restart-by-policy"]).0.unwrap();
    assert_eq!(host.fake.changes, [""; 0]);
    host.fake.is_active = false;
    host.fake.runs_installed = false;
    host.run(&["restart-by-policy"]).0.unwrap();
    assert_eq!(host.fake.changes, [""; 0], "it did not run");
}

#[test]
fn a_policy_that_nobody_knows_restarts_nothing() {
    for verb in ["restart-by-policy", "upgrade"] {
        let Some(mut host) = with_an_old_daemon(&[("etc/sysconfig/supervisord", "maybe")]) else { return };
        let (outcome, document) = host.run(&[verb]);
        assert!(matches!(outcome, Err(Failure::RestartPolicy { line: 1, .. })), "{outcome:?}");
        assert_eq!(document["exit_code"], ExitCode::Usage as u8);
        assert_eq!(host.fake.changes, [""; 0]);
    }
}

#[test]
fn an_upgrade_follows_the_policy_of_the_host_unless_told_otherwise() {
    let Some(mut host) = with_an_old_daemon(&[("etc/sysconfig/supervisord", "yes")]) else { return };
    host.run(&["upgrade", "--restart=never"]).0.unwrap();
    assert_eq!(host.fake.changes, [""; 0]);
    host.run(&["upgrade"]).0.unwrap();
    assert_eq!(host.fake.changes, ["systemctl restart supervisord.service"]);
}

const BEFORE: &str = "web                RUNNING   pid 7, uptime 0:01:00\nwork:a             RUNNING   pid 8, uptime 0:01:00\n\
                      old                STOPPED   Not started\n";

#[test]
fn reexec_keeps_the_daemons_process_and_its_programs() {
    let Some(mut host) = with_an_old_daemon(&[]) else { return };
    host.fake.status = [BEFORE, BEFORE];
    let (outcome, document) = host.run(&["upgrade", "--restart=reexec"]);
    outcome.unwrap();
    assert_eq!(host.fake.changes, ["supervisorctl upgrade"]);
    let said = document["notes"].to_string();
    assert!(said.contains("2 programs run on as the same processes") && !said.contains("ended or started"), "{said}");
    // It runs the new one now: there is nothing to do.
    host.run(&["upgrade", "--restart=reexec"]).0.unwrap();
    assert_eq!(host.fake.changes, [""; 0]);

    let Some(mut host) = with_an_old_daemon(&[("etc/default/supervisor", "reexec")]) else { return };
    host.fake.status = [BEFORE, "web RUNNING pid 9, uptime 0:00:01\nwork:a RUNNING pid 8, uptime 0:01:00\n"];
    let (outcome, document) = host.run(&["restart-by-policy"]);
    outcome.unwrap();
    assert_eq!(host.fake.changes, ["supervisorctl upgrade"]);
    let said = document["notes"].to_string();
    assert!(said.contains("1 programs run on") && said.contains("meanwhile: web."), "{said}");
}

#[test]
fn a_daemon_that_refuses_keeps_its_files() {
    let Some(mut host) = Host::installed() else { return };
    let before = host.tree();
    host.scratch.bundle = host.scratch.pack(&super::elf(super::own_machine(), "newer"), "newer");
    host.fake.upgrade = super::fake::said(1, "ERROR: this supervisord cannot be upgraded while it runs\n", "");
    host.fake.runs_installed = false;
    let (outcome, document) = host.run(&["upgrade", "--restart=reexec"]);
    let Err(Failure::ReexecRefused { pid, reason }) = outcome else { panic!("{document:#}") };
    assert!(pid == super::fake::PID && reason.contains("cannot be upgraded"), "{reason}");
    assert_eq!(document["exit_code"], ExitCode::Service as u8);
    assert_eq!(host.tree(), before);
    assert!(!host.fake.changes.iter().any(|change| change.contains("restart")), "{:?}", host.fake.changes);
}
