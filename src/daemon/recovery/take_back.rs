//! Takes back the programs of a daemon that was killed.

use std::collections::HashMap;

use super::left::Intent;
use crate::config::{Level, OnCrash};
use crate::core::snapshot::SnapshotError;
use crate::core::snapshot::text::Document;
use crate::core::{Channel, Core, ExitStatus, Input, Pid, ProcId, Process, Target};
use crate::daemon::channel_log::Sinks;
use crate::daemon::handover::Seat;
use crate::daemon::perform::Shell;
use crate::daemon::programs::Token;
use crate::daemon::run::Daemon;
use crate::sys::in_flight;
use crate::sys::{kill, proc};

/// What has to be looked at when a daemon takes the place of one that was killed.
#[derive(Debug, Default)]
pub struct Orphans {
    /// Processes that ran, with their pids and when the kernel had started each.
    pub running: Vec<(ProcId, Pid, Option<u64>)>,
    /// Starts that may have come to something.
    pub intents: Vec<Intent>,
    /// What was on its way into a log, and whose it is.
    pub in_flight: Option<(ProcId, Channel, in_flight::Record)>,
}

impl Orphans {
    /// What a record says of them.
    ///
    /// # Errors
    /// The record contradicts itself.
    pub fn of(
        document: &Document<'_>,
        core: &Core,
        intents: Vec<Intent>,
        in_flight: Option<in_flight::Record>,
    ) -> Result<Orphans, SnapshotError> {
        let mut born: HashMap<ProcId, u64> = HashMap::new();
        for from in document.named("program") {
            if let Some((Some(started),)) = from.maybe::<(Option<u64>,)>("born")? {
                born.insert(from.get::<(ProcId,)>("id")?.0, started);
            }
        }
        let running = core.running().into_iter().map(|(id, pid)| (id, pid, born.get(&id).copied())).collect();
        let mut orphans = Orphans { running, intents, in_flight: None };
        for from in document.named("output") {
            let pipe = Seat::maybe(from, "pipe")?.map(|seat| seat.object);
            if let Some(record) = in_flight.as_ref().filter(|record| Some(record.pipe) == pipe) {
                let ((id, _), (channel,)): ((ProcId, Pid), (String,)) = (from.get("of")?, from.get("channel")?);
                let channel = if channel == Channel::Stderr.name() { Channel::Stderr } else { Channel::Stdout };
                orphans.in_flight = Some((id, channel, record.clone()));
            }
        }
        Ok(orphans)
    }
}

impl Daemon<'_> {
    /// Everybody who still lives is watched again; whoever has ended meanwhile is reported as ended, with all that is left in
    /// the pipes.
    pub fn take_back(&mut self, orphans: Orphans) {
        let Orphans { running, intents, in_flight } = orphans;
        if let Some((id, channel, record)) = in_flight {
            let Shell { programs, log, late, .. } = &mut self.shell;
            programs.write_left(id, channel, &record, &mut Sinks { log, out: late, heard: &mut Vec::new() });
        }
        // What was left is in its log now; what is read from here on is kept in its place.
        self.shell.programs.publish();
        for intent in intents {
            self.end_unfinished(&intent);
        }
        let (mut taken, mut ended) = (0, Vec::new());
        for (id, pid, started) in running {
            let Shell { adopted, poller, .. } = &mut self.shell;
            let token = Token::Adopted(id.slot).to_bits();
            if started.is_some_and(|started| adopted.take(id, pid, started, token, poller)) {
                taken += 1;
                self.start_listener_anew(id, pid);
            } else {
                ended.push(pid);
            }
        }
        let text = format!(
            "took back {taken} programs of a supervisord that ended without shutting down; {} had ended since",
            ended.len()
        );
        self.shell.log(Level::Warn, &text);
        for pid in ended {
            self.report_end(pid);
        }
        if self.shell.config.supervisord.on_crash == OnCrash::Kill {
            let now = self.now();
            self.shell.handle(&mut self.core, now, Input::RestartSignal, &mut self.out);
        }
    }

    /// Looks after programs that are not our children: all of them, or that of one slot.
    pub fn look_after_adopted(&mut self, slot: Option<u32>) {
        let Shell { adopted, poller, .. } = &mut self.shell;
        for pid in adopted.ended(slot, poller) {
            self.report_end(pid);
        }
    }

    /// A program that is not our child has ended: how, nobody can tell us.
    pub fn report_end(&mut self, pid: Pid) {
        let Shell { programs, poller, log, .. } = &mut self.shell;
        let mut heard = Vec::new();
        programs.drain(pid, poller, &mut Sinks { log, out: &mut self.out, heard: &mut heard });
        let now = self.now();
        self.shell.console.reaped(ExitStatus::Missed);
        self.shell.handle(&mut self.core, now, Input::Exited(pid, ExitStatus::Missed), &mut self.out);
        self.shell.fcgi.release(Some(pid), &mut self.shell.log);
    }

    /// Whether a listener had an event in hand when its supervisor was killed is not known, so it begins anew.
    pub fn start_listener_anew(&mut self, id: ProcId, pid: Pid) {
        if !self.core.is_listener(id) {
            return;
        }
        let name = self.core.process(id).map(Process::namespec).unwrap_or_default();
        self.shell.log(Level::Warn, &format!("the listener {name} (pid {pid}) is started anew: events may be lost"));
        // Its end is noticed like any other.
        let _ = self.shell.adopted.signal(Target::Process(pid), libc::SIGKILL);
    }

    /// Nobody had noted the pid of this one: it had hardly begun, and is started again in due time.
    pub fn end_unfinished(&mut self, intent: &Intent) {
        let known: Vec<Pid> = self.core.running().into_iter().map(|(_, pid)| pid).collect();
        for pid in proc::leaders_writing_to(intent.stdout).into_iter().filter(|pid| !known.contains(pid)) {
            let name = self.core.process(intent.id).map(Process::namespec).unwrap_or_default();
            let text = format!("ended pid {pid} of {name}: its start was not finished when supervisord was killed");
            self.shell.log(Level::Warn, &text);
            let _ = kill::send(Target::Group(pid), libc::SIGKILL);
        }
    }
}
