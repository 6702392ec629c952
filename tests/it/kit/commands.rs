//! Running foreign programs for real.

use std::time::Duration;

use supervisor_kit::kit::commands::{Commands, Machine};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn exit_code_and_both_outputs_come_back() {
    let output = Machine.run("sh", &["-c", "echo out; echo err >&2; exit 3"], LONG).unwrap();
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(3), "out\n", "err\n"));
    assert_eq!(output.words(), "err\nout");
    assert_eq!(Machine.run("false", &[], LONG).unwrap().words(), "exit code 1");
}

#[test]
fn a_talkative_command_does_not_block() {
    let output = Machine.run("sh", &["-c", "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2"], LONG).unwrap();
    assert_eq!((output.stdout.len(), output.stderr.len()), (300_000, 300_000));
}

#[test]
fn a_command_that_hangs_is_killed() {
    let output = Machine.run("sleep", &["3600"], Duration::from_millis(20)).unwrap();
    assert_eq!(output.code, None);
}

#[test]
fn a_missing_or_unusable_program_is_an_error() {
    assert!(Machine.run("no-such-program", &[], LONG).is_err());
    assert!(Machine.run("/etc/passwd", &[], LONG).is_err());
    assert!(Machine.has("sh") && !Machine.has("no-such-program"));
}

#[test]
fn a_process_is_known_by_what_it_runs_not_by_its_name() {
    let own = std::env::current_exe().unwrap();
    assert!(Machine.runs(std::process::id(), &own));
    let scratch = tempfile::TempDir::new().unwrap();
    let copy = scratch.path().join(own.file_name().unwrap());
    std::fs::copy(&own, &copy).unwrap();
    // The same bytes under another inode are the same program; one more byte is another.
    assert!(Machine.runs(std::process::id(), &copy));
    std::io::Write::write_all(&mut std::fs::OpenOptions::new().append(true).open(&copy).unwrap(), b"x").unwrap();
    assert!(!Machine.runs(std::process::id(), &copy));
    assert!(!Machine.runs(std::process::id(), scratch.path()));
    assert!(!Machine.runs(0, &own));
}

#[test]
fn the_daemon_proves_that_this_kernel_suits_it() {
    let output = Machine.run(env!("CARGO_BIN_EXE_supervisord"), &["--self-test"], LONG).unwrap();
    assert!(output.is_success() && output.stdout.starts_with("self-test: ok"), "{output:?}");
    let killed = Machine.run("sh", &["-c", "kill -SYS $$"], LONG).unwrap();
    assert_eq!(killed.code, Some(128 + 31));
}
