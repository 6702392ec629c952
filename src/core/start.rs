//! Starting at a client's request: one process, a group, everything (`Supervisor: rpcinterface.py startProcess`).

use super::groups::Named;
use super::pending::{Goal, Pending};
use super::{CommandError, Core, Kernel, Now, Outbox, ProcId, Refusal, Reply, SpawnPlan, State, Tell, Ticket};

/// How far a start got.
enum Started {
    Running,
    NotYet,
}

impl Core {
    pub(super) fn start(
        &mut self,
        now: Now,
        ticket: Ticket,
        name: &str,
        wait: bool,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) {
        let id = match self.find(name) {
            Some(Named::Process(id)) => id,
            Some(Named::Group(index)) => {
                let group = self.groups()[index].name.clone();
                return self.start_group(now, ticket, &group, wait, kernel, out);
            }
            None => return out.push(Tell::Reply(ticket, Reply::Refused(Refusal::BadName(name.to_owned())))),
        };
        match self.start_one(now, id, name, kernel, out) {
            Ok(Started::NotYet) if wait => self.wait(now, Pending::one(ticket, Goal::Started, id, name), out),
            Ok(_) => out.push(Tell::Reply(ticket, Reply::Done)),
            Err(refusal) => out.push(Tell::Reply(ticket, Reply::Refused(refusal))),
        }
    }

    pub(super) fn start_group(
        &mut self,
        now: Now,
        ticket: Ticket,
        name: &str,
        wait: bool,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) {
        match self.groups().iter().find(|group| group.name == name) {
            Some(group) => {
                let members = self.members_by_priority(group);
                self.start_many(now, ticket, members, wait, kernel, out);
            }
            None => out.push(Tell::Reply(ticket, Reply::Refused(Refusal::BadName(name.to_owned())))),
        }
    }

    pub(super) fn start_all(
        &mut self,
        now: Now,
        ticket: Ticket,
        wait: bool,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) {
        let everything = self.by_priority();
        self.start_many(now, ticket, everything, wait, kernel, out);
    }

    fn start_many(
        &mut self,
        now: Now,
        ticket: Ticket,
        ids: Vec<ProcId>,
        wait: bool,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) {
        let mut pending = Pending::many(ticket, Goal::Started);
        for id in ids {
            let Some(process) = self.process(id).filter(|process| !process.state().is_active()) else { continue };
            let name = process.namespec();
            let started = self.start_one(now, id, &name, kernel, out);
            let Some(process) = self.process(id) else { continue };
            match started {
                Ok(Started::NotYet) if wait => pending.wait_for(id, name),
                Ok(_) => pending.settle(process, Ok(())),
                Err(refusal) => pending.settle(process, Err(refusal)),
            }
        }
        self.wait(now, pending, out);
    }

    fn start_one(
        &mut self,
        now: Now,
        id: ProcId,
        name: &str,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) -> Result<Started, Refusal> {
        let process = self.process(id).ok_or_else(|| Refusal::BadName(name.to_owned()))?;
        // Looked up before anything changes: a start that is bound to fail leaves the process as it is.
        kernel.check_command(&SpawnPlan { id, group: &process.group, config: &process.config }).map_err(|error| {
            match error {
                CommandError::NotFound(_) => Refusal::NoFile(error.to_string()),
                CommandError::IsDirectory(_)
                | CommandError::NotExecutable(_)
                | CommandError::NoPermission(_)
                | CommandError::Empty
                | CommandError::Unparsable { .. } => Refusal::NotExecutable(error.to_string()),
            }
        })?;
        match process.state() {
            State::Starting | State::Running | State::Backoff => return Err(Refusal::AlreadyStarted(name.to_owned())),
            State::Unknown => return Err(Refusal::Failed(format!("{name} is in an unknown process state"))),
            // Supervisor answers yes and does nothing (3.3.8); the client is better told.
            State::Stopping => {
                return Err(Refusal::Failed(format!("{name} is still stopping, start it again when it has stopped")));
            }
            State::Stopped | State::Exited | State::Fatal => {}
        }
        let mood = self.mood();
        self.with_process(now, id, out, |process, out| {
            process.spawn(now, kernel, out);
            if process.spawn_error().is_some() {
                return Err(Refusal::SpawnError(name.to_owned()));
            }
            // With startsecs=0 it counts as running from here on.
            if process.config.startsecs <= 0 {
                process.transition(Now { mono: now.mono.next(), ..now }, mood, kernel, out);
            }
            Ok(if process.state() == State::Running { Started::Running } else { Started::NotYet })
        })
        .unwrap_or_else(|| Err(Refusal::BadName(name.to_owned())))
    }
}
