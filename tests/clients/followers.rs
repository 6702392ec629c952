//! A hundred clients follow one busy log that rotates: nobody misses a line; what the writer notices is printed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::stage::{connect, installed, quiet_machine, release_daemon};
use crate::world::World;

const FOLLOWERS: usize = 100;
const LINES: usize = 20_000;

/// Waits for no answer, as busy programs do: 100 lines, a short rest, and so on; then says how long its writes took.
const WRITER: &str = "import sys, time\nblocked = 0\nfor start in range(1, 20001, 100):\n    \
    text = ''.join('line %06d of a program with very much to say just now\\n' % n for n in range(start, start + 100))\n    \
    before = time.perf_counter()\n    sys.stdout.write(text)\n    sys.stdout.flush()\n    \
    blocked += time.perf_counter() - before\n    time.sleep(0.005)\n\
    print('%.6f' % blocked, file=sys.stderr)\n";

const CONFIG: &str = "{head}\n[supervisord]\nminfds=1024\n[program:writer]\nstartsecs=0\nautorestart=false\nautostart=false\n\
    command={python} {dir}/writer.py\nstderr_logfile={dir}/blocked\n\
    stdout_logfile={dir}/busy.log\nstdout_logfile_maxbytes=200KB\nstdout_logfile_backups=20\n";

#[test]
fn a_hundred_followers_get_every_line() {
    let _turn = quiet_machine();
    let python = installed("target/stock/bin/python").display().to_string();
    let mut world = release_daemon(&CONFIG.replace("{python}", &python));
    world.write("writer.py", WRITER);
    let alone = written(&mut world);
    let followers: Vec<Receiver<String>> = (0..FOLLOWERS).map(|_| follow(&world)).collect();
    // Each begins with the end of what is there, and follows from then on.
    followers.iter().for_each(|lines| assert!(lines.iter().any(|line| line == last_line())));
    let followed = written(&mut world);
    for (number, lines) in followers.into_iter().enumerate() {
        let got: Vec<String> = lines.iter().take(LINES).collect();
        let lost = (1..=LINES).zip(&got).find(|(number, line)| **line != numbered(*number));
        assert!(
            got.len() == LINES && lost.is_none(),
            "follower {number} got {} lines, wrong from {lost:?} on",
            got.len()
        );
    }
    let blocked: Vec<String> = world.read("blocked").lines().map(|secs| format!("{secs} s")).collect();
    println!(
        "{LINES} lines: {alone:.2?} alone, {followed:.2?} with {FOLLOWERS} followers; in write(): {}",
        blocked.join(", ")
    );
}

/// Lets the writer write everything; how long that took.
fn written(world: &mut World) -> Duration {
    let begin = Instant::now();
    connect(world).call("supervisor.startProcess", &["writer".into()]).unwrap();
    world.wait_for("the writer's end", |world| {
        let info = connect(world).call("supervisor.getProcessInfo", &["writer".into()]).unwrap();
        info.get("statename").unwrap().as_str() == Some("EXITED")
    });
    begin.elapsed()
}

/// The lines that a new `tail -f` prints.
fn follow(world: &World) -> Receiver<String> {
    let mut command = world.shell("exec {dir}/bin/supervisorctl -c {dir}/supervisord.conf tail -f writer");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // Until it ends with its world, or nobody wants to know any more.
        let _ = lines.map_while(Result::ok).try_for_each(|line| sender.send(line));
        let _ = child.kill();
        let _ = child.wait();
    });
    receiver
}

fn numbered(number: usize) -> String {
    format!("line {number:06} of a program with very much to say just now")
}

fn last_line() -> String {
    numbered(LINES)
}
