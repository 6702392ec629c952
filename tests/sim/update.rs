//! An update touches only what differs: random old and new configurations of one group, on a machine where nothing fails.

use std::collections::BTreeMap;

use proptest::prelude::*;
use supervisor_kit::config::{
    Address, Autorestart, ChannelConfig, FcgiSocket, GroupConfig, GroupKind, KillMode, LogFile, ProcessConfig, User,
};
use supervisor_kit::core::{
    Action, Closed, CommandError, Core, Event, ExitStatus, Input, Kernel, Mono, Now, Outbox, Pid, ProcId, Reply,
    Request, SignalError, SpawnError, SpawnPlan, State, Target, Tell, Tree, changed_keys, same_settings,
};

use crate::trace::blank_program;

/// Starts what it is asked to; a signal ends a process at once.
#[derive(Default)]
pub struct Obedient {
    last_pid: Pid,
    ended: Vec<Pid>,
}

impl Kernel for Obedient {
    fn check_command(&mut self, _: &SpawnPlan<'_>) -> Result<(), CommandError> {
        Ok(())
    }

    fn spawn(&mut self, _: &SpawnPlan<'_>) -> Result<Pid, SpawnError> {
        self.last_pid += 1;
        Ok(self.last_pid)
    }

    fn signal(&mut self, target: Target, _: i32) -> Result<(), SignalError> {
        let (Target::Process(pid) | Target::Group(pid)) = target;
        self.ended.push(pid);
        Ok(())
    }

    fn signal_tree(&mut self, _: &Tree<'_>, _: i32) -> usize {
        0
    }

    fn deliver(&mut self, _: ProcId, _: &[u8]) -> Result<(), Closed> {
        Ok(())
    }
}

pub struct Site {
    pub core: Core,
    pub machine: Obedient,
    pub now: Now,
    pub out: Outbox,
    pub replies: Vec<Reply>,
    pub left_running: Vec<String>,
}

impl Site {
    pub fn new(group: GroupConfig) -> Site {
        let mut out = Outbox::watching();
        let core = Core::new(vec![group], "update", 0, &mut out);
        let now = Now { mono: Mono(1_000_000_000), wall_secs: 1_000_000_000, wall_nanos: 0 };
        let mut site =
            Site { core, machine: Obedient::default(), now, out, replies: Vec::new(), left_running: Vec::new() };
        site.settle();
        site
    }

    pub fn handle(&mut self, input: Input) {
        self.core.handle(self.now, input, &mut self.machine, &mut self.out);
        self.settle();
    }

