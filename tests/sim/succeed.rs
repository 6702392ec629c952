//! Taking the place of another supervisor: what it says of its processes, and what follows from that.

use supervisor_kit::config::{GroupConfig, GroupKind};
use supervisor_kit::core::{Core, Mono, Now, Outbox, Process, Report, State};

use crate::trace::blank_program;

const NOW: Now = Now { mono: Mono(1_000_000_000_000), wall_secs: 5_000, wall_nanos: 0 };

/// A core with one process of which this is said, and that has gone through a snapshot, as every record does.
fn succeeded(state: State, exit_status: i32) -> Process {
    let mut config = blank_program();
    (config.startsecs, config.stopwaitsecs, config.autostart) = (30, 7, true);
    let (name, kind) = (config.name.clone(), GroupKind::Program);
    let group =
        GroupConfig { name: name.clone(), priority: 1, kind, processes: vec![config.into()], sections: vec![name] };
    let mut out = Outbox::new();
    let mut core = Core::new(vec![group], "it", 0, &mut out);
    let id = core.processes().next().unwrap().id;
    let (start_wall_secs, stop_wall_secs, spawn_error) = (4_990, 4_000, String::new());
    let report = Report { state, pid: 9, start_wall_secs, stop_wall_secs, exit_status, spawn_error };
    core.succeed(NOW, id, &report, &mut out);
    let core = Core::restore(&core.snapshot(NOW.mono), NOW.mono).unwrap();
    assert_eq!(core.running().len(), usize::from(state.is_signallable()));
    core.process(id).unwrap().clone()
}

#[test]
fn deadlines_go_by_what_is_known() {
    let due = |state| succeeded(state, 0).deadline();
    assert_eq!(due(State::Starting), Some(NOW.mono.plus_secs(20).next()), "ten of thirty seconds are over");
    assert_eq!(due(State::Stopping), Some(NOW.mono.plus_secs(7)));
    assert_eq!(due(State::Running), None);
    assert_eq!(due(State::Stopped), None, "nobody starts what somebody stopped");
    assert_eq!(due(State::Fatal), None);
    assert_eq!(due(State::Backoff), Some(NOW.mono.plus_secs(1)));
}

#[test]
fn what_has_ended_has_no_pid_and_an_exit_status() {
    let told = |state| {
        let process = succeeded(state, 3);
        (process.pid(), process.exit_status(), process.state())
    };
    assert_eq!(told(State::Running), (9, None, State::Running));
    assert_eq!(told(State::Exited), (0, Some(3), State::Exited));
}
