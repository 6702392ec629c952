//! Which listener gets which event, and when.

use supervisor_kit::config::{GroupConfig, LengthUnit};
use supervisor_kit::core::pool::{REDELIVERY_SECS_MAX, START_BURST_BYTES_MAX};
use supervisor_kit::core::{ExitStatus, Input};

use super::kernel::{Stage, pool};

const OK: &str = "RESULT 2\nOKREADY\n";
const FAIL: &str = "RESULT 4\nFAILREADY\n";

fn remote(name: &str, buffer_size: i64, members: usize) -> GroupConfig {
    pool(name, &["REMOTE_COMMUNICATION"], buffer_size, members, LengthUnit::Characters)
}

fn pairs(sent: &[(i32, &str)]) -> Vec<(i32, String)> {
    sent.iter().map(|(pid, data)| (*pid, (*data).to_owned())).collect()
}

#[test]
fn the_first_ready_member_gets_the_oldest_event() {
    let mut stage = Stage::new(vec![remote("l", 10, 2)]);
    ["a", "b", "c"].iter().for_each(|data| stage.send(data));
    assert_eq!(stage.sent(), []);
    stage.say(2, "READY\n");
    assert_eq!(stage.sent(), pairs(&[(2, "a")]));
    stage.say(1, "READY\n");
    assert_eq!(stage.sent(), pairs(&[(1, "b")]));
    stage.say(2, OK);
    assert_eq!(stage.sent(), pairs(&[(2, "c")]));
    stage.say(2, OK);
    stage.say(1, OK);
    stage.send("d");
    assert_eq!(stage.sent(), pairs(&[(1, "d")]));
}

#[test]
fn the_length_counts_what_the_section_says() {
    for (unit, len) in [(LengthUnit::Characters, 11), (LengthUnit::Bytes, 13)] {
        let mut stage = Stage::new(vec![pool("l", &["REMOTE_COMMUNICATION"], 10, 1, unit)]);
        stage.say(1, "READY\n");
        stage.send("d\u{e1}t\u{e1}");
        let header =
            format!("ver:3.0 server:here serial:0 pool:l poolserial:0 eventname:REMOTE_COMMUNICATION len:{len}");
        assert_eq!(stage.desk.sent[0].1, format!("{header}\ntype:k\nd\u{e1}t\u{e1}"));
    }
}

#[test]
fn a_rejected_event_comes_again_at_once_and_then_ever_later_while_others_pass() {
    let mut stage = Stage::new(vec![remote("l", 10, 1)]);
    stage.say(1, "READY\n");
    stage.send("bad");
    assert_eq!(stage.sent(), pairs(&[(1, "bad")]));
    stage.say(1, FAIL);
    assert_eq!(stage.sent(), pairs(&[(1, "bad")]), "the first time at once");
    let mut wait_secs = 1;
    while wait_secs < 2 * REDELIVERY_SECS_MAX {
        stage.say(1, FAIL);
        assert_eq!(stage.sent(), [], "after {wait_secs} s");
        stage.send("good");
        assert_eq!(stage.sent(), pairs(&[(1, "good")]), "nothing is held up");
        stage.say(1, OK);
        let due = stage.core.next_deadline().unwrap();
        assert_eq!(due, stage.now.mono.plus_secs(wait_secs.min(REDELIVERY_SECS_MAX)));
        stage.pass(wait_secs.min(REDELIVERY_SECS_MAX));
        assert_eq!(stage.sent(), pairs(&[(1, "bad")]));
        wait_secs *= 2;
    }
    stage.say(1, OK);
    assert_eq!((stage.sent(), stage.core.next_deadline()), (Vec::new(), None));
}

#[test]
fn an_event_whose_listener_ends_or_breaks_the_protocol_goes_to_the_next() {
    for breach in ["junk\n", "RESULT x\n"] {
        let mut stage = Stage::new(vec![remote("l", 10, 2)]);
        stage.say(1, "READY\n");
        stage.say(2, "READY\n");
        stage.send("a");
        assert_eq!(stage.sent(), pairs(&[(1, "a")]));
        stage.say(1, breach);
        assert_eq!(stage.sent(), pairs(&[(2, "a")]));
        stage.handle(Input::Exited(2, ExitStatus::Code(1)));
        stage.pass(2);
        stage.pass(0);
        // Pid 3 is the second listener's next run: it has to say READY first, and what the old run said counts no more.
        stage.say(2, "READY\n");
        assert_eq!(stage.sent(), []);
        stage.say(3, "READY\n");
        assert_eq!(stage.sent(), pairs(&[(3, "a")]));
    }
}

