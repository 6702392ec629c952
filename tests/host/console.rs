//! The guided set-up at a terminal, and the web console.

use crate::bundle::{self, FOLDER};
use crate::kill::{self, MORTAL};
use crate::machine::Machine;

#[test]
fn the_guided_set_up_and_the_web_console() {
    let Some(machine) = Machine::boot("guided", "kylin-server-v10") else { return };
    bundle::unpack(&machine, &bundle::path());
    let at_terminal = |keys: &str| {
        machine.run(&format!(
            "cd {FOLDER}/* && export TERM=xterm LANG=C.UTF-8 && {{ sleep 1; for key in {keys}; do printf $key; sleep 0.7; done; }} \
             | timeout 60 script -qec ./install /dev/null"
        ))
    };
    // Ctrl-C at the second question: nothing is done, and the cursor is shown again.
    let left = at_terminal("'\\r' '\\x03'");
    assert_eq!(left.code, 130, "{}", left.output);
    assert!(
        left.output.contains("\u{1b}[?25h") && machine.run("test -e /usr/bin/supervisord").code != 0,
        "{}",
        left.output
    );
    let done = at_terminal("'\\r' '\\r' '\\r' '\\r' '\\r'");
    assert_eq!(done.code, 0, "{}", done.output);
    assert_eq!(machine.ok("systemctl is-active supervisord"), "active");
    assert_eq!(machine.ok("systemd-analyze verify supervisord.service 2>&1 | grep -i supervisord || true"), "");

    let before = machine.ok("sha256sum /etc/supervisord.conf");
    machine.write("/opt/password", "of the console");
    let open = machine.run("supervisor-install web --web 0.0.0.0:9001");
    assert_eq!(open.code, 2, "{}", open.output);
    let on = "supervisor-install web --web 127.0.0.1:9001 --web-user admin --web-password-file /opt/password";
    let said = machine.ok(on);
    assert!(said.contains("systemctl restart supervisord"), "{said}");
    machine.ok("supervisor-install rollback");
    assert_eq!(machine.ok("sha256sum /etc/supervisord.conf"), before);
    let said = machine.ok(&format!("{on} --web-restart always"));
    assert!(said.contains("refuses everybody else (401)"), "{said}");
    assert!(machine.ok(on).contains("already as wished"));
    machine.ok(
        "! grep -q 'of the console' /etc/supervisord.conf && supervisor-install web --web off --web-restart always",
    );
    assert_eq!(machine.ok("sha256sum /etc/supervisord.conf"), before);
}

/// As firewalld answers, with its two sets of rules in two files.
const FIREWALL: &str = r#"#!/bin/bash
set=/opt/firewall/runtime
for word; do
    port=${word#*=}
    case $word in
        --permanent) set=/opt/firewall/permanent ;;
        --state) exit 0 ;;
        --query-port=*) grep -qx "$port" $set; exit ;;
        --add-port=*) grep -qx "$port" $set || echo "$port" >>$set ;;
        --remove-port=*) sed -i "\\:^$port\$:d" $set ;;
    esac
done"#;
/// Each hash of a password is another.
const STATE: &str = "sed 's/^password=.*/password=*/' /etc/supervisord.conf; stat -c %a:%U /etc/supervisord.conf
    head /opt/firewall/*; systemctl is-active supervisord; supervisorctl pid >/dev/null && echo answers
    (exec 3<>/dev/tcp/127.0.0.1/9001) && echo listens
    supervisorctl status | awk '{ print $1, $2 }'; ls -A /etc/systemd/system";

#[test]
fn killed_anywhere_the_console_is_on_or_off() {
    let Some(machine) = Machine::boot("web_killed", "uos-server-20-e") else { return };
    bundle::unpack(&machine, &bundle::path());
    kill::prepare(&machine);
    machine.write("/usr/sbin/firewall-cmd", FIREWALL);
    machine.write("/opt/password", "of the console");
    machine.ok("chmod +x /usr/sbin/firewall-cmd; mkdir /opt/firewall; touch /opt/firewall/{runtime,permanent}");
    machine.ok(&format!("{MORTAL} --bundle {FOLDER}/*/"));
    machine.write("/etc/supervisord.d/sleep.ini", "[program:sleep]\ncommand=sleep infinity");
    machine.ok("supervisorctl update");
    machine.wait_until("supervisorctl status | grep -q 'sleep .*RUNNING'");
    let off = machine.ok(STATE);
    let on = "web --web 0.0.0.0:9001 --web-user admin --web-password-file /opt/password --open-firewall --web-restart always";
    assert!(kill::everywhere(&machine, STATE, on) > 8);
    machine.wait_until("supervisorctl status | grep -q 'sleep .*RUNNING'");
    let state = machine.ok(STATE);
    assert!(state.contains("listens") && state.matches("9001/tcp").count() == 2, "{state}");
    assert!(kill::everywhere(&machine, STATE, "web --web off --web-restart always") > 8);
    machine.wait_until("supervisorctl status | grep -q 'sleep .*RUNNING'");
    assert_eq!(machine.ok(STATE), off);
}
