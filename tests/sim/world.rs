//! A whole core in an invented world: clients, children and faults at random, the clock jumping to whatever comes next.
//!
//! A history that breaks an invariant prints its seed. `SIM_SEED=<seed> cargo test --test sim world -- --nocapture` runs that
//! history alone and tells it step by step. `SIM_HANDOVERS_PERCENT=100` replaces the core by its restored self after every turn:
//! some 850,000 times.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash};

use supervisor_kit::config::{Autorestart, GroupConfig, GroupKind, KillMode, ProcessConfig};
use supervisor_kit::core::{Core, Event, ExitStatus, Input, Mono, Mood, Now, Outbox, Request, Tell, Ticket};

use crate::audience::{Ledger, make_pool};
use crate::chance::Chance;
use crate::clients::{self, Clients};
use crate::invariant::Watch;
use crate::machine::{LISTENERS, Machine};
use crate::trace::blank_program;

/// Environment variable that picks one history.
const SEED_VARIABLE: &str = "SIM_SEED";
/// Environment variable that says how often the core is replaced.
const HANDOVERS_VARIABLE: &str = "SIM_HANDOVERS_PERCENT";
/// Histories in a normal run.
const HISTORIES: u64 = 2_000;
/// Turns of a history before everything is told to stop.
const TURNS: u32 = 400;
/// Turns that stopping everything may take.
const SHUTDOWN_TURNS_MAX: u32 = 5_000;
/// Simulated seconds that stopping everything may take: every priority in turn, each with its most stubborn program.
const SHUTDOWN_SECS_MAX: u64 = 3_600;
/// How often one moment may need another turn before it settles.
const TURNS_PER_MOMENT_MAX: u32 = 4;
/// Turns in a hundred after which another image of the daemon takes over.
const HANDOVERS_PERCENT: u64 = 2;
/// Positions of the fault dial, in percent.
const DIAL: [u64; 6] = [0, 0, 5, 20, 50, 90];

const NANOS_PER_MS: u64 = 1_000_000;
const NANOS_PER_SEC: u64 = 1_000_000_000;

#[test]
fn invariants_hold_through_random_histories() {
    if let Ok(seed) = std::env::var(SEED_VARIABLE) {
        World::new(seed.parse().unwrap(), true).live();
        return;
    }
    let handovers_percent = std::env::var(HANDOVERS_VARIABLE).map_or(HANDOVERS_PERCENT, |text| text.parse().unwrap());
    let mut entered: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut turns, mut deliveries, mut rejections, mut handovers) = (0, 0, 0, 0);
    for seed in 0..HISTORIES {
        let mut world = World::new(seed, false);
        world.handovers_percent = handovers_percent;
        let world = world.live();
        turns += u64::from(world.turns);
        handovers += world.handovers;
        deliveries += world.machine.audience.deliveries;
        rejections += world.machine.audience.rejections;
        for (state, count) in &world.watch.entered {
            *entered.entry(state).or_default() += count;
        }
    }
    assert!(turns >= HISTORIES * u64::from(TURNS));
    assert!(handovers >= turns / 100, "{handovers} hand-overs in {turns} turns");
    assert!(deliveries >= 10_000 && rejections >= 1000, "{deliveries} deliveries, {rejections} rejections");
    println!("{turns} turns, {handovers} hand-overs");
    for state in ["STARTING", "RUNNING", "BACKOFF", "STOPPING", "STOPPED", "EXITED", "FATAL"] {
        assert!(entered.get(state).is_some_and(|count| *count >= 1000), "{state} is hardly reached: {entered:?}");
    }
}

