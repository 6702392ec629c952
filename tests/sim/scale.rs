//! Scaling: whatever runs, only the processes that come or go are touched, the file wins at the next update, and a snapshot knows.

use std::collections::BTreeSet;

use proptest::prelude::*;
use supervisor_kit::config::{GroupConfig, GroupKind, ProcessConfig};
use supervisor_kit::core::{Action, Core, Input, Refusal, Reply, Request, State};

use crate::update::{Site, change_key, channel, program};

/// The group that a section with this `numprocs` makes.
fn section(process: &ProcessConfig, numprocs: usize) -> GroupConfig {
    let one = |number: usize| ProcessConfig { name: format!("p{number:02}"), ..process.clone() };
    GroupConfig {
        name: "p".into(),
        priority: process.priority,
        kind: GroupKind::Program,
        processes: (0..numprocs).map(one).map(Into::into).collect(),
        sections: vec!["program:p".into(); numprocs],
    }
}

fn scale(ticket: u64, process: &ProcessConfig, same: usize, wanted: usize) -> Input {
    Input::Request(
        ticket,
        Request::Scale { same: Box::new(section(process, same)), wanted: Box::new(section(process, wanted)) },
    )
}

fn stop(number: usize) -> Input {
    Input::Request(0, Request::Stop { name: format!("p:p{number:02}"), wait: true })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_the_difference_is_touched(
        process in program(), in_file in 0..6_usize, wanted in 0..9_usize, by_hand in prop::collection::btree_set(0..6_usize, 0..7),
    ) {
        let mut site = Site::new(section(&process, in_file));
        by_hand.iter().for_each(|number| site.handle(stop(*number)));
        let before = site.states();
        let was_up = if in_file == 0 { process.autostart } else { before.values().any(|(state, _)| state.is_active()) };
        site.replies.clear();
        site.left_running.clear();
        site.handle(scale(1, &process, in_file, wanted));
        prop_assert_eq!(&site.replies, &vec![Reply::Done]);
        let after = site.states();
        let names: BTreeSet<String> = section(&process, wanted).processes.iter().map(|one| one.name.clone()).collect();
        prop_assert_eq!(&after.keys().cloned().collect::<BTreeSet<_>>(), &names);
        for (name, now) in &after {
            match before.get(name) {
                Some(then) => {
                    prop_assert_eq!(then, now, "{} is touched", name);
                    prop_assert!(!site.left_running.contains(name), "{} left RUNNING", name);
                }
                None => prop_assert_eq!(now.0.is_active(), was_up, "{}", name),
            }
        }

        let text = site.core.snapshot(site.now.mono);
        let restored = Core::restore(&text, site.now.mono).unwrap();
        prop_assert_eq!(restored.snapshot(site.now.mono), text);
        prop_assert_eq!(restored.plan_update(), site.core.plan_update());

        // The file wins, says so before, and touches nothing but the difference either.
        let is_other = wanted != in_file;
        prop_assert_eq!(site.core.difference().changed.is_empty(), !is_other);
        for change in site.core.plan_update() {
            let comes_or_goes = matches!(change.action, Action::Start | Action::Stop);
            prop_assert_eq!(comes_or_goes, before.contains_key(&change.process) != after.contains_key(&change.process));
            prop_assert_eq!(change.keys, if comes_or_goes { vec!["numprocs"] } else { Vec::new() });
        }
        site.handle(Input::Request(2, Request::UpdateGroup("p".into())));
        let at_last = site.states();
        prop_assert_eq!(at_last.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        for (name, then) in after.iter().filter(|(name, _)| before.contains_key(*name)) {
            prop_assert_eq!(then, &at_last[name]);
        }
        let restored = Core::restore(&site.core.snapshot(site.now.mono), site.now.mono).unwrap();
        prop_assert!(restored.groups().iter().all(|group| !group.is_scaled));
    }

    #[test]
    fn what_would_restart_the_others_is_refused(
        process in program(), key in 0..21_u8, channel in channel(), in_file in 1..5_usize, wanted in 0..9_usize, depends in any::<bool>(),
    ) {
        let mut changed = process.clone();
        change_key(&mut changed, key, &channel);
        prop_assume!(!supervisor_kit::core::same_settings(&process, &changed));
        let mut site = Site::new(section(&process, in_file));
        let before = site.states();
        site.replies.clear();
        // Either the file has changed since, or the settings depend on the number.
        let same = Box::new(section(if depends { &process } else { &changed }, in_file));
        let is_shared = wanted > 0;
        site.handle(Input::Request(1, Request::Scale { same, wanted: Box::new(section(&changed, wanted)) }));
        let is_refused = matches!(site.replies[..], [Reply::Refused(Refusal::Failed(_))]);
        prop_assert_eq!(is_refused, !depends || is_shared, "{:?}", site.replies);
        if is_refused {
            prop_assert_eq!(site.states(), before);
        }
    }
}

#[test]
fn a_change_of_mind_answers_everybody_and_an_update_wins() {
    let process = crate::trace::blank_program();
    let mut site = Site::new(section(&process, 4));
    let before: Vec<_> = site.states().into_values().collect();
    site.replies.clear();
    for input in
        [scale(1, &process, 4, 2), scale(2, &process, 4, 3), Input::Request(3, Request::UpdateGroup("p".into()))]
    {
        site.core.handle(site.now, input, &mut site.machine, &mut site.out);
    }
    assert_eq!(site.core.processes().filter(|process| process.state() == State::Stopping).count(), 2);
    let text = site.core.snapshot(site.now.mono);
    site.core = Core::restore(&text, site.now.mono).unwrap();
    assert_eq!(site.core.snapshot(site.now.mono), text);
    // Those that were asked to stop do, and come back: the file has four.
    site.settle();
    assert_eq!(site.replies, [Reply::Done, Reply::Done, Reply::Done]);
    let after: Vec<_> = site.states().into_values().collect();
    assert_eq!(after.len(), 4);
    assert_eq!(after[..2], before[..2]);
    assert!(after[2..].iter().all(|(state, _)| state.is_active()), "{after:?}");
    assert!(site.core.difference().changed.is_empty());
}
