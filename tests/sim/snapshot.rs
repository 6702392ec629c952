//! A core and its snapshot: the same to the last detail, or refused.

use std::hash::Hasher;
use std::path::PathBuf;

use proptest::prelude::*;
use supervisor_kit::config::{
    Address, ChannelConfig, DEFAULT_RESULT_HANDLER, FcgiSocket, GroupConfig, GroupKind, LengthUnit, LogFile,
    ProcessConfig, User,
};
use supervisor_kit::core::snapshot::SnapshotError;
use supervisor_kit::core::snapshot::text::{Document, FORMAT, Writer};
use supervisor_kit::core::{Core, Input, Mono, Outbox};

use crate::chance::Chance;
use crate::obliging::Obliging;
use crate::world::{World, random_program};

/// Histories that are lived twice: once with a hand-over after every turn and everything that a listener says.
const TWINS: u64 = 15;
/// Turns before a core is taken for damaging its snapshot.
const TURNS: u32 = 60;
const NOW: Mono = Mono(5_000_000_000);

#[test]
fn nobody_can_tell_that_a_core_was_replaced() {
    for seed in 0..TWINS {
        let [never, always] = [0, 100].map(|percent| {
            let mut world = World::new(seed, false);
            world.handovers_percent = percent;
            world.live()
        });
        assert!(never.handovers == 0 && always.handovers >= u64::from(always.turns));
        assert_eq!(never.turns, always.turns, "seed {seed}");
        assert_eq!(never.told.finish(), always.told.finish(), "seed {seed} went another way");
    }
}

/// Every setting and every kind of text comes back.
#[test]
fn settings_come_back_as_they_were() {
    let mut out = Outbox::new();
    let core = Core::new(strange_groups(), "a name\twith a tab", 7, &mut out);
    let text = core.snapshot(NOW);
    let restored = Core::restore(&text, NOW).unwrap();
    assert_eq!(format!("{restored:?}"), format!("{core:?}"));
    assert_eq!(restored.configured(), core.configured());
    assert!(restored.difference().changed.is_empty());
}

/// Another image counts its time from elsewhere: what is left stays the same.
#[test]
fn deadlines_keep_their_distance() {
    let world = World::new(3, false);
    let later = Mono(world.now.mono.0 + 77_000_000_000);
    let text = world.core.snapshot(world.now.mono);
    let restored = Core::restore(&text, later).unwrap();
    assert_eq!(restored.snapshot(later), text);
}

#[test]
fn what_is_no_snapshot_is_refused() {
    for text in
        ["", "\n", "end=0\n", "pid=1\n", "\u{7f}ELF\u{2}\u{1}", "supervisor-kit snapshot\n", "[core]\nmood=RUNNING\n"]
    {
        assert_eq!(Core::restore(text, NOW).unwrap_err(), SnapshotError::NotASnapshot, "{text:?}");
    }
}

#[test]
fn a_snapshot_for_newer_readers_is_refused_before_its_body_is_looked_at() {
    let text = format!("supervisor-kit snapshot format=9 reader={}\nwhatever comes then", FORMAT + 1);
    assert_eq!(Core::restore(&text, NOW).unwrap_err(), SnapshotError::TooNew { reader: FORMAT + 1 });
}

/// A newer image may write more: sections, keys and columns that are not known are skipped.
#[test]
fn what_is_not_known_is_skipped() {
    let world = after_some_turns(5);
    let (now, text) = (world.now.mono, world.core.snapshot(world.now.mono));
    let (title, rest) = body_of(&text).split_once('\n').unwrap();
    let mut body = format!("{title} flavour=vanilla\n");
    for line in rest.lines() {
        let is_head = line.starts_with('[');
        body.push_str(line);
        body.push_str(if is_head { "\nnew_key=with\tcolumns\n" } else { "\tand a column\n" });
    }
    let newer = resealed(&format!("{body}[new-section]\nkey=value\n"));
    assert_eq!(Core::restore(&newer, now).unwrap().snapshot(now), text);
}

