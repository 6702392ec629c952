//! Readiness of many descriptors behind one descriptor.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use tokio::io::unix::AsyncFd;

/// Most answers of one [`Poller::wait_now`].
pub const READY_COUNT_MAX: usize = 64;

/// What to wait for on a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Something to read, or its end.
    Read,
    /// Room to write, or nobody left to read it.
    Write,
}

/// One descriptor that can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The number given to [`Poller::add`].
    pub token: u64,
    /// A read gives data, the end or an error.
    pub readable: bool,
    /// A write does not block, or gives an error.
    pub writable: bool,
}

/// A set of descriptors, level-triggered. It is itself readable while one of them is ready, so the event loop watches
/// this one descriptor only.
///
/// An edge-triggered outer loop must call [`Poller::wait_now`] until it answers nothing before it waits again: descriptors
/// that stay ready cause no new edge.
#[derive(Debug)]
pub struct Poller {
    epoll: Epoll,
}

impl Poller {
    /// An empty set, closed on exec.
    ///
    /// # Errors
    /// `epoll_create1(2)`: no descriptor is left.
    pub fn open() -> io::Result<Self> {
        Ok(Self { epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)? })
    }

    /// Watches `fd` and reports it as `token`.
    ///
    /// # Errors
    /// `epoll_ctl(2)`; EPERM for a regular file, which is always ready.
    pub fn add(&self, fd: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(self.epoll.add(fd, event(token, interest))?)
    }

    /// Watches `fd`, already in the set, for something else or by another token.
    ///
    /// # Errors
    /// `epoll_ctl(2)`.
    pub fn modify(&self, fd: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(self.epoll.modify(fd, &mut event(token, interest))?)
    }

    /// Forgets `fd`. Do it before closing: until a child that was just forked has called `exec`, it holds a copy that would
    /// keep the entry alive.
    ///
    /// # Errors
    /// `epoll_ctl(2)`.
    pub fn remove(&self, fd: impl AsFd) -> io::Result<()> {
        Ok(self.epoll.delete(fd)?)
    }

    /// Registers the set with tokio's loop, which owns another descriptor of it.
    ///
    /// # Errors
    /// No descriptor is left, or there is no loop.
    pub fn watch(&self) -> io::Result<AsyncFd<OwnedFd>> {
        let fd = self.epoll.0.try_clone()?;
        // SAFETY: an `OwnedFd` names the same open descriptor for as long as it lives.
        Ok(unsafe { AsyncFd::register_with_interest(fd, tokio::io::Interest::READABLE) }?)
    }

    /// Puts what is ready now into `ready`, at most [`READY_COUNT_MAX`], and says how many; never waits.
    ///
    /// # Errors
    /// `epoll_wait(2)`.
    pub fn wait_now(&self, ready: &mut Vec<Ready>) -> io::Result<usize> {
        ready.clear();
        let mut events = [EpollEvent::empty(); READY_COUNT_MAX];
        let count = loop {
            match self.epoll.wait(&mut events, EpollTimeout::ZERO) {
                Err(Errno::EINTR) => {}
                other => break other?,
            }
        };
        ready.extend(events.iter().take(count).map(|event| {
            let flags = event.events();
            let closed = flags.intersects(EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR);
            Ready {
                token: event.data(),
                readable: closed || flags.intersects(EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP),
                writable: closed || flags.contains(EpollFlags::EPOLLOUT),
            }
        }));
        Ok(count)
    }
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

fn event(token: u64, interest: Interest) -> EpollEvent {
    let flags = match interest {
        Interest::Read => EpollFlags::EPOLLIN,
        Interest::Write => EpollFlags::EPOLLOUT,
    };
    EpollEvent::new(flags, token)
}
