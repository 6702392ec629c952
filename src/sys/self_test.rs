//! `supervisord --self-test`: does this kernel give what supervision needs? The installer runs it where the program will
//! be, before anything is changed. Each call must work; on LoongArch a kernel of the other world answers EINVAL to the first.

use std::io::{self, Write};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, pthread_sigmask, raise, sigaction};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{ForkResult, fork};

/// What the child of the test ends with.
const CHILD_CODE: i32 = 7;
/// How long the kernel may take to hand over a signal that is there already.
const WAIT_MILLIS: u16 = 5000;

/// Runs all, prints one line, and answers the exit code.
pub fn main() -> i32 {
    match run() {
        Ok(()) => {
            let _ = writeln!(io::stdout(), "self-test: ok {}", env!("CARGO_PKG_VERSION"));
            0
        }
        Err((call, errno)) => {
            let _ = writeln!(io::stderr(), "self-test: {call}: {errno}");
            1
        }
    }
}

fn run() -> Result<(), (&'static str, Errno)> {
    let at = |call: &'static str| move |errno: Errno| (call, errno);
    let mask = SigSet::from(Signal::SIGUSR2);
    pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&mask), None).map_err(at("rt_sigprocmask"))?;
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default disposition installs no handler, and the signal is blocked.
    unsafe { sigaction(Signal::SIGUSR2, &default) }.map_err(at("rt_sigaction"))?;
    let signals =
        SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).map_err(at("signalfd"))?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(at("epoll_create1"))?;
    epoll.add(signals.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, 0)).map_err(at("epoll_ctl"))?;
    raise(Signal::SIGUSR2).map_err(at("kill"))?;
    let mut events = [EpollEvent::empty()];
    match epoll.wait(&mut events, WAIT_MILLIS) {
        Ok(1) => {}
        Ok(_) => return Err(("epoll_wait", Errno::ETIMEDOUT)),
        Err(errno) => return Err(("epoll_wait", errno)),
    }
    match signals.read_signal() {
        Ok(Some(_)) => {}
        Ok(None) => return Err(("read", Errno::EAGAIN)),
        Err(errno) => return Err(("read", errno)),
    }
    wait_for_a_child()
}

fn wait_for_a_child() -> Result<(), (&'static str, Errno)> {
    // SAFETY: there is one thread, and the child does nothing but end.
    match unsafe { fork() }.map_err(|errno| ("fork", errno))? {
        // SAFETY: ends the child at once.
        ForkResult::Child => unsafe { libc::_exit(CHILD_CODE) },
        ForkResult::Parent { child } => match waitid(Id::Pid(child), WaitPidFlag::WEXITED) {
            Ok(WaitStatus::Exited(pid, CHILD_CODE)) if pid == child => Ok(()),
            Ok(_) => Err(("waitid", Errno::ECHILD)),
            Err(errno) => Err(("waitid", errno)),
        },
    }
}