/// A hand that edits the sum along with the text still cannot make what contradicts itself.
#[test]
fn contradictions_are_refused() {
    let texts: Vec<String> = (0..20).map(|seed| after_some_turns(seed).core.snapshot(NOW)).collect();
    let edits = [
        ("mood=RUNNING", "mood=SLEEPING"),
        ("[core]", "[heart]"),
        ("[events]", "[rumours]"),
        ("\ngeneration=0", ""),
        ("\nid=0.0", "\nid=4000000000.0"),
        ("\ngroup=g", "\ngroup=x"),
        ("\nmember=0.0", ""),
        ("\nmember=0.0", "\nmember=1.0"),
        ("\nstate=RUNNING\npid=", "\nstate=STOPPED\npid="),
        ("\nautostart=yes", "\nautostart=maybe"),
        ("\nautostart=yes", "\nautostart"),
        ("\nstartsecs=", "\nstartseconds="),
        ("\nkind=group", "\nkind=herd"),
        ("\n[pool]", "\n[puddle]"),
    ];
    for (old, new) in edits {
        let mut edited = 0;
        for text in texts.iter().filter(|text| text.contains(old)) {
            let forged = resealed(&body_of(text).replacen(old, new, 1));
            assert!(Core::restore(&forged, NOW).is_err(), "{old:?} -> {new:?}");
            edited += 1;
        }
        assert!(edited > 0, "nothing to edit: {old:?}");
    }
}

/// The shell writes its sections behind those of the core, into one document.
#[test]
fn others_may_write_sections_of_their_own() {
    let world = after_some_turns(4);
    let mut to = Writer::new(world.now.mono);
    world.core.write_snapshot(&mut to);
    to.section("pipe");
    to.put("descriptor", &[&9_i32, &"held\u{0}back\n"]);
    let text = to.seal();
    let document = Document::read(&text, world.now.mono).unwrap();
    assert_eq!(Core::read_snapshot(&document).unwrap().snapshot(NOW), world.core.snapshot(NOW));
    let row: (i32, String) = document.one("pipe").unwrap().get("descriptor").unwrap();
    assert_eq!(row, (9, "held\u{0}back\n".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Cut anywhere, or with any byte changed, it is refused.
    #[test]
    fn damage_is_always_noticed(seed in 0_u64..20, place in any::<prop::sample::Index>(), flip in 1_u8..128) {
        let world = after_some_turns(seed);
        let text = world.core.snapshot(NOW);
        let cut = text.floor_char_boundary_at(place.index(text.len()));
        prop_assert!(Core::restore(&text[..cut], NOW).is_err());
        let mut bytes = text.clone().into_bytes();
        let at = place.index(bytes.len());
        bytes[at] ^= flip;
        let restored = String::from_utf8(bytes).ok().map(|text| Core::restore(&text, NOW).is_ok());
        prop_assert_ne!(restored, Some(true));
    }

    /// With its sum made right again, a damaged one is refused or gives a core that works: it never panics.
    #[test]
    fn forged_snapshots_never_panic(seed in 0_u64..20, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_u8..4), 1..4)) {
        let world = after_some_turns(seed);
        let text = world.core.snapshot(world.now.mono);
        let mut lines: Vec<&str> = body_of(&text).lines().collect();
        for (one, other, how) in edits {
            // Cut down to its first line, it has nothing left to edit.
            if lines.len() < 2 {
                break;
            }
            let (one, other) = (1 + one.index(lines.len() - 1), 1 + other.index(lines.len() - 1));
            match how {
                0 => drop(lines.remove(one)),
                1 => lines.insert(one, lines[other]),
                2 => lines.swap(one, other),
                _ => lines.truncate(one.max(2)),
            }
        }
        let forged = resealed(&format!("{}\n", lines.join("\n")));
        if let Ok(mut core) = Core::restore(&forged, world.now.mono) {
            let again = core.snapshot(world.now.mono);
            prop_assert_eq!(Core::restore(&again, world.now.mono).unwrap().snapshot(world.now.mono), again);
            let (mut machine, mut out) = (Obliging(1000), Outbox::new());
            core.tick(world.now, &mut machine, &mut out);
            core.handle(world.now, Input::ExitSignal("SIGTERM".to_owned()), &mut machine, &mut out);
            core.tick(world.now, &mut machine, &mut out);
        }
    }

    /// Whatever bytes a setting has, they come back.
    #[test]
    fn any_text_comes_back(command in any::<String>(), path in prop::collection::vec(any::<u8>(), 0..40)) {
        use std::os::unix::ffi::OsStringExt;
        let mut groups = strange_groups();
        let settings = std::sync::Arc::make_mut(&mut groups[0].processes[0]);
        settings.command = command;
        settings.stdout.file = LogFile::Path(std::ffi::OsString::from_vec(path).into());
        let core = Core::new(groups, "sim", 0, &mut Outbox::new());
        let restored = Core::restore(&core.snapshot(NOW), NOW).unwrap();
        prop_assert_eq!(restored.configured(), core.configured());
    }
}

