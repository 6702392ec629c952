//! What has happened: the last changes and the last exit of each program, and the feed of everything together. Each change has a
//! number, so whoever asks "what since 41?" gets it without anybody keeping a queue for him.
//!
//! It is written to when a state changes and at no other time, and it holds no more than its limits say.

use std::collections::{HashMap, VecDeque};

use crate::core::event::StateDetail;
use crate::core::{Event, ExitStatus, ProcId, State};

/// Changes that are kept of each program.
pub const HISTORY_MAX: usize = 24;

/// Entries of the feed that are kept.
pub const FEED_MAX: usize = 500;

/// Programs that are gone and still known to be so; who was away for longer starts anew.
pub const GONE_MAX: usize = 256;

/// Longest text of an action in the feed, in characters.
pub const ACTION_CHARS_MAX: usize = 300;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// When, in seconds since 1970.
    pub when_secs: i64,
    /// How.
    pub status: ExitStatus,
    /// Whether that was asked for or is among `exitcodes`.
    pub is_expected: bool,
}

/// One change of a program's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// When, in seconds since 1970.
    pub when_secs: i64,
    /// What it was.
    pub from: State,
    /// What it is.
    pub to: State,
    /// The pid, where the change has one.
    pub pid: i32,
    /// How the run ended, if one did.
    pub exit: Option<ExitStatus>,
}

/// One entry of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// When, in seconds since 1970.
    pub when_secs: i64,
    /// What.
    pub what: Happening,
}

/// What the feed tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A program changed its state.
    Program {
        /// `name` or `group:name`.
        name: String,
        /// The change.
        change: Change,
    },
    /// A group came.
    GroupAdded(String),
    /// A group went.
    GroupRemoved(String),
    /// The daemon is up.
    Started,
    /// The daemon stops everything.
    Stopping,
    /// Somebody did something here.
    Action {
        /// Who, and from where.
        who: String,
        /// What, and with which outcome.
        what: String,
        /// Whether all of it succeeded.
        is_done: bool,
    },
}

/// What is known of one program.
#[derive(Debug, Default)]
pub struct Track {
    /// `name` or `group:name`.
    pub name: String,
    /// Number of its last change.
    pub seq: u64,
    /// How often it was started since the daemon was.
    pub starts: u32,
    /// How its last run ended.
    pub last_exit: Option<Exit>,
    /// Its last changes, oldest first.
    pub history: VecDeque<Change>,
}

/// The whole.
#[derive(Debug, Default)]
pub struct Journal {
    seq: u64,
    tracks: HashMap<ProcId, Track>,
    /// By group and name.
    ids: HashMap<(String, String), ProcId>,
    feed: VecDeque<Entry>,
    gone: VecDeque<(u64, String)>,
    /// Number of the last one that is not in `gone` any more.
    forgotten: u64,
    /// How the child that is being reaped ended.
    reaped: Option<ExitStatus>,
}

impl Journal {
    /// Number of the last change.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What is known of a program.
    pub fn track(&self, id: ProcId) -> Option<&Track> {
        self.tracks.get(&id)
    }

    /// A program is there now.
    pub fn added(&mut self, id: ProcId, group: &str, process: &str, namespec: String) {
        if self.tracks.contains_key(&id) {
            return;
        }
        self.seq += 1;
        self.gone.retain(|(_, name)| *name != namespec);
        self.ids.insert((group.to_owned(), process.to_owned()), id);
        self.tracks.insert(id, Track { name: namespec, seq: self.seq, ..Track::default() });
    }

    /// A program is gone.
    pub fn removed(&mut self, id: ProcId) {
        let Some(track) = self.tracks.remove(&id) else { return };
        self.ids.retain(|_, known| *known != id);
        self.seq += 1;
        // Made anew under the same name, it is not gone.
        if self.tracks.values().any(|other| other.name == track.name) {
            return;
        }
        self.gone.push_back((self.seq, track.name));
        if self.gone.len() > GONE_MAX
            && let Some((seq, _)) = self.gone.pop_front()
        {
            self.forgotten = seq;
        }
    }

    /// A program has other settings now.
    pub fn touched(&mut self, id: ProcId) {
        if let Some(track) = self.tracks.get_mut(&id) {
            self.seq += 1;
            track.seq = self.seq;
        }
    }

    /// A child was reaped; the changes that come of it follow.
    pub fn reaped(&mut self, status: ExitStatus) {
        self.reaped = Some(status);
    }

    /// Takes in an event of the core.
    pub fn note(&mut self, when_secs: i64, event: &Event) {
        match event {
            Event::ProcessState { process, group, from, to, detail } => {
                self.change(when_secs, (group, process), *from, *to, *detail);
            }
            Event::GroupAdded(name) => self.tell(when_secs, Happening::GroupAdded(name.clone())),
            Event::GroupRemoved(name) => self.tell(when_secs, Happening::GroupRemoved(name.clone())),
            Event::SupervisorRunning => self.tell(when_secs, Happening::Started),
            Event::SupervisorStopping => self.tell(when_secs, Happening::Stopping),
            Event::RemoteCommunication { .. }
            | Event::ProcessLog(_)
            | Event::ProcessCommunication(_)
            | Event::Tick { .. } => {}
        }
    }

