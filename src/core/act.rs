//! What clients ask for, on one process or on many: whom it is about, in which order, and what is answered when.
//! How one process is started, stopped or signalled stands in `start`, `stop` and `signalling`.

use super::groups::Named;
use super::pending::{Goal, Pending};
use super::{Core, Kernel, Now, Outbox, ProcId, Process, Refusal, Reply, Tell, Ticket};

/// Everything that a turn hands around.
pub(super) struct Turn<'a> {
    pub(super) now: Now,
    pub(super) kernel: &'a mut dyn Kernel,
    pub(super) out: &'a mut Outbox,
}

/// What is to be done to a process.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verb<'a> {
    Start,
    Stop,
    /// A signal, by name or number.
    Signal(&'a str),
}

/// How far one process got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is nothing to wait for.
    Done,
    /// A state change will tell.
    NotYet,
}

/// Whom a request is about.
pub(super) enum Aim {
    /// One process, as the client named it.
    One(ProcId, String),
    /// Several, by ascending priority; those that the verb does not apply to are passed over.
    Many(Vec<ProcId>),
}

impl Verb<'_> {
    /// Whether it does anything to a process as it is, when many are meant.
    fn applies_to(self, process: &Process) -> bool {
        let state = process.state();
        match self {
            Verb::Start => !state.is_active(),
            Verb::Stop => state.is_active() || process.lingers(),
            Verb::Signal(_) => state.is_signallable(),
        }
    }

    /// What a client that waits, waits for.
    fn goal(self) -> Goal {
        match self {
            Verb::Start => Goal::Started,
            Verb::Stop | Verb::Signal(_) => Goal::Stopped,
        }
    }
}

impl Core {
    /// One process or, for `group:*`, a whole group.
    pub(super) fn aim_at(&self, namespec: &str) -> Result<Aim, Refusal> {
        match self.find(namespec) {
            Some(Named::Process(id)) => Ok(Aim::One(id, namespec.to_owned())),
            Some(Named::Group(index)) => Ok(Aim::Many(self.members_by_priority(&self.groups()[index]))),
            None => Err(Refusal::BadName(namespec.to_owned())),
        }
    }

    /// Everything in a group.
    pub(super) fn aim_at_group(&self, name: &str) -> Result<Aim, Refusal> {
        let group = self.groups().iter().find(|group| group.name == name);
        group.map(|group| Aim::Many(self.members_by_priority(group))).ok_or_else(|| Refusal::BadName(name.to_owned()))
    }

    /// Does something to whom it is meant for, and answers: at once, or with `wait` when it has come about.
    pub(super) fn act(&mut self, turn: &mut Turn, ticket: Ticket, aim: Result<Aim, Refusal>, verb: Verb, wait: bool) {
        match aim {
            Ok(Aim::One(id, name)) => match self.act_on(turn, id, &name, verb) {
                Ok(Progress::NotYet) if wait => {
                    self.wait(turn.now, Pending::one(ticket, verb.goal(), id, &name), turn.out);
                }
                Ok(_) => turn.out.push(Tell::Reply(ticket, Reply::Done)),
                Err(refusal) => turn.out.push(Tell::Reply(ticket, Reply::Refused(refusal))),
            },
            Ok(Aim::Many(ids)) => self.act_on_many(turn, ticket, ids, verb, wait),
            Err(refusal) => turn.out.push(Tell::Reply(ticket, Reply::Refused(refusal))),
        }
    }

    fn act_on_many(&mut self, turn: &mut Turn, ticket: Ticket, mut ids: Vec<ProcId>, verb: Verb, wait: bool) {
        if matches!(verb, Verb::Stop) {
            // Highest priority number first, as the documentation says (Supervisor goes the other way; divergence D11).
            ids.reverse();
        }
        let mut pending = Pending::many(ticket, verb.goal());
        for id in ids {
            let Some(process) = self.process(id).filter(|process| verb.applies_to(process)) else { continue };
            let name = process.namespec();
            let progress = self.act_on(turn, id, &name, verb);
            let Some(process) = self.process(id) else { continue };
            match progress {
                Ok(Progress::NotYet) if wait => pending.wait_for(id, name),
                Ok(_) => pending.settle(process, Ok(())),
                Err(refusal) => pending.settle(process, Err(refusal)),
            }
        }
        self.wait(turn.now, pending, turn.out);
    }

    fn act_on(&mut self, turn: &mut Turn, id: ProcId, name: &str, verb: Verb) -> Result<Progress, Refusal> {
        match verb {
            Verb::Start => self.start(turn, id, name),
            Verb::Stop => self.stop(turn, id, name),
            Verb::Signal(signal) => self.signal(turn, id, name, signal),
        }
    }
}