/// A history, and what the core did in it.
pub struct World {
    seed: u64,
    is_told: bool,
    chance: Chance,
    pub core: Core,
    machine: Machine,
    clients: Clients,
    watch: Watch,
    ledger: Ledger,
    out: Outbox,
    pub now: Now,
    /// Wall clock minus monotonic clock; it jumps.
    wall_skew_secs: i64,
    next_request: Mono,
    /// Clients whose `Tell::ReadConfig` the shell has not answered yet.
    readers: VecDeque<Ticket>,
    halted: Option<Mood>,
    pub turns: u32,
    /// Turns in a hundred after which the core is replaced by what its snapshot restores.
    pub handovers_percent: u64,
    /// Picks those turns: whatever it says, the rest of the history is the same.
    handover_chance: Chance,
    /// How often that was done.
    pub handovers: u64,
    /// Everything that the core told, as one number.
    pub told: DefaultHasher,
}

impl World {
    pub fn new(seed: u64, is_told: bool) -> Self {
        let mut chance = Chance::new(seed);
        let faults_percent = *chance.pick(&DIAL);
        let mut out = Outbox::watching();
        let core = Core::new(random_groups(&mut chance), "sim", 0, &mut out);
        let mut world = World {
            seed,
            is_told,
            machine: Machine::new(Chance::new(!seed), faults_percent),
            chance,
            core,
            clients: Clients::default(),
            watch: Watch::default(),
            ledger: Ledger::default(),
            out,
            now: Now { mono: Mono(NANOS_PER_SEC), wall_secs: 1_000_000_000, wall_nanos: 0 },
            wall_skew_secs: 1_000_000_000,
            next_request: Mono(0),
            readers: VecDeque::new(),
            halted: None,
            turns: 0,
            handovers_percent: HANDOVERS_PERCENT,
            handover_chance: Chance::new(seed.rotate_left(32)),
            handovers: 0,
            told: DefaultHasher::new(),
        };
        world.perform();
        world
    }

    /// The whole history: normal operation, then everything is stopped.
    pub fn live(mut self) -> Self {
        while self.turns < TURNS {
            self.turn();
        }
        self.order_stop();
        let begin = self.now.mono;
        while self.halted.is_none() {
            self.turn();
            assert!(self.turns < TURNS + SHUTDOWN_TURNS_MAX, "stopping takes too many turns");
            assert!(self.now.mono.0 - begin.0 < SHUTDOWN_SECS_MAX * NANOS_PER_SEC, "stopping takes too long");
        }
        assert_eq!(self.halted, Some(self.core.mood()));
        assert!(self.core.processes().all(|process| process.state().is_stopped()));
        assert_eq!(self.machine.children().count(), 0, "children are left behind");
        let left: usize = self.core.processes().map(|process| self.machine.descendants(process.id)).sum();
        assert_eq!(left, 0, "descendants are left behind");
        self.answer_reader();
        self.clients.check_all_answered();
        self.tell("after the end", &self.now.mono);
        self.core.tick(self.now, &mut self.machine, &mut self.out);
        assert!(self.out.is_empty(), "something happens after the end");
        self
    }

    /// What the daemon does between two sleeps: exits first, then requests, then what is due.
    pub fn turn(&mut self) {
        self.turns += 1;
        self.advance_clock();
        while let Some((pid, status)) = self.machine.reap() {
            self.handle(Input::Exited(pid, status));
        }
        while let Some((pid, pieces)) = self.machine.listen() {
            for piece in pieces {
                self.handle(Input::ListenerOutput(pid, piece));
                // Also when a listener is in the middle of a word.
                self.maybe_hand_over();
            }
        }
        if self.chance.percent(1) {
            let pid = self.machine.stray_pid();
            self.handle(Input::Exited(pid, ExitStatus::Code(1)));
        }
        if self.now.mono >= self.next_request {
            // Clients come in bursts: what one does, the next finds half done.
            let pause_ms = if self.chance.percent(50) { self.chance.below(300) } else { self.chance.below(12_000) };
            self.next_request = Mono(self.now.mono.0 + pause_ms * NANOS_PER_MS);
            let request = clients::random_request(&mut self.chance, &self.core);
            self.request(request);
        }
        if self.chance.percent(50) {
            self.answer_reader();
        }
        self.settle();
        self.watch.check(self.now, &self.core, &self.machine, &self.clients);
        self.ledger.check(&self.core, &mut self.machine.audience);
        self.clients.check_owed(self.now.mono);
        self.maybe_hand_over();
    }

