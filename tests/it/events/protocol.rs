//! What a listener may say, and what comes of it.

use proptest::prelude::*;
use supervisor_kit::config::event_listener::EVENT_TYPES;
use supervisor_kit::core::listener::{Heard, Listener, ListenerState, RESULT_LINE_BYTES_MAX};
use supervisor_kit::core::{EventKind, EventSet};

/// What comes of `parts`, said one after the other; an event is sent whenever that is possible before the first part.
fn heard(is_busy: bool, parts: &[&[u8]]) -> (Vec<Heard>, ListenerState) {
    let mut listener = Listener::default();
    let mut heard = Vec::new();
    if is_busy {
        listener.feed(b"READY\n", &mut |_| {});
        listener.sent();
    }
    parts.iter().for_each(|part| listener.feed(part, &mut |one| heard.push(one)));
    (heard, listener.state())
}

fn bad(line: &str) -> Heard {
    Heard::BadResultLine(line.as_bytes().to_vec())
}

#[test]
fn a_greeting() {
    use ListenerState::{Acknowledged, Ready, Unknown};
    let out_of_turn = |state| vec![Heard::OutOfTurn(state)];
    for (said, wanted, state) in [
        ("", vec![], Acknowledged),
        ("READY", vec![], Acknowledged),
        ("JUNK", vec![], Acknowledged),
        ("READY\n", vec![Heard::Ready], Ready),
        ("READY\nx", vec![Heard::Ready, Heard::OutOfTurn(Ready)], Unknown),
        ("READY!", out_of_turn(Acknowledged), Unknown),
        ("\nREADY\n", out_of_turn(Acknowledged), Unknown),
        ("READY\r\nREADY\n", out_of_turn(Acknowledged), Unknown),
    ] {
        assert_eq!(heard(false, &[said.as_bytes()]), (wanted, state), "{said:?}");
    }
}

#[test]
fn a_result() {
    use ListenerState::{Acknowledged, Busy, Ready, Unknown};
    for (said, wanted, state) in [
        ("RESULT 2", vec![], Busy),
        ("RESULT 2\nO", vec![], Busy),
        ("RESULT 2\nOK", vec![Heard::Processed], Acknowledged),
        ("RESULT 2\nOKREADY\n", vec![Heard::Processed, Heard::Ready], Ready),
        ("RESULT 2\nOK\nREADY\n", vec![Heard::Processed, Heard::OutOfTurn(Acknowledged)], Unknown),
        ("RESULT 4\nFAIL", vec![Heard::Rejected], Acknowledged),
        ("RESULT 2\nKO", vec![Heard::Rejected], Acknowledged),
        ("RESULT 3\nOKK", vec![Heard::Rejected], Acknowledged),
        ("RESULT 1\nO", vec![Heard::Rejected], Acknowledged),
        // Complete with its line; Supervisor waits for another byte.
        ("RESULT 0\n", vec![Heard::Rejected], Acknowledged),
        ("RESULT  +2 \nOK", vec![Heard::Processed], Acknowledged),
        ("RESULT 2\r\nOK", vec![Heard::Processed], Acknowledged),
        ("RESULT -1\nOK", vec![bad("RESULT -1")], Unknown),
        ("RESULT two\nOK", vec![bad("RESULT two")], Unknown),
        ("RESULT \n", vec![bad("RESULT ")], Unknown),
        ("\n", vec![bad("")], Unknown),
        // Supervisor takes any seven characters for RESULT.
        ("RUBBISH2\nOK", vec![bad("RUBBISH2")], Unknown),
        ("result 2\nOK", vec![bad("result 2")], Unknown),
    ] {
        assert_eq!(heard(true, &[said.as_bytes()]), (wanted, state), "{said:?}");
    }
}

#[test]
fn a_line_without_end_is_a_bad_one() {
    let longest = format!("RESULT {:>1$}\nOK", 2, RESULT_LINE_BYTES_MAX - 7);
    assert_eq!(heard(true, &[longest.as_bytes()]).0, [Heard::Processed]);
    let longer = format!("RESULT {:>1$}\nOK", 2, RESULT_LINE_BYTES_MAX - 6);
    let (said, state) = heard(true, &[longer.as_bytes()]);
    assert!(matches!(&said[..], [Heard::BadResultLine(line)] if line.len() == RESULT_LINE_BYTES_MAX), "{said:?}");
    assert_eq!(state, ListenerState::Unknown);
}

#[test]
fn nothing_is_heard_any_more_after_a_breach() {
    let (said, state) = heard(true, &[b"junk\n", b"READY\n", b"RESULT 2\nOK"]);
    assert_eq!((said, state), (vec![bad("junk")], ListenerState::Unknown));
}

#[test]
fn a_huge_result_is_awaited_without_keeping_it() {
    let flood = vec![b'O'; 1 << 20];
    let (said, state) = heard(true, &[b"RESULT 2097153\n", &flood, &flood, b"K", b"READY\n"]);
    assert_eq!((said, state), (vec![Heard::Rejected, Heard::Ready], ListenerState::Ready));
}

/// Bytes of the protocol more often than others.
fn speech() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just(b"READY\n".to_vec()),
        Just(b"RESULT 2\nOK".to_vec()),
        Just(b"RESULT 4\nFAIL".to_vec()),
        Just(b"RESULT ".to_vec()),
        "[0-9 \n]{0,4}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(word, 0..8).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn splits_change_nothing(is_busy: bool, said in speech(), cuts in prop::collection::vec(0usize..80, 0..6)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(said.len())).collect();
        cuts.extend([0, said.len()]);
        cuts.sort_unstable();
        let parts: Vec<&[u8]> = cuts.windows(2).map(|cut| &said[cut[0]..cut[1]]).collect();
        prop_assert_eq!(heard(is_busy, &parts), heard(is_busy, &[&said]));
    }
}

#[test]
fn names_stand_for_what_begins_like_them() {
    let count = |name: &str| EventKind::ALL.into_iter().filter(|kind| EventSet::named(name).has(*kind)).count();
    for (name, wanted) in [
        ("EVENT", 20),
        ("PROCESS_STATE", 8),
        ("PROCESS_COMMUNICATION", 2),
        ("PROCESS_LOG", 2),
        ("PROCESS_GROUP", 2),
        ("SUPERVISOR_STATE_CHANGE", 2),
        ("TICK", 3),
        ("TICK_5", 1),
        ("REMOTE_COMMUNICATION", 1),
        ("PROCESS_STATE_STOPPED", 1),
        ("PROCESS", 14),
        ("", 0),
        ("tick", 0),
    ] {
        // Names that no configuration may hold are not asked for; they stand for whatever begins like them.
        assert!(count(name) == wanted || !EVENT_TYPES.contains(&name), "{name}: {}", count(name));
    }
    for name in EVENT_TYPES {
        assert!(count(name) > 0, "{name} stands for nothing");
    }
    for kind in EventKind::ALL {
        assert!(EVENT_TYPES.contains(&kind.name()), "nobody can subscribe to {}", kind.name());
        assert!(EventSet::named(kind.name()).has(kind));
    }
}