    /// Lets a long time pass and everything that comes of it happen.
    pub fn settle(&mut self) {
        for _ in 0..200 {
            self.now.mono = self.now.mono.plus_secs(2);
            while let Some(pid) = self.machine.ended.pop() {
                let status = ExitStatus::Signal { number: 15, core_dumped: false };
                self.core.handle(self.now, Input::Exited(pid, status), &mut self.machine, &mut self.out);
            }
            self.core.tick(self.now, &mut self.machine, &mut self.out);
            for tell in self.out.drain() {
                match tell {
                    Tell::Reply(_, reply) => self.replies.push(reply),
                    Tell::Event(Event::ProcessState { process, from: State::Running, .. }) => {
                        self.left_running.push(process);
                    }
                    _ => {}
                }
            }
            if self.machine.ended.is_empty() && self.core.next_deadline().is_none() {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    pub fn states(&self) -> BTreeMap<String, (State, Pid)> {
        let state =
            |process: &supervisor_kit::core::Process| (process.config.name.clone(), (process.state(), process.pid()));
        self.core.processes().map(state).collect()
    }
}

pub fn channel() -> impl Strategy<Value = ChannelConfig> {
    let file = prop_oneof![Just(LogFile::None), Just(LogFile::Auto), Just(LogFile::Path("/l".into()))];
    (file, 0..2_i64, 0..2_i64, 0..2_i64, any::<bool>(), any::<bool>()).prop_map(
        |(file, maxbytes, backups, capture_maxbytes, events_enabled, syslog)| ChannelConfig {
            file,
            maxbytes,
            backups,
            capture_maxbytes,
            events_enabled,
            syslog,
        },
    )
}

/// Changes one key of a program, by its number; what is not a number of a key changes nothing.
pub fn change_key(process: &mut ProcessConfig, key: u8, channel: &ChannelConfig) {
    match key {
        0 => process.command = "other".into(),
        1 => process.directory = Some("/".into()),
        2 => process.umask = Some(7),
        3 => process.priority = 7,
        4 => process.autostart = false,
        5 => process.autorestart = Autorestart::Always,
        6 => process.startsecs = 3,
        7 => process.startretries = 9,
        8 => process.exitcodes = vec![0, 2],
        9 => process.stopsignal = 2,
        10 => process.stopwaitsecs = 4,
        11 => process.stopasgroup = true,
        12 => process.killasgroup = true,
        20 => process.killmode = KillMode::Tree,
        13 => process.user = Some(User { name: "nobody".into(), uid: 65_534, gid: 65_534 }),
        14 => process.environment = vec![("A".into(), "b".into())],
        15 => process.serverurl = Some("http://x:1".into()),
        16 => {
            let address = Address::Inet { host: "localhost".into(), port: 9 };
            process.fcgi = Some(FcgiSocket { section: "fcgi-program:x".into(), address, backlog: None });
        }
        17 => process.redirect_stderr = true,
        18 => process.stdout = channel.clone(),
        19 => process.stderr = channel.clone(),
        _ => {}
    }
}

pub fn program() -> impl Strategy<Value = ProcessConfig> {
    (prop::collection::vec(0..60_u8, 0..3), channel()).prop_map(|(keys, channel)| {
        let mut process = blank_program();
        keys.iter().for_each(|key| change_key(&mut process, *key, &channel));
        process
    })
}

fn group() -> impl Strategy<Value = GroupConfig> {
    (prop::collection::btree_map(0..6_u8, program(), 0..6), 1..3_i64).prop_map(|(programs, priority)| GroupConfig {
        name: "g".into(),
        priority,
        kind: GroupKind::Group,
        processes: programs
            .into_iter()
            .map(|(number, process)| ProcessConfig { name: format!("p{number}"), ..process }.into())
            .collect(),
        sections: Vec::new(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_what_differs_is_touched(old in group(), new in group(), stopped_by_hand in 0..6_u8) {
        let mut site = Site::new(old.clone());
        let by_hand = format!("p{stopped_by_hand}");
        site.handle(Input::Request(1, Request::Stop { name: format!("g:{by_hand}"), wait: true }));
        let before = site.states();
        site.handle(Input::ConfigRead(2, Ok(vec![new.clone()])));
        let plan = site.core.plan_update();
        site.replies.clear();
        site.left_running.clear();
        site.handle(Input::Request(3, Request::UpdateGroup("g".into())));
        prop_assert_eq!(&site.replies, &vec![Reply::Done]);
        let after = site.states();
        let config_of = |group: &GroupConfig, name: &str| {
            group.processes.iter().find(|process| process.name == name).cloned()
        };
        prop_assert_eq!(after.len(), new.processes.len());
        for (name, (state, pid)) in &before {
            let (Some(old), Some(new)) = (config_of(&old, name), config_of(&new, name)) else { continue };
            let is_live = changed_keys(&old, &new).iter().all(|key| key.is_live);
            if is_live {
                prop_assert_eq!(after[name], (*state, *pid), "{} is touched", name);
                prop_assert!(!site.left_running.contains(name), "{} left RUNNING", name);
            } else {
                prop_assert!(*pid == 0 || after[name].1 != *pid, "{} was not restarted", name);
                prop_assert_eq!(after[name].0, *state, "{} is not as it was", name);
            }
        }
        for change in plan {
            let is_up = after.get(&change.process).is_some_and(|(state, _)| state.is_active());
            prop_assert_eq!(is_up, change.is_up, "{:?} was planned", change);
            let was_kept = before.get(&change.process) == after.get(&change.process);
            prop_assert!(was_kept || !matches!(change.action, Action::Keep | Action::Apply), "{:?}", change);
        }
        let difference = site.core.difference();
        prop_assert!(difference.changed.is_empty(), "something is left to do: {difference:?}");
        for process in site.core.processes() {
            let new = config_of(&new, &process.config.name).unwrap();
            prop_assert!(same_settings(&process.config, &new));
        }
    }

    #[test]
    fn a_difference_has_a_key(old in program(), new in program()) {
        prop_assert_eq!(changed_keys(&old, &new).is_empty(), same_settings(&old, &new));
    }
}
