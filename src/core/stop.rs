//! Stopping at a client's request: one process, a group, everything (`Supervisor: rpcinterface.py stopProcess`).

use super::groups::Named;
use super::pending::{Goal, Pending};
use super::{Core, Kernel, Now, Outbox, ProcId, Refusal, Reply, Tell, Ticket};

impl Core {
    pub(super) fn stop(
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
                return self.stop_group(now, ticket, &group, wait, kernel, out);
            }
            None => return out.push(Tell::Reply(ticket, Reply::Refused(Refusal::BadName(name.to_owned())))),
        };
        match self.stop_one(now, id, name, kernel, out) {
            Ok(false) if wait => self.wait(now, Pending::one(ticket, Goal::Stopped, id, name), out),
            Ok(_) => out.push(Tell::Reply(ticket, Reply::Done)),
            Err(refusal) => out.push(Tell::Reply(ticket, Reply::Refused(refusal))),
        }
    }

    pub(super) fn stop_group(
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
                self.stop_many(now, ticket, members, wait, kernel, out);
            }
            None => out.push(Tell::Reply(ticket, Reply::Refused(Refusal::BadName(name.to_owned())))),
        }
    }

    pub(super) fn stop_all(&mut self, now: Now, ticket: Ticket, wait: bool, kernel: &mut dyn Kernel, out: &mut Outbox) {
        let everything = self.by_priority();
        self.stop_many(now, ticket, everything, wait, kernel, out);
    }

    /// Highest priority number first, as the documentation says (Supervisor goes the other way; divergence D11).
    fn stop_many(
        &mut self,
        now: Now,
        ticket: Ticket,
        ids: Vec<ProcId>,
        wait: bool,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) {
        let mut pending = Pending::many(ticket, Goal::Stopped);
        for id in ids.into_iter().rev() {
            let Some(process) = self.process(id).filter(|process| process.state().is_active()) else { continue };
            let name = process.namespec();
            let stopped = self.stop_one(now, id, &name, kernel, out);
            let Some(process) = self.process(id) else { continue };
            match stopped {
                Ok(false) if wait => pending.wait_for(id, name),
                Ok(_) => pending.settle(process, Ok(())),
                Err(refusal) => pending.settle(process, Err(refusal)),
            }
        }
        self.wait(now, pending, out);
    }

    /// Whether it is stopped already.
    fn stop_one(
        &mut self,
        now: Now,
        id: ProcId,
        name: &str,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) -> Result<bool, Refusal> {
        self.with_process(now, id, out, |process, out| {
            if !process.state().is_active() {
                return Err(Refusal::NotRunning(name.to_owned()));
            }
            process.stop(now, kernel, out).map_err(Refusal::Failed)?;
            Ok(process.state().is_stopped())
        })
        .unwrap_or_else(|| Err(Refusal::BadName(name.to_owned())))
    }
}
