//! `pidproxy PIDFILE COMMAND [ARGUMENTS]`: stands in for a daemon that puts itself into the background.
//!
//! It runs the command and stays while the command does. A signal it gets goes to the process that the pidfile
//! names, or to the command while there is no pidfile. It says nothing unless something is wrong, and ends with the status of the command.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

/// What is passed on (`Supervisor: pidproxy.py setsignals()`).
const FORWARDED: [Signal; 6] =
    [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGQUIT];

/// Exit status for a wrong command line, or a stop signal that could not be delivered.
const STATUS_FAILED: i32 = 1;
/// Exit status for a command that is there but cannot be executed, as in shells.
const STATUS_NOT_EXECUTABLE: i32 = 126;
/// Exit status for a command that is not there, as in shells.
const STATUS_NOT_FOUND: i32 = 127;
/// Added to the number of the signal that killed the command, as in shells.
const STATUS_SIGNALLED: i32 = 128;

/// Runs `pidproxy`; `argv` begins with the program name. Returns the exit status.
pub fn main(argv: &[OsString]) -> i32 {
    let [_, pidfile, command @ ..] = argv else { return usage(argv) };
    let [name, arguments @ ..] = command else { return usage(argv) };
    // Before the child exists, so that no signal is lost. The child itself starts with an empty mask.
    let mut mask = SigSet::from_iter(FORWARDED);
    mask.add(Signal::SIGCHLD);
    if let Err(error) = mask.thread_block() {
        eprintln!("pidproxy: cannot block signals: {error}");
        return STATUS_FAILED;
    }
    match Command::new(locate(name)).arg0(name).args(arguments).spawn() {
        Ok(child) => attend(child, &mask, Path::new(pidfile)),
        Err(error) => {
            eprintln!("pidproxy: cannot run {}: {}", name.display(), error);
            if error.kind() == ErrorKind::NotFound { STATUS_NOT_FOUND } else { STATUS_NOT_EXECUTABLE }
        }
    }
}

fn usage(argv: &[OsString]) -> i32 {
    let program = argv.first().map(OsString::as_os_str).unwrap_or(OsStr::new("pidproxy"));
    println!(
        "pidproxy -- run a command and pass signals on to the process that a pidfile names\n\n\
         Usage: {} <pidfile name> <command> [<cmdarg1> ...]\n",
        program.display()
    );
    STATUS_FAILED
}

/// Sleeps until a signal comes, again and again.
fn attend(mut child: Child, mask: &SigSet, pidfile: &Path) -> i32 {
    loop {
        match mask.wait() {
            Ok(Signal::SIGCHLD) => match child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => return exit_status(status),
                Err(error) => {
                    eprintln!("pidproxy: cannot wait for the command: {error}");
                    return STATUS_FAILED;
                }
            },
            Ok(signal) => {
                if let Some(status) = forward(signal, pidfile, &child) {
                    return status;
                }
            }
            Err(error) => {
                eprintln!("pidproxy: cannot wait for signals: {error}");
                return STATUS_FAILED;
            }
        }
    }
}

/// Passes a signal on. The answer is the exit status if the signal also ends the proxy: it does not wait for the
/// process to go. Without a pidfile the command itself gets the signal, which would otherwise be lost, and the proxy stays
/// as long as it does (Supervisor drops the signal, divergence D30).
fn forward(signal: Signal, pidfile: &Path, child: &Child) -> Option<i32> {
    let Ok(pid) = read_pid(pidfile) else {
        println!("Can't read child pidfile {}!", pidfile.display());
        // It may have ended this moment; then its status is about to be read.
        let _ = kill(Pid::from_raw(child.id().cast_signed()), signal);
        return None;
    };
    let status = match kill(pid, signal) {
        Ok(()) => 0,
        Err(errno) => {
            eprintln!("pidproxy: cannot send {signal} to process {pid}: {}", errno.desc());
            STATUS_FAILED
        }
    };
    matches!(signal, Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT).then_some(status)
}

/// The process id in a pidfile. Zero and negative numbers would address whole process groups, ours first.
fn read_pid(pidfile: &Path) -> io::Result<Pid> {
    match fs::read_to_string(pidfile)?.trim().parse() {
        Ok(pid) if pid > 0 => Ok(Pid::from_raw(pid)),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

/// Where the command is: below the working directory if there is such a file, else a bare name is looked up in PATH.
fn locate(name: &OsStr) -> PathBuf {
    let here = env::current_dir().unwrap_or_default().join(name);
    if name.as_encoded_bytes().contains(&b'/') || is_executable(&here) {
        return here;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| is_executable(file)).unwrap_or(here)
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn exit_status(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| STATUS_SIGNALLED + signal)).unwrap_or(STATUS_FAILED)
}
