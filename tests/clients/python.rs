//! Python's `xmlrpc.client` with the transport of stock Supervisor: every method, well and badly called, over unix and TCP.

use std::thread;

use crate::differences::{Declared, Exchange, judge};
use crate::stage::{daemon, in_project, installed, printed, shared_machine};
use crate::world::Who;

const CONFIG: &str = "{head}\n[supervisord]\nidentifier=python\n\
    [unix_http_server]\nusername=user\npassword={SHA}40bd001563085fc35165329ea1ff5c5ecbdbbeef\n\
    [inet_http_server]\nport=127.0.0.1:{port}\nusername=user\npassword=123\n\
    [include]\nfiles={dir}/extra.conf\n\
    [program:cat]\ncommand=/bin/cat\nstartsecs=0\nstdout_logfile={dir}/cat.out\nstderr_logfile={dir}/cat.err\n\
    [program:中文]\ncommand=/bin/cat\nstartsecs=0\n\
    [program:idle]\ncommand=/bin/sleep 1000\nautostart=false\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile={dir}/idle.err\n\
    [program:missing]\ncommand=/no/such/program\nautostart=false\n\
    [program:notexec]\ncommand=/etc/passwd\nautostart=false\n\
    [program:quick]\ncommand=/bin/false\nautostart=false\nstartretries=0\n\
    [program:pair]\ncommand=/bin/cat\nprocess_name=%(program_name)s_%(process_num)s\nnumprocs=2\nautostart=false\nstartsecs=0\n";

/// Where ours answers otherwise on purpose.
const DECLARED: &[Declared] = &[
    Declared {
        asked: "",
        stock: "HTTP 500",
        ours: "fault 2 INCORRECT_PARAMETERS",
        reason: "a parameter of a wrong type is the client's mistake, not the server's (8.1.8)",
    },
    Declared {
        asked: "system.multicall[[7]]",
        stock: "HTTP 500",
        ours: "[{faultCode: 2, faultString: 'INCORRECT_PARAMETERS: No methodName'}]",
        reason: "a call that is no struct names no method (8.1.8)",
    },
    Declared {
        asked: "system.methodHelp[7]",
        stock: "fault 4 SIGNATURE_UNSUPPORTED",
        ours: "fault 2 INCORRECT_PARAMETERS",
        reason: "a number is no name (8.1.7)",
    },
    Declared {
        asked: "system.methodSignature[7]",
        stock: "fault 4 SIGNATURE_UNSUPPORTED",
        ours: "fault 2 INCORRECT_PARAMETERS",
        reason: "a number is no name (8.1.7)",
    },
    Declared {
        asked: "supervisor.getAllConfigInfo[]",
        stock: "{autostart: ",
        ours: "{autorestart: 'unexpected', autostart: ",
        reason: "a key of Supervisor 4.4 (8.6)",
    },
    Declared {
        asked: "supervisor.startAllProcesses[]",
        stock: CUT_OFF,
        ours: "[{description: 'OK', group: 'cat', name: 'cat', status: 80}, {description: 'OK', group: 'idle', name: 'idle', \
            status: 80}, {description: \"NO_FILE: can't find command '/no/such/program'\", group: 'missing', name: 'missing', \
            status: 20}, {description: \"NOT_EXECUTABLE: command at '/etc/passwd' is not executable\", group: 'notexec', \
            name: 'notexec', status: 21}, {description: 'OK', group: 'pair', name: 'pair_0', status: 80}, {description: 'OK', \
            group: 'pair', name: 'pair_1', status: 80}, {description: 'SPAWN_ERROR: quick', group: 'quick', name: 'quick', \
            status: 50}, {description: 'OK', group: '中文', name: '中文', status: 80}]",
        reason: CUT_OFF_REASON,
    },
    Declared {
        asked: "supervisor.clearAllProcessLogs[]",
        stock: CUT_OFF,
        ours: "[{description: 'OK', group: 'cat', name: 'cat', status: 80}, {description: 'OK', group: 'idle', name: 'idle', \
            status: 80}, {description: 'OK', group: 'missing', name: 'missing', status: 80}, {description: 'OK', \
            group: 'notexec', name: 'notexec', status: 80}, {description: 'OK', group: 'pair', name: 'pair_0', status: 80}, \
            {description: 'OK', group: 'pair', name: 'pair_1', status: 80}, {description: 'OK', group: 'quick', name: 'quick', \
            status: 80}, {description: 'OK', group: '中文', name: '中文', status: 80}]",
        reason: CUT_OFF_REASON,
    },
];

/// What the Python script says of an answer that its XML parser does not take.
const CUT_OFF: &str = "no XML";
const CUT_OFF_REASON: &str = "the length of an answer that was waited for is counted in characters, not bytes";

#[test]
fn every_method_answers_alike() {
    let _turn = shared_machine();
    let transcripts = thread::scope(|scope| {
        let players = [(Who::Stock430, "unix"), (Who::Ours, "unix"), (Who::Stock430, "http"), (Who::Ours, "http")]
            .map(|(who, scheme)| scope.spawn(move || transcript(who, scheme)));
        players.map(|player| player.join().unwrap())
    });
    let [stock_unix, ours_unix, stock_http, ours_http] = transcripts;
    judge(&stock_unix, &ours_unix, DECLARED);
    judge(&stock_http, &ours_http, DECLARED);
    assert_eq!(ours_unix, ours_http, "the two servers answer differently");
    let is_said =
        |asked: &str, answer: &str| ours_unix.contains(&Exchange { asked: asked.into(), answer: answer.into() });
    assert!(is_said("never called", "[]"), "{:?}", ours_unix.last());
    assert!(is_said("400 calls over one socket", "True"));
}

fn transcript(who: Who, scheme: &str) -> Vec<Exchange> {
    let world = daemon(who, CONFIG);
    let url = if scheme == "unix" { "unix://{dir}/s.sock" } else { "http://127.0.0.1:{port}" };
    let (python, script) = (installed("target/stock/bin/python"), in_project("tests/clients/every_method.py"));
    let command = format!("exec '{}' '{}' {url} user 123 {{dir}}", python.display(), script.display());
    let lines = printed(&world, world.shell(&command));
    let exchange = |line: &str| {
        let (asked, answer) = line.split_once(" -> ").unwrap_or_else(|| panic!("not an exchange: {line}"));
        Exchange { asked: asked.to_owned(), answer: answer.to_owned() }
    };
    lines.lines().map(exchange).collect()
}
