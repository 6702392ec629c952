//! Scaling a program with real children: the others keep their pids, the file wins at the next update.

use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use super::fixture::{BINARY, Daemon, wait_until};

fn ctl(daemon: &Daemon, words: &[&str]) -> Output {
    let url = format!("unix://{}", daemon.socket().display());
    Command::new(BINARY).arg0("supervisorctl").args(["-s", &url]).args(words).output().unwrap()
}

fn printed(daemon: &Daemon, words: &[&str]) -> String {
    String::from_utf8(ctl(daemon, words).stdout).unwrap()
}

const WEB: &str = "[program:web]\ncommand=cat\nstartsecs=0\nprocess_name=%(program_name)s_%(process_num)02d\n";

#[test]
fn only_the_difference_starts_and_stops() {
    let daemon = Daemon::start(&format!("{WEB}numprocs=2\nnumprocs_start=7\n"));
    daemon.wait_for_state("web:web_08", "RUNNING");
    let pids = [daemon.pid_of("web:web_07"), daemon.pid_of("web:web_08")];
    assert_eq!(printed(&daemon, &["scale", "web", "4"]), "web:web_09: added\nweb:web_10: added\n");
    daemon.wait_for_state("web:web_09", "RUNNING");
    daemon.wait_for_state("web:web_10", "RUNNING");
    assert_eq!([daemon.pid_of("web:web_07"), daemon.pid_of("web:web_08")], pids);
    // Nothing is forgotten by reading the file, and the next update says what it will do.
    assert_eq!(printed(&daemon, &["reread"]), "web: changed\n");
    let plan = printed(&daemon, &["update", "--dry-run"]);
    assert_eq!(plan.matches("stop     the file has a lower numprocs than it was scaled to").count(), 2, "{plan}");
    assert_eq!(plan.matches("keep     nothing differs").count(), 2, "{plan}");
    let plan = printed(&daemon, &["--lang", "zh", "update", "--dry-run"]);
    assert_eq!(plan.matches("配置文件中的 numprocs 小于 scale 设定的数量").count(), 2, "{plan}");
    daemon.ask("stopProcess", &["web:web_07".into()]);
    assert_eq!(
        printed(&daemon, &["scale", "web", "1"]),
        "web:web_08: removed\nweb:web_09: removed\nweb:web_10: removed\n"
    );
    assert_eq!(daemon.state("web:web_07"), "STOPPED");
    // All that is left was stopped by hand, so what comes stays down too.
    assert_eq!(printed(&daemon, &["scale", "web", "2"]), "web:web_08: added (not started)\n");
    assert_eq!(printed(&daemon, &["scale", "web", "2"]), "web: nothing to do\n");
    assert_eq!(daemon.state("web:web_08"), "STOPPED");
    assert_eq!(printed(&daemon, &["reread"]), "No config updates to processes\n");
    printed(&daemon, &["scale", "web", "0"]);
    assert_eq!(printed(&daemon, &["status"]), "");
    assert_eq!(printed(&daemon, &["update"]), "web: stopped\nweb: updated process group\n");
    wait_until("autostart starts them", || {
        daemon.state("web:web_08") == "RUNNING" && daemon.state("web:web_07") == "RUNNING"
    });
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let config = format!(
        "{WEB}numprocs=2\n[program:one]\ncommand=cat\n[program:shard]\ncommand=sleep 1%(numprocs)d00\n\
         process_name=%(process_num)d\nnumprocs=2\n[program:a]\ncommand=cat\n[group:both]\nprograms=a\n\
         [program:twins]\ncommand=cat\nprocess_name=p%(process_num).1s\nnumprocs=2\n"
    );
    let daemon = Daemon::start(&config);
    for name in ["web:web_01", "one", "shard:1", "both:a", "twins:p1"] {
        daemon.wait_for_state(name, "RUNNING");
    }
    let before = printed(&daemon, &["pid", "web:*", "one", "shard:*", "both:*", "twins:*"]);
    for (words, reason) in [
        (&["scale", "nope", "2"], "nope: ERROR (no such group)"),
        (&["scale", "one", "2"], "%(process_num) must be present within process_name when numprocs > 1"),
        (&["scale", "shard", "3"], "depend on %(numprocs)s"),
        (&["scale", "both", "2"], "made of several programs by [group:both]"),
        (&["scale", "twins", "11"], "two processes of group 'twins' have the name 'p1'"),
        (&["scale", "web", "10001"], "numprocs 10001 is above the limit of 10000"),
    ] {
        let output = ctl(&daemon, words);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(reason) && output.status.code() == Some(1), "{words:?}: {text}");
    }
    for words in [&["scale", "web"][..], &["scale", "web", "x"], &["scale", "web", "-1"], &["scale", "web", "1", "2"]] {
        let output = ctl(&daemon, words);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("scale <gname> <number>") && output.status.code() == Some(2), "{words:?}: {text}");
    }
    assert_eq!(daemon.fault("scaleProcessGroup", &["web".into(), (-1_i64).into()]).0, 3);
    assert_eq!(daemon.fault("scaleProcessGroup", &["a".into(), 2_i64.into()]).0, 10);
    assert_eq!(printed(&daemon, &["pid", "web:*", "one", "shard:*", "both:*", "twins:*"]), before);
    // A file that has changed is for update.
    daemon.site.configure(&format!("{WEB}numprocs=2\nexitcodes=9\n"));
    let text = printed(&daemon, &["scale", "web", "3"]);
    assert!(text.contains("the file has other settings for web (exitcodes): run update web first"), "{text}");
    daemon.site.configure("[program:web\n");
    let text = printed(&daemon, &["scale", "web", "3"]);
    assert!(text.contains("web: ERROR (FAILED: "), "{text}");
    assert!(!daemon.log().contains("removed"), "{}", daemon.log());
}
