//! Groups: finding what a name means, adding, removing, and what a new configuration changes.

use std::collections::{BTreeMap, BTreeSet};

use super::settings::same_settings;
use super::{Core, Event, EventKind, Outbox, ProcId, Process, Refusal, Reply, Tell, Ticket};
use crate::config::{DEFAULT_RESULT_HANDLER, GroupConfig, GroupKind, ProcessConfig};

/// A group that is being supervised. Its processes live in the table.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Lower starts first and stops last.
    pub priority: i64,
    /// The section it comes from.
    pub kind: GroupKind,
    /// Its processes, in start order.
    pub members: Vec<ProcId>,
    /// A client gave it another number of processes than the configuration last read has.
    pub is_scaled: bool,
}

/// The groups that run, and those of the configuration last read.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) active: Vec<Group>,
    pub(super) configured: Vec<GroupConfig>,
}

impl Groups {
    /// Where a process stands in the order of starting: group priority, order of adding, place in the group.
    pub(super) fn start_order(&self, id: ProcId, table: &[Option<Process>]) -> (i64, usize, usize) {
        let Some(process) = table.get(id.slot as usize).and_then(Option::as_ref) else { return (i64::MAX, 0, 0) };
        let Some(index) = self.active.iter().position(|group| group.name == process.group) else {
            return (i64::MAX, 0, 0);
        };
        let group = &self.active[index];
        (group.priority, index, group.members.iter().position(|member| *member == id).unwrap_or(usize::MAX))
    }
}

/// What a new configuration would change, as group names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Only in the new configuration, in its order.
    pub added: Vec<String>,
    /// In both, but with other settings, in the new order.
    pub changed: Vec<String>,
    /// Only running, in the order they were added.
    pub removed: Vec<String>,
}

/// What a namespec means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// One process.
    Process(ProcId),
    /// A whole group, by its place in [`Core::groups`].
    Group(usize),
}

/// Splits `group:name`; no name or `*` means the whole group (`Supervisor: options.py split_namespec`).
pub fn split_namespec(namespec: &str) -> (&str, Option<&str>) {
    match namespec.split_once(':') {
        Some((group, "" | "*")) => (group, None),
        Some((group, process)) => (group, Some(process)),
        None => (namespec, Some(namespec)),
    }
}

impl Core {
    /// Finds what a namespec names (`Supervisor: rpcinterface.py _getGroupAndProcess`).
    pub fn find(&self, namespec: &str) -> Option<Named> {
        let (group_name, process_name) = split_namespec(namespec);
        let index = self.groups.active.iter().position(|group| group.name == group_name)?;
        let Some(process_name) = process_name else { return Some(Named::Group(index)) };
        let member = self.groups.active[index]
            .members
            .iter()
            .find(|id| self.process(**id).is_some_and(|process| process.config.name == process_name))?;
        Some(Named::Process(*member))
    }

    /// Finds one process; a whole group is not one.
    pub fn find_process(&self, namespec: &str) -> Option<&Process> {
        match self.find(namespec)? {
            Named::Process(id) => self.process(id),
            Named::Group(_) => None,
        }
    }

    /// Every process by ascending priority: groups first, then processes inside each, both stable.
    pub fn by_priority(&self) -> Vec<ProcId> {
        let mut groups: Vec<&Group> = self.groups.active.iter().collect();
        groups.sort_by_key(|group| group.priority);
        groups.into_iter().flat_map(|group| self.members_by_priority(group)).collect()
    }

    /// The processes of one group by ascending priority.
    pub fn members_by_priority(&self, group: &Group) -> Vec<ProcId> {
        let mut members = group.members.clone();
        members.sort_by_key(|id| self.process(*id).map_or(0, |process| process.config.priority));
        members
    }

    pub(super) fn insert_group(&mut self, config: GroupConfig, out: &mut Outbox) {
        let GroupConfig { name, priority, kind, processes, .. } = config;
        let members: Vec<ProcId> = processes.into_iter().map(|process| self.insert_process(&name, process)).collect();
        out.push(Tell::Added(members.clone()));
        let group = Group { name, priority, kind, members, is_scaled: false };
        self.bar_group(&group);
        // A pool hears of itself, but of nothing that was before it.
        self.take_in_events(out);
        self.pools.add(&group, &self.table);
        out.subscribe(self.subscriptions());
        out.event(EventKind::GroupAdded, || Event::GroupAdded(group.name.clone()));
        self.groups.active.push(group);
    }

    /// A listener whose results nobody here can judge must not run (decision Q4).
    fn bar_group(&mut self, group: &Group) {
        let GroupKind::EventListener { result_handler, .. } = &group.kind else { return };
        if result_handler == DEFAULT_RESULT_HANDLER {
            return;
        }
        for id in &group.members {
            if let Some(process) = self.table[id.slot as usize].as_mut() {
                process.bar(format!("result_handler {result_handler} is not part of this program"));
            }
            self.schedule(*id, None);
        }
    }

    pub(super) fn add_group(&mut self, ticket: Ticket, name: &str, out: &mut Outbox) {
        let Some(config) = self.groups.configured.iter().find(|group| group.name == name).cloned() else {
            return out.push(Tell::Reply(ticket, Reply::Refused(Refusal::BadName(name.to_owned()))));
        };
        if self.groups.active.iter().any(|group| group.name == name) {
            return out.push(Tell::Reply(ticket, Reply::Refused(Refusal::AlreadyAdded(name.to_owned()))));
        }
        self.insert_group(config, out);
        out.push(Tell::Reply(ticket, Reply::Done));
    }

