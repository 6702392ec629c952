//! A whole installation on a tree that stands in for a running host, with systemd played by [`FakeHost`].
//!
//! Only root can install on a running host, so these tests do nothing for other users; the machine tests need root too.

use std::fs;
use std::io;

use supervisor_kit::kit::cli::{Distro, InstallArgs, Request, SignatureArgs, WebArgs};
use supervisor_kit::kit::failure::{ExitCode, Failure, ServiceDown};
use supervisor_kit::kit::host::Root;
use supervisor_kit::kit::preflight::Choices;
use supervisor_kit::kit::text::Note;
use supervisor_kit::kit::verbs::install::run;

use super::fake::{Ear, FakeHost, PID, said};
use super::{Scratch, elf, own_machine, tree};

const ALL: InstallArgs = InstallArgs {
    distro: Distro::Auto,
    no_enable: false,
    no_start: false,
    replace: false,
    live: false,
    console: WebArgs::NONE,
    signature: SignatureArgs::NONE,
};
const FILES_ONLY: InstallArgs = InstallArgs { no_enable: true, no_start: true, ..ALL };

pub(super) struct Host {
    pub(super) scratch: Scratch,
    pub(super) fake: FakeHost,
    pub(super) choices: Choices,
}

impl Host {
    /// `None` when we are not root.
    pub(super) fn new() -> Option<Host> {
        let scratch = Scratch::new();
        // What every system with systemd has.
        for dir in ["run/systemd/system", "usr/bin", "etc/systemd/system/multi-user.target.wants", "var/lib"] {
            fs::create_dir_all(scratch.root.join(dir)).unwrap();
        }
        let is_root = nix::unistd::geteuid().is_root();
        is_root.then(|| Host { scratch, fake: FakeHost::new(), choices: Choices::default() })
    }

    fn install(&mut self, args: &InstallArgs) -> (Result<(), Failure>, Vec<Note>) {
        self.install_before(Ear::default(), args)
    }

    fn install_before(&mut self, mut ear: Ear, args: &InstallArgs) -> (Result<(), Failure>, Vec<Note>) {
        let request = Request {
            bundle: self.scratch.bundle.clone(),
            root: Root::pretend_live(&self.scratch.root).unwrap(),
            dry_run: false,
            yes: false,
            choices: self.choices.clone(),
        };
        self.fake.changes.clear();
        let outcome = run(&request, args, &mut self.fake, &mut ear);
        (outcome, ear.notes)
    }

    /// Expects this failure, and the tree and the service as they were before.
    #[track_caller]
    pub(super) fn fails(&mut self, code: ExitCode) -> Failure {
        let before = (tree(&self.scratch.root, false), self.fake.is_enabled, self.fake.is_active);
        let (outcome, notes) = self.install(&ALL);
        let failure = outcome.unwrap_err();
        assert_eq!(failure.code(), code, "{failure:?}");
        let after = (tree(&self.scratch.root, false), self.fake.is_enabled, self.fake.is_active);
        assert_eq!(after, before, "{failure:?}");
        assert!(!notes.iter().any(|note| matches!(note, Note::NotTakenBack { .. })), "{notes:?}");
        failure
    }
}

#[test]
fn a_healthy_host_gets_a_running_service() {
    let Some(mut host) = Host::new() else { return };
    let (outcome, notes) = host.install(&ALL);
    outcome.unwrap();
    let expected = ["daemon-reload", "enable supervisord.service", "start supervisord.service"];
    assert_eq!(host.fake.changes, expected.map(|verb| format!("systemctl {verb}")));
    assert!(notes.contains(&Note::Verified { pid: PID }) && notes.contains(&Note::NextPrograms), "{notes:?}");
    let installed = tree(&host.scratch.root, true);

    let (outcome, notes) = host.install(&ALL);
    outcome.unwrap();
    assert!(notes.iter().any(|note| matches!(note, Note::UpToDate { .. })), "{notes:?}");
    assert_eq!(host.fake.changes, [""; 0]);
    assert_eq!(tree(&host.scratch.root, true), installed);
}

#[test]
fn an_operator_at_a_terminal_is_asked_once() {
    let Some(mut host) = Host::new() else { return };
    let (outcome, notes) = host.install_before(Ear { answer: Some(false), ..Ear::default() }, &ALL);
    assert_eq!(outcome, Err(Failure::Cancelled));
    assert!(notes.contains(&Note::PlanBegins) && host.fake.changes.is_empty(), "{notes:?}");
    assert!(!host.scratch.root.join("usr/bin/supervisord").exists());
    host.install_before(Ear { answer: Some(true), ..Ear::default() }, &ALL).0.unwrap();
    // Nothing to do, so nothing to ask: the answer would be no.
    host.install_before(Ear { answer: Some(false), ..Ear::default() }, &ALL).0.unwrap();
}

#[test]
fn wishes_are_followed() {
    let Some(mut host) = Host::new() else { return };
    let (outcome, notes) = host.install(&FILES_ONLY);
    outcome.unwrap();
    assert_eq!(host.fake.changes, ["systemctl daemon-reload"]);
    assert_eq!(notes.last(), Some(&Note::NextStart));
}

