//! A stand-in for the running host: a systemd with one service, and people who only listen.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use supervisor_kit::kit::commands::{Commands, Output};
use supervisor_kit::kit::failure::Failure;
use supervisor_kit::kit::listener::Listener;
use supervisor_kit::kit::plan::Step;
use supervisor_kit::kit::text::Note;

/// Behaves as systemd does, with the faults that a test sets.
pub struct FakeHost {
    pub is_enabled: bool,
    pub is_active: bool,
    pub needs_reload: bool,
    /// Whether the service's process runs the installed file.
    pub runs_installed: bool,
    /// What the new program says of the configuration.
    pub check: io::Result<Output>,
    pub enable_fails: bool,
    pub start_fails: bool,
    /// The service dies this long after its start.
    pub dies_while_waiting: bool,
    /// What `supervisorctl pid` says.
    pub client: Output,
    /// What `supervisorctl upgrade` says; after a success the process runs the installed file.
    pub upgrade: Output,
    /// What `supervisorctl status` says before and after an upgrade.
    pub status: [&'static str; 2],
    /// What the new program's self-test comes to.
    pub self_test: io::Result<Output>,
    /// What `systemctl --version` says first.
    pub systemd: &'static str,
    /// What other programs say, by name; a query that is not here finds nothing.
    pub answers: BTreeMap<&'static str, Output>,
    /// Units other than ours that are active.
    pub active_units: Vec<&'static str>,
    /// Programs that are not there.
    pub missing: Vec<&'static str>,
    /// Ctrl-C comes after so many changing commands.
    pub interrupt_after: Option<usize>,
    /// What `systemctl show` says of a service that failed.
    pub shown: String,
    /// What happens to the host while the service starts.
    pub sabotage: Option<Box<dyn FnMut()>>,
    /// Every command that changes something.
    pub changes: Vec<String>,
}

pub const PID: u32 = 4321;

pub fn said(code: i32, stdout: &str, stderr: &str) -> Output {
    Output { code: Some(code), stdout: stdout.to_string(), stderr: stderr.to_string() }
}

impl FakeHost {
    /// A healthy host without the service.
    pub fn new() -> FakeHost {
        FakeHost {
            is_enabled: false,
            is_active: false,
            needs_reload: false,
            runs_installed: true,
            check: Ok(said(0, "", "")),
            enable_fails: false,
            start_fails: false,
            dies_while_waiting: false,
            client: said(0, "4321\n", ""),
            upgrade: said(0, "Upgraded\n", ""),
            status: ["", ""],
            self_test: Ok(said(0, "self-test: ok\n", "")),
            systemd: "systemd 252 (252.38-1~deb12u1)",
            answers: BTreeMap::new(),
            active_units: Vec::new(),
            missing: Vec::new(),
            interrupt_after: None,
            shown: "ActiveState=failed\nResult=exit-code\n".to_string(),
            sabotage: None,
            changes: Vec::new(),
        }
    }

    fn client(&mut self, verb: &str) -> Output {
        match verb {
            "upgrade" => {
                self.changes.push("supervisorctl upgrade".to_owned());
                self.runs_installed |= self.upgrade.is_success();
                self.upgrade.clone()
            }
            "status" => said(0, self.status[usize::from(self.runs_installed)], ""),
            _ => self.client.clone(),
        }
    }

