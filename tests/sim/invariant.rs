//! What must hold after every step, whatever happened.

use std::collections::BTreeMap;

use supervisor_kit::config::{Autorestart, KillMode};
use supervisor_kit::core::process::RESTART_INTERVAL_SECS;
use supervisor_kit::core::{Core, Event, EventSet, Mono, Mood, Now, Pid, ProcId, Process, State};

use crate::clients::Clients;
use crate::machine::Machine;

/// No deadline is further away than the longest setting of any program here, or the longest backoff.
const DEADLINE_SECS_MAX: i64 = 120;

/// The states as the events tell them. It must agree with the states as they are.
#[derive(Default)]
pub struct Watch {
    seen: BTreeMap<String, Seen>,
    names: BTreeMap<ProcId, String>,
    /// A client's request to start something is being carried out.
    pub start_is_asked: bool,
    /// How often each state was entered, to prove that the simulation gets around.
    pub entered: BTreeMap<&'static str, u32>,
}

/// What the events said of one process.
#[derive(Clone, Copy)]
struct Seen {
    state: State,
    since: Mono,
    last_start: Option<Mono>,
}

impl Watch {
    /// State of `group:name`, if there is such a process.
    pub fn state(&self, name: &str) -> Option<State> {
        self.seen.get(name).map(|seen| seen.state)
    }

    pub fn added(&mut self, now: Now, ids: &[ProcId], core: &Core) {
        for id in ids {
            let name = core.process(*id).unwrap().namespec();
            let seen = Seen { state: State::Stopped, since: now.mono, last_start: None };
            assert!(self.seen.insert(name.clone(), seen).is_none(), "{name} was added twice");
            self.names.insert(*id, name);
        }
    }

    pub fn removed(&mut self, ids: &[ProcId]) {
        for id in ids {
            let name = self.names.remove(id).unwrap();
            let state = self.seen.remove(&name).unwrap().state;
            assert!(state.is_stopped(), "{name} was removed while {}", state.name());
        }
    }

    pub fn event(&mut self, now: Now, event: &Event, core: &Core) {
        let Event::ProcessState { process, group, from, to, .. } = event else { return };
        let name = format!("{group}:{process}");
        *self.entered.entry(to.name()).or_default() += 1;
        let before = *self.seen.get(&name).unwrap_or_else(|| panic!("an event of {name}, which is not there"));
        assert_eq!(before.state, *from, "{name} leaves a state it was not in");
        let has_tree = core.find_process(&name).is_none_or(|process| process.config.killmode == KillMode::Tree);
        assert!(is_arrow(*from, *to, has_tree), "{name} went from {} to {}", from.name(), to.name());
        let last_start = if *to == State::Starting { Some(now.mono) } else { before.last_start };
        self.seen.insert(name.clone(), Seen { state: *to, since: now.mono, last_start });
        match to {
            State::Starting => self.check_start(now, &name, before),
            State::Running => {
                // An update may have taken it out since, in the same turn.
                let startsecs = core.find_process(&name).map(|process| process.config.startsecs);
                let enough = startsecs.map(|secs| before.since.plus_secs(secs));
                assert!(enough.is_none_or(|enough| now.mono >= enough), "{name} counts as RUNNING too soon");
            }
            // What ended by itself may leave a rest at any time.
            State::Stopping
                if core.mood() != Mood::Running
                    && core.find_process(&name).is_some_and(|process| !process.has_rest()) =>
            {
                self.check_stop_order(group, core);
            }
            _ => {}
        }
    }

    /// Who may start a process, and how soon.
    fn check_start(&self, now: Now, name: &str, before: Seen) {
        match before.state {
            _ if self.start_is_asked => {}
            State::Stopped | State::Fatal => {
                assert!(before.last_start.is_none(), "{name} was {} and starts by itself", before.state.name());
            }
            State::Exited => {
                let interval_over = before.last_start.unwrap().plus_secs(RESTART_INTERVAL_SECS);
                assert!(now.mono >= interval_over, "{name} is restarted too soon");
            }
            // The exact wait, which grows with each try, is what the replayed traces are about.
            State::Backoff => assert!(now.mono > before.since.plus_secs(1), "{name} is tried again too soon"),
            state => panic!("{name} is started while {}", state.name()),
        }
    }