#[test]
fn a_rejection_stays_in_its_pool() {
    let mut stage = Stage::new(vec![remote("l", 10, 1), remote("m", 10, 1)]);
    stage.say(1, "READY\n");
    stage.say(2, "READY\n");
    stage.send("a");
    assert_eq!(stage.sent(), pairs(&[(1, "a"), (2, "a")]));
    stage.say(1, FAIL);
    stage.say(2, OK);
    assert_eq!(stage.sent(), pairs(&[(1, "a")]));
}

#[test]
fn overlapping_names_deliver_once() {
    let events = ["EVENT", "REMOTE_COMMUNICATION"];
    let mut stage = Stage::new(vec![pool("l", &events, 50, 1, LengthUnit::Characters)]);
    stage.say(1, "READY\n");
    stage.send("once");
    while stage.core.look_into_pool("l").unwrap().members[0].1.is_some() {
        stage.say(1, OK);
    }
    assert_eq!(stage.sent().iter().filter(|(_, data)| data == "once").count(), 1);
}

#[test]
fn an_overflow_discards_the_oldest_and_says_what_helps() {
    let mut stage = Stage::new(vec![remote("l", 2, 1)]);
    stage.say(1, "READY\n");
    ["a", "b", "c", "d", "e"].iter().for_each(|data| stage.send(data));
    assert_eq!(stage.core.look_into_pool("l").unwrap().waiting, [3, 4]);
    let of_pool: Vec<&String> = stage.log.iter().filter(|line| line.contains("pool l")).collect();
    let text = "ERRO pool l event buffer overflowed, discarding event";
    assert_eq!(of_pool[0], &format!("{text} 1"));
    let advice = "WARN pool l has discarded 1 event by now: raise buffer_size=2 of [eventlistener:l], or give it more \
                  processes with numprocs";
    assert_eq!(of_pool[1], advice);
    assert_eq!(of_pool[2..], [&format!("{text} 2")]);
}

#[test]
fn the_burst_of_a_start_is_kept_up_to_a_limit() {
    let mut stage = Stage::new(vec![remote("l", 2, 1)]);
    let data = "x".repeat(START_BURST_BYTES_MAX / 100);
    (0..200).for_each(|_| stage.send(&data));
    let waiting = stage.core.look_into_pool("l").unwrap().waiting.len();
    assert!((90..100).contains(&waiting), "{waiting}");
    stage.say(1, "READY\n");
    (0..waiting).for_each(|_| stage.say(1, OK));
    assert_eq!(stage.sent().len(), waiting);
    ["a", "b", "c", "d"].iter().for_each(|data| stage.send(data));
    stage.say(1, "junk");
    assert_eq!(stage.core.look_into_pool("l").unwrap().waiting.len(), 2, "from now on buffer_size counts");
}

#[test]
fn a_listener_without_stdin_is_passed_over_until_its_next_start() {
    let mut stage = Stage::new(vec![remote("l", 10, 2)]);
    let (first, second) = (stage.core.groups()[0].members[0], stage.core.groups()[0].members[1]);
    stage.desk.deaf.extend([first, second]);
    stage.say(1, "READY\n");
    stage.send("a");
    assert!(stage.log.iter().any(|line| line.contains("epipe occurred while sending event 0 to listener l0")));
    assert_eq!(stage.core.next_deadline(), None, "no hot loop");
    stage.desk.deaf.remove(&second);
    stage.say(2, "READY\n");
    assert_eq!(stage.sent(), pairs(&[(2, "a")]));
}

#[test]
fn serials_go_on_after_the_largest() {
    use supervisor_kit::core::{Core, Outbox};
    let mut out = Outbox::new();
    let groups = vec![pool("l", &["SUPERVISOR_STATE_CHANGE", "PROCESS_GROUP"], 10, 1, LengthUnit::Characters)];
    let core = Core::new(groups, "here", i64::MAX as u64, &mut out);
    assert_eq!(core.look_into_pool("l").unwrap().waiting, [i64::MAX as u64, 0]);
    assert_eq!(core.next_serial(), 1);
}

#[test]
fn a_payload_tells_of_the_moment_of_its_event() {
    let running = pool("l", &["PROCESS_STATE_RUNNING"], 10, 1, LengthUnit::Characters);
    let mut stage = Stage::new(vec![running, remote("m", 10, 1)]);
    stage.handle(Input::Exited(2, ExitStatus::Code(1)));
    stage.pass(2);
    stage.pass(0);
    stage.say(1, "READY\n");
    (0..3).for_each(|_| stage.say(1, OK));
    let told: Vec<String> =
        stage.desk.sent.iter().map(|(_, text)| text.split_once('\n').unwrap().1.to_owned()).collect();
    let running =
        |process: &str, pid: i32| format!("processname:{process}0 groupname:{process} from_state:STARTING pid:{pid}");
    assert_eq!(told, [running("l", 1), running("m", 2), running("m", 3)]);
}
