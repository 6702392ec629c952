//! The steps of an upgrade: a newer program that was put in the place of the running one takes over, and nothing stops.
//!
//! 1. The program at the recorded path is asked whether it could go on from a document (`check`), as a child, while
//!    everything runs on. A broken one, one for another machine, or one that hangs is found out here.
//! 2. At the end of a turn, when every answer that is ready has been written, the document is written anew, and `execve`
//!    makes the other program of this process. Its descriptors, its pid and its children stay.
//! 3. If that fails, everything is as it was: this image serves on and says why.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::check::{CAN_RESUME, OPTION};
use super::resume::Head;
use super::{Purpose, compose};
use crate::KIT_VERSION;
use crate::config::Level;
use crate::core::snapshot::text::Writer;
use crate::core::{ExitStatus, Mono, Mood, Pid, ProcId, Target, Ticket};
use crate::daemon::perform::Shell;
use crate::daemon::programs::Token;
use crate::daemon::recovery::Intent;
use crate::daemon::rpc_call::Ask;
use crate::daemon::run::Daemon;
use crate::sys::exec_self::{self, Trial};
use crate::sys::kill;
use crate::xmlrpc::{Fault, Value, code};

/// How long the other program may take to say whether it could go on.
const TRIAL_TIME_MAX: Duration = Duration::from_secs(10);

/// Most rounds in which answers that are ready are written before the hand-over. A client that takes none of them meanwhile
/// loses its own.
const SETTLING_ROUNDS_MAX: usize = 100;

/// How far an upgrade is.
#[derive(Debug, Default)]
pub struct Upgrade {
    /// Who asked for it and waits.
    tickets: Vec<Ticket>,
    trial: Option<(Trial, Instant)>,
    is_due: bool,
    /// When images of this pid broke down, oldest first.
    breakdowns: Vec<Mono>,
}

impl Upgrade {
    /// Writes who waits for it.
    pub fn write_snapshot(&self, to: &mut Writer) {
        self.tickets.iter().for_each(|ticket| to.put("upgrade", &[ticket]));
        self.breakdowns.iter().for_each(|clock| to.put("breakdown", &[&clock.0]));
    }

    /// When images of this pid broke down, oldest first.
    pub fn breakdowns(&self) -> &[Mono] {
        &self.breakdowns
    }

    /// The other program has been found able to go on.
    pub fn is_due(&self) -> bool {
        self.is_due
    }

    /// When the other program will have taken too long.
    pub fn deadline(&self) -> Option<Instant> {
        self.trial.as_ref().map(|(_, deadline)| *deadline)
    }
}

