//! Another number of processes for a program that runs, without a change of its file.
//!
//! Those with the lowest numbers stay as they are, untouched; those with the highest go, or come. The group then has another
//! number than the configuration last read, so a `reread` calls it changed and the next update, a reload and a restart of the
//! daemon bring back the number of the file: the file is what people read.
//!
//! New processes start if the group is up, that is if any of its processes is; a program that was stopped by hand stays so. In a
//! group without processes `autostart` decides.

use super::update::{Update, is_up};
use super::{Core, Outbox, Refusal, Reply, Tell, Ticket, changed_keys, same_settings};
use crate::config::{GroupConfig, GroupKind};

/// What an update has to know that changes a number only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    /// Whether new processes start.
    pub(super) starts: bool,
}

impl Core {
    /// Gives a group the processes of `wanted`. `same` is the group as the configuration has it now, with as many processes
    /// as it has running, and proves that nothing else than the number changes.
    pub(super) fn scale(&mut self, ticket: Ticket, same: &GroupConfig, wanted: GroupConfig, out: &mut Outbox) {
        match self.plan_scale(same, wanted) {
            Ok((target, scale)) => match self.updates.iter_mut().find(|update| update.target.name == target.name) {
                Some(update) => {
                    update.target = target;
                    update.scale = Some(scale);
                    update.tickets.push(ticket);
                }
                None => {
                    self.updates.push(Update { tickets: vec![ticket], target, leaving: Vec::new(), scale: Some(scale) })
                }
            },
            Err(refusal) => out.push(Tell::Reply(ticket, Reply::Refused(refusal))),
        }
    }

    fn plan_scale(&self, same: &GroupConfig, wanted: GroupConfig) -> Result<(GroupConfig, Scale), Refusal> {
        let name = &wanted.name;
        let Some(index) = self.groups().iter().position(|group| group.name == *name) else {
            return Err(Refusal::BadName(name.clone()));
        };
        let group = &self.groups()[index];
        if group.kind == GroupKind::Group || wanted.kind == GroupKind::Group {
            return Err(Refusal::Failed(format!("{name} is made of several programs and has no number of its own")));
        }
        if self.updates.iter().any(|update| update.target.name == *name && update.scale.is_none()) {
            return Err(Refusal::Failed(format!("{name} is being updated, scale it when that is done")));
        }
        let members = || group.members.iter().filter_map(|id| self.process(*id));
        let in_file = |process: &super::Process| same.processes.iter().find(|one| one.name == process.config.name);
        if members().count() != same.processes.len() || members().any(|process| in_file(process).is_none()) {
            let text = format!("{name} has other processes than its section makes: run update {name} first");
            return Err(Refusal::Failed(text));
        }
        let differing = members().filter_map(|process| Some(changed_keys(&process.config, in_file(process)?)));
        let mut keys: Vec<&str> = differing.flatten().map(|key| key.name).chain(self.group_keys(index, same)).collect();
        keys.dedup();
        if !keys.is_empty() {
            let keys = keys.join(", ");
            let text = format!("the file has other settings for {name} ({keys}): run update {name} first");
            return Err(Refusal::Failed(text));
        }
        if let Some(one) = wanted
            .processes
            .iter()
            .find(|one| same.processes.iter().any(|known| known.name == one.name && !same_settings(known, one)))
        {
            let text = format!(
                "the settings of {} depend on %(numprocs)s, so all of {name} would be restarted: change numprocs in the file, \
                 then run update {name}",
                one.name
            );
            return Err(Refusal::Failed(text));
        }
        let starts = if group.members.is_empty() {
            wanted.processes.iter().any(|process| process.autostart)
        } else {
            members().any(is_up)
        };
        // What runs keeps its very settings, AUTO logs included.
        let mut target = GroupConfig { priority: group.priority, kind: group.kind.clone(), ..wanted };
        for new in &mut target.processes {
            if let Some(process) = members().find(|process| process.config.name == new.name) {
                new.clone_from(&process.config);
            }
        }
        Ok((target, Scale { starts }))
    }

    /// Whether a group has another number of processes than the configuration last read, because a client asked for it.
    pub(super) fn is_scaled(&self, target: &GroupConfig) -> bool {
        let configured = self.groups.configured.iter().find(|config| config.name == target.name);
        configured.is_some_and(|config| config.processes.len() != target.processes.len())
    }
}
