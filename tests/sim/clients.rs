//! Clients that ask for random things, and what they are still owed.

use std::collections::BTreeMap;

use supervisor_kit::core::{Core, Mono, Process, Refusal, Reply, Request, State, Ticket};

use crate::chance::Chance;
use crate::invariant::Watch;

/// No reply takes longer than a stubborn program, stuck after SIGKILL, whose signals are refused many times in a row.
const REPLY_SECS_MAX: u64 = 1800;
const NANOS_PER_SEC: u64 = 1_000_000_000;

#[derive(Default)]
pub struct Clients {
    last_ticket: Ticket,
    owed: BTreeMap<Ticket, (Request, Mono)>,
}

impl Clients {
    /// Registers a request about to be made.
    pub fn ask(&mut self, now: Mono, request: Request) -> Ticket {
        self.last_ticket += 1;
        self.owed.insert(self.last_ticket, (request, now));
        self.last_ticket
    }

    /// Takes an answer and checks that it is true.
    pub fn answered(&mut self, ticket: Ticket, reply: &Reply, watch: &Watch) {
        let (request, _) =
            self.owed.remove(&ticket).unwrap_or_else(|| panic!("ticket {ticket} is answered twice: {reply:?}"));
        check(&request, reply, watch);
    }

    /// A request that must not wait has its answer now; nobody waits for ever.
    pub fn check_owed(&self, now: Mono) {
        for (ticket, (request, since)) in &self.owed {
            assert!(may_wait(request), "ticket {ticket} got no answer at once: {request:?}");
            let waited_secs = (now.0 - since.0) / NANOS_PER_SEC;
            assert!(waited_secs <= REPLY_SECS_MAX, "ticket {ticket} waits for {waited_secs} s: {request:?}");
        }
    }

    /// Whether somebody waits for the end of an update of this group.
    pub fn is_updating(&self, group: &str) -> bool {
        self.owed.values().any(|(request, _)| matches!(request, Request::UpdateGroup(name) if name == group))
    }

    /// Whether anybody waits for an answer.
    pub fn are_waiting(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Nothing is owed at the end.
    pub fn check_all_answered(&self) {
        assert!(self.owed.is_empty(), "unanswered at the end: {:?}", self.owed);
    }
}

fn may_wait(request: &Request) -> bool {
    match request {
        Request::Start { wait, .. }
        | Request::StartGroup { wait, .. }
        | Request::StartAll { wait }
        | Request::Stop { wait, .. }
        | Request::StopGroup { wait, .. }
        | Request::StopAll { wait } => *wait,
        Request::Reread | Request::UpdateGroup(_) | Request::Scale { .. } => true,
        Request::Signal { .. }
        | Request::SignalGroup { .. }
        | Request::SignalAll { .. }
        | Request::AddGroup(_)
        | Request::AddProcesses { .. }
        | Request::RemoveProcess { .. }
        | Request::RemoveGroup(_)
        | Request::RemoteCommunication { .. }
        | Request::Shutdown
        | Request::Restart => false,
    }
}

/// An answer says what is so at the moment it is given.
fn check(request: &Request, reply: &Reply, watch: &Watch) {
    let (Request::Start { name, .. } | Request::Stop { name, .. } | Request::Signal { name, .. }) = request else {
        return check_many(request, reply);
    };
    let Some(state) = watch.state(name) else {
        let is_group = matches!(reply, Reply::Statuses(_) | Reply::Refused(Refusal::ShuttingDown));
        assert!(is_group || *reply == Reply::Refused(Refusal::BadName(name.clone())), "{request:?} got {reply:?}");
        return;
    };
    let is_true = match (request, reply) {
        (Request::Start { wait: true, .. }, Reply::Done) => state == State::Running,
        (Request::Start { wait: false, .. }, Reply::Done) => matches!(state, State::Starting | State::Running),
        (Request::Stop { wait: true, .. }, Reply::Done) => state.is_stopped(),
        (Request::Stop { wait: false, .. }, Reply::Done) => state == State::Stopping || state == State::Stopped,
        (Request::Signal { .. }, Reply::Done) => state.is_signallable(),
        (_, Reply::Refused(Refusal::AlreadyStarted(_))) => state.is_active(),
        (Request::Stop { .. }, Reply::Refused(Refusal::NotRunning(_))) => !state.is_active(),
        (Request::Signal { .. }, Reply::Refused(Refusal::NotRunning(_))) => !state.is_signallable(),
        (Request::Start { .. }, Reply::Refused(Refusal::SpawnError(_))) => {
            matches!(state, State::Backoff | State::Exited)
        }
        (_, Reply::Refused(Refusal::BadName(_))) => false,
        (_, Reply::Refused(_)) => true,
        (_, Reply::Done | Reply::Statuses(_) | Reply::Reread { .. }) => false,
    };
    assert!(is_true, "{request:?} got {reply:?} while {name} is {}", state.name());
}

fn check_many(request: &Request, reply: &Reply) {
    match reply {
        Reply::Statuses(statuses) => {
            let mut names: Vec<_> = statuses.iter().map(|status| (&status.group, &status.name)).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), statuses.len(), "{request:?} reports a process twice: {statuses:?}");
        }
        Reply::Reread { .. } => assert_eq!(*request, Request::Reread),
        Reply::Done | Reply::Refused(_) => {}
    }
}

/// Something to ask. Most names exist.
pub fn random_request(chance: &mut Chance, core: &Core) -> Request {
    let group = format!("g{}", chance.below(6));
    let existing: Vec<String> = core.processes().map(Process::namespec).collect();
    let name = match chance.below(20) {
        0 => group.clone(),
        1 => format!("{group}:*"),
        2 => "nobody".to_owned(),
        3 => format!("{group}:nobody"),
        _ if existing.is_empty() => format!("{group}:p0"),
        _ => chance.pick(&existing).clone(),
    };
    let wait = chance.percent(60);
    let signal = (*chance.pick(&["HUP", "SIGUSR1", "15", "INT", "BOGUS", "999"])).to_owned();
    match chance.below(28) {
        0..=6 => Request::Start { name, wait },
        7..=11 => Request::Stop { name, wait },
        12 => Request::StartGroup { group, wait },
        13 => Request::StopGroup { group, wait },
        14 => Request::StartAll { wait },
        15 => Request::StopAll { wait },
        16 | 17 => Request::Signal { name, signal },
        18 => Request::SignalGroup { group, signal },
        19 => Request::SignalAll { signal },
        20 => Request::Reread,
        21 => Request::AddGroup(group),
        25..=27 => Request::UpdateGroup(if chance.percent(70) { group } else { format!("l{}", chance.below(2)) }),
        22 => Request::RemoteCommunication { kind: "deploy".to_owned(), data: name },
        _ => Request::RemoveGroup(group),
    }
}
