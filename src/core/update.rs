//! Bringing a running group to its new configuration and touching only what differs.
//!
//! Processes are compared by name. One whose settings are the same is kept; one that differs in keys that take effect while it
//! runs gets them ([`super::settings`]); one that differs in others is stopped and made anew; those that are only on one side
//! come or go. What listeners of a pool have in common (its events, its buffer) is the pool itself, so a difference there
//! makes the whole group anew, as does turning from a pool into programs.
//!
//! Made anew, a process starts if it was up, or going to be. One that was stopped by hand stays stopped. One that had ended by
//! itself, or had failed for good, starts if `autostart` says so: the new settings may be the cure.

use std::collections::{BTreeMap, BTreeSet};

use super::act::Turn;
use super::scale::Scale;
use super::settings::{adopted, changed_keys};
use super::{Core, Kernel, Mood, Now, Outbox, ProcId, Process, Refusal, Reply, State, Tell, Ticket};
use crate::config::{GroupConfig, GroupKind, Level, ProcessConfig};

/// What an update does with a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Keep,
    /// It gets new settings and runs on.
    Apply,
    /// It is stopped, and made anew with new settings.
    Restart,
    /// It is new.
    Start,
    /// It goes.
    Stop,
}

/// What an update would do with one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Group name.
    pub group: String,
    /// Process name.
    pub process: String,
    /// What is done.
    pub action: Action,
    /// Keys that differ. Those of its group have `group ` before them. Of a process that comes or goes: `numprocs` if that is
    /// because its group was scaled.
    pub keys: Vec<&'static str>,
    /// Whether it is up afterwards, or starting.
    pub is_up: bool,
}

/// The update of a group that is under way: one at a time. Who asks for another meanwhile changes where this one leads.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) tickets: Vec<Ticket>,
    pub(super) target: GroupConfig,
    pub(super) leaving: Vec<Leaving>,
    /// Only the number changes, by order of a client.
    pub(super) scale: Option<Scale>,
}

/// A process that goes, maybe for one of the same name.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) id: ProcId,
    pub(super) name: String,
    /// Whether the one of the same name starts.
    pub(super) starts: bool,
}

impl Core {
    /// What bringing everything to the configuration last read would do, in the order in which `supervisorctl update` does it:
    /// groups that go, groups of both, new groups.
    pub fn plan_update(&self) -> Vec<Change> {
        self.plan_update_to(&self.groups.configured)
    }

    /// The same for a configuration that nothing else has been told of.
    pub fn plan_update_to(&self, groups: &[GroupConfig]) -> Vec<Change> {
        let mut plan = Vec::new();
        // There may be thousands of either.
        let known: BTreeMap<&str, usize> =
            self.groups().iter().enumerate().map(|(index, group)| (group.name.as_str(), index)).collect();
        let wanted: BTreeSet<&str> = groups.iter().map(|config| config.name.as_str()).collect();
        for group in self.groups().iter().filter(|group| !wanted.contains(group.name.as_str())) {
            let members = group.members.iter().filter_map(|id| self.process(*id));
            plan.extend(members.map(|process| change(process, Action::Stop, Vec::new(), false)));
        }
        for target in groups {
            match known.get(target.name.as_str()) {
                Some(index) => self.plan_group(*index, target, &mut plan),
                None => plan.extend(target.processes.iter().map(|new| start(target, new))),
            }
        }
        let is_new = |change: &Change| change.action == Action::Start && !known.contains_key(change.group.as_str());
        plan.sort_by_key(is_new);
        plan
    }

    fn plan_group(&self, index: usize, target: &GroupConfig, plan: &mut Vec<Change>) {
        let of_group = self.group_keys(index, target);
        let is_whole = self.is_another_pool(index, target);
        let scaled = if self.groups()[index].is_scaled { vec!["numprocs"] } else { Vec::new() };
        let members = || self.groups()[index].members.iter().filter_map(|id| self.process(*id));
        let wanted: BTreeMap<&str, &ProcessConfig> =
            target.processes.iter().map(|new| (new.name.as_str(), new.as_ref())).collect();
        for process in members() {
            let Some(new) = wanted.get(process.config.name.as_str()) else {
                plan.push(change(process, Action::Stop, scaled.clone(), false));
                continue;
            };
            let changed = changed_keys(&process.config, new);
            let action = match () {
                () if is_whole || changed.iter().any(|key| !key.is_live) => Action::Restart,
                () if changed.is_empty() && of_group.is_empty() => Action::Keep,
                () => Action::Apply,
            };
            let is_up = if action == Action::Restart { starts(process, new) } else { is_up(process) };
            let keys = changed.iter().map(|key| key.name).chain(of_group.iter().copied()).collect();
            plan.push(change(process, action, keys, is_up));
        }
        let there: BTreeSet<&str> = members().map(|process| process.config.name.as_str()).collect();
        let added = target.processes.iter().filter(|new| !there.contains(new.name.as_str()));
        plan.extend(added.map(|new| Change { keys: scaled.clone(), ..start(target, new) }));
    }

