//! `supervisorctl`: the same scenarios, played with the stock client and with ours, must sound the same.

mod beyond;
mod lab;
mod scenario;
mod shell;
mod terminal;

use lab::{Lab, Whose};
use scenario::Step::{self, *};
use scenario::play;

const EXTRA: &str = "[program:extra]\ncommand=/bin/cat\nstartsecs=0\n[program:going]\ncommand=/bin/cat\nstartsecs=0\n";
const EXTRA_CHANGED: &str = "[program:extra]\ncommand=/bin/cat -u\nstartsecs=0\n[program:fresh]\ncommand=/bin/cat\nstartsecs=0\n[program:late]\ncommand=/bin/cat\nstartsecs=0\nautostart=false\n";
const FILES: &[(&str, &str)] = &[("supervisord.conf", include_str!("supervisord.conf")), ("extra.conf", EXTRA)];

const LOOKING: &[Step] = &[
    Until("status once", "EXITED"),
    Until("tail chinese", "中文"),
    Until("tail talker stderr", "grumble"),
    Run("status"),
    Run("status cat idle"),
    Run("status multi:*"),
    Run("status multi: cat"),
    Run("status multi:m_1"),
    Run("status all nope"),
    Run("status nope"),
    Run("status nope cat"),
    Run("status nope:*"),
    Run("status multi:nope cat"),
    Run("status once"),
    Run("status?nope"),
    Run("pid"),
    Run("pid all"),
    Run("pid cat"),
    Run("pid idle"),
    Run("pid nope cat"),
    Run("pid multi:m_0"),
    Run("pid multi:*"),
    Run("version"),
    Run("version x"),
    Run("avail"),
    Run("avail x"),
    Run("tail"),
    Run("tail talker"),
    Run("tail -4 talker"),
    Run("tail -0 talker"),
    Run("tail --2 talker"),
    Run("tail talker stderr"),
    Run("tail talker STDERR"),
    Run("tail -3 talker stdout"),
    Run("tail chinese"),
    Run("tail silent"),
    Run("tail idle"),
    Run("tail nope"),
    Run("tail multi:*"),
    Run("tail multi:m_0"),
    Run("tail talker bad"),
    Run("tail -f"),
    Run("tail -x talker"),
    Run("tail - talker"),
    Run("tail a b c d"),
    Run("tail talker b stdout"),
    Words(&["-s", "unix://{dir}/s.sock", "tail -4", "talker"]),
    Words(&["-s", "unix://{dir}/s.sock", "tail -4 talker"]),
    Words(&["--server=unix://{dir}/s.sock", "status", "cat"]),
    Words(&["-s", "http://127.0.0.1:{port}", "-u", "user", "-psecret", "status", "cat"]),
    Words(&["-s", "http://127.0.0.1:{port}", "status", "cat"]),
    Words(&["-s", "http://127.0.0.1:{port}", "-u", "user", "-p", "wrong", "avail"]),
    Words(&["-s", "http://127.0.0.1:1", "status"]),
    Words(&["-s", "http://127.0.0.1:1", "start", "x"]),
    Words(&["-s", "http://127.0.0.1:1", "shutdown"]),
    Words(&["-s", "http://127.0.0.1:1", "reload"]),
    Words(&["-s", "unix://{dir}/nope", "status"]),
    Words(&["-s", "unix://{dir}/nope", "pid"]),
    Words(&["-s", "unix://{dir}/nope", "shutdown"]),
    Words(&["-s", "unix://{dir}/nope", "update"]),
    Words(&["-s", "unix://{dir}/nope", "open", "unix://{dir}/s.sock"]),
    Words(&["-s", "unix://{dir}/s.sock", "open", "unix://{dir}/nope"]),
    Words(&["-s", "ftp://x", "status"]),
    Words(&["-s", "x", "status"]),
    Words(&["-x"]),
    Words(&["--nope"]),
    Words(&["-c"]),
    Words(&["-c", "{dir}/supervisord.conf", "status", "cat"]),
    Words(&["-c", "{dir}/nope.conf", "status"]),
    Words(&["-c", "{dir}/extra.conf", "status"]),
    Words(&["-c", "{dir}/supervisord.conf", "-s", "unix://{dir}/nope", "pid"]),
    Run("tail talker it's"),
    Words(&["--pass"]),
    Words(&["--interactive=1"]),
    Words(&["-u", "a", "--username", "b", "status"]),
    Run("fg"),
    Run("fg a b"),
    Run("fg nope"),
    Run("fg idle"),
    Run("fg multi:*"),
    Run("open nope"),
    Run("open unix://{dir}/s.sock"),
    Run("maintail x"),
    Run("maintail -x"),
    Run("maintail -1 -2"),
    Run("reread x"),
    Run("reload x"),
    Run("shutdown x"),
    Run("start"),
    Run("stop"),
    Run("restart"),
    Run("signal"),
    Run("signal HUP"),
    Run("add"),
    Run("remove"),
    Run("quit"),
    Run("exit now"),
    Run("EOF"),
    Run("nonsense"),
    Run("status_x"),
    Run("!ls"),
    Run("help"),
    Run("help help"),
    Run("help nope"),
    Run("help status all"),
    Run("help tail"),
    Run("help restart"),
    Run("help signal"),
    Run("help maintail"),
    Run("help add"),
    Run("? remove"),
    Run("help update"),
    Run("?stop"),
    Run("? pid"),
    Run("help version"),
];

