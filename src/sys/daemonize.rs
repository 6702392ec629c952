//! Going to the background, with a parent that waits to hear how it went.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, dup2_stderr, dup2_stdin, dup2_stdout, fork, pipe2, setsid};

/// Exit code of the waiting parent when the daemon did not come up.
const FAILED_CODE: i32 = 2;

/// The first byte that the daemon sends to its waiting parent.
const READY: u8 = b'+';
const FAILED: u8 = b'-';

/// The daemon's line to the process that started it. Dropped without a word, it tells the parent that the daemon died.
#[derive(Debug)]
pub struct Startup {
    parent: File,
}

impl Startup {
    /// Everything is up: the waiting parent exits with 0.
    pub fn ready(mut self) {
        // The parent may have been killed; the daemon runs all the same.
        let _ = self.parent.write_all(&[READY]);
    }

    /// The daemon gives up: the parent prints `message` on its stderr and exits with 2.
    pub fn failed(mut self, message: &str) {
        let text = [&[FAILED], message.as_bytes()].concat();
        let _ = self.parent.write_all(&text);
    }
}

/// What [`daemonize`] gives to the daemon.
#[derive(Debug)]
pub struct Daemonized {
    /// Call one of its methods once it is clear how the start went.
    pub startup: Startup,
    /// The outcome of entering `directory`, for the activity log; a failure is no reason to give up.
    pub directory: io::Result<()>,
}

/// Forks. The child becomes a session of its own with `/dev/null` at 0, 1 and 2 and returns; the parent waits for
/// [`Startup`] and never returns (`Supervisor: supervisord.py daemonize()`, which does not wait).
///
/// Call it while the process has one thread, before a `Poller` or a tokio runtime is made.
///
/// # Errors
/// `pipe(2)`, `fork(2)` or opening `/dev/null`.
pub fn daemonize(directory: Option<&Path>, mask: u32) -> io::Result<Daemonized> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    // SAFETY: the process has one thread, so the child finds every lock free.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            drop(writer);
            wait_for_startup(reader, child)
        }
        ForkResult::Child => {
            drop(reader);
            let directory = directory.map_or(Ok(()), std::env::set_current_dir);
            dup2_stdin(&null)?;
            dup2_stdout(&null)?;
            dup2_stderr(&null)?;
            setsid()?;
            umask(Mode::from_bits_truncate(mask));
            Ok(Daemonized { startup: Startup { parent: writer.into() }, directory })
        }
    }
}

/// The parent's part: Ctrl-C must work while it waits, so the signals that the daemon blocked are let through again.
fn wait_for_startup(reader: OwnedFd, child: Pid) -> ! {
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
    let mut answer = Vec::new();
    let _ = File::from(reader).read_to_end(&mut answer);
    match answer.split_first() {
        Some((&READY, _)) => std::process::exit(0),
        Some((_, message)) => eprintln!("{}", String::from_utf8_lossy(message).trim_end()),
        None => {
            let how = waitpid(child, None).map_or_else(|errno| errno.to_string(), |status| format!("{status:?}"));
            eprintln!("error: supervisord died while starting ({how}); see its log file, or start it with -n");
        }
    }
    std::process::exit(FAILED_CODE)
}