    fn systemctl(&mut self, args: &[&str]) -> Output {
        let is_query = matches!(args[0], "is-enabled" | "is-active" | "show" | "--version");
        if !is_query {
            self.changes.push(format!("systemctl {}", args.join(" ")));
        }
        match args[0] {
            "--version" => said(0, &format!("{}\n+PAM\n", self.systemd), ""),
            "is-active" if args[1] != "supervisord.service" => {
                let is_active = self.active_units.contains(&args[1]);
                said(if is_active { 0 } else { 3 }, if is_active { "active\n" } else { "inactive\n" }, "")
            }
            "is-enabled" => said(0, if self.is_enabled { "enabled\n" } else { "disabled\n" }, ""),
            "is-active" => said(0, if self.is_active { "active\n" } else { "failed\n" }, ""),
            "show" if args[2].starts_with("ActiveState") => said(0, &self.shown, ""),
            "show" => {
                let pid = if self.is_active { PID } else { 0 };
                let reload = if self.needs_reload { "yes" } else { "no" };
                let known = [format!("MainPID={pid}\n"), format!("NeedDaemonReload={reload}\n")];
                let is_asked = |line: &&String| args.iter().any(|name| line.starts_with(&format!("{name}=")));
                said(0, &known.iter().filter(is_asked).cloned().collect::<String>(), "")
            }
            "enable" if self.enable_fails => said(1, "", "Unit supervisord.service is masked.\n"),
            "start" if self.start_fails => {
                if let Some(sabotage) = &mut self.sabotage {
                    sabotage();
                }
                said(1, "", "Job failed.\n")
            }
            verb => {
                match verb {
                    "enable" => self.is_enabled = true,
                    "disable" => self.is_enabled = false,
                    "start" => self.is_active = true,
                    "restart" => (self.is_active, self.runs_installed) = (true, true),
                    "stop" => self.is_active = false,
                    "daemon-reload" => self.needs_reload = false,
                    _ => {}
                }
                said(0, "", "")
            }
        }
    }
}

fn copy_of(outcome: &io::Result<Output>) -> io::Result<Output> {
    match outcome {
        Ok(output) => Ok(output.clone()),
        Err(error) => Err(error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)),
    }
}

impl Commands for FakeHost {
    fn run(&mut self, program: &str, args: &[&str], _limit: Duration) -> io::Result<Output> {
        match program {
            "systemctl" => Ok(self.systemctl(args)),
            "journalctl" => Ok(said(0, "bind: address in use\n", "")),
            "restorecon" | "getstatus" | "kysec_get" | "rpm" | "dpkg-query" | "ausearch" => {
                let silent = said(if program == "restorecon" { 0 } else { 1 }, "", "");
                Ok(self.answers.get(program).cloned().unwrap_or(silent))
            }
            "kysec_set" | "fapolicyd-cli" => {
                self.changes.push(format!("{program} {}", args.join(" ")));
                Ok(said(0, "", ""))
            }
            _ if args == ["--self-test"] => {
                assert!(Path::new(program).exists(), "{program}");
                copy_of(&self.self_test)
            }
            _ if program.ends_with("/bin/supervisorctl") => Ok(self.client(args[2])),
            _ => {
                assert_eq!(args[..2], ["-t", "-c"], "unexpected command {program}");
                assert!(Path::new(program).exists() && Path::new(args[2]).exists(), "{program} {args:?}");
                copy_of(&self.check)
            }
        }
    }

    fn has(&self, program: &str) -> bool {
        !self.missing.contains(&program)
    }

    fn runs(&self, pid: u32, _program: &Path) -> bool {
        pid == PID && self.runs_installed
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt_after.is_some_and(|after| self.changes.len() >= after)
    }

    fn pause(&mut self, _time: Duration) {
        self.is_active &= !self.dies_while_waiting;
    }
}

/// Remembers what it was told.
#[derive(Default)]
pub struct Ear {
    pub notes: Vec<Note>,
    /// What the operator says when asked; without it nobody is there.
    pub answer: Option<bool>,
}

impl Listener for Ear {
    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }
    fn planned(&mut self, _number: usize, _step: &Step) {}
    fn begin(&mut self, _steps: usize) {}
    fn step(&mut self, _step: &Step) {}
    fn end(&mut self) {}
    fn failed(&mut self, _failure: &Failure) {}
    fn can_ask(&self) -> bool {
        self.answer.is_some()
    }
    fn may_go_on(&mut self) -> bool {
        self.answer.unwrap()
    }
}
