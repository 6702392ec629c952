//! Ansible's `community.general.supervisorctl` through a real playbook: with our client and daemon it comes out as with stock's.

use crate::differences::{Exchange, judge};
use crate::stage::{daemon, in_project, installed, on_both, shared_machine};
use crate::world::{Who, World};

const CONFIG: &str = "{head}\n[inet_http_server]\nport=127.0.0.1:{port}\nusername=user\npassword=123\n\
    [include]\nfiles={dir}/conf.d/*.conf\n\
    [program:workers]\ncommand=/bin/cat\nprocess_name=%(program_name)s_%(process_num)d\nnumprocs=2\nautostart=false\nstartsecs=0\n\
    [program:broken]\ncommand=/no/such/program\nautostart=false\n";

/// What the playbook must come to, so that two equal failures are not taken for success.
const EXPECTED: [(&str, &str); 24] = [
    ("a program that is not in the configuration", "fatal"),
    ("write its section", "changed"),
    ("present", "changed"),
    ("present again", "ok"),
    ("started", "changed"),
    ("started again", "ok"),
    ("signalled", "changed"),
    ("signalled badly", "fatal"),
    ("restarted", "changed"),
    ("absent while it runs", "fatal"),
    ("stopped", "changed"),
    ("stopped again", "ok"),
    ("a group started", "changed"),
    ("a group started again", "ok"),
    ("a group restarted over TCP", "changed"),
    ("a wrong password", "fatal"),
    ("a program that cannot run", "fatal"),
    ("everything stopped", "changed"),
    ("everything stopped again", "ok"),
    ("take its section away", "changed"),
    ("absent", "changed"),
    ("absent again", "ok"),
    ("a group started once more", "changed"),
    ("a group absent, stopped first", "changed"),
];

#[test]
fn a_playbook_comes_out_alike() {
    let _turn = shared_machine();
    let [stock, ours] = on_both(|who| results(&played(who)));
    let outcome = |result: &Exchange| result.answer.split(&[':', ' ']).next().unwrap().to_owned();
    let outcomes: Vec<(&str, String)> = ours.iter().map(|result| (result.asked.as_str(), outcome(result))).collect();
    assert_eq!(outcomes, EXPECTED.map(|(task, outcome)| (task, outcome.to_owned())));
    judge(&stock, &ours, &[]);
}

/// What the playbook prints.
fn played(who: Who) -> String {
    let mut world: World = daemon(who, CONFIG);
    world.write("conf.d/none.conf", "");
    world.write("ansible/home/.keep", "");
    let program = installed("target/ansible/bin/ansible-playbook");
    installed("target/ansible/collections/ansible_collections/community/general/plugins/modules/supervisorctl.py");
    let script = format!(
        "exec '{}' -v -i localhost, -e dir={{dir}} -e inet_port={{port}} -e ansible_python_interpreter='{}' '{}'",
        program.display(),
        installed("target/ansible/bin/python").display(),
        in_project("tests/clients/playbook.yml").display()
    );
    let mut command = world.shell(&script);
    command.env("ANSIBLE_COLLECTIONS_PATH", in_project("target/ansible/collections"));
    command.env("ANSIBLE_HOME", world.path("ansible/home")).env("ANSIBLE_REMOTE_TEMP", world.path("ansible/tmp"));
    let output = world.output(command);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    world.wait_for("the daemon to have lived through it", |world| world.path("s.sock").exists());
    text.replace(&world.dir.path().display().to_string(), "{dir}").replace(&world.port.to_string(), "{port}")
}

/// The result of every task.
fn results(text: &str) -> Vec<Exchange> {
    let mut task = String::new();
    let mut results = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("TASK [").and_then(|rest| rest.split(']').next()) {
            task = name.to_owned();
        }
        if ["ok: [", "changed: [", "fatal: ["].iter().any(|start| line.starts_with(start)) {
            results.push(Exchange { asked: task.clone(), answer: line.to_owned() });
        }
    }
    results
}
