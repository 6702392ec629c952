//! Thousands of programs that end at once leave nothing behind.

use std::fs;

use supervisor_kit::xmlrpc::Value;

use crate::daemon::fixture::{Daemon, children_of, descriptors, settled_descriptors, wait_until};

const PROGRAMS: usize = 200;
const ROUNDS: usize = 50;
const GROWTH_KIB_MAX: u64 = 1024;

/// What a process holds at rest in memory beside files, in KiB: after a second of quiet it gives some back.
fn own_memory_kib(pid: i32) -> u64 {
    std::thread::sleep(std::time::Duration::from_secs(3));
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Starts them all and waits until all have ended.
fn round(daemon: &Daemon) {
    daemon.ask("startProcessGroup", &["t".into(), false.into()]);
    wait_until("all have ended", || {
        let infos = daemon.ask("getAllProcessInfo", &[]);
        let is_over = |info: &Value| info.get("statename").and_then(Value::as_str) == Some("EXITED");
        infos.as_array().unwrap().iter().all(is_over)
    });
}

#[test]
fn ten_thousand_exits_leave_no_zombie_no_descriptor_and_no_memory() {
    let daemon = Daemon::start(&format!(
        "[supervisord]\nminfds=4096\nlogfile_maxbytes=0\n[program:t]\ncommand=/bin/true\nprocess_name=t%(process_num)03d\nnumprocs={PROGRAMS}\n\
         startsecs=0\nautorestart=false\nautostart=false\nstdout_logfile=%(here)s/out\nstderr_logfile=NONE\n"
    ));
    // Twice, so that every buffer has found its size.
    round(&daemon);
    round(&daemon);
    let (memory, files) = (own_memory_kib(daemon.pid()), settled_descriptors(daemon.pid()));
    for _ in 0..ROUNDS {
        round(&daemon);
    }
    assert_eq!(daemon.log().matches("exited: t").count(), (ROUNDS + 2) * PROGRAMS);
    wait_until("everything is closed again", || descriptors(daemon.pid()) == files);
    assert_eq!(children_of(daemon.pid()), Vec::<i32>::new());
    let growth = own_memory_kib(daemon.pid()).saturating_sub(memory);
    println!("own memory before {memory} KiB, growth after {} exits {growth} KiB", ROUNDS * PROGRAMS);
    assert!(growth <= GROWTH_KIB_MAX, "{growth} KiB");
}
