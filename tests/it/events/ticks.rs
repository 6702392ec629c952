//! TICK events, whatever the clock does.

use supervisor_kit::config::LengthUnit;
use supervisor_kit::core::Mono;

use super::kernel::{Stage, pool};

fn stage(events: &[&str]) -> Stage {
    let mut stage = Stage::new(vec![pool("l", events, 10, 1, LengthUnit::Characters)]);
    stage.say(1, "READY\n");
    stage
}

/// What was sent; the listener is ready again.
fn whens(stage: &mut Stage) -> Vec<String> {
    stage.say(1, "RESULT 2\nOKREADY\n");
    let text = |text: String| text.split_once("eventname:").map_or(String::new(), |(_, rest)| rest.replace('\n', " "));
    std::mem::take(&mut stage.desk.sent).into_iter().map(|(_, sent)| text(sent)).collect()
}

#[test]
fn no_timer_runs_unless_somebody_subscribes() {
    assert_eq!(stage(&["PROCESS_COMMUNICATION"]).core.next_deadline(), None);
}

#[test]
fn the_first_comes_with_the_next_boundary() {
    let mut stage = stage(&["TICK_5"]);
    // It is half past 1,000,000,001: three and a half seconds to go, however long ago the timer was set.
    let due = stage.core.next_deadline().unwrap();
    let rest = due.0 - 1_000_000_000;
    assert!((3_499_000_000..=3_500_000_000).contains(&rest), "{rest}");
    stage.now.mono = due;
    (stage.now.wall_secs, stage.now.wall_nanos) = (1_000_000_005, 0);
    stage.tick();
    assert_eq!(whens(&mut stage), ["TICK_5 len:15 when:1000000005"]);
    assert_eq!(stage.core.next_deadline(), Some(Mono(due.0 + 5_000_000_000)));
}

#[test]
fn a_clock_that_is_behind_its_timer_is_waited_for() {
    let mut stage = stage(&["TICK_5"]);
    stage.now.mono = stage.core.next_deadline().unwrap();
    (stage.now.wall_secs, stage.now.wall_nanos) = (1_000_000_004, 999_000_000);
    stage.tick();
    assert_eq!(stage.desk.sent, []);
    assert_eq!(stage.core.next_deadline(), Some(Mono(stage.now.mono.0 + 1_000_000)));
}

#[test]
fn a_jump_of_the_clock_gives_one_tick() {
    let mut stage = stage(&["TICK_60"]);
    stage.now.wall_secs += 1_000_000;
    stage.pass(1);
    assert_eq!(whens(&mut stage), ["TICK_60 len:15 when:1000999980"]);
    stage.now.wall_secs -= 2_000_000;
    stage.pass(1);
    assert_eq!(whens(&mut stage), ["TICK_60 len:14 when:999000000"]);
    stage.pass(1);
    assert_eq!(stage.desk.sent, []);
}

#[test]
fn an_hour() {
    let mut stage = stage(&["TICK"]);
    stage.pass(3600);
    // All three periods have begun; the listener gets one event after the other.
    let all: Vec<String> = [whens(&mut stage), whens(&mut stage), whens(&mut stage)].concat();
    let wanted =
        ["TICK_5 len:15 when:1000003600", "TICK_60 len:15 when:1000003560", "TICK_3600 len:15 when:1000000800"];
    assert_eq!(all, wanted);
}
