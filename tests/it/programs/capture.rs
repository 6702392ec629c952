//! Messages between tokens in the output.

use std::fs;

use proptest::prelude::*;
use supervisor_kit::core::event::{Channel, Event, Written};
use supervisor_kit::logs::Filter;
use supervisor_kit::logs::capture::{BEGIN, Capture, END, Piece};

use crate::daemon::fixture::{Daemon, Site, wait_until};

/// What became of a stream: text, parts of messages, messages, and how many bytes the end cut off.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    text: Vec<u8>,
    captured: Vec<u8>,
    messages: Vec<Vec<u8>>,
    unfinished: Option<usize>,
}

impl Outcome {
    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Text(bytes) => self.text.extend(bytes),
            Piece::Captured(bytes) => self.captured.extend(bytes),
            Piece::Message(bytes) => self.messages.push(bytes),
            Piece::Unfinished(count) => self.unfinished = Some(count),
        }
    }
}

fn outcome<'a>(reads: impl IntoIterator<Item = &'a [u8]>, bytes_max: usize) -> Outcome {
    let mut capture = Capture::new(bytes_max);
    let mut outcome = Outcome::default();
    for read in reads {
        capture.feed(read, &mut |piece| outcome.take(piece));
    }
    capture.finish(&mut |piece| outcome.take(piece));
    outcome
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn messages_are_taken_out_of_the_text() {
    let stream = joined(&[b"a", BEGIN, b"one", END, b"b", BEGIN, END, END, b"c", BEGIN, b"cut off <!--"]);
    let expected = Outcome {
        text: joined(&[b"ab", END, b"c"]),
        captured: b"onecut off <!--".to_vec(),
        messages: vec![b"one".to_vec(), Vec::new()],
        unfinished: Some(12),
    };
    for size in 1..=stream.len() {
        assert_eq!(outcome(stream.chunks(size), 1000), expected, "reads of {size} bytes");
    }
}

#[test]
fn the_buffer_keeps_the_end_of_a_long_message() {
    let stream = joined(&[BEGIN, b"0123456789", END]);
    for size in 1..=stream.len() {
        assert_eq!(outcome(stream.chunks(size), 4).messages, [b"6789"], "reads of {size} bytes");
    }
}

#[test]
fn what_only_began_like_a_token_is_text_at_the_end() {
    for length in 1..BEGIN.len() {
        let stream = joined(&[b"text", &BEGIN[..length]]);
        assert_eq!(outcome([&stream[..]], 10).text, stream);
    }
}

#[test]
fn colours_are_stripped_from_messages_too() {
    let stream = joined(&[b"\x1b[1mbold\x1b[0m", BEGIN, b"\x1b[31mred\x1b[0m", END, b"\x1b"]);
    let mut filter = Filter::new(100, true);
    let mut outcome = Outcome::default();
    filter.feed(&stream, &mut |piece| outcome.take(piece));
    filter.finish(&mut |piece| outcome.take(piece));
    assert_eq!((outcome.text, outcome.messages), (b"bold\x1b".to_vec(), vec![b"red".to_vec()]));
}

/// Pieces from which streams with whole, broken and nested tokens are made.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(BEGIN.to_vec()),
        Just(END.to_vec()),
        (0..BEGIN.len()).prop_map(|count| BEGIN[..count].to_vec()),
        (0..END.len()).prop_map(|count| END[..count].to_vec()),
        proptest::collection::vec(prop_oneof![Just(b'<'), Just(b'!'), any::<u8>()], 0..6),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn how_the_reads_fall_makes_no_difference(
        stream in stream(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        bytes_max in 1_usize..40,
    ) {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        places.extend([0, stream.len()]);
        places.sort_unstable();
        let reads = places.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
        let cut = outcome(reads, bytes_max);
        prop_assert_eq!(&cut, &outcome([&stream[..]], bytes_max));
        // Nothing is lost: what is neither token nor text was captured.
        let tokens = cut.messages.len() * (BEGIN.len() + END.len()) + cut.unfinished.map_or(0, |_| BEGIN.len());
        prop_assert_eq!(cut.text.len() + cut.captured.len() + tokens, stream.len());
    }
}

#[test]
fn payloads_are_those_of_supervisor() {
    let written =
        |channel, data: &[u8]| Written { process: "p".into(), group: "g".into(), pid: 7, channel, data: data.to_vec() };
    let event = Event::ProcessLog(written(Channel::Stderr, "größe\n".as_bytes()));
    assert_eq!(event.kind().name(), "PROCESS_LOG_STDERR");
    assert_eq!(event.payload(), "processname:p groupname:g pid:7 channel:stderr\ngröße\n");
    let event = Event::ProcessCommunication(written(Channel::Stdout, b"\x88\n"));
    assert_eq!(event.kind().name(), "PROCESS_COMMUNICATION_STDOUT");
    assert_eq!(event.payload(), "processname:p groupname:g pid:7\nUndecodable: b'\\x88\\n'");
}

#[test]
fn captured_bytes_go_to_no_file_and_listeners_are_told() {
    let site = Site::new(
        "[supervisord]\nloglevel=blather\n\
         [program:p]\ncommand=sh %(here)s/talk\nstartsecs=0\nautorestart=false\nstdout_capture_maxbytes=1KB\nstderr_capture_maxbytes=1KB\n\
         stdout_events_enabled=true\nstderr_events_enabled=true\nstdout_logfile=%(here)s/out\nstderr_logfile=%(here)s/err\n\
         [program:q]\ncommand=sh %(here)s/talk\nstartsecs=0\nautorestart=false\nstdout_logfile=%(here)s/q.out\nstderr_logfile=NONE\n\
         [eventlistener:l]\ncommand=sh %(here)s/listen\nevents=PROCESS_LOG,PROCESS_COMMUNICATION\nstderr_logfile=%(here)s/told\n",
    );
    fs::write(
        site.path("talk"),
        "printf 'before<!--XSUPERV'; sleep 0.2; printf 'ISOR:BEGIN-->secret<!--XSUPERVISOR:END-->after<!--XSUP'\n\
         printf '<!--XSUPERVISOR:BEGIN-->oops<!--XSUPERVISOR:END-->' >&2\n\
         printf '<!--XSUPERVISOR:BEGIN-->never ended' >&2\n",
    )
    .unwrap();
    fs::write(
        site.path("listen"),
        "while printf 'READY\\n' && read -r header; do\n\
         echo \"$header\" >&2; head -c \"${header##*len:}\" >&2; echo >&2; printf 'RESULT 2\\nOK'; done\n",
    )
    .unwrap();
    let daemon = Daemon::start_in(site);
    daemon.wait_for_state("p", "EXITED");
    assert_eq!(daemon.site.read("out"), "beforeafter<!--XSUP");
    assert_eq!(daemon.site.read("err"), "");
    daemon.wait_for_state("q", "EXITED");
    let all = "before<!--XSUPERVISOR:BEGIN-->secret<!--XSUPERVISOR:END-->after<!--XSUP";
    assert_eq!(daemon.site.read("q.out"), all, "capture mode is off");
    let log = daemon.log();
    for line in [
        "DEBG 'p' stdout output:\nbefore\n",
        "DEBG 'p' stdout output:\nsecret\n",
        "DEBG 'p' stdout emitted a comm event\n",
        "DEBG 'p' stderr emitted a comm event\n",
        "WARN 'p' stderr ended inside a message: 11 bytes are dropped\n",
    ] {
        assert!(log.contains(line), "{line}{log}");
    }
    assert!(!log.contains("'q' stdout emitted"));
    wait_until("the listener was told", || {
        let told = daemon.site.read("told");
        let has = |name: &str, text: &str| told.contains(name) && told.contains(text);
        has("eventname:PROCESS_LOG_STDOUT ", " channel:stdout\nsecret\n")
            && has("eventname:PROCESS_COMMUNICATION_STDOUT", "\nsecret\n")
            && has("eventname:PROCESS_LOG_STDERR", " channel:stderr\noops\n")
            && has("eventname:PROCESS_COMMUNICATION_STDERR", "\noops\n")
    });
}
