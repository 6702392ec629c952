//! Bytes in, bytes out.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::daemon::fixture::{Daemon, Site, wait_until};

fn noise(bytes: u32) -> Vec<u8> {
    (0..bytes).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// A log with its rolled files, oldest first, and how many there are.
fn whole_log(daemon: &Daemon, name: &str) -> (Vec<u8>, usize) {
    let mut parts: Vec<Vec<u8>> =
        (1..).map_while(|index| fs::read(daemon.path(&format!("{name}.{index}"))).ok()).collect();
    let rolled = parts.len();
    parts.reverse();
    parts.push(fs::read(daemon.path(name)).unwrap());
    (parts.concat(), rolled)
}

#[test]
fn fifty_programs_write_a_million_bytes_at_once_and_end() {
    let site = Site::new(
        "[program:w]\ncommand=cat %(here)s/data\nprocess_name=w%(process_num)02d\nnumprocs=50\nstartsecs=0\nautorestart=false\n\
         stdout_logfile=%(here)s/w%(process_num)02d.out\nstdout_logfile_maxbytes=0\nautostart=false\n",
    );
    let data = noise(1_000_000);
    fs::write(site.path("data"), &data).unwrap();
    let daemon = Daemon::start_in(site);
    daemon.ask("startAllProcesses", &[]);
    for number in 0..50 {
        // Once it is seen as ended, everything is in the log.
        daemon.wait_for_state(&format!("w:w{number:02}"), "EXITED");
        assert!(fs::read(daemon.path(&format!("w{number:02}.out"))).unwrap() == data, "program {number}");
    }
}

#[test]
fn a_hundred_rotations_lose_nothing() {
    let site = Site::new(
        "[program:w]\ncommand=cat %(here)s/data\nprocess_name=w%(process_num)d\nnumprocs=3\nstartsecs=0\nautorestart=false\n\
         stdout_logfile=%(here)s/w%(process_num)d.out\nstdout_logfile_maxbytes=64KB\nstdout_logfile_backups=1000\nautostart=false\n",
    );
    let data = noise(7 * 1024 * 1024);
    fs::write(site.path("data"), &data).unwrap();
    let daemon = Daemon::start_in(site);
    daemon.ask("startAllProcesses", &[]);
    for number in 0..3 {
        daemon.wait_for_state(&format!("w:w{number}"), "EXITED");
        let (log, rolled) = whole_log(&daemon, &format!("w{number}.out"));
        assert!(log == data, "program {number}: {} bytes", log.len());
        assert!(rolled >= 100, "{rolled}");
    }
}

#[test]
fn a_killed_writer_loses_nothing_that_it_wrote() {
    // Each write is of one piece, and counted when it is done.
    let script = "import os\ndata = open('data', 'rb').read()\ncount = os.open(os.environ['SUPERVISOR_PROCESS_NAME'], os.O_CREAT | os.O_WRONLY)\n\
        for at in range(0, len(data), 1000):\n    os.write(1, data[at:at + 1000])\n    os.pwrite(count, b'%9d' % (at + 1000), 0)\nos.pause() if hasattr(os, 'pause') else __import__('signal').pause()\n";
    let site = Site::new(
        "[program:w]\ncommand=python3 write.py\ndirectory=%(here)s\nprocess_name=w%(process_num)d\nnumprocs=4\nstartsecs=0\nautorestart=false\n\
         stdout_logfile=%(here)s/w%(process_num)d.out\nstdout_logfile_maxbytes=100KB\nstdout_logfile_backups=1000\nautostart=false\n",
    );
    let data = noise(4_000_000);
    fs::write(site.path("data"), &data).unwrap();
    fs::write(site.path("write.py"), script).unwrap();
    let daemon = Daemon::start_in(site);
    let written = |name: &str| -> usize {
        fs::read_to_string(daemon.path(name)).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    };
    daemon.ask("startAllProcesses", &[]);
    for (number, least) in [1_000, 300_000, 1_000_000, 4_000_000].into_iter().enumerate() {
        let name = format!("w{number}");
        let pid = daemon.pid_of(&format!("w:{name}"));
        wait_until("it has written enough", || written(&name) >= least);
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        daemon.wait_for_state(&format!("w:{name}"), "EXITED");
        let (log, _) = whole_log(&daemon, &format!("{name}.out"));
        let written = written(&name);
        assert!(log.len() == written || log.len() == written + 1000, "{} of {written}", log.len());
        assert!(log == data[..log.len()], "garbled");
        assert_eq!(daemon.info(&format!("w:{name}")).get("exitstatus"), Some(&(-1).into()));
    }
}

#[test]
fn a_grandchild_that_floods_is_logged_to_its_end() {
    let site = Site::new(
        "[program:p]\ncommand=sh -c '(cat %(here)s/data; cat %(here)s/data; echo over >&2) & exit 0'\nstartsecs=0\nautorestart=false\n\
         stdout_logfile=%(here)s/out\nstdout_logfile_maxbytes=0\nstderr_logfile=%(here)s/err\n",
    );
    let data = noise(3_000_000);
    fs::write(site.path("data"), &data).unwrap();
    let daemon = Daemon::start_in(site);
    daemon.wait_for_state("p", "EXITED");
    daemon.wait_for_text("err", "over\n");
    wait_until("all is there", || fs::metadata(daemon.path("out")).unwrap().len() == 2 * data.len() as u64);
    assert!(fs::read(daemon.path("out")).unwrap() == [&data[..], &data[..]].concat());
}
