//! Tests that change their whole process (signals, limits, user) run in a copy of the test program, with one thread.

use std::env;
use std::process::Command;

/// Set in the copy, to the name of the test.
const VARIABLE: &str = "SUPERVISOR_KIT_OWN_PROCESS";

/// In the copy: true, and the test does its work. In the first process: false.
pub fn is_inside(test: &str) -> bool {
    env::var(VARIABLE).is_ok_and(|name| name == test)
}

/// The command that runs just this test in a copy.
pub fn command(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(VARIABLE, test);
    command
}

/// Runs `body` in a copy of its own and fails when it fails there.
pub fn run(test: &str, body: impl FnOnce()) {
    if is_inside(test) {
        return body();
    }
    let output = command(test).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}