    pub(super) fn remove_group(&mut self, ticket: Ticket, name: &str, out: &mut Outbox) {
        let Some(index) = self.groups.active.iter().position(|group| group.name == name) else {
            return out.push(Tell::Reply(ticket, Reply::Refused(Refusal::BadName(name.to_owned()))));
        };
        let is_stopped = |id: &ProcId| self.process(*id).is_none_or(|process| process.state().is_stopped());
        if !self.groups.active[index].members.iter().all(is_stopped) {
            return out.push(Tell::Reply(ticket, Reply::Refused(Refusal::StillRunning(name.to_owned()))));
        }
        self.take_out_group(index, out);
        out.push(Tell::Reply(ticket, Reply::Done));
    }

    /// Forgets a group whose processes have all stopped.
    pub(super) fn take_out_group(&mut self, index: usize, out: &mut Outbox) {
        let group = self.groups.active.remove(index);
        for id in &group.members {
            self.remove_process(*id);
        }
        self.take_in_events(out);
        self.pools.remove(&group.name);
        out.subscribe(self.subscriptions());
        out.push(Tell::Removed(group.members));
        out.event(EventKind::GroupRemoved, || Event::GroupRemoved(group.name));
    }

    /// Adds processes to a group that runs; they start as those of the configuration do
    /// (`supervisor_twiddler: addProgramToGroup`).
    pub(super) fn add_processes(
        &mut self,
        ticket: Ticket,
        name: &str,
        processes: Vec<ProcessConfig>,
        out: &mut Outbox,
    ) {
        let Some(index) = self.groups.active.iter().position(|group| group.name == name) else {
            return out.push(Tell::Reply(ticket, Reply::Refused(Refusal::BadName(format!("group: {name}")))));
        };
        let taken = |new: &&ProcessConfig| self.member(index, &new.name).is_some();
        if let Some(known) = processes.iter().find(taken) {
            return out.push(Tell::Reply(ticket, Reply::Refused(Refusal::BadName(known.name.clone()))));
        }
        let added: Vec<ProcId> =
            processes.into_iter().map(|process| self.insert_process(name, process.into())).collect();
        self.groups.active[index].members.extend(&added);
        out.push(Tell::Added(added));
        out.push(Tell::Reply(ticket, Reply::Done));
    }

    /// Removes one stopped process (`supervisor_twiddler: removeProcessFromGroup`).
    pub(super) fn remove_member(&mut self, ticket: Ticket, group: &str, name: &str, out: &mut Outbox) {
        let refuse = |refusal| Tell::Reply(ticket, Reply::Refused(refusal));
        let Some(index) = self.groups.active.iter().position(|active| active.name == group) else {
            return out.push(refuse(Refusal::BadName(format!("group: {group}"))));
        };
        let Some(id) = self.member(index, name) else {
            return out.push(refuse(Refusal::BadName(name.to_owned())));
        };
        if !self.process(id).is_none_or(|process| process.state().is_stopped()) {
            return out.push(refuse(Refusal::StillRunning(name.to_owned())));
        }
        self.groups.active[index].members.retain(|member| *member != id);
        self.remove_process(id);
        out.push(Tell::Removed(vec![id]));
        out.push(Tell::Reply(ticket, Reply::Done));
    }

    pub(super) fn member(&self, index: usize, name: &str) -> Option<ProcId> {
        let members = &self.groups.active[index].members;
        members.iter().copied().find(|id| self.process(*id).is_some_and(|process| process.config.name == name))
    }

    pub(super) fn config_read(&mut self, ticket: Ticket, result: Result<Vec<GroupConfig>, String>, out: &mut Outbox) {
        let reply = match result {
            Ok(groups) => {
                self.groups.configured = groups;
                let Difference { added, changed, removed } = self.difference();
                Reply::Reread { added, changed, removed }
            }
            Err(text) => Reply::Refused(Refusal::CantReread(text)),
        };
        out.push(Tell::Reply(ticket, reply));
    }

    /// What the configuration last read would change (`Supervisor: supervisord.py diff_to_active`).
    pub fn difference(&self) -> Difference {
        let (active, new) = (&self.groups.active, &self.groups.configured);
        let mut difference = Difference::default();
        // There may be thousands of either.
        let known: BTreeMap<&str, &Group> = active.iter().map(|group| (group.name.as_str(), group)).collect();
        let wanted: BTreeSet<&str> = new.iter().map(|config| config.name.as_str()).collect();
        for config in new {
            match known.get(config.name.as_str()) {
                None => difference.added.push(config.name.clone()),
                Some(group) if !self.is_unchanged(group, config) => difference.changed.push(config.name.clone()),
                Some(_) => {}
            }
        }
        for group in active {
            if !wanted.contains(group.name.as_str()) {
                difference.removed.push(group.name.clone());
            }
        }
        difference
    }

    fn is_unchanged(&self, group: &Group, config: &GroupConfig) -> bool {
        group.priority == config.priority
            && group.kind == config.kind
            && group.members.len() == config.processes.len()
            && group
                .members
                .iter()
                .zip(&config.processes)
                .all(|(id, new)| self.process(*id).is_some_and(|process| same_settings(&process.config, new)))
    }
}