const ACTING: &[Step] = &[
    Until("status multi:*", "RUNNING"),
    Run("start idle"),
    Run("start idle"),
    Run("start nope idle"),
    Run("start missing noexec"),
    Run("start failing"),
    Rmdir("gone"),
    Run("start unspawnable"),
    Run("start nope:*"),
    Run("start multi:*"),
    Run("stop idle"),
    Run("stop idle"),
    Run("stop nope multi:nope"),
    Run("stop nope:*"),
    Run("stop multi:m_0"),
    Run("start multi:*"),
    Run("start multi:m_0 cat"),
    Run("restart cat"),
    Run("restart idle"),
    Run("restart nope"),
    Run("restart nope:*"),
    Run("restart nope idle"),
    Run("stop multi:m_1"),
    Run("restart multi:m_1 multi:m_0"),
    Run("signal HUP"),
    Run("signal CONT cat"),
    Run("signal 18 cat idle"),
    Run("signal NOPE cat"),
    Run("signal CONT nope cat"),
    Run("signal CONT missing"),
    Run("signal CONT multi:*"),
    Run("signal CONT nope:*"),
    Run("signal NOPE multi:*"),
    Words(&["-s", "unix://{dir}/s.sock", "signal CONT", "cat"]),
    Run("clear cat"),
    Run("clear cat nope talker"),
    Run("tail talker"),
    Fixed(
        &["-s", "unix://{dir}/s.sock", "clear", "multi:*", "nope:*"],
        "multi:m_0: cleared\nmulti:m_1: cleared\nmulti:other: cleared\nnope: ERROR (no such group)\n",
        "",
        1,
    ),
    Run("stop cat idle talker chinese silent extra going"),
    Run("clear idle"),
    Run("start cat idle talker chinese silent extra going"),
];

const CHANGING: &[Step] = &[
    Run("reread"),
    Run("update"),
    Write("extra.conf", EXTRA_CHANGED),
    Run("reread"),
    Run("avail"),
    Run("add late late"),
    Run("add nope cat"),
    Run("status late"),
    Run("remove cat"),
    Run("remove nope late"),
    Run("update nope nope extra"),
    Run("update late"),
    Run("update fresh all"),
    Run("update all"),
    Run("status extra fresh late going"),
    Run("stop extra"),
    Run("remove extra"),
    Run("update"),
    Write("extra.conf", "[program:broken]\n"),
    Run("reread"),
    Fixed(
        &["-s", "unix://{dir}/s.sock", "update"],
        "ERROR: CANT_REREAD: program section program:broken does not specify a command in section 'program:broken' \
         (file: '{dir}/extra.conf')\n",
        "",
        1,
    ),
    Write("extra.conf", EXTRA),
];

const ENDING: &[Step] = &[
    Until("status talker", "RUNNING"),
    Until("tail talker", "two"),
    Follow("tail -f talker", "two"),
    Follow("tail -f talker stderr", "grumble"),
    Follow("maintail -f", "RUNNING state"),
    Fixed(
        &["-s", "unix://{dir}/s.sock", "tail", "-f", "nope"],
        "==> Press Ctrl-C to exit <==\n",
        "unix://{dir}/s.sock/logtail/nope/stdout Cannot read, status code 404\n",
        1,
    ),
    Run("reload"),
    Until("status stubborn", "Not started"),
    Until("status talker", "RUNNING"),
    Run("start stubborn"),
    Until("tail stubborn", "deaf"),
    Run("shutdown"),
    Run("shutdown"),
    Run("reload"),
    Run("reread"),
    Run("update"),
    Run("avail"),
    Run("add cat"),
    Run("remove cat"),
    Run("status"),
    Run("start cat"),
    Run("version"),
    KillPrograms,
    Socket(false),
    Run("shutdown"),
    Run("status"),
];

