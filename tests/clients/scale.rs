//! A thousand programs: the two questions that everybody asks are answered in full, and how long that takes beside stock is
//! printed, not judged: `make bench` measures on a quiet machine.

use std::fmt::Display;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::client::Connection;
use crate::stage::{connect, quiet_machine, with_release_binaries, world};
use crate::world::{Who, World};

const PROGRAMS: usize = 1000;
const CONFIG: &str = "{head}\n[supervisord]\nminfds=4096\n[program:sleeper]\ncommand=/bin/sleep infinity\nnumprocs=1000\n\
    process_name=%(program_name)s_%(process_num)04d\nstdout_logfile=NONE\nstderr_logfile=NONE\n";

/// The best of many counts: what comes on top is the other work of the machine.
const TRIES_OURS: usize = 100;
const TRIES_STOCK: usize = 3;

struct Measured {
    all_info: Duration,
    status: Duration,
}

#[test]
fn a_thousand_programs_are_answered_for_at_once() {
    let _turn = quiet_machine();
    let stock = measured(Who::Stock430, TRIES_STOCK);
    let ours = measured(Who::Ours, TRIES_OURS);
    let ratio = |stock: Duration, ours: Duration| stock.as_secs_f64() / ours.as_secs_f64();
    let report = |what: &dyn Display, stock, ours| {
        println!("{what} N={PROGRAMS}: ours {ours:.2?}, stock {stock:.1?}, {:.0} times faster", ratio(stock, ours));
    };
    report(&"getAllProcessInfo", stock.all_info, ours.all_info);
    report(&"supervisorctl status", stock.status, ours.status);
}

fn measured(who: Who, tries: usize) -> Measured {
    let mut world = world(who, CONFIG);
    if who == Who::Ours {
        with_release_binaries(&world);
    }
    world.start("-n -c supervisord.conf");
    world.wait_for("all programs", |world| all_info(&mut connect(world)).matches("RUNNING").count() == PROGRAMS);
    let mut connection = connect(&world);
    Measured {
        all_info: best_of(tries, || {
            let answer = all_info(&mut connection);
            assert!(answer.ends_with("</methodResponse>\n"));
        }),
        status: best_of(tries, || {
            let lines = status(&world);
            assert_eq!(lines, PROGRAMS);
        }),
    }
}

fn best_of(tries: usize, mut act: impl FnMut()) -> Duration {
    let took = (0..tries).map(|_| {
        let begin = Instant::now();
        act();
        begin.elapsed()
    });
    took.min().unwrap()
}

/// The answer as it comes, from the first byte sent to the last one received.
fn all_info(connection: &mut Connection) -> String {
    const BODY: &str = "<?xml version='1.0'?>\n<methodCall>\n<methodName>supervisor.getAllProcessInfo</methodName>\n\
        <params>\n</params>\n</methodCall>\n";
    connection.send(format!("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len()));
    String::from_utf8(connection.response().body).unwrap()
}

/// How many lines `supervisorctl status` prints.
fn status(world: &World) -> usize {
    let mut command = std::process::Command::new(world.path("bin/supervisorctl"));
    command.arg("-c").arg(world.path("supervisord.conf")).arg("status").stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout.iter().filter(|byte| **byte == b'\n').count()
}
