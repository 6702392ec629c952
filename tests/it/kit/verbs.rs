//! `check`, `verify`, `doctor` and `status`, JSON, the log and Ctrl-C, on a tree that stands in for a running host.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use clap::Parser;
use supervisor_kit::kit::cli::{Cli, Request};
use supervisor_kit::kit::failure::{ExitCode, Failure};
use supervisor_kit::kit::host::Root;
use supervisor_kit::kit::json::Json;
use supervisor_kit::kit::listener::Listener;
use supervisor_kit::kit::state::{PackageManager, PackageReceipt, Receipt, StateDir};
use supervisor_kit::kit::text::Lang;
use supervisor_kit::kit::tree::{PACKAGE_RECEIPT, STATE_DIR};
use supervisor_kit::kit::verbs::run_on;

use super::fake::{FakeHost, PID, said};
use super::{Scratch, tree};

/// A host, and the runs on it.
pub struct Host {
    pub scratch: Scratch,
    pub fake: FakeHost,
}

impl Host {
    /// `None` when we are not root.
    pub fn new() -> Option<Host> {
        let scratch = Scratch::new();
        for dir in ["run/systemd/system", "usr/bin", "etc/systemd/system/multi-user.target.wants", "var/lib", "var/log"]
        {
            fs::create_dir_all(scratch.root.join(dir)).unwrap();
        }
        nix::unistd::geteuid().is_root().then(|| Host { scratch, fake: FakeHost::new() })
    }

    pub fn installed() -> Option<Host> {
        let mut host = Host::new()?;
        host.run(&["install"]).0.unwrap();
        Some(host)
    }

    /// A run and its JSON document.
    pub fn run(&mut self, args: &[&str]) -> (Result<(), Failure>, serde_json::Value) {
        let cli = Cli::parse_from(["install"].iter().chain(args));
        let request = Request {
            bundle: self.scratch.bundle.clone(),
            root: Root::pretend_live(&self.scratch.root).unwrap(),
            ..Request::from_cli(&cli).unwrap()
        };
        self.fake.changes.clear();
        let mut json = Json::new(Lang::En, cli.verb());
        let outcome = run_on(&request, &cli, &mut self.fake, &mut json);
        if let Err(failure) = &outcome {
            json.failed(failure);
        }
        (outcome, json.document())
    }

    /// Expects that the run ends with `code` because of `trouble`, and that it changes nothing.
    #[track_caller]
    pub fn finds(&mut self, verb: &str, code: ExitCode, trouble: &str) {
        let before = self.tree();
        let (_, document) = self.run(&[verb]);
        assert_eq!(document["exit_code"], code as u8, "{document:#}");
        let troubles: Vec<&str> =
            document["findings"].as_array().unwrap().iter().filter_map(|f| f["trouble"].as_str()).collect();
        assert!(troubles.contains(&trouble), "{document:#}");
        assert!(code == ExitCode::Done || document["failure"]["next"].is_string(), "{document:#}");
        assert_eq!(self.tree(), before, "{verb} changed something");
    }

    /// Without the log, which every run writes.
    pub fn tree(&self) -> Vec<String> {
        tree(&self.scratch.root, false).into_iter().filter(|line| !line.contains("supervisor-install.log")).collect()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.scratch.root.join("var/log/supervisor-install.log")).unwrap_or_default()
    }
}

#[test]
fn a_check_tells_and_changes_nothing() {
    let Some(mut host) = Host::new() else { return };
    let before = host.tree();
    let (outcome, document) = host.run(&["check"]);
    outcome.unwrap();
    assert_eq!((&document["ok"], &document["changed"]), (&true.into(), &false.into()));
    assert!(document["findings"].as_array().unwrap().len() > 8, "{document:#}");
    assert_eq!(host.tree(), before);
    fs::write(host.scratch.root.join("usr/bin/supervisord"), "#!/usr/bin/python3\n").unwrap();
    host.finds("check", ExitCode::OtherSupervisor, "other-supervisor");
}

#[test]
fn verify_finds_each_kind_of_drift() {
    let Some(mut host) = Host::installed() else { return };
    let (outcome, document) = host.run(&["verify"]);
    outcome.unwrap();
    assert_eq!(document["notes"][0]["id"], "as-installed");
    let program = host.scratch.root.join("usr/bin/supervisord");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    host.finds("verify", ExitCode::Drift, "mode-changed");
    fs::write(&program, "changed").unwrap();
    host.finds("verify", ExitCode::Drift, "file-changed");
    fs::remove_file(&program).unwrap();
    host.finds("verify", ExitCode::Drift, "file-missing");
    let client = host.scratch.root.join("usr/bin/supervisorctl");
    fs::remove_file(&client).unwrap();
    std::os::unix::fs::symlink("elsewhere", &client).unwrap();
    host.finds("verify", ExitCode::Drift, "link-changed");
    host.run(&["install"]).0.unwrap();
    host.run(&["verify"]).0.unwrap();
    host.fake.runs_installed = false;
    host.finds("verify", ExitCode::Drift, "running-other-file");
    host.fake.runs_installed = true;
    fs::create_dir_all(host.scratch.root.join("sys/fs/selinux")).unwrap();
    fs::write(host.scratch.root.join("sys/fs/selinux/enforce"), "1").unwrap();
    host.fake.answers.insert("restorecon", said(0, "Would relabel /usr/bin/supervisord from tmp_t to bin_t\n", ""));
    host.finds("verify", ExitCode::Drift, "selinux-label");
}

