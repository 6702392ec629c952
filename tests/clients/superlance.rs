//! superlance's `memmon`, `httpok`, `crashmail` and `fatalmailbatch`, all four as listeners of one daemon, known by what they do.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use crate::stage::{connect, installed, on_both, shared_machine, world};
use crate::world::{Who, World};

/// `{bin}` is where superlance is, `{smtp}` the port of a mail server, `{nobody}` a port where nobody listens.
///
/// Their usual TICK_60 would make everybody wait: all take the event they are subscribed to.
const CONFIG: &str = "{head}\n[supervisord]\nidentifier=superlance\n\
    [eventlistener:memmon]\ncommand={bin}/memmon -p greedy=40MB -s {dir}/mail -m oncall@example.com -n watch\nevents=TICK_5\n\
    [eventlistener:httpok]\ncommand={bin}/httpok -p silent -t 1 -s {dir}/mail -m web@example.com http://127.0.0.1:{nobody}/\nevents=TICK_5\n\
    [eventlistener:crashmail]\ncommand={bin}/crashmail -a -o host1 -m dev@example.com -s {dir}/mail\nevents=PROCESS_STATE\n\
    buffer_size=100\n\
    [eventlistener:fatalmailbatch]\ncommand={bin}/fatalmailbatch --toEmail=ops@example.com --fromEmail=from@example.com \
    --smtpHost=127.0.0.1:{smtp} --tickEvent=TICK_5 --interval=0.08\nevents=PROCESS_STATE,TICK_5\nbuffer_size=100\n\
    [program:greedy]\ncommand={python} -c \"import sys, time; held = bytearray(int(sys.argv[1])); time.sleep(1000)\" 60000000\n\
    stopsignal=KILL\n\
    [program:modest]\ncommand=/bin/sleep 1000\n\
    [program:silent]\ncommand=/bin/sleep 1000\n\
    [program:crashing]\ncommand=/bin/sh -c \"sleep 2; exit 3\"\nautostart=false\nautorestart=false\n\
    [program:leaving]\ncommand=/bin/sh -c \"sleep 2; exit 0\"\nautostart=false\nautorestart=false\n\
    [program:failing]\ncommand=/bin/false\nautostart=false\nstartretries=0\n\
    [program:failing_too]\ncommand=/bin/false\nautostart=false\nstartretries=0\n";

const LISTENERS: [&str; 4] = ["memmon", "httpok", "crashmail", "fatalmailbatch"];

#[test]
fn superlance_does_its_jobs() {
    let _turn = shared_machine();
    on_both(does_its_jobs);
}

fn does_its_jobs(who: Who) {
    let smtp = MailServer::start();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let bin = installed("target/superlance/bin/memmon").parent().unwrap().display().to_string();
    let conf = CONFIG.replace("{bin}", &bin).replace("{python}", &format!("{bin}/python"));
    let conf = conf.replace("{smtp}", &smtp.port.to_string()).replace("{nobody}", &nobody.to_string());
    let mut world = world(who, &conf);
    // What `sendmail` gets, one file for each mail.
    world.write("mail", "#!/bin/sh\ncat >{dir}/mail.new.$$\nmv {dir}/mail.new.$$ {dir}/mail.$$\n");
    fs::set_permissions(world.path("mail"), fs::Permissions::from_mode(0o755)).unwrap();
    world.start("-n -c supervisord.conf");
    LISTENERS.into_iter().chain(["greedy", "modest", "silent"]).for_each(|name| wait_for_state(&mut world, name, 20));
    for name in ["crashing", "leaving", "failing", "failing_too"] {
        // One that ends at once may be reported as such.
        let _ = connect(&world).call("supervisor.startProcess", &[name.into(), false.into()]);
    }

    mailed(&mut world, &["To: oncall@example.com", "process greedy:greedy restarted", "consuming too much memory"]);
    mailed(&mut world, &["To: web@example.com", "error contacting http://127.0.0.1:", "silent restarted"]);
    mailed(
        &mut world,
        &[
            "To: dev@example.com",
            "Subject: host1: crashing crashed at ",
            "Process crashing in group crashing exited unexpectedly (pid ",
            ") from state RUNNING",
        ],
    );
    world.wait_for("the mail about both failures", |_| {
        let mails = smtp.mails.lock().unwrap().concat();
        ["Subject: Fatal start alert from supervisord", "To: ops@example.com", "From: from@example.com"]
            .into_iter()
            .chain(["Process failing:failing failed to start", "Process failing_too:failing_too failed to start"])
            .all(|text| mails.contains(text))
    });

    let count = |line: &str| world.log().matches(line).count();
    assert!(count("spawned: 'greedy'") >= 2 && count("spawned: 'silent'") >= 2, "{}", world.log());
    assert_eq!(count("spawned: 'modest'"), 1, "{}", world.log());
    let about_leaving = mails(&world).iter().any(|mail| mail.contains("leaving"));
    assert!(!about_leaving, "an expected exit was mailed");
    for name in LISTENERS {
        assert_eq!(count(&format!("spawned: '{name}'")), 1, "{name} did not live through it: {}", world.log());
    }
}

/// Waits for a mail that holds all these texts.
fn mailed(world: &mut World, texts: &[&str]) {
    let is_it = |mail: &String| texts.iter().all(|text| mail.contains(text));
    world.wait_for(&format!("the mail with {texts:?}"), |world| mails(world).iter().any(is_it));
}

fn mails(world: &World) -> Vec<String> {
    let entries = fs::read_dir(world.dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_mail = |name: &str| name.strip_prefix("mail.").is_some_and(|rest| !rest.starts_with("new"));
    entries
        .filter(|path| is_mail(path.file_name().unwrap().to_str().unwrap()))
        .map(|p| fs::read_to_string(p).unwrap())
        .collect()
}

fn wait_for_state(world: &mut World, name: &str, code: i64) {
    world.wait_for(&format!("{name} to be in state {code}"), |world| {
        let info = connect(world).call("supervisor.getProcessInfo", &[name.into()]).unwrap();
        info.get("state").unwrap().as_int() == Some(code)
    });
}

/// Takes every mail that is sent to it, and says what SMTP asks for.
struct MailServer {
    port: u16,
    mails: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    fn start() -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = MailServer { port: listener.local_addr().unwrap().port(), mails: Arc::default() };
        let mails = server.mails.clone();
        // It ends with the test program.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mail = MailServer::session(stream.unwrap());
                mails.lock().unwrap().push(mail);
            }
        });
        server
    }

    /// One connection to its end; the mail that it brought.
    fn session(mut stream: TcpStream) -> String {
        let lines = BufReader::new(stream.try_clone().unwrap());
        let (mut mail, mut is_data) = (String::new(), false);
        stream.write_all(b"220 ready\r\n").unwrap();
        for line in lines.lines().map_while(Result::ok) {
            if is_data && line != "." {
                mail += &format!("{line}\n");
                continue;
            }
            let word = if is_data { String::new() } else { line.to_ascii_uppercase() };
            let reply = match word.as_str() {
                "DATA" => "354 go on\r\n",
                "QUIT" => "221 bye\r\n",
                _ => "250 done\r\n",
            };
            is_data = word == "DATA";
            stream.write_all(reply.as_bytes()).unwrap();
        }
        mail
    }
}
