//! Event listeners that lie, stall, flood and die in the middle of a line: programs, clients and the good listener do not notice.

use crate::stage::{connect, installed, own_memory_kib, release_daemon, shared_machine};
use crate::world::World;

/// Each is subscribed to everything there is.
const BAD: [(&str, &str); 8] = [
    ("liar", "echo HELLO; exec sleep 1000"),
    ("boaster", "printf 'READY\\nRESULT 99999999999\\n'; exec yes"),
    ("minus", "printf 'READY\\nRESULT -5\\nOK'; exec sleep 1000"),
    ("staller", "printf 'READY\\n'; exec sleep 1000"),
    ("endless", "printf 'READY\\nRESULT '; exec tr '\\\\0' 1 </dev/zero"),
    ("flooder", "exec yes READY"),
    ("rejecter", "while :; do printf 'READY\\n'; read head; printf 'RESULT 4\\nFAIL'; done"),
    ("dying", "printf 'READY\\n'; read head; printf 'RES'"),
];

/// Notes the states that it is told of.
const GOOD: &str = "import sys\nfrom supervisor import childutils\nseen = open(sys.argv[1], 'a', buffering=1)\nwhile True:\n    \
    headers, payload = childutils.listener.wait()\n    \
    seen.write(headers['eventname'] + ' ' + payload.split(' ')[0] + '\\n')\n    childutils.listener.ok()\n";

const PROGRAMS: usize = 50;

/// What the queues and buffers of eight bad listeners may hold together: ten events each, which carry what a program wrote.
const GROWTH_KIB_MAX: u64 = 32 * 1024;
/// What may be left of that when they are stopped.
const LEFT_KIB_MAX: u64 = 2 * 1024;

fn config() -> String {
    let python = installed("target/stock/bin/python");
    let mut text = format!(
        "{{head}}\n[supervisord]\nminfds=2048\nloglevel=warn\n\
         [eventlistener:good]\ncommand={} {{dir}}/good.py {{dir}}/seen\nevents=PROCESS_STATE_RUNNING,PROCESS_STATE_EXITED\nbuffer_size=1000\n\
         [program:p]\ncommand=/bin/sh -c 'echo some words; exec sleep 0.2'\nprocess_name=p%(process_num)02d\nnumprocs={PROGRAMS}\n\
         autostart=false\nautorestart=false\nstartsecs=0\nstdout_events_enabled=true\n\
         [program:talker]\ncommand=/usr/bin/yes words and words and words\nautostart=false\nstdout_events_enabled=true\nstdout_logfile_maxbytes=1MB\n\
         stdout_logfile_backups=0\nstartsecs=0\n",
        python.display()
    );
    for (name, _) in BAD {
        text += &format!(
            "[eventlistener:{name}]\ncommand=/bin/sh {{dir}}/{name}.sh\nevents=EVENT\nstartsecs=0\nautorestart=true\n\
             stdout_logfile=NONE\nstderr_logfile=NONE\nautostart=false\n"
        );
    }
    text
}

#[test]
fn listeners_that_misbehave_delay_nobody() {
    let _turn = shared_machine();
    let mut world = release_daemon(&config());
    world.write("good.py", GOOD);
    for (name, script) in BAD {
        world.write(&format!("{name}.sh"), script);
    }
    wait_for_state(&mut world, "good", "RUNNING");
    let before_kib = own_memory_kib(&world);
    let mut connection = connect(&world);
    for name in BAD.map(|(name, _)| name).into_iter().chain(["talker"]) {
        connection.call("supervisor.startProcess", &[name.into()]).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
    for round in 1..=3 {
        assert!(connection.call("supervisor.startProcessGroup", &["p".into()]).is_ok());
        for event in ["PROCESS_STATE_RUNNING processname:p", "PROCESS_STATE_EXITED processname:p"] {
            let is_told = |world: &mut World| world.read("seen").matches(event).count() >= round * PROGRAMS;
            world.wait_for(&format!("the good listener to be told of every {event}"), is_told);
        }
        assert_eq!(connection.call("supervisor.getAPIVersion", &[]), Ok("3.0".into()));
    }
    assert_eq!(world.read("seen").matches("processname:p").count(), 3 * 2 * PROGRAMS, "told of something twice");
    let grown_kib = own_memory_kib(&world).saturating_sub(before_kib);
    println!("eight listeners that misbehave: {grown_kib} KiB more");
    assert!(grown_kib <= GROWTH_KIB_MAX, "{grown_kib} KiB");
    // The one that dies is started again and again, and the others can be stopped like any program.
    world.wait_for("all to be stopped", |world| {
        let _ = connect(world).call("supervisor.stopAllProcesses", &[]);
        let all = connect(world).call("supervisor.getAllProcessInfo", &[]).unwrap();
        all.as_array().unwrap().iter().all(|one| one.get("pid").unwrap().as_int() == Some(0))
    });
    world.wait_for("the memory to be given back", |world| own_memory_kib(world) <= before_kib + LEFT_KIB_MAX);
}

fn wait_for_state(world: &mut World, name: &str, state: &str) {
    world.wait_for(&format!("{name} to be {state}"), |world| {
        let info = connect(world).call("supervisor.getProcessInfo", &[name.into()]).unwrap();
        info.get("statename").unwrap().as_str() == Some(state)
    });
}
