//! `install --replace --live`: the old daemon goes, and its programs notice nothing of it.

use super::{OLD, boot, config, copy_by_hand, python};
use crate::bundle::FOLDER;
use crate::machine::{Machine, difference};

const OTHER_SUPERVISOR: i32 = 10;
const SERVICE: i32 = 8;
const WRITERS: usize = 20;

/// Counts for as long as it lives.
const WRITER: &str = "\
import time
number = 0
while True:
    number += 1
    print(number, flush=True)
    time.sleep(0.02)
";

/// Programs that write all the time, one that reads, one that nobody started, and a listener.
const PROGRAMS: &str = "\
[program:writer]
command=python3 /opt/writer.py
numprocs=20
process_name=w%(process_num)d
stdout_logfile=/var/log/w%(process_num)d.log
stdout_logfile_maxbytes=0
[program:reader]
command=cat
stdout_logfile=/var/log/reader.log
[program:never]
command=sleep 1004
autostart=false
[eventlistener:ear]
command=python3 -c \"import sys; print('READY', flush=True); sys.stdin.read()\"
events=PROCESS_COMMUNICATION
";

/// Name, state and process of each program but the listener.
const STATUS: &str = "grep -v ^ear | awk '{ print $1, $2, ($3 == \"pid\" ? $4 : \"\") }'";

fn programs(machine: &Machine, path: &str) {
    machine.write("/opt/writer.py", WRITER);
    machine.write(path, PROGRAMS);
}

/// All of them run, and have written; their names and processes.
fn running(machine: &Machine, client: &str) -> String {
    machine.wait_until(&format!(
        "[ \"$({client} status | grep -c RUNNING)\" = {} ] && [ \"$(cat /var/log/w*.log | wc -l)\" -gt 200 ]",
        WRITERS + 2
    ));
    machine.ok(&format!("{client} status | {STATUS}"))
}

/// No line is missing, and none is there twice.
#[track_caller]
fn logs_are_whole(machine: &Machine) {
    let said = machine.ok(
        "for log in /var/log/w*.log; do awk '$1 != NR { print FILENAME, \"line\", NR, \"is\", $0; exit }' $log; done",
    );
    assert_eq!(said, "");
    let count: usize = machine.ok("ls /var/log/w*.log | wc -l").parse().unwrap();
    assert_eq!(count, WRITERS);
}

fn writes_on(machine: &Machine) {
    machine.wait_until(
        "before=$(cat /var/log/w*.log | wc -l); sleep 0.5; [ \"$(cat /var/log/w*.log | wc -l)\" -gt $before ]",
    );
}

/// Takes over, and checks what must be true wherever the old one came from.
fn take_over(machine: &Machine, client: &str, ours: &str) {
    let before = running(machine, client);
    let dry = machine.ok(&format!("cd {FOLDER}/* && ./install --replace --live --dry-run"));
    assert!(dry.contains("programs run on as the same processes") && dry.contains("started anew"), "{dry}");
    assert!(dry.contains("halt  "), "{dry}");
    assert_eq!(running(machine, client), before, "a dry run changes nothing");
    let said = machine.ok(&format!("cd {FOLDER}/* && ./install --replace --live --yes"));
    assert!(said.contains(&format!("{} programs run on as the same processes", WRITERS + 1)), "{said}");
    assert!(!said.contains("Warning"), "{said}");
    let after = machine.ok(&format!("{ours} status | {STATUS}"));
    assert!(after == before, "{}\n{}", difference(&before, &after), machine.ok("supervisorctl maintail"));
    machine.wait_until(&format!("{ours} status ear | grep -q RUNNING"));
    is_ours_alone(machine);
    writes_on(machine);
    logs_are_whole(machine);
    // Whoever was taken over hears and speaks as ever.
    machine.ok(&format!(
        "python3 - <<'END'
import xmlrpc.client
from supervisor.xmlrpc import SupervisorTransport
from supervisor.options import ClientOptions
options = ClientOptions(); options.realize(['-c', '{}', 'status'])
proxy = xmlrpc.client.ServerProxy('http://127.0.0.1', transport=SupervisorTransport('', '', options.serverurl))
proxy.supervisor.sendProcessStdin('reader', 'heard\\n')
END",
        machine.ok(
            "ls /etc/supervisord.conf /etc/supervisor/supervisord.conf /srv/site/supervisord.conf 2>/dev/null | head -1"
        )
    ));
    machine.wait_until("grep -qx heard /var/log/reader.log");
    stops(machine, ours);
}

