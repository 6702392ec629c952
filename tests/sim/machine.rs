//! An operating system made up for the simulation: children that live, misbehave and die, and a dial for how bad it gets.

use std::collections::BTreeMap;

use supervisor_kit::core::{
    Closed, CommandError, ExitStatus, Kernel, Mono, Now, Pid, ProcId, SignalError, SpawnError, SpawnPlan, Target, Tree,
};

use crate::audience::Audience;
use crate::chance::Chance;

const NANOS_PER_MS: u64 = 1_000_000;
/// What the names of listener groups begin with.
pub const LISTENERS: &str = "l";
const SIGKILL: i32 = 9;
/// Few pids, so that they are used again soon.
const PIDS: std::ops::RangeInclusive<Pid> = 100..=160;
/// How long a child that was sent SIGKILL may hang in an uninterruptible call.
const STUCK_MS_MAX: u64 = 20_000;

pub struct Machine {
    pub now: Now,
    /// The supervisor is in its normal mood, so that it may start something.
    pub may_start: bool,
    pub spawns: u64,
    pub audience: Audience,
    chance: Chance,
    /// The dial: 0 is a perfect machine, 100 a ruined one.
    faults_percent: u64,
    children: BTreeMap<Pid, Child>,
    last_pid: Pid,
    /// What children have started, by the mark of their tree.
    trees: BTreeMap<String, Vec<Descendant>>,
    /// The mark of the last run of each program that has one.
    marks: BTreeMap<ProcId, String>,
}

struct Descendant {
    end: Option<Mono>,
    ignores_signals: bool,
}

struct Child {
    owner: ProcId,
    /// When and how it ends, if nothing happens before.
    end: Option<(Mono, ExitStatus)>,
    ignores_signals: bool,
}

impl Machine {
    pub fn new(chance: Chance, faults_percent: u64) -> Self {
        Machine {
            now: Now::default(),
            may_start: true,
            spawns: 0,
            audience: Audience::default(),
            chance,
            faults_percent,
            children: BTreeMap::new(),
            last_pid: *PIDS.start(),
            trees: BTreeMap::new(),
            marks: BTreeMap::new(),
        }
    }

    /// What a listener says by now.
    pub fn listen(&mut self) -> Option<(Pid, Vec<Vec<u8>>)> {
        self.audience.speak(self.now.mono, &mut self.chance)
    }

    /// The next moment at which a child ends.
    pub fn next_exit(&self) -> Option<Mono> {
        self.children.values().filter_map(|child| child.end).map(|(at, _)| at).min()
    }

    /// A child that has ended by now, as `waitpid` would report it. Its pid is free again.
    pub fn reap(&mut self) -> Option<(Pid, ExitStatus)> {
        let now = self.now.mono;
        let (pid, status) = self.children.iter().find_map(|(pid, child)| match child.end {
            Some((at, status)) if at <= now => Some((*pid, status)),
            _ => None,
        })?;
        self.children.remove(&pid);
        self.audience.leave(pid);
        Some((pid, status))
    }

    /// Every child that was not reaped, and whose it is.
    pub fn children(&self) -> impl Iterator<Item = (Pid, ProcId)> {
        self.children.iter().map(|(pid, child)| (*pid, child.owner))
    }

    /// How many descendants of a program's last run live.
    pub fn descendants(&self, owner: ProcId) -> usize {
        let tree = self.marks.get(&owner).and_then(|mark| self.trees.get(mark));
        tree.map_or(0, |tree| tree.iter().filter(|one| one.end.is_none_or(|end| end > self.now.mono)).count())
    }

    /// A pid that is nobody's, though it may have been somebody's: an orphan that was handed to us ends as well.
    pub fn stray_pid(&mut self) -> Pid {
        self.free_pid()
    }

    /// True as often as the dial says, divided by `rarity`.
    fn fault(&mut self, rarity: u64) -> bool {
        self.chance.below(100 * rarity) < self.faults_percent
    }

    fn after_ms(&self, ms: u64) -> Mono {
        Mono(self.now.mono.0 + ms * NANOS_PER_MS)
    }

    fn free_pid(&mut self) -> Pid {
        loop {
            self.last_pid = if self.last_pid == *PIDS.end() { *PIDS.start() } else { self.last_pid + 1 };
            if !self.children.contains_key(&self.last_pid) {
                return self.last_pid;
            }
        }
    }

    fn grow_tree(&mut self, owner: ProcId, mark: &str) {
        let count = if self.chance.percent(50) { self.chance.below(4) } else { 0 };
        let mut tree = Vec::new();
        for _ in 0..count {
            let life_ms = self.chance.below(60_000);
            let end = self.chance.percent(30).then(|| self.after_ms(life_ms));
            tree.push(Descendant { end, ignores_signals: self.chance.percent(30) });
        }
        self.trees.insert(mark.to_owned(), tree);
        if let Some(old) = self.marks.insert(owner, mark.to_owned()) {
            self.trees.remove(&old);
        }
    }