impl Daemon<'_> {
    /// Takes up what another image was in the middle of: clients that wait, children that ended meanwhile.
    pub fn take_up(&mut self, head: Head, adopted: Vec<(ProcId, Pid, u64)>, intents: Vec<Intent>) {
        head.record.into_iter().for_each(|extent| self.shell.record.go_on(extent));
        self.upgrade.breakdowns = head.breakdowns;
        self.shell.last_ticket = head.last_ticket;
        for (id, pid, started) in adopted {
            let Shell { adopted, poller, .. } = &mut self.shell;
            if !adopted.take(id, pid, started, Token::Adopted(id.slot).to_bits(), poller) {
                self.report_end(pid);
            }
        }
        for ticket in head.awaited {
            let answer = self.shell.expect_answer_to(ticket);
            self.shell.left_answers.insert(ticket, answer);
        }
        let versions = |text: &str| Value::from(text.to_owned());
        for ticket in head.upgrade_tickets {
            if let Some(client) = self.shell.waiting.remove(&ticket) {
                let answer =
                    Value::Struct(vec![("from".into(), versions(&head.version)), ("to".into(), versions(KIT_VERSION))]);
                // Its connection fetches it.
                let _ = client.send(Ok(answer));
            }
        }
        if head.is_record {
            intents.iter().for_each(|intent| self.end_unfinished(intent));
            self.core.running().into_iter().for_each(|(id, pid)| self.start_listener_anew(id, pid));
        }
        // Whoever set the disposition of SIGCHLD anew has thrown away one that was pending.
        self.reap();
    }

    /// Begins an upgrade, or joins the one that is under way.
    pub fn begin_upgrade(&mut self, ticket: Option<Ticket>) {
        self.upgrade.tickets.extend(ticket);
        if self.upgrade.trial.is_some() || self.upgrade.is_due {
            return;
        }
        if self.core.mood() != Mood::Running {
            return self.refuse_upgrade("the daemon is shutting down");
        }
        let path = self.standing.image.clone();
        self.shell.log(Level::Info, &format!("upgrade: asking {} whether it can go on", path.display()));
        let (text, _) = compose(self, self.now().mono, Purpose::Upgrade);
        let begun = exec_self::document(&text, &self.run_directory())
            .and_then(|document| Trial::begin(&path, OPTION, document));
        match begun {
            Ok(trial) => self.upgrade.trial = Some((trial, Instant::now() + TRIAL_TIME_MAX)),
            Err(error) => self.refuse_upgrade(&format!("{} cannot be run: {error}", path.display())),
        }
    }

    /// A child that was reaped was the trial; false if it was another.
    pub fn judge_trial(&mut self, pid: Pid, status: ExitStatus) -> bool {
        let Some((trial, deadline)) = self.upgrade.trial.take_if(|(trial, _)| trial.pid == pid) else { return false };
        let said = trial.said();
        match status {
            ExitStatus::Code(0) if said.starts_with(CAN_RESUME) => self.upgrade.is_due = true,
            ExitStatus::Signal { .. } if Instant::now() >= deadline => {
                self.refuse_upgrade(&format!("it did not say so within {} seconds", TRIAL_TIME_MAX.as_secs()));
            }
            _ => {
                let said = said.lines().next().unwrap_or("it said nothing").to_owned();
                self.refuse_upgrade(&format!("{}: {status}: {said}", self.standing.image.display()));
            }
        }
        true
    }

    /// Ends a trial that takes too long; its end is reaped as any other's.
    pub fn end_late_trial(&mut self) {
        if let Some((trial, deadline)) = &self.upgrade.trial
            && Instant::now() >= *deadline
        {
            // It may have ended this very moment: then there is nobody to end.
            let _ = kill::send(Target::Process(trial.pid), libc::SIGKILL);
        }
    }

    /// Makes room for the other program. Comes back only if that cannot be done.
    pub async fn hand_over(&mut self, inbox: &mut mpsc::Receiver<Ask>) {
        self.upgrade.is_due = false;
        if self.core.mood() != Mood::Running {
            return self.refuse_upgrade("the daemon is shutting down");
        }
        for _ in 0..SETTLING_ROUNDS_MAX {
            tokio::task::yield_now().await;
            while let Ok(ask) = inbox.try_recv() {
                self.answer(ask);
            }
            if self.servers.connections.are_settled() {
                break;
            }
        }
        // What the answers have changed.
        self.keep_record();
        let path = self.standing.image.clone();
        self.shell.log(Level::Info, &format!("upgrade: making room for {}", path.display()));
        let (text, kept) = compose(self, self.now().mono, Purpose::Upgrade);
        let error = match exec_self::document(&text, &self.run_directory()) {
            Ok(document) => exec_self::exec(&path, &document, &kept.numbers),
            Err(error) => error,
        };
        self.refuse_upgrade(&format!("{} cannot be run: {error}", path.display()));
    }

    /// Everything stays as it is.
    fn refuse_upgrade(&mut self, reason: &str) {
        let text = format!("upgrade refused, supervisor-kit {KIT_VERSION} serves on: {reason}");
        self.shell.log(Level::Critical, &text);
        for ticket in std::mem::take(&mut self.upgrade.tickets) {
            if let Some(client) = self.shell.waiting.remove(&ticket) {
                // A client that has gone away needs no answer.
                let _ = client.send(Err(Fault::with(code::FAILED, reason)));
            }
        }
    }

    /// Where files may be made that nobody else needs.
    pub fn run_directory(&self) -> std::path::PathBuf {
        let pidfile = &self.shell.config.supervisord.pidfile;
        pidfile.parent().map_or_else(|| "/".into(), std::path::Path::to_path_buf)
    }
}