#[test]
fn without_systemd_the_files_are_installed_and_the_next_step_is_told() {
    let Some(mut host) = Host::new() else { return };
    fs::remove_dir(host.scratch.root.join("run/systemd/system")).unwrap();
    let (outcome, notes) = host.install(&ALL);
    outcome.unwrap();
    assert_eq!(host.fake.changes, [""; 0]);
    assert_eq!(notes.last(), Some(&Note::NextWithoutSystemd));
    assert!(host.scratch.root.join("run/supervisor").is_dir());
}

#[test]
fn a_running_daemon_is_never_restarted() {
    let Some(mut host) = Host::new() else { return };
    host.install(&ALL).0.unwrap();
    let newer = elf(own_machine(), "newer");
    host.scratch.bundle = host.scratch.pack(&newer, "newer");
    host.fake.runs_installed = false;
    let (outcome, notes) = host.install(&ALL);
    outcome.unwrap();
    assert_eq!(host.fake.changes, [""; 0]);
    assert_eq!(notes.last(), Some(&Note::RestartNeeded { pid: PID }));
    assert_eq!(fs::read(host.scratch.root.join("usr/bin/supervisord")).unwrap(), newer);
    // Still true, so still said, when nothing is left to install.
    let (outcome, notes) = host.install(&ALL);
    outcome.unwrap();
    assert_eq!(notes.last(), Some(&Note::RestartNeeded { pid: PID }));
}

#[test]
fn a_bad_configuration_is_found_before_anything_goes_live() {
    let Some(mut host) = Host::new() else { return };
    host.fake.check = Ok(said(2, "", "Error: /etc/supervisord.conf line 3: logfile_maxbytes 'fifty'\n"));
    let Failure::ConfigInvalid { output, .. } = host.fails(ExitCode::Config) else { panic!() };
    assert!(output.contains("fifty"));
    assert_eq!(host.fake.changes, [""; 0]);
}

#[test]
fn a_host_that_refuses_the_new_program_is_left_alone() {
    let Some(mut host) = Host::new() else { return };
    host.fake.check = Err(io::ErrorKind::PermissionDenied.into());
    host.fails(ExitCode::Refused);
    assert_eq!(host.fake.changes, [""; 0]);
}

#[test]
fn a_service_that_does_not_come_up_is_taken_back_with_its_last_words() {
    let Some(mut host) = Host::new() else { return };
    host.fake.start_fails = true;
    let Failure::ServiceDown(ServiceDown { state, journal, refusal }) = host.fails(ExitCode::Service) else { panic!() };
    assert_eq!(refusal, None);
    assert!(state.contains("Result=exit-code") && journal.contains("address in use"), "{state} {journal}");
    assert_eq!(host.fake.changes.last().unwrap(), "systemctl daemon-reload");
    host.fake.start_fails = false;
    host.install(&ALL).0.unwrap();
}

#[test]
fn a_service_that_dies_soon_is_no_success() {
    let Some(mut host) = Host::new() else { return };
    host.fake.dies_while_waiting = true;
    assert!(matches!(host.fails(ExitCode::Service), Failure::ServiceDown(_)));
}

#[test]
fn a_service_that_runs_something_else_is_no_success() {
    let Some(mut host) = Host::new() else { return };
    host.fake.runs_installed = false;
    assert_eq!(
        host.fails(ExitCode::Service),
        Failure::WrongProcess { pid: PID, program: "/usr/bin/supervisord".to_owned() }
    );
}

#[test]
fn the_client_must_agree() {
    let Some(mut host) = Host::new() else { return };
    host.fake.client = said(0, "99\n", "");
    let wrong = Failure::WrongPid { main_pid: PID, answer: "99".to_string() };
    assert_eq!(host.fails(ExitCode::Service), wrong);
    host.fake.client = said(4, "no such socket\n", "");
    assert!(matches!(host.fails(ExitCode::Service), Failure::WrongPid { .. }));

    // With an administrator's configuration, no access for the client may be intended.
    fs::create_dir_all(host.scratch.root.join("etc")).unwrap();
    fs::write(host.scratch.root.join("etc/supervisord.conf"), "[supervisord]\n").unwrap();
    let (outcome, notes) = host.install(&ALL);
    outcome.unwrap();
    assert!(notes.iter().any(|note| matches!(note, Note::ClientUnreachable { .. })), "{notes:?}");
}

#[test]
fn a_failed_update_brings_the_old_files_back() {
    let Some(mut host) = Host::new() else { return };
    host.install(&FILES_ONLY).0.unwrap();
    host.scratch.bundle = host.scratch.pack(&elf(own_machine(), "newer"), "newer");
    host.fake.enable_fails = true;
    let Failure::Command { command, reason } = host.fails(ExitCode::Apply) else { panic!() };
    assert!(command.contains("enable") && reason.contains("masked"));
}

#[test]
fn a_reload_that_a_killed_run_left_out_is_made_up_for() {
    let Some(mut host) = Host::new() else { return };
    host.install(&ALL).0.unwrap();
    host.fake.needs_reload = true;
    host.install(&ALL).0.unwrap();
    assert_eq!(host.fake.changes, ["systemctl daemon-reload"]);
}