/// Plays a scenario twice at the same time, once with each client.
fn compare(daemon: Whose, files: &[(&str, &str)], steps: &[Step]) {
    let (stock, ours) = std::thread::scope(|scope| {
        let stock = scope.spawn(|| play(daemon, Whose::Stock, files, steps));
        let ours = play(daemon, Whose::Ours, files, steps);
        (stock.join().unwrap(), ours)
    });
    assert_eq!(stock.len(), ours.len());
    let differences: Vec<String> = stock
        .iter()
        .zip(&ours)
        .map(|(stock, ours)| (stock, without_our_commands(ours)))
        .filter(|(stock, ours)| *stock != ours)
        .map(|(stock, ours)| format!("--- stock\n{stock}\n--- ours\n{ours}\n"))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Our own commands are listed apart from Supervisor's, and only there.
fn without_our_commands(transcript: &str) -> String {
    let Some((before, list)) = transcript.split_once("commands of supervisor-kit") else {
        return transcript.to_owned();
    };
    let after = list.split_once("\n\n").map_or("", |(_, after)| after);
    format!("{before}{after}")
}

#[test]
fn looking_at_a_stock_daemon_reads_alike() {
    compare(Whose::Stock, FILES, LOOKING);
}

#[test]
fn acting_on_a_stock_daemon_reads_alike() {
    compare(Whose::Stock, FILES, ACTING);
}

#[test]
fn changing_the_groups_of_a_stock_daemon_reads_alike() {
    compare(Whose::Stock, FILES, CHANGING);
}

#[test]
fn ending_a_stock_daemon_reads_alike() {
    compare(Whose::Stock, FILES, ENDING);
}

#[test]
fn the_help_says_what_wrappers_look_for() {
    let output = Whose::Ours.program("supervisorctl").arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(help.starts_with("supervisorctl -- control applications"), "{help}");
    assert!(help.contains("-i/--interactive -- start an interactive"), "{help}");
}

#[test]
fn a_session_that_is_not_a_terminal_reads_alike() {
    const HTTP: &[&str] = &["-s", "http://127.0.0.1:{port}", "-u", "user", "-p", "secret"];
    let lab = Lab::start(Whose::Stock, FILES);
    lab.wait_for("the programs", || {
        lab.run(Whose::Ours, &["-s", "unix://{dir}/s.sock", "status"]).stdout.contains("EXITED")
    });
    let cases: [(&[&str], &str); 5] = [
        (HTTP, "\n  help nope\nnonsense\n? nope\nversion\nexit\nversion\n"),
        (HTTP, "signal NOPE cat"),
        (&["-i", "-s", "unix://{dir}/s.sock", "shutdown"], "n\n"),
        (&["-i", "-s", "unix://{dir}/s.sock", "reload"], "\n"),
        (&["-s", "unix://{dir}/nope"], "open unix://{dir}/nope2\nquit"),
    ];
    for (words, input) in cases {
        let said = |whose| scenario::comparable(input, &lab.run_with_input(whose, words, input));
        assert_eq!(said(Whose::Ours), said(Whose::Stock), "{words:?}");
    }
}

#[test]
fn a_session_asks_for_credentials() {
    let lab = Lab::start(Whose::Stock, FILES);
    let said = lab.run_with_input(Whose::Ours, &["-i", "-s", "http://127.0.0.1:{port}", "version"], "user\nsecret\n");
    assert_eq!(said.stdout, "Server requires authentication\nUsername:Password:\n4.3.0\n");
    assert_eq!(said.status, Some(0));
    let said = lab.run_with_input(Whose::Ours, &["-i", "-s", "http://127.0.0.1:{port}", "version"], "user\nwrong\n");
    assert_eq!(said.stdout.matches("Server requires authentication").count(), 2);
    assert_eq!(said.status, Some(1));
}

#[test]
fn looking_at_our_daemon_reads_alike() {
    compare(Whose::Ours, FILES, LOOKING);
}

#[test]
fn acting_on_our_daemon_reads_alike() {
    compare(Whose::Ours, FILES, ACTING);
}

#[test]
fn changing_the_groups_of_our_daemon_reads_alike() {
    compare(Whose::Ours, FILES, CHANGING);
}

#[test]
fn ending_our_daemon_reads_alike() {
    compare(Whose::Ours, FILES, ENDING);
}