fn is_ours_alone(machine: &Machine) {
    assert_eq!(machine.run("pgrep -fc '[p]ython3.*supervisord'").output.trim(), "0", "{}", machine.ok("ps axf"));
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
    machine.ok("supervisor-install verify");
    // systemd counts the programs to the unit beside our service, whichever name that goes by.
    let strangers = machine.ok("group() { grep '^0::/.' /proc/$1/cgroup || grep ':name=systemd:' /proc/$1/cgroup; }
         ours=$(group $(systemctl show -p MainPID --value supervisord) | sed 's,supervisord*[.]service$,supervisord-programs.service/programs,')
         for pid in $(pgrep -f '/opt/[w]riter.py'); do [ \"$(group $pid)\" = \"$ours\" ] || group $pid; done");
    assert_eq!(strangers, "");
}

fn stops(machine: &Machine, ours: &str) {
    let pid = machine.ok(&format!("{ours} pid writer:w3"));
    machine.ok(&format!("{ours} stop writer:w3"));
    // Init reaps it, in its own time.
    machine.wait_until(&format!("! kill -0 {pid}"));
    logs_are_whole(machine);
    machine.ok("mv /var/log/w3.log /var/log/before-w3.log");
    machine.ok(&format!("{ours} start writer:w3"));
    // One that dies is noticed, and started again.
    let pid = machine.ok(&format!("{ours} pid reader; {ours} signal KILL reader >/dev/null"));
    machine.wait_until(&format!("{ours} status reader | grep RUNNING | grep -v 'pid {pid},'"));
    machine.ok("systemctl stop supervisord");
    assert_eq!(machine.run("pgrep -fc '/opt/[w]riter.py'").output.trim(), "0");
    logs_are_whole(machine);
}

#[test]
fn debians_package() {
    let Some(machine) = boot("takeover_live_deb", "debian-12", "bookworm") else { return };
    python(&machine);
    machine.ok(&format!("dpkg -i {OLD}/deb/supervisor_*.deb"));
    programs(&machine, "/etc/supervisor/conf.d/programs.conf");
    machine.ok("supervisorctl update");
    take_over(&machine, "supervisorctl", "hash -r; supervisorctl");
    let went_back = machine.ok("supervisor-install rollback");
    assert!(!went_back.contains("could not"), "{went_back}");
    machine.wait_until("systemctl is-active supervisor && supervisorctl status writer:w0 | grep -q RUNNING");
    assert_eq!(machine.run("pgrep -fc '[p]ython3.*supervisord'").output.trim(), "1");
}

#[test]
fn a_copy_by_hand_whose_unit_has_our_name() {
    let Some(machine) = boot("takeover_live_copied", "uos-desktop-20", "bookworm") else { return };
    python(&machine);
    copy_by_hand(&machine, "bookworm");
    programs(&machine, "/etc/supervisord.d/programs.ini");
    machine.ok("supervisorctl update");
    take_over(&machine, "supervisorctl", "hash -r; supervisorctl");
}

#[test]
fn the_newest_by_pip_started_by_hand() {
    let Some(machine) = boot("takeover_live_pip", "rocky-9", "bookworm") else { return };
    python(&machine);
    config(&machine);
    programs(&machine, "/etc/supervisord.d/programs.ini");
    machine.ok(&format!(
        "mkdir -p /var/log/supervisor; cd {OLD} && python3 -m venv /opt/env && /opt/env/bin/pip install -q --no-index --find-links \
         wheels supervisor==4.3.0 setuptools && ln -s /opt/env/lib/python3*/site-packages/supervisor /usr/lib/python3/dist-packages/
         for name in supervisord supervisorctl; do ln -s /opt/env/bin/$name /usr/local/bin/$name; done
         cd / && setsid /usr/local/bin/supervisord -c /etc/supervisord.conf"
    ));
    take_over(&machine, "/usr/local/bin/supervisorctl", "hash -r; supervisorctl");
}

#[test]
fn what_cannot_be_leaves_the_old_one_as_it_was() {
    let Some(machine) = boot("takeover_live_refused", "debian-12", "bookworm") else { return };
    python(&machine);
    machine.ok(&format!("dpkg -i {OLD}/deb/supervisor_*.deb"));
    programs(&machine, "/etc/supervisor/conf.d/programs.conf");
    machine.ok("supervisorctl update");
    let before = running(&machine, "supervisorctl");
    let daemon = machine.ok("supervisorctl pid");
    let live = format!("cd {FOLDER}/* && ./install --replace --live --yes");
    // A program that the old daemon does not know of: told beforehand, with the way without `--live`.
    machine.write("/etc/supervisor/conf.d/late.conf", "[program:late]\ncommand=sleep 1005");
    let refused = machine.run(&live);
    assert_eq!(refused.code, OTHER_SUPERVISOR, "{}", refused.output);
    assert!(refused.output.contains("late:late") && refused.output.contains("without --live"), "{}", refused.output);
    machine.ok("rm /etc/supervisor/conf.d/late.conf");
    assert_eq!(running(&machine, "supervisorctl"), before);
    // Our service does not come up: the old daemon goes on where it was halted.
    machine.write("/etc/systemd/system/supervisord.service.d/50-never.conf", "[Service]\nExecStartPre=/bin/false");
    let failed = machine.run(&live);
    assert_eq!(failed.code, SERVICE, "{}", failed.output);
    assert!(failed.output.contains("goes on where it was halted"), "{}", failed.output);
    assert_eq!(running(&machine, "/usr/bin/supervisorctl"), before);
    assert_eq!(machine.ok("supervisorctl pid"), daemon);
    assert_eq!(machine.run("ls -d /run/*.state /run/systemd/system/*.d/90-* 2>/dev/null").output, "");
    writes_on(&machine);
    logs_are_whole(&machine);
    // And once nothing is in the way, it goes after all.
    machine.ok("rm -r /etc/systemd/system/supervisord.service.d && systemctl daemon-reload");
    take_over(&machine, "supervisorctl", "hash -r; supervisorctl");
}
