//! The process table, and what is done with each input.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::act::{Aim, Turn, Verb};
use super::groups::Groups;
use super::pending::Pending;
use super::pools::Pools;
use super::shutdown::Shutdown;
use super::update::Update;
use super::{
    Event, EventKind, ExitStatus, Input, Kernel, Mono, Mood, Now, Outbox, Pid, ProcId, Process, Reply, Request, Tell,
    Ticket,
};
use crate::config::{GroupConfig, Level, ProcessConfig};

pub use super::groups::Group;

/// Most transitions of one [`Core::tick`]. A start takes half a millisecond, and `startsecs` counts from the turn's time.
pub const DUE_PER_TURN_MAX: usize = 16;

/// The supervisor. It owns every process; nothing else changes one.
///
/// Drive it with [`Core::handle`] for each thing that happened and then [`Core::tick`] once a turn; sleep until
/// [`Core::next_deadline`]. Calling `tick` without need is harmless.
#[derive(Debug, Default)]
pub struct Core {
    pub(super) table: Vec<Option<Process>>,
    pub(super) generations: Vec<u32>,
    pub(super) groups: Groups,
    /// Which process runs as which pid, sorted by pid.
    pub(super) pids: Vec<(Pid, ProcId)>,
    /// Deadlines of processes, soonest first.
    pub(super) due: BTreeSet<(Mono, ProcId)>,
    /// The deadline of each slot that is in `due`.
    pub(super) scheduled: Vec<Option<Mono>>,
    pub(super) pending: Vec<Pending>,
    pub(super) updates: Vec<Update>,
    pub(super) pools: Pools,
    pub(super) shutdown: Shutdown,
}

impl Core {
    /// A supervisor of these groups, which listeners know as `server`. Nothing is started before the first [`Core::tick`].
    /// Its events are numbered from `next_serial`: 0 at first, and after a restart what [`Core::next_serial`] said before it.
    pub fn new(groups: Vec<GroupConfig>, server: &str, next_serial: u64, out: &mut Outbox) -> Self {
        let mut core = Core::default();
        core.pools.server = server.to_owned();
        core.pools.serials.next = next_serial;
        core.groups.configured.clone_from(&groups);
        for group in groups {
            core.insert_group(group, out);
        }
        out.event(EventKind::SupervisorRunning, || Event::SupervisorRunning);
        core.take_in_events(out);
        core
    }

    /// Normal operation, or on the way down.
    pub fn mood(&self) -> Mood {
        self.shutdown.mood
    }

    /// The groups, in the order they were added.
    pub fn groups(&self) -> &[Group] {
        &self.groups.active
    }

    /// The groups of the configuration that was read last.
    pub fn configured(&self) -> &[GroupConfig] {
        &self.groups.configured
    }

    /// A process, unless it was removed since.
    pub fn process(&self, id: ProcId) -> Option<&Process> {
        self.table.get(id.slot as usize)?.as_ref().filter(|process| process.id == id)
    }

