//! A start without copies: until it has become its program, the child borrows the daemon's memory and its table of descriptors.
//!
//! Its own ends of the pipes are moved to low numbers that are kept for that, the seats, so that it can leave the table with these
//! few and without a look at the thousands above.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::dup3;

use super::Theirs;
use super::child::{Ends, Image, become_program};
use super::clone3;
use crate::core::Pid;

/// For the few calls of a child that borrows our memory.
const STACK_BYTES: usize = 64 * 1024;

/// Stdin, stdout, stderr, status.
const SEATS: usize = 4;

/// The low numbers, and a stack for the child.
#[derive(Debug)]
pub struct Seats {
    seats: [OwnedFd; SEATS],
    /// What is on a seat while nobody needs it.
    nothing: OwnedFd,
    stack: Box<[u8]>,
}

/// All that a child is told.
struct Task<'a> {
    image: &'a Image<'a>,
    ends: Ends,
    /// It is in its control group already.
    is_inside: bool,
}

impl Seats {
    /// Take them early, while low numbers are free. `None` where the kernel cannot part with a table this way (before 5.9).
    pub fn reserve() -> Option<Self> {
        // SAFETY: plain integers; an empty range at the end closes nothing.
        let known = unsafe { libc::syscall(libc::SYS_close_range, libc::c_uint::MAX, libc::c_uint::MAX, 0) };
        if known != 0 { None } else { Self::open().ok() }
    }

    fn open() -> io::Result<Self> {
        let nothing: OwnedFd = File::open("/dev/null")?.into();
        let seat = || nothing.try_clone();
        Ok(Seats { seats: [seat()?, seat()?, seat()?, seat()?], nothing, stack: vec![0; STACK_BYTES].into() })
    }

    /// Starts a child, and stands still until it has become its program or ended.
    pub(super) fn start(&mut self, image: &Image<'_>, theirs: &Theirs<'_>) -> Result<Pid, Errno> {
        let Seats { seats, nothing, stack } = self;
        let stderr = theirs.stderr.as_ref().unwrap_or(&theirs.stdout);
        let ends = [theirs.stdin.as_fd(), theirs.stdout.as_fd(), stderr.as_fd(), theirs.status.as_fd()];
        let started = take(seats, ends).and_then(|()| {
            let [stdin, stdout, stderr, status] = seats.each_ref().map(AsRawFd::as_raw_fd);
            let last_shared = [stdin, stdout, stderr, status].into_iter().max();
            let ends = Ends { stdin, stdout, stderr, status, last_shared };
            match image.cgroup().map(|cgroup| start_inside(&Task { image, ends, is_inside: true }, stack, cgroup)) {
                Some(Ok(pid)) => Ok(pid),
                // Whatever the reason is, the child tries to join it on its own.
                None | Some(Err(_)) => start(&Task { image, ends, is_inside: false }, stack),
            }
        });
        // Ours must not keep a pipe open that the child has closed. Nothing can go wrong: the numbers are in use.
        let cleared = take(seats, [nothing.as_fd(); SEATS]);
        started.and_then(|pid| cleared.map(|()| pid))
    }
}

fn take(seats: &mut [OwnedFd; SEATS], ends: [BorrowedFd<'_>; SEATS]) -> Result<(), Errno> {
    seats.iter_mut().zip(ends).try_for_each(|(seat, end)| dup3(end, seat, OFlag::O_CLOEXEC))
}

fn start(task: &Task<'_>, stack: &mut [u8]) -> Result<Pid, Errno> {
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES | libc::SIGCHLD;
    let top = stack.as_mut_ptr_range().end;
    let task = ptr::from_ref(task).cast_mut().cast();
    // SAFETY: the child has a stack of its own and only reads `task`, which outlives it here, because CLONE_VFORK keeps us from going
    // on before it has another memory or none. It runs `become_program` only, which makes nothing but system calls.
    Errno::result(unsafe { libc::clone(run, top.cast(), flags, task) })
}

fn start_inside(task: &Task<'_>, stack: &mut [u8], cgroup: BorrowedFd<'_>) -> Result<Pid, Errno> {
    let task = ptr::from_ref(task).cast_mut().cast();
    // SAFETY: as above.
    unsafe { clone3::start(run, task, stack, cgroup) }
}

extern "C" fn run(task: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `start` has made it of a task that lives.
    let Task { image, ends, is_inside } = unsafe { &*task.cast::<Task<'_>>() };
    become_program(image, ends, *is_inside)
}
