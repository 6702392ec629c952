//! Sending signals at a client's request (`Supervisor: rpcinterface.py signalProcess`).

use super::groups::Named;
use super::pending::{Goal, Pending};
use super::{Core, Kernel, Now, Outbox, ProcId, Refusal, Reply, Tell, Ticket};
use crate::config::signal;

impl Core {
    pub(super) fn signal(
        &mut self,
        now: Now,
        ticket: Ticket,
        name: &str,
        signal: &str,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) {
        match self.find(name) {
            Some(Named::Process(id)) => {
                let reply = match self.signal_one(now, id, name, signal, kernel, out) {
                    Ok(()) => Reply::Done,
                    Err(refusal) => Reply::Refused(refusal),
                };
                out.push(Tell::Reply(ticket, reply));
            }
            Some(Named::Group(index)) => {
                let group = self.groups()[index].name.clone();
                self.signal_group(now, ticket, &group, signal, kernel, out);
            }
            None => out.push(Tell::Reply(ticket, Reply::Refused(Refusal::BadName(name.to_owned())))),
        }
    }

    pub(super) fn signal_group(
        &mut self,
        now: Now,
        ticket: Ticket,
        name: &str,
        signal: &str,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) {
        match self.groups().iter().find(|group| group.name == name) {
            Some(group) => {
                let members = self.members_by_priority(group);
                self.signal_many(now, ticket, members, signal, kernel, out);
            }
            None => out.push(Tell::Reply(ticket, Reply::Refused(Refusal::BadName(name.to_owned())))),
        }
    }

    pub(super) fn signal_all(
        &mut self,
        now: Now,
        ticket: Ticket,
        signal: &str,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) {
        let everything = self.by_priority();
        self.signal_many(now, ticket, everything, signal, kernel, out);
    }

    fn signal_many(
        &mut self,
        now: Now,
        ticket: Ticket,
        ids: Vec<ProcId>,
        signal: &str,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) {
        let mut settled = Pending::many(ticket, Goal::Stopped);
        for id in ids {
            let Some(process) = self.process(id).filter(|process| process.state().is_signallable()) else { continue };
            let name = process.namespec();
            let outcome = self.signal_one(now, id, &name, signal, kernel, out);
            if let Some(process) = self.process(id) {
                settled.settle(process, outcome);
            }
        }
        self.wait(now, settled, out);
    }

    fn signal_one(
        &mut self,
        now: Now,
        id: ProcId,
        name: &str,
        signal: &str,
        kernel: &mut dyn Kernel,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let number = signal::number(signal).map_err(|_| Refusal::BadSignal(signal.to_owned()))?;
        self.with_process(now, id, out, |process, out| {
            if !process.state().is_signallable() {
                return Err(Refusal::NotRunning(name.to_owned()));
            }
            process.signal(number, kernel, out).map_err(Refusal::Failed)
        })
        .unwrap_or_else(|| Err(Refusal::BadName(name.to_owned())))
    }
}