fn after_some_turns(seed: u64) -> World {
    let mut world = World::new(seed, false);
    (0..TURNS).for_each(|_| world.turn());
    world
}

/// Everything before the last line.
fn body_of(text: &str) -> &str {
    &text[..text.rfind("end=").unwrap()]
}

/// A snapshot of this body, as its writer would have ended it.
fn resealed(body: &str) -> String {
    let sum = body
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{body}end={sum:016x}\n")
}

trait CharBoundary {
    fn floor_char_boundary_at(&self, index: usize) -> usize;
}

impl CharBoundary for str {
    fn floor_char_boundary_at(&self, index: usize) -> usize {
        (0..=index).rev().find(|at| self.is_char_boundary(*at)).unwrap()
    }
}

/// One group for each kind, with every setting that has more than one form.
fn strange_groups() -> Vec<GroupConfig> {
    let mut chance = Chance::new(1);
    let mut program = |name: &str| random_program(&mut chance, name.to_owned());
    let log = |file| ChannelConfig {
        file,
        maxbytes: -1,
        backups: 3,
        capture_maxbytes: 9,
        events_enabled: true,
        syslog: true,
    };
    let unix = Address::Unix { path: PathBuf::from("/run/a b.sock"), mode: 0o700, uid: Some(0), gid: None };
    let fcgi = |address, backlog| Some(FcgiSocket { section: "fcgi-program:f".to_owned(), address, backlog });
    let first = ProcessConfig {
        command: "sh -c 'echo \"\\t\"\n; 你好'\r".to_owned(),
        directory: Some(String::new()),
        umask: Some(0o22),
        user: Some(User { name: "nobody".to_owned(), uid: 65534, gid: 1 }),
        environment: vec![("A=B".to_owned(), "\\n".to_owned()), (String::new(), "=\t[end]".to_owned())],
        serverurl: Some("[core]".to_owned()),
        stdout: log(LogFile::Path("/var/log/x\ny.log".into())),
        stderr: log(LogFile::None),
        ..program("a")
    };
    let second = ProcessConfig { fcgi: fcgi(unix, None), stdout: log(LogFile::Auto), ..program("b") };
    let inet = Address::Inet { host: "[::1]".to_owned(), port: 9 };
    let third = ProcessConfig { fcgi: fcgi(inet, Some(5)), redirect_stderr: true, ..program("c") };
    let group = |name: &str, kind, processes: Vec<ProcessConfig>| GroupConfig {
        name: name.to_owned(),
        priority: -5,
        kind,
        processes: processes.into_iter().map(Into::into).collect(),
        sections: vec!["program:x".to_owned()],
    };
    let listening = |handler: &str| GroupKind::EventListener {
        events: vec!["EVENT".to_owned(), "TICK_5".to_owned()],
        buffer_size: 10,
        length_unit: LengthUnit::Bytes,
        result_handler: handler.to_owned(),
    };
    vec![
        group("one", GroupKind::Program, vec![first]),
        group("two", GroupKind::Group, vec![second, third]),
        group("ears", listening(DEFAULT_RESULT_HANDLER), vec![program("d")]),
        group("barred", listening("my.own:handler"), vec![program("e")]),
    ]
}
