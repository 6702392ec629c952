//! `clone3(2)`, for which the C library has no function: a child that borrows our memory and is born in a control group.
//!
//! Joining one later makes the kernel wait until nobody on the machine is in the middle of forking: milliseconds, in which the
//! daemon would stand still (6.5 where `clone3` takes none, Linux 6.18).

use std::ffi::c_void;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

use crate::core::Pid;

/// What a child does; it never comes back.
pub(super) type Run = extern "C" fn(*mut c_void) -> libc::c_int;

/// Stacks begin at a multiple of this, on every processor.
const STACK_ALIGNMENT: usize = 16;

/// Starts a child in the control group of version 2 with this directory, and stands still until it has become its program or ended.
///
/// # Errors
/// Before Linux 5.7, on a processor that this is not written for, or when the kernel does not take a child into that group: then
/// nothing has been started.
///
/// # Safety
/// `run(task)` never returns and makes only system calls, and `task` is what it takes.
pub(super) unsafe fn start(
    run: Run,
    task: *mut c_void,
    stack: &mut [u8],
    cgroup: BorrowedFd<'_>,
) -> Result<Pid, Errno> {
    let base = stack.as_mut_ptr();
    let top = (base as usize + stack.len()) / STACK_ALIGNMENT * STACK_ALIGNMENT;
    // SAFETY: zero is what the kernel takes for every part that is not asked for.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES;
    args.flags = u64::from(flags.cast_unsigned()) | CLONE_INTO_CGROUP;
    args.exit_signal = libc::SIGCHLD as u64;
    (args.stack, args.stack_size) = (base as u64, (top - base as usize) as u64);
    args.cgroup = u64::from(cgroup.as_raw_fd().cast_unsigned());
    // SAFETY: the child has a stack of its own, and the caller vouches for what it does there.
    match unsafe { clone3(&args, run, task) } {
        pid @ 0.. => Ok(pid as Pid),
        error => Err(Errno::from_raw(-error as i32)),
    }
}

/// `CLONE_INTO_CGROUP`, in the kernel's `sched.h`; the C library's type for flags has no room for it.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

#[cfg(target_arch = "x86_64")]
unsafe fn clone3(args: &libc::clone_args, run: Run, task: *mut c_void) -> isize {
    let mut answer = libc::SYS_clone3 as isize;
    // SAFETY: the kernel keeps all registers but the three that are named. The child is where its own stack begins, and what it
    // has in registers is what we had.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") answer,
            in("rdi") args,
            in("rsi") size_of::<libc::clone_args>(),
            in("r12") task,
            in("r13") run,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    answer
}

#[cfg(target_arch = "aarch64")]
unsafe fn clone3(args: &libc::clone_args, run: Run, task: *mut c_void) -> isize {
    let answer: isize;
    // SAFETY: as above; the kernel keeps all registers but the first.
    unsafe {
        std::arch::asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x20",
            "blr x21",
            "brk 1",
            "2:",
            inlateout("x0") args => answer,
            in("x1") size_of::<libc::clone_args>(),
            in("x8") libc::SYS_clone3,
            in("x20") task,
            in("x21") run,
        );
    }
    answer
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn clone3(_: &libc::clone_args, _: Run, _: *mut c_void) -> isize {
    -(libc::ENOSYS as isize)
}
