//! A core with listeners that say what the test has them say.

use std::collections::BTreeSet;

use supervisor_kit::config::{Autorestart, ChannelConfig, GroupConfig, GroupKind, LengthUnit, LogFile, ProcessConfig};
use supervisor_kit::core::{
    Closed, CommandError, Core, Input, Kernel, Mono, Now, Outbox, Pid, ProcId, Request, SignalError, SpawnError,
    SpawnPlan, Target, Tell, Tree,
};

/// Remembers what was sent to whom.
#[derive(Default)]
pub struct Desk {
    last_pid: Pid,
    pub deaf: BTreeSet<ProcId>,
    /// Pid and header of every event that was sent; the payload is behind the line.
    pub sent: Vec<(Pid, String)>,
    pids: Vec<(ProcId, Pid)>,
}

impl Kernel for Desk {
    fn check_command(&mut self, _plan: &SpawnPlan<'_>) -> Result<(), CommandError> {
        Ok(())
    }

    fn spawn(&mut self, plan: &SpawnPlan<'_>) -> Result<Pid, SpawnError> {
        self.last_pid += 1;
        self.pids.push((plan.id, self.last_pid));
        Ok(self.last_pid)
    }

    fn signal(&mut self, _target: Target, _signal: i32) -> Result<(), SignalError> {
        Ok(())
    }

    fn signal_tree(&mut self, _: &Tree<'_>, _: i32) -> usize {
        0
    }

    fn deliver(&mut self, listener: ProcId, event: &[u8]) -> Result<(), Closed> {
        if self.deaf.contains(&listener) {
            return Err(Closed);
        }
        let pid = self.pids.iter().rev().find(|(id, _)| *id == listener).unwrap().1;
        self.sent.push((pid, String::from_utf8(event.to_vec()).unwrap()));
        Ok(())
    }
}

/// A core, its desk and a clock.
pub struct Stage {
    pub core: Core,
    pub desk: Desk,
    pub now: Now,
    pub log: Vec<String>,
}

impl Stage {
    /// Every process is RUNNING when it is ready; the pids count from 1 in the order of groups.
    pub fn new(groups: Vec<GroupConfig>) -> Stage {
        let mut out = Outbox::new();
        let core = Core::new(groups, "here", 0, &mut out);
        let now = Now { mono: Mono(1_000_000_000), wall_secs: 1_000_000_001, wall_nanos: 500_000_000 };
        let mut stage = Stage { core, desk: Desk::default(), now, log: Vec::new() };
        stage.take(&mut out);
        stage.tick();
        stage.pass(0);
        stage
    }

    /// Lets time pass, on both clocks.
    pub fn pass(&mut self, secs: i64) {
        self.now.mono = self.now.mono.plus_secs(secs).next();
        self.now.wall_secs += secs;
        self.tick();
    }

    pub fn tick(&mut self) {
        let mut out = Outbox::new();
        self.core.tick(self.now, &mut self.desk, &mut out);
        self.take(&mut out);
    }

    pub fn handle(&mut self, input: Input) {
        let mut out = Outbox::new();
        self.core.handle(self.now, input, &mut self.desk, &mut out);
        self.take(&mut out);
        self.tick();
    }

    /// The listener with this pid writes something.
    pub fn say(&mut self, pid: Pid, text: &str) {
        self.handle(Input::ListenerOutput(pid, text.as_bytes().to_vec()));
    }

    /// A client sends an event.
    pub fn send(&mut self, data: &str) {
        let request = Request::RemoteCommunication { kind: "k".to_owned(), data: data.to_owned() };
        self.handle(Input::Request(0, request));
    }

    /// What was sent since the last time: pid and data of each.
    pub fn sent(&mut self) -> Vec<(Pid, String)> {
        let data = |text: String| text.split_once("type:k\n").map_or(text.clone(), |(_, data)| data.to_owned());
        std::mem::take(&mut self.desk.sent).into_iter().map(|(pid, text)| (pid, data(text))).collect()
    }

    fn take(&mut self, out: &mut Outbox) {
        for tell in out.drain() {
            if let Tell::Log(level, text) = tell {
                self.log.push(format!("{} {text}", level.tag()));
            }
        }
    }
}

/// A listener group.
pub fn pool(name: &str, events: &[&str], buffer_size: i64, members: usize, length_unit: LengthUnit) -> GroupConfig {
    let result_handler = supervisor_kit::config::DEFAULT_RESULT_HANDLER.to_owned();
    let events = events.iter().map(|event| (*event).to_owned()).collect();
    let kind = GroupKind::EventListener { events, buffer_size, length_unit, result_handler };
    let processes = (0..members).map(|number| process(&format!("{name}{number}")).into()).collect();
    GroupConfig { name: name.to_owned(), priority: -1, kind, processes, sections: Vec::new() }
}

fn process(name: &str) -> ProcessConfig {
    let blank = ProcessConfig::blank();
    let silent = ChannelConfig { file: LogFile::None, ..blank.stdout.clone() };
    ProcessConfig {
        name: name.to_owned(),
        command: "/bin/listen".to_owned(),
        autorestart: Autorestart::Always,
        startsecs: 0,
        exitcodes: vec![0],
        stdout: silent.clone(),
        stderr: silent,
        ..blank
    }
}