    /// Somebody did something here.
    pub fn acted(&mut self, when_secs: i64, who: String, what: &str, is_done: bool) {
        let what = what.chars().take(ACTION_CHARS_MAX).collect();
        self.tell(when_secs, Happening::Action { who, what, is_done });
    }

    fn change(&mut self, when_secs: i64, name: (&str, &str), from: State, to: State, detail: StateDetail) {
        let Some(id) = self.ids.get(&(name.0.to_owned(), name.1.to_owned())).copied() else { return };
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let (pid, is_expected) = match detail {
            StateDetail::Pid(pid) => (pid, true),
            StateDetail::Exit { expected, pid } => (pid, expected),
            StateDetail::Tries(_) | StateDetail::None => (0, false),
        };
        let ends_a_run = matches!(to, State::Exited | State::Stopped | State::Backoff);
        let exit = if ends_a_run { self.reaped.take() } else { None };
        if to == State::Starting {
            track.starts = track.starts.saturating_add(1);
        }
        if let Some(status) = exit {
            // A stop was asked for, whatever the program makes of it.
            track.last_exit = Some(Exit { when_secs, status, is_expected });
        }
        let change = Change { when_secs, from, to, pid, exit };
        if track.history.len() == HISTORY_MAX {
            track.history.pop_front();
        }
        track.history.push_back(change);
        track.seq = self.seq + 1;
        let name = track.name.clone();
        self.tell(when_secs, Happening::Program { name, change });
    }

    fn tell(&mut self, when_secs: i64, what: Happening) {
        self.seq += 1;
        if self.feed.len() == FEED_MAX {
            self.feed.pop_front();
        }
        self.feed.push_back(Entry { seq: self.seq, when_secs, what });
    }

    /// The programs that have changed since `seq`.
    pub fn changed_since(&self, seq: u64) -> Vec<ProcId> {
        self.tracks.iter().filter(|(_, track)| track.seq > seq).map(|(id, _)| *id).collect()
    }

    /// The programs that have gone since `seq`; `None` when that is not known any more.
    pub fn gone_since(&self, seq: u64) -> Option<Vec<String>> {
        if seq < self.forgotten || seq > self.seq {
            return None;
        }
        Some(self.gone.iter().filter(|(gone, _)| *gone > seq).map(|(_, name)| name.clone()).collect())
    }

    /// The feed since `seq`, oldest first.
    pub fn feed_since(&self, seq: u64) -> impl DoubleEndedIterator<Item = &Entry> {
        let from = self.feed.partition_point(|entry| entry.seq <= seq);
        self.feed.range(from..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: ProcId = ProcId { slot: 0, generation: 0 };

    fn state(from: State, to: State, detail: StateDetail) -> Event {
        Event::ProcessState { process: "p".into(), group: "g".into(), from, to, detail }
    }

    fn journal() -> Journal {
        let mut journal = Journal::default();
        journal.added(P, "g", "p", "g:p".into());
        journal
    }

    #[test]
    fn an_exit_belongs_to_the_change_that_ends_the_run() {
        let mut journal = journal();
        let status = ExitStatus::Signal { number: 9, core_dumped: false };
        journal.note(5, &state(State::Stopped, State::Starting, StateDetail::Tries(0)));
        journal.reaped(status);
        // An end after `startsecs`, seen late: it was RUNNING for a moment.
        journal.note(7, &state(State::Starting, State::Running, StateDetail::Pid(3)));
        journal.note(7, &state(State::Running, State::Exited, StateDetail::Exit { expected: false, pid: 3 }));
        journal.note(7, &state(State::Exited, State::Starting, StateDetail::Tries(0)));
        let track = journal.track(P).unwrap();
        assert_eq!(track.last_exit, Some(Exit { when_secs: 7, status, is_expected: false }));
        let exits: Vec<_> = track.history.iter().map(|change| change.exit).collect();
        assert_eq!(exits, [None, None, Some(status), None]);
        assert_eq!(track.starts, 2);
    }

    #[test]
    fn who_was_away_gets_what_he_missed() {
        let mut journal = journal();
        let seen = journal.seq();
        assert_eq!(journal.changed_since(seen), []);
        journal.note(5, &state(State::Stopped, State::Starting, StateDetail::Tries(0)));
        assert_eq!(journal.changed_since(seen), [P]);
        assert_eq!(journal.feed_since(seen).count(), 1);
        journal.removed(P);
        assert_eq!(journal.gone_since(seen), Some(vec!["g:p".to_owned()]));
        assert_eq!(journal.gone_since(journal.seq() + 1), None, "a number of another life");
    }

    #[test]
    fn everything_is_bounded() {
        let mut journal = journal();
        for _ in 0..FEED_MAX {
            journal.note(1, &state(State::Exited, State::Starting, StateDetail::Tries(0)));
            journal.note(1, &state(State::Starting, State::Running, StateDetail::Pid(1)));
        }
        assert_eq!((journal.track(P).unwrap().history.len(), journal.feed.len()), (HISTORY_MAX, FEED_MAX));
        for slot in 1..=2 * GONE_MAX as u32 {
            let id = ProcId { slot, generation: 0 };
            journal.added(id, "g", &slot.to_string(), format!("g:{slot}"));
            journal.removed(id);
        }
        assert_eq!(journal.gone.len(), GONE_MAX);
        assert_eq!(journal.gone_since(0), None, "what is forgotten is not taken for nothing");
    }
}