    /// Every process, in no particular order.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.table.iter().flatten()
    }

    /// Takes in one happening.
    pub fn handle(&mut self, now: Now, input: Input, kernel: &mut dyn Kernel, out: &mut Outbox) {
        out.subscribe(self.subscriptions());
        match input {
            Input::Exited(pid, status) => self.reaped(now, pid, status, kernel, out),
            Input::ListenerOutput(pid, bytes) => {
                if let Some(id) = self.by_pid(pid) {
                    self.hear_listener(now, id, &bytes, out);
                }
            }
            Input::NotSpawned(pid, text) => self.not_spawned(pid, &text, out),
            Input::Request(ticket, request) => self.request(now, ticket, request, kernel, out),
            Input::ConfigRead(ticket, result) => self.config_read(ticket, result, out),
            Input::ExitSignal(name) => {
                out.log(Level::Warn, format!("received {name} indicating exit request"));
                self.shutdown.mood = Mood::Shutdown;
            }
            Input::RestartSignal => {
                if self.shutdown.mood == Mood::Shutdown {
                    out.log(Level::Warn, "ignored SIGHUP indicating restart request (shutdown in progress)");
                } else {
                    out.log(Level::Warn, "received SIGHUP indicating restart request");
                    self.shutdown.mood = Mood::Restarting;
                }
            }
        }
        self.continue_updates(now, kernel, out);
        self.take_in_events(out);
    }

    /// Does what is due by now, in start order, but no more than [`DUE_PER_TURN_MAX`]: the rest stays due, so that the next turn
    /// has the time as it is then, and clients are answered in between.
    pub fn tick(&mut self, now: Now, kernel: &mut dyn Kernel, out: &mut Outbox) {
        out.subscribe(self.subscriptions());
        let mut due: Vec<ProcId> = Vec::new();
        while let Some(&(deadline, id)) = self.due.first() {
            if deadline > now.mono || due.len() == DUE_PER_TURN_MAX {
                break;
            }
            self.due.pop_first();
            self.scheduled[id.slot as usize] = None;
            due.push(id);
        }
        due.sort_by_cached_key(|id| self.groups.start_order(*id, &self.table));
        for id in due {
            let mood = self.shutdown.mood;
            self.with_process(id, out, |process, out| process.transition(now, mood, kernel, out));
        }
        self.report_waiting(now, out);
        self.continue_updates(now, kernel, out);
        self.continue_shutdown(now, kernel, out);
        if !self.has_halted() {
            self.tell_ticks(now, out);
        }
        self.take_in_events(out);
        self.dispatch_events(now, kernel, out);
    }

    /// When [`Core::tick`] wants to be called next; `None` is never.
    pub fn next_deadline(&self) -> Option<Mono> {
        let processes = self.due.first().map(|(deadline, _)| *deadline);
        let reports = self.pending.iter().filter_map(Pending::next_report).min();
        [processes, reports, self.shutdown.next_report(), self.next_event_deadline()].into_iter().flatten().min()
    }

    /// Changes one process and keeps the timers, the pids and the waiting clients in step with it.
    pub(super) fn with_process<T>(
        &mut self,
        id: ProcId,
        out: &mut Outbox,
        change: impl FnOnce(&mut Process, &mut Outbox) -> T,
    ) -> Option<T> {
        let process = self.table.get_mut(id.slot as usize)?.as_mut().filter(|process| process.id == id)?;
        let (state_before, pid_before) = (process.state(), process.pid());
        let before = (state_before, pid_before, process.deadline(), process.rest);
        let result = change(process, out);
        let (state, pid, deadline) = (process.state(), process.pid(), process.deadline());
        if (state, pid, deadline, process.rest) != before {
            out.push(Tell::Changed(id));
        }
        self.schedule(id, deadline);
        if pid != pid_before {
            self.move_pid(id, pid_before, pid);
        }
        if state != state_before {
            self.resolve_pending(id, out);
        }
        Some(result)
    }

    /// Puts a process into the table and on the timers.
    pub(super) fn insert_process(&mut self, group: &str, config: Arc<ProcessConfig>) -> ProcId {
        let slot = self.table.iter().position(Option::is_none).unwrap_or(self.table.len());
        if slot == self.table.len() {
            self.table.push(None);
            self.generations.push(0);
            self.scheduled.push(None);
        }
        let id = ProcId { slot: slot as u32, generation: self.generations[slot] };
        let process = Process::new(id, group, config);
        let deadline = process.deadline();
        self.table[slot] = Some(process);
        self.schedule(id, deadline);
        id
    }

    /// Takes a process out of the table for good; its id names nothing from now on.
    pub(super) fn remove_process(&mut self, id: ProcId) {
        self.schedule(id, None);
        let slot = id.slot as usize;
        self.table[slot] = None;
        self.generations[slot] = self.generations[slot].wrapping_add(1);
    }

    fn by_pid(&self, pid: Pid) -> Option<ProcId> {
        self.pids.binary_search_by_key(&pid, |(pid, _)| *pid).ok().map(|index| self.pids[index].1)
    }

    fn not_spawned(&mut self, pid: Pid, text: &str, out: &mut Outbox) {
        if let Some(id) = self.by_pid(pid) {
            self.with_process(id, out, |process, out| process.not_spawned(text, out));
        }
    }

    fn reaped(&mut self, now: Now, pid: Pid, status: ExitStatus, kernel: &mut dyn Kernel, out: &mut Outbox) {
        match self.by_pid(pid) {
            Some(id) => {
                self.with_process(id, out, |process, out| process.finish(now, status, kernel, out));
                self.take_in_events(out);
                self.listener_ended(now, id, out);
            }
            None => {
                out.log(Level::Info, format!("reaped unknown pid {pid} ({status})"));
                self.look_for_rests(now, out);
            }
        }
    }

    fn request(&mut self, now: Now, ticket: Ticket, request: Request, kernel: &mut dyn Kernel, out: &mut Outbox) {
        if let Request::RemoteCommunication { kind, data } = request {
            out.event(EventKind::RemoteCommunication, || Event::RemoteCommunication { kind, data });
            return out.push(Tell::Reply(ticket, Reply::Done));
        }
        if self.shutdown.mood != Mood::Running {
            return out.push(Tell::Reply(ticket, Reply::Refused(super::Refusal::ShuttingDown)));
        }
        let turn = &mut Turn { now, kernel, out };
        match request {
            Request::Start { name, wait } => self.act(turn, ticket, self.aim_at(&name), Verb::Start, wait),
            Request::StartGroup { group, wait } => self.act(turn, ticket, self.aim_at_group(&group), Verb::Start, wait),
            Request::StartAll { wait } => self.act(turn, ticket, Ok(Aim::Many(self.by_priority())), Verb::Start, wait),
            Request::Stop { name, wait } => self.act(turn, ticket, self.aim_at(&name), Verb::Stop, wait),
            Request::StopGroup { group, wait } => self.act(turn, ticket, self.aim_at_group(&group), Verb::Stop, wait),
            Request::StopAll { wait } => self.act(turn, ticket, Ok(Aim::Many(self.by_priority())), Verb::Stop, wait),
            Request::Signal { name, signal } => {
                self.act(turn, ticket, self.aim_at(&name), Verb::Signal(&signal), false);
            }
            Request::SignalGroup { group, signal } => {
                self.act(turn, ticket, self.aim_at_group(&group), Verb::Signal(&signal), false);
            }
            Request::SignalAll { signal } => {
                self.act(turn, ticket, Ok(Aim::Many(self.by_priority())), Verb::Signal(&signal), false);
            }
            Request::Reread => turn.out.push(Tell::ReadConfig(ticket)),
            Request::AddGroup(name) => self.add_group(ticket, &name, turn.out),
            Request::RemoveGroup(name) => self.remove_group(ticket, &name, turn.out),
            Request::UpdateGroup(name) => self.update_group(ticket, &name, turn.out),
            Request::Scale { same, wanted } => self.scale(ticket, &same, *wanted, turn.out),
            Request::AddProcesses { group, processes } => self.add_processes(ticket, &group, processes, turn.out),
            Request::RemoveProcess { group, name } => self.remove_member(ticket, &group, &name, turn.out),
            Request::Shutdown => self.leave(ticket, Mood::Shutdown, turn.out),
            Request::Restart => self.leave(ticket, Mood::Restarting, turn.out),
            // Answered above: it works on the way down too.
            Request::RemoteCommunication { .. } => {}
        }
    }

    fn leave(&mut self, ticket: Ticket, mood: Mood, out: &mut Outbox) {
        self.shutdown.mood = mood;
        out.push(Tell::Reply(ticket, Reply::Done));
    }

    pub(super) fn schedule(&mut self, id: ProcId, deadline: Option<Mono>) {
        let scheduled = &mut self.scheduled[id.slot as usize];
        if *scheduled == deadline {
            return;
        }
        if let Some(old) = scheduled.take() {
            self.due.remove(&(old, id));
        }
        if let Some(new) = deadline {
            self.due.insert((new, id));
            *scheduled = Some(new);
        }
    }

    pub(super) fn move_pid(&mut self, id: ProcId, from: Pid, to: Pid) {
        if let Ok(index) = self.pids.binary_search_by_key(&from, |(pid, _)| *pid) {
            self.pids.remove(index);
        }
        if to != 0 {
            match self.pids.binary_search_by_key(&to, |(pid, _)| *pid) {
                Ok(index) => self.pids[index] = (to, id),
                Err(index) => self.pids.insert(index, (to, id)),
            }
        }
    }
}