    /// On the way down, a group is stopped only when every group with a higher priority number has stopped.
    fn check_stop_order(&self, group: &str, core: &Core) {
        let priority = core.groups().iter().find(|candidate| candidate.name == group).unwrap().priority;
        for later in core.groups().iter().filter(|candidate| candidate.priority > priority) {
            for id in &later.members {
                let name = &self.names[id];
                assert!(self.seen[name].state.is_stopped(), "{group} is being stopped before {name}");
            }
        }
    }

    /// After a whole step.
    pub fn check(&self, now: Now, core: &Core, machine: &Machine, clients: &Clients) {
        let mut children: BTreeMap<Pid, ProcId> = machine.children().collect();
        for process in core.processes() {
            let name = process.namespec();
            assert_eq!(self.state(&name), Some(process.state()), "{name} changed its state and did not say so");
            // An update that waits for other processes of the group brings it back or removes it.
            let is_held = core.mood() != Mood::Running || clients.is_updating(&process.group);
            check_process(process, is_held);
            let child = children.remove(&process.pid());
            let expected = (process.pid() != 0).then_some(process.id);
            if process.state().is_stopped() {
                assert_eq!(machine.descendants(process.id), 0, "{name} has left something behind");
            }
            assert_eq!(child, expected, "{name} has pid {}", process.pid());
        }
        assert!(children.is_empty(), "children that nobody supervises: {children:?}");
        assert_eq!(core.processes().count(), self.seen.len());
        check_deadlines(now, core);
        // A pool has deadlines of its own: TICKs, and what comes again.
        if core.mood() == Mood::Running && !clients.are_waiting() && core.subscriptions() == EventSet::default() {
            let soonest = core.processes().filter_map(Process::deadline).min();
            assert_eq!(core.next_deadline(), soonest, "the core would wake up for nothing");
        }
    }
}

/// The arrows of the diagram in `core::process`.
fn is_arrow(from: State, to: State, has_tree: bool) -> bool {
    match from {
        State::Stopped | State::Exited | State::Fatal => to == State::Starting,
        State::Starting => matches!(to, State::Running | State::Backoff | State::Stopping),
        State::Running => matches!(to, State::Exited | State::Stopping),
        State::Backoff => matches!(to, State::Starting | State::Fatal | State::Stopped),
        // Out of the wait for what it left.
        State::Stopping if has_tree => matches!(to, State::Stopped | State::Exited | State::Backoff),
        State::Stopping => to == State::Stopped,
        State::Unknown => false,
    }
}

fn check_process(process: &Process, is_held: bool) {
    let (name, state) = (process.namespec(), process.state());
    let is_alive = matches!(state, State::Starting | State::Running | State::Stopping);
    assert_eq!(
        process.pid() != 0,
        is_alive && !process.has_rest(),
        "{name} is {} with pid {}",
        state.name(),
        process.pid()
    );
    let backoff = i64::from(process.backoff());
    match state {
        State::Backoff => {
            assert!((1..=process.config.startretries + 1).contains(&backoff), "{name} tried {backoff} times")
        }
        State::Starting | State::Stopping => {
            assert!(backoff <= process.config.startretries, "{name} tried {backoff} times")
        }
        _ => assert_eq!(backoff, 0, "{name} is {} and remembers failed tries", state.name()),
    }
    // Whatever is not final by itself has a deadline, or it would stay as it is for ever.
    let changes_by_itself = match state {
        State::Starting | State::Stopping => true,
        State::Backoff => !is_held,
        State::Exited => !is_held && process.config.autorestart == Autorestart::Always,
        State::Stopped | State::Running | State::Fatal | State::Unknown => false,
    };
    assert!(!changes_by_itself || process.deadline().is_some(), "{name} is {} for ever", state.name());
}

/// Every deadline is known to the core as a whole, and all lie in the future: the turn has done what was due.
fn check_deadlines(now: Now, core: &Core) {
    let next = core.next_deadline();
    for process in core.processes() {
        let Some(deadline) = process.deadline() else { continue };
        let name = process.namespec();
        assert!(deadline > now.mono, "{name} is {} and overdue", process.state().name());
        assert!(deadline <= now.mono.plus_secs(DEADLINE_SECS_MAX), "{name} sleeps too long");
        assert!(next.is_some_and(|next| next <= deadline), "the deadline of {name} is forgotten");
    }
}