    fn random_fate(&mut self) -> Option<(Mono, ExitStatus)> {
        let life_ms = if self.fault(2) {
            // At once, or so soon that it counts as a failed start.
            *self.chance.pick(&[0, 0, 1, 300, 999, 1000, 1001])
        } else if self.chance.percent(40) {
            self.chance.below(60_000)
        } else {
            return None;
        };
        let status = match self.chance.below(10) {
            0..=4 => ExitStatus::Code(0),
            5..=7 => ExitStatus::Code(self.chance.below(4) as i32),
            _ => ExitStatus::Signal { number: 11, core_dumped: true },
        };
        Some((self.after_ms(life_ms), status))
    }
}

impl Kernel for Machine {
    fn deliver(&mut self, listener: ProcId, event: &[u8]) -> Result<(), Closed> {
        let is_faulty = self.fault(4);
        self.audience.deliver(listener, event, self.now.mono, &mut self.chance, is_faulty)
    }

    fn check_command(&mut self, _plan: &SpawnPlan<'_>) -> Result<(), CommandError> {
        if self.fault(8) { Err(CommandError::NotFound("serve".to_owned())) } else { Ok(()) }
    }

    fn spawn(&mut self, plan: &SpawnPlan<'_>) -> Result<Pid, SpawnError> {
        assert!(self.may_start, "{} is started while everything stops", plan.config.name);
        let running = self.children.iter().find(|(_, child)| child.owner == plan.id);
        assert!(running.is_none(), "{} is started again while its child lives", plan.config.name);
        if self.fault(3) {
            let name = plan.config.name.clone();
            return Err(match self.chance.below(4) {
                0 => CommandError::NotFound(name).into(),
                1 => SpawnError::TooManyFiles { name },
                2 => SpawnError::TooManyProcesses { name },
                _ => SpawnError::Dispatchers { name, errno: "ENOSPC".to_owned() },
            });
        }
        assert_eq!(self.descendants(plan.id), 0, "{} is started beside what it left", plan.config.name);
        self.spawns += 1;
        if let Some(mark) = plan.mark {
            self.grow_tree(plan.id, mark);
        }
        let pid = self.free_pid();
        let child = Child { owner: plan.id, end: self.random_fate(), ignores_signals: self.fault(3) };
        self.children.insert(pid, child);
        if plan.group.starts_with(LISTENERS) {
            let ready_ms = self.chance.below(3_000);
            let ready_at = self.after_ms(ready_ms);
            self.audience.join(pid, plan.id, plan.group, ready_at);
        }
        Ok(pid)
    }

    fn signal_tree(&mut self, tree: &Tree<'_>, signal: i32) -> usize {
        let mut descendants = self.trees.remove(tree.mark).unwrap_or_default();
        descendants.retain(|one| one.end.is_none_or(|end| end > self.now.mono));
        for one in &mut descendants {
            let delay_ms = match signal {
                SIGKILL if self.fault(4) => self.chance.below(STUCK_MS_MAX),
                SIGKILL => self.chance.below(10),
                1..=3 | 15 if !one.ignores_signals => self.chance.below(15_000),
                _ => continue,
            };
            let end = self.after_ms(delay_ms);
            one.end = Some(one.end.map_or(end, |known| known.min(end)));
        }
        let count = descendants.len() + usize::from(!tree.is_orphaned);
        self.trees.insert(tree.mark.to_owned(), descendants);
        if !tree.is_orphaned {
            // What it says is what it says of one process.
            let _ = self.signal(Target::Process(tree.main), signal);
        }
        count
    }

    fn signal(&mut self, target: Target, signal: i32) -> Result<(), SignalError> {
        let (Target::Process(pid) | Target::Group(pid)) = target;
        assert!(self.children.contains_key(&pid), "signal {signal} to {pid}, which is no child of ours");
        if self.fault(4) {
            return Err(SignalError::Other("[Errno 1] Operation not permitted".to_owned()));
        }
        let delay_ms = match signal {
            SIGKILL if self.fault(4) => self.chance.below(STUCK_MS_MAX),
            SIGKILL => self.chance.below(10),
            _ => self.chance.below(15_000),
        };
        let end = (self.after_ms(delay_ms), ExitStatus::Signal { number: signal, core_dumped: false });
        let gone = self.fault(8);
        let (now, child) = (self.now.mono, self.children.get_mut(&pid).unwrap());
        if gone {
            child.end = Some((now, ExitStatus::Code(0)));
            return Err(SignalError::NoSuchProcess);
        }
        let is_fatal = signal == SIGKILL || (!child.ignores_signals && matches!(signal, 1..=3 | 15));
        if is_fatal && child.end.is_none_or(|(at, _)| end.0 < at) {
            child.end = Some(end);
        }
        Ok(())
    }
}