    fn maybe_hand_over(&mut self) {
        if self.handover_chance.percent(self.handovers_percent) {
            self.hand_over();
        }
    }

    /// Replaces the core by what its snapshot restores, which must be the same to the last detail.
    fn hand_over(&mut self) {
        let snapshot = self.core.snapshot(self.now.mono);
        let restored = Core::restore(&snapshot, self.now.mono).unwrap_or_else(|error| panic!("{error}\n{snapshot}"));
        assert_eq!(restored.snapshot(self.now.mono), snapshot, "a snapshot of the restored core differs");
        assert_eq!(format!("{restored:?}"), format!("{:?}", self.core), "the restored core differs");
        self.core = restored;
        self.handovers += 1;
    }

    /// To the next thing that happens, sometimes later (a busy machine, a suspended one), sometimes sooner (a useless wake-up).
    fn advance_clock(&mut self) {
        let words = self.machine.audience.next_words();
        let next = [self.core.next_deadline(), self.machine.next_exit(), words, Some(self.next_request)];
        let next = next.into_iter().flatten().min();
        let mut mono = next.unwrap().0.max(self.now.mono.0);
        match self.chance.below(100) {
            0..=4 => mono += self.chance.below(20_000) * NANOS_PER_MS,
            5..=9 => mono = self.now.mono.0 + (mono - self.now.mono.0) / 2,
            _ => {}
        }
        if self.chance.percent(1) {
            self.wall_skew_secs += self.chance.below(200_000) as i64 - 100_000;
        }
        let wall_nanos = (mono % NANOS_PER_SEC) as u32;
        let wall_secs = (mono / NANOS_PER_SEC) as i64 + self.wall_skew_secs;
        self.now = Now { mono: Mono(mono), wall_secs, wall_nanos };
        self.machine.now = self.now;
    }

    /// Ticks until nothing is due any more.
    fn settle(&mut self) {
        for _ in 0..TURNS_PER_MOMENT_MAX {
            self.core.tick(self.now, &mut self.machine, &mut self.out);
            self.perform();
            if self.core.next_deadline().is_none_or(|deadline| deadline > self.now.mono) {
                return;
            }
        }
        panic!("there is always something due at {:?}", self.now.mono);
    }

    fn handle(&mut self, input: Input) {
        self.tell("->", &input);
        self.machine.may_start = self.core.mood() == Mood::Running;
        self.core.handle(self.now, input, &mut self.machine, &mut self.out);
        self.machine.may_start = self.core.mood() == Mood::Running;
        self.perform();
    }

    fn request(&mut self, request: Request) {
        let ticket = self.clients.ask(self.now.mono, request.clone());
        self.watch.start_is_asked =
            matches!(request, Request::Start { .. } | Request::StartGroup { .. } | Request::StartAll { .. });
        self.handle(Input::Request(ticket, request));
        self.watch.start_is_asked = false;
    }

    fn order_stop(&mut self) {
        match self.chance.below(4) {
            0 => self.request(Request::Shutdown),
            1 => self.request(Request::Restart),
            2 => self.handle(Input::RestartSignal),
            _ => self.handle(Input::ExitSignal("SIGTERM".to_owned())),
        }
        if self.chance.percent(20) {
            self.handle(Input::RestartSignal);
        }
    }

