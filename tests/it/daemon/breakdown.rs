//! A turn that panics costs no program anything; a daemon that panics all the time gives up.

use std::sync::Arc;

use super::fixture::{Daemon, Site, wait_until};

#[test]
fn another_image_goes_on_from_the_record() {
    let site = Arc::new(Site::new(
        "[program:cat]\ncommand=cat\nstdout_logfile=%(here)s/cat.out\n\
         [program:doomed]\ncommand=sleep 3600\nautostart=false\nautorestart=false\n",
    ));
    let mut command = site.command();
    command.env("SUPERVISORD_BREAK_DOWN_AT", "spawned: 'doomed'");
    let mut daemon = Daemon::start_command(site, command);
    daemon.wait_for_state("cat", "RUNNING");
    let pid = daemon.pid_of("cat");
    for round in 1..=3 {
        // The connection ends with the image that served it.
        let asked = std::panic::catch_unwind(|| daemon.call("supervisor.startProcess", &["doomed".into()]));
        assert!(asked.is_err(), "the start was answered");
        wait_until("another image goes on", || daemon.log().matches("goes on as pid").count() == round);
        assert_eq!(daemon.pid_of("cat"), pid);
        daemon.ask("sendProcessStdin", &["cat".into(), format!("round {round}\n").into()]);
        daemon.wait_for_text("cat.out", &format!("round {round}\n"));
        // What the turn had begun is not left running without anybody knowing.
        daemon.wait_for_log("its start was not finished");
        assert_eq!(daemon.state("doomed"), "STOPPED");
    }
    let asked = std::panic::catch_unwind(|| daemon.call("supervisor.startProcess", &["doomed".into()]));
    assert!(asked.is_err(), "the start was answered");
    daemon.wait_for_log("giving up after 3 breakdowns in a minute");
    assert!(!daemon.wait().success());
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
}