#[test]
fn doctor_tells_why_it_does_not_work() {
    let Some(mut host) = Host::installed() else { return };
    let root = host.scratch.root.clone();
    let socket = root.join("run/supervisor/supervisor.sock");
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    host.finds("doctor", ExitCode::Unhealthy, "socket-missing");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    host.run(&["doctor"]).0.unwrap();
    drop(listener);
    host.fake.client = said(1, "", "error: no such file");
    host.finds("doctor", ExitCode::Unhealthy, "client-unreachable");
    host.fake.is_enabled = false;
    host.finds("doctor", ExitCode::Unhealthy, "not-enabled");
    host.fake.is_active = false;
    host.finds("doctor", ExitCode::Unhealthy, "service-down");
    fs::remove_dir(root.join("var/log/supervisor")).unwrap();
    host.finds("doctor", ExitCode::Unhealthy, "log-missing");
}

#[test]
fn status_tells_the_changes_and_the_service() {
    let Some(mut host) = Host::new() else { return };
    assert_eq!(host.run(&["status"]).0, Err(Failure::NotInstalled));
    host.run(&["install"]).0.unwrap();
    let (outcome, document) = host.run(&["status"]);
    outcome.unwrap();
    let status = &document["status"];
    assert_eq!(
        (&status["generations"][0]["verb"], &status["generations"][0]["number"]),
        (&"install".into(), &1.into())
    );
    assert_eq!((&status["service"]["main_pid"], &status["service"]["is_active"]), (&PID.into(), &true.into()));
}

#[test]
fn a_package_is_verified_and_left_to_its_manager() {
    let Some(mut host) = Host::installed() else { return };
    // As a package would have put it there: its receipt, and nothing of ours.
    let root = Root::pretend_live(&host.scratch.root).unwrap();
    let Receipt { version, arch, completed, installed, .. } = StateDir::of(&root).receipt().unwrap().unwrap();
    let package = PackageReceipt::new(PackageManager::Dpkg, &version, &arch, completed, installed);
    fs::remove_dir_all(root.at(STATE_DIR)).unwrap();
    fs::create_dir_all(root.at(PACKAGE_RECEIPT).parent().unwrap()).unwrap();
    fs::write(root.at(PACKAGE_RECEIPT), package.to_json().unwrap()).unwrap();

    host.run(&["verify"]).0.unwrap();
    let (outcome, document) = host.run(&["status"]);
    outcome.unwrap();
    assert_eq!((&document["status"]["package"], &document["status"]["version"]), (&"dpkg".into(), &version.into()));
    let before = host.tree();
    for verb in ["install", "upgrade", "check", "uninstall", "rollback", "web"] {
        let (outcome, document) = host.run(&[verb]);
        assert_eq!(outcome, Err(Failure::Packaged { manager: PackageManager::Dpkg }), "{verb}");
        assert!(document["failure"]["next"].as_str().unwrap().contains("dpkg -r supervisor-kit"), "{document:#}");
    }
    assert_eq!(host.tree(), before);
    fs::write(host.scratch.root.join("usr/bin/supervisord"), "changed").unwrap();
    host.finds("verify", ExitCode::Drift, "file-changed");
    fs::write(root.at(PACKAGE_RECEIPT), "{").unwrap();
    assert!(matches!(host.run(&["verify"]).0, Err(Failure::StateDamaged { .. })));
}

#[test]
fn json_tells_steps_changes_and_failures() {
    let Some(mut host) = Host::new() else { return };
    let (outcome, document) = host.run(&["install"]);
    outcome.unwrap();
    assert_eq!(
        (&document["verb"], &document["changed"], &document["exit_code"]),
        (&"install".into(), &true.into(), &0.into())
    );
    assert!(document["steps"].as_array().unwrap().iter().any(|step| step["id"] == "go-live"), "{document:#}");
    assert!(document["notes"].as_array().unwrap().iter().any(|note| note["id"] == "installed"), "{document:#}");
    let (_, document) = host.run(&["install"]);
    assert_eq!(document["changed"], false);
    let (_, document) = host.run(&["rollback", "9"]);
    assert_eq!((&document["ok"], &document["failure"]["id"]), (&false.into(), &"no-such-generation".into()));
    assert_eq!(document["failure"]["next"], "name one of these, or none for the last one.");
}