    /// What the shell would do with what the core tells it.
    fn perform(&mut self) {
        for tell in std::mem::replace(&mut self.out, Outbox::watching()).drain() {
            self.tell("<-", &tell);
            format!("{tell:?}").hash(&mut self.told);
            // A timer that still ran changes nothing but the record.
            let is_silent = matches!(tell, Tell::Changed(_));
            assert!(self.halted.is_none() || is_silent, "after the halt: {tell:?}");
            match tell {
                Tell::Event(event) => {
                    match &event {
                        Event::GroupRemoved(name) => self.ledger.removed(name),
                        Event::GroupAdded(name) => {
                            let kind = self.core.groups().iter().find(|group| group.name == *name);
                            self.ledger.added(name, &kind.unwrap().kind);
                        }
                        _ => {}
                    }
                    self.ledger.event(&event);
                    self.watch.event(self.now, &event, &self.core);
                }
                Tell::Added(ids) => self.watch.added(self.now, &ids, &self.core),
                Tell::Removed(ids) => self.watch.removed(&ids),
                Tell::Changed(_) => {}
                Tell::Adapted(id) => assert!(self.core.process(id).is_some()),
                Tell::Reply(ticket, reply) => self.clients.answered(ticket, &reply, &self.watch),
                Tell::ReadConfig(ticket) => self.readers.push_back(ticket),
                Tell::Halt(mood) => self.halted = Some(mood),
                Tell::Log(_, text) => self.ledger.logged(&text),
            }
        }
    }

    fn answer_reader(&mut self) {
        let Some(ticket) = self.readers.pop_front() else { return };
        let halted = self.halted.take();
        let result = if self.chance.percent(20) {
            Err("line 3: no such key".to_owned())
        } else {
            Ok(random_groups(&mut self.chance))
        };
        self.handle(Input::ConfigRead(ticket, result));
        self.halted = halted;
    }

    fn tell(&self, what: &str, thing: &dyn std::fmt::Debug) {
        if self.is_told {
            eprintln!("{:12.3} {what} {thing:?}", self.now.mono.0 as f64 / NANOS_PER_SEC as f64);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to see this history: {SEED_VARIABLE}={} cargo test --test sim world -- --nocapture", self.seed);
        }
    }
}

/// Up to five groups of up to four programs; the names are few, so that a new configuration adds, changes and removes.
fn random_groups(chance: &mut Chance) -> Vec<GroupConfig> {
    let mut groups = Vec::new();
    for index in 0..5 {
        if chance.percent(25) {
            continue;
        }
        let count = 1 + chance.below(4);
        groups.push(GroupConfig {
            name: format!("g{index}"),
            priority: *chance.pick(&[-1, 1, 1, 500, 999]),
            kind: GroupKind::Group,
            processes: (0..count).map(|number| random_program(chance, format!("p{number}")).into()).collect(),
            sections: Vec::new(),
        });
    }
    for index in 0..chance.below(3) {
        let mut group = GroupConfig {
            name: format!("{LISTENERS}{index}"),
            priority: -1,
            kind: GroupKind::Group,
            processes: (0..1 + chance.below(3))
                .map(|number| random_program(chance, format!("p{number}")).into())
                .collect(),
            sections: Vec::new(),
        };
        make_pool(chance, &mut group);
        groups.insert(0, group);
    }
    groups
}

pub fn random_program(chance: &mut Chance, name: String) -> ProcessConfig {
    let is_tree = name.bytes().map(u64::from).sum::<u64>() % 3 == 0;
    ProcessConfig {
        name,
        priority: *chance.pick(&[1, 5, 999]),
        autostart: chance.percent(70),
        autorestart: *chance.pick(&[Autorestart::Never, Autorestart::Unexpected, Autorestart::Always]),
        startsecs: *chance.pick(&[0, 1, 1, 2, 10]),
        startretries: *chance.pick(&[0, 1, 3, 3, 10]),
        exitcodes: chance.pick(&[vec![0], vec![0, 2], Vec::new()]).clone(),
        stopsignal: *chance.pick(&[15, 2, 1, 9, 10]),
        stopwaitsecs: *chance.pick(&[0, 1, 3, 10, 60]),
        stopasgroup: chance.percent(30),
        killasgroup: chance.percent(30),
        // The same for each of its configurations: what was switched off leaves its tree behind.
        killmode: if is_tree { KillMode::Tree } else { KillMode::Default },
        ..blank_program()
    }
}