    pub(super) fn group_keys(&self, index: usize, target: &GroupConfig) -> Vec<&'static str> {
        let group = &self.groups()[index];
        let mut keys = Vec::new();
        // A program outside any group has one `priority` for both.
        if group.priority != target.priority && target.kind != GroupKind::Program {
            keys.push("group priority");
        }
        match (&group.kind, &target.kind) {
            (
                GroupKind::EventListener { events, buffer_size, length_unit, result_handler },
                GroupKind::EventListener {
                    events: new_events,
                    buffer_size: new_size,
                    length_unit: new_unit,
                    result_handler: new_handler,
                },
            ) => {
                let differing = [
                    ("group events", events != new_events),
                    ("group buffer_size", buffer_size != new_size),
                    ("group payload_length_unit", length_unit != new_unit),
                    ("group result_handler", result_handler != new_handler),
                ];
                keys.extend(differing.iter().filter(|(_, differs)| *differs).map(|(key, _)| *key));
            }
            (old, new) if old != new => keys.push("group section"),
            _ => {}
        }
        keys
    }

    /// The group is a pool, or is to be one, and not the one it is.
    fn is_another_pool(&self, index: usize, target: &GroupConfig) -> bool {
        let kind = &self.groups()[index].kind;
        let is_pool = |kind: &GroupKind| matches!(kind, GroupKind::EventListener { .. });
        *kind != target.kind && (is_pool(kind) || is_pool(&target.kind))
    }

    /// Brings a group to the configuration last read. What can be done at once is done at the end of the turn; the answer
    /// comes when what had to stop has stopped.
    pub(super) fn update_group(&mut self, ticket: Ticket, name: &str, out: &mut Outbox) {
        let Some(target) = self.groups.configured.iter().find(|group| group.name == name).cloned() else {
            return out.push(Tell::Reply(ticket, Reply::Refused(Refusal::BadName(name.to_owned()))));
        };
        match self.updates.iter_mut().find(|update| update.target.name == target.name) {
            Some(update) => {
                update.target = target;
                update.scale = None;
                update.tickets.push(ticket);
            }
            None => self.updates.push(Update { tickets: vec![ticket], target, leaving: Vec::new(), scale: None }),
        }
    }

    /// Goes on with the updates whose processes have stopped: called every turn.
    pub(super) fn continue_updates(&mut self, now: Now, kernel: &mut dyn Kernel, out: &mut Outbox) {
        for mut update in std::mem::take(&mut self.updates) {
            let is_blocked = self.mood() == Mood::Running && update.leaving.iter().any(|one| self.is_unstopped(one.id));
            let reply = if is_blocked { None } else { self.advance(&mut update, &mut Turn { now, kernel, out }) };
            match reply {
                Some(reply) => {
                    let tickets = update.tickets.into_iter();
                    tickets.for_each(|ticket| out.push(Tell::Reply(ticket, reply.clone())));
                }
                None => self.updates.push(update),
            }
        }
    }

    /// Stops what goes, and makes the group what it is to be once that has stopped; `None` until then.
    fn advance(&mut self, update: &mut Update, turn: &mut Turn) -> Option<Reply> {
        if self.mood() != Mood::Running {
            return Some(Reply::Refused(Refusal::ShuttingDown));
        }
        let target = &update.target;
        let Some(index) = self.groups().iter().position(|group| group.name == target.name) else {
            return Some(Reply::Refused(Refusal::BadName(target.name.clone())));
        };
        let leaving = self.leaving(index, update);
        for id in leaving.iter().rev() {
            self.see_off(update, *id, turn);
        }
        if leaving.iter().any(|id| self.is_unstopped(*id)) {
            return None;
        }
        if self.is_another_pool(index, &update.target) {
            self.make_anew(index, update, turn.out);
        } else {
            self.exchange(index, &leaving, update, turn);
        }
        Some(Reply::Done)
    }

    /// The processes of a group that cannot stay as they are, by ascending priority.
    fn leaving(&self, index: usize, update: &Update) -> Vec<ProcId> {
        let target = &update.target;
        let is_whole = self.is_another_pool(index, target);
        let mut members = self.members_by_priority(&self.groups()[index]);
        members.retain(|id| {
            let Some(process) = self.process(*id) else { return false };
            let new = target_of(target, process);
            // One that is being stopped already goes, even if a newer configuration would keep it.
            let is_on_its_way = update.leaving.iter().any(|known| known.id == *id);
            is_whole
                || is_on_its_way
                || new.is_none_or(|new| changed_keys(&process.config, new).iter().any(|key| !key.is_live))
        });
        members
    }

    /// Stops a process that goes. A client that starts it meanwhile only delays that.
    fn see_off(&mut self, update: &mut Update, id: ProcId, turn: &mut Turn) {
        let Some(process) = self.process(id) else { return };
        if !update.leaving.iter().any(|known| known.id == id) {
            // One that is wanted again before it is gone comes back as it was.
            let starts = target_of(&update.target, process).map_or_else(|| is_up(process), |new| starts(process, new));
            update.leaving.push(Leaving { id, name: process.config.name.clone(), starts });
        }
        let now = turn.now;
        self.with_process(id, turn.out, |process, out| {
            if process.state().is_active() {
                // A refusal is in the log, and SIGKILL follows when stopwaitsecs are over.
                let _ = process.stop(now, turn.kernel, out);
            } else if process.state().is_stopped() {
                process.set_due(false);
            }
            if !process.state().is_stopped() {
                out.log(Level::Info, format!("waiting for {} to stop", process.config.name));
            }
        });
    }

    /// Another pool: the group goes and comes back.
    fn make_anew(&mut self, index: usize, update: &Update, out: &mut Outbox) {
        self.take_out_group(index, out);
        self.insert_group(update.target.clone(), out);
        let index = self.groups().len() - 1;
        for old in &update.leaving {
            if let Some(id) = self.member(index, &old.name) {
                self.with_process(id, out, |process, _| process.set_due(old.starts));
            }
        }
    }

    /// The group stays, and some of its processes change.
    fn exchange(&mut self, index: usize, leaving: &[ProcId], update: &Update, turn: &mut Turn) {
        let Turn { now, out, .. } = turn;
        for id in leaving {
            self.groups.active[index].members.retain(|member| member != id);
            self.remove_process(*id);
        }
        if !leaving.is_empty() {
            out.push(Tell::Removed(leaving.to_vec()));
        }
        let (mut members, mut added) = (Vec::new(), Vec::new());
        for new in &update.target.processes {
            if let Some(id) = self.member(index, &new.name) {
                self.adopt(*now, id, new, out);
                members.push(id);
                continue;
            }
            let id = self.insert_process(&update.target.name, new.clone());
            let old = update.leaving.iter().find(|old| old.name == new.name);
            if let Some(starts) = old.map(|old| old.starts).or(update.scale.map(|scale| scale.starts)) {
                self.with_process(id, out, |process, _| process.set_due(starts));
            }
            members.push(id);
            added.push(id);
        }
        let is_scaled = update.scale.is_some() && self.is_scaled(&update.target);
        let group = &mut self.groups.active[index];
        group.is_scaled = is_scaled;
        group.members = members;
        group.priority = update.target.priority;
        group.kind.clone_from(&update.target.kind);
        self.pools.set_members(&self.groups.active[index], &self.table);
        if !added.is_empty() {
            out.push(Tell::Added(added));
        }
    }

    /// Gives a process what takes effect while it runs.
    fn adopt(&mut self, now: Now, id: ProcId, new: &ProcessConfig, out: &mut Outbox) {
        let Some(process) = self.process(id) else { return };
        let config = adopted(&process.config, new);
        if config == *process.config {
            return;
        }
        self.with_process(id, out, |process, _| process.adopt(now, config));
        out.push(Tell::Adapted(id));
    }
}

fn target_of<'a>(target: &'a GroupConfig, process: &Process) -> Option<&'a ProcessConfig> {
    target.processes.iter().map(AsRef::as_ref).find(|new: &&ProcessConfig| new.name == process.config.name)
}

fn change(process: &Process, action: Action, keys: Vec<&'static str>, is_up: bool) -> Change {
    Change { group: process.group.clone(), process: process.config.name.clone(), action, keys, is_up }
}

fn start(target: &GroupConfig, new: &ProcessConfig) -> Change {
    let (group, process) = (target.name.clone(), new.name.clone());
    Change { group, process, action: Action::Start, keys: Vec::new(), is_up: new.autostart }
}

/// It is up, or on its way.
pub(super) fn is_up(process: &Process) -> bool {
    process.state().is_active() || (process.state().is_stopped() && process.deadline().is_some())
}

/// Whether a process that takes the place of this one starts.
fn starts(process: &Process, new: &ProcessConfig) -> bool {
    let has_ended = matches!(process.state(), State::Exited | State::Fatal) || process.lingers();
    is_up(process) || (has_ended && new.autostart)
}