#[test]
fn every_run_is_in_the_log_until_the_purge() {
    let Some(mut host) = Host::installed() else { return };
    let log = host.scratch.root.join("var/log/supervisor-install.log");
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o640);
    for word in ["install: installer", "step: put in place /usr/bin/supervisord", "outcome: done (0)"] {
        assert!(host.log().contains(word), "{word} in {}", host.log());
    }
    assert!(host.run(&["rollback", "9"]).0.is_err());
    assert!(host.log().contains("outcome: failed (13)"), "{}", host.log());
    let before = host.log();
    host.run(&["install", "--dry-run"]).0.unwrap();
    assert_eq!(host.log(), before);
    // Somebody's link is not followed, and a log that cannot be written stops nothing.
    fs::remove_file(&log).unwrap();
    fs::write(host.scratch.root.join("victim"), "").unwrap();
    std::os::unix::fs::symlink("/victim", &log).unwrap();
    host.run(&["verify"]).0.unwrap();
    assert_eq!(fs::read(host.scratch.root.join("victim")).unwrap(), b"");
    host.run(&["uninstall", "--purge"]).0.unwrap();
    assert!(log.symlink_metadata().is_err());
}

#[test]
fn ctrl_c_takes_the_change_back() {
    for after in 0..3 {
        let Some(mut host) = Host::new() else { return };
        let before = host.tree();
        host.fake.interrupt_after = Some(after);
        let (outcome, document) = host.run(&["install"]);
        assert_eq!(outcome, Err(Failure::Interrupted), "after {after} commands");
        assert_eq!(document["exit_code"], 130);
        assert_eq!(host.tree(), before, "after {after} commands");
        assert!(!host.fake.is_active && !host.fake.is_enabled);
        host.fake.interrupt_after = None;
        host.run(&["install"]).0.unwrap();
    }
}

/// KySec keeps its mark with the file: a copy has none.
#[test]
fn a_lost_mark_of_kysec_is_found_and_set_again() {
    let Some(mut host) = Host::new() else { return };
    fs::create_dir_all(host.scratch.root.join("etc/kysec")).unwrap();
    host.fake.answers.insert("getstatus", said(0, "exec control : on\n", ""));
    host.fake.answers.insert("kysec_get", said(0, "verified\n", ""));
    host.run(&["install"]).0.unwrap();
    host.run(&["verify"]).0.unwrap();
    assert_eq!(host.run(&["install"]).1["changed"], false);
    host.fake.answers.insert("kysec_get", said(0, "unknown\n", ""));
    host.finds("verify", ExitCode::Drift, "kysec-unmarked");
    host.run(&["install"]).0.unwrap();
    let marks: Vec<&String> = host.fake.changes.iter().filter(|change| change.starts_with("kysec_set")).collect();
    assert!(marks.iter().any(|mark| mark.ends_with("/usr/bin/supervisord")), "{marks:?}");
    // Off, it matters to nobody.
    host.fake.answers.insert("getstatus", said(0, "exec control : off\n", ""));
    host.run(&["verify"]).0.unwrap();
}

/// fapolicyd refuses what it was not told about; the file is overwritten, never appended to, and goes with us.
#[test]
fn fapolicyd_is_told_and_untold() {
    let Some(mut host) = Host::new() else { return };
    fs::create_dir_all(host.scratch.root.join("etc/fapolicyd/trust.d")).unwrap();
    let before = host.tree();
    let trust = host.scratch.root.join("etc/fapolicyd/trust.d/supervisor");
    host.run(&["install"]).0.unwrap();
    assert!(!trust.exists(), "it does not run");
    host.run(&["uninstall", "--purge"]).0.unwrap();

    host.fake.active_units = vec!["fapolicyd.service"];
    host.run(&["install", "--no-fapolicyd"]).0.unwrap();
    assert!(!trust.exists(), "it was not wanted");
    host.run(&["install"]).0.unwrap();
    let text = fs::read_to_string(&trust).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(
        lines.iter().map(|line| line[0]).collect::<Vec<_>>(),
        ["/usr/bin/supervisord", "/usr/bin/supervisor-install"]
    );
    let program = fs::read(host.scratch.root.join("usr/bin/supervisord")).unwrap();
    assert_eq!(lines[0][1..], [program.len().to_string(), supervisor_kit::kit::bundle::sums::sha256(&program)]);
    let (_, document) = host.run(&["install"]);
    assert_eq!(document["changed"], false, "{document:#}");
    assert!(host.fake.changes.is_empty());
    host.run(&["uninstall", "--purge"]).0.unwrap();
    assert_eq!(host.fake.changes.iter().filter(|change| *change == "fapolicyd-cli --update").count(), 1);
    assert_eq!(host.tree(), before);
    host.run(&["install"]).0.unwrap();
    host.run(&["rollback"]).0.unwrap();
    assert_eq!(host.tree(), before);
}
