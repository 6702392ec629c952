//! Between fork and exec.

use std::ffi::{CStr, CString, NulError};
use std::fmt::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use nix::errno::Errno;

use super::{Exec, NOT_SPAWNED_CODE, assignment};
use crate::sys::privileges::{self, Identity};
use crate::sys::signals::IGNORED;

/// Where descriptors are closed one by one on kernels without `close_range(2)`, 5.9. Ours all close on exec; these are what the
/// daemon itself inherited, and the same number as the default of `minfds`.
const INHERITED_FD_MAX: RawFd = 1024;

/// Where a child has the pipe that tells why it could not become its program; closed on exec.
const STATUS_FD: RawFd = 3;

/// One past the last signal number.
const SIGNAL_NUMBER_END: i32 = 65;

/// Everything the child needs, allocated before the fork.
pub(super) struct Image<'a> {
    path: CString,
    argv: Pointers,
    envp: Pointers,
    directory: Option<CString>,
    umask: Option<libc::mode_t>,
    identity: Option<&'a Identity>,
    cgroup: Option<BorrowedFd<'a>>,
    failures: Failures,
}

/// Where the child finds its ends of the pipes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) stdin: RawFd,
    pub(super) stdout: RawFd,
    pub(super) stderr: RawFd,
    pub(super) status: RawFd,
    /// The table of descriptors is still the daemon's, and these four are none above this number.
    pub(super) last_shared: Option<RawFd>,
}

/// The beginnings of the lines that say what went wrong; the reason is added by the child.
struct Failures {
    setuid: String,
    chdir: String,
    exec: String,
}

impl<'a> Image<'a> {
    /// The control group that it is to be in.
    pub(super) fn cgroup(&self) -> Option<BorrowedFd<'a>> {
        self.cgroup
    }

    pub(super) fn new(exec: &Exec<'a>) -> Result<Self, NulError> {
        let argv = exec.argv.iter().map(|word| CString::new(word.as_bytes())).collect::<Result<_, _>>()?;
        let envp = exec.env.iter().map(assignment).collect::<Result<_, _>>()?;
        let uid = exec.identity.map_or(0, |identity| identity.uid);
        let directory = exec.directory.map(|path| path.display().to_string()).unwrap_or_default();
        let program = exec.argv.first().map_or("", String::as_str);
        Ok(Self {
            path: CString::new(exec.path.as_os_str().as_bytes())?,
            argv: Pointers::new(argv),
            envp: Pointers::new(envp),
            directory: exec.directory.map(|path| CString::new(path.as_os_str().as_bytes())).transpose()?,
            umask: exec.umask,
            identity: exec.identity,
            cgroup: exec.cgroup,
            failures: Failures {
                setuid: format!("couldn't setuid to {uid}: "),
                chdir: format!("couldn't chdir to {directory}: "),
                exec: format!("couldn't exec {program}: "),
            },
        })
    }
}

/// C strings with the null-terminated array of pointers to them.
struct Pointers {
    pointers: Vec<*const libc::c_char>,
    _strings: Vec<CString>,
}

impl Pointers {
    fn new(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        Self { pointers, _strings: strings }
    }
}

/// Turns a just-forked child into its program, in Supervisor's order: process group, descriptors, privileges, directory,
/// umask, exec (`Supervisor: process.py _spawn_as_child()`). `is_inside` says that it was born in its control group.
pub(super) fn become_program(image: &Image<'_>, ends: &Ends, is_inside: bool) -> ! {
    // SAFETY: plain integers; it only fails for a session leader, which a fork is not.
    unsafe { libc::setpgid(0, 0) };
    if let (Some(cgroup), false) = (image.cgroup, is_inside) {
        join(cgroup);
    }
    if place_descriptors(ends).is_err() {
        exit();
    }
    if let Some(Err(error)) = image.identity.map(privileges::switch) {
        fail(&image.failures.setuid, error.text());
    }
    if let Some(directory) = &image.directory
        && chdir(directory).is_err()
    {
        fail(&image.failures.chdir, ErrnoName::last().as_str());
    }
    if let Some(umask) = image.umask {
        // SAFETY: plain integer; cannot fail.
        unsafe { libc::umask(umask) };
    }
    reset_signals();
    // SAFETY: path is a C string; both arrays end with a null pointer and their strings live in `image`.
    unsafe { libc::execve(image.path.as_ptr(), image.argv.pointers.as_ptr(), image.envp.pointers.as_ptr()) };
    fail(&image.failures.exec, ErrnoName::last().as_str())
}

/// Refused, it stays where it is; its tree is found without.
fn join(cgroup: BorrowedFd<'_>) {
    // SAFETY: a descriptor that the daemon holds, and a C string.
    let procs = unsafe { libc::openat(cgroup.as_raw_fd(), c"cgroup.procs".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
    if procs >= 0 {
        // SAFETY: "0" is whoever writes; one byte that lives. The descriptor is closed again, because the table may be the daemon's.
        unsafe {
            libc::write(procs, c"0".as_ptr().cast(), 1);
            libc::close(procs);
        }
    }
}

/// Puts the pipes at 0, 1, 2 and [`STATUS_FD`] and closes everything else. The pipes are above 2, because the Rust runtime opens 0 to 2
/// when they are closed at start.
fn place_descriptors(ends: &Ends) -> Result<(), Errno> {
    if let Some(last) = ends.last_shared {
        // From here on the table is the child's own; what lies above is not even copied.
        // SAFETY: plain integers.
        let own =
            unsafe { libc::syscall(libc::SYS_close_range, last + 1, libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE) };
        Errno::result(own)?;
    }
    for (target, end) in [(0, ends.stdin), (1, ends.stdout), (2, ends.stderr)] {
        // SAFETY: plain integers. 0 to 2 have no owner in this child, which ends with exec or `_exit`.
        Errno::result(unsafe { libc::dup2(end, target) })?;
    }
    let status = ends.status;
    if status != STATUS_FD {
        // SAFETY: plain integers. Whatever is at this place in this child is not used any more.
        Errno::result(unsafe { libc::dup3(status, STATUS_FD, libc::O_CLOEXEC) })?;
    }
    // SAFETY: nothing in this child uses a descriptor above the status pipe from here on, and no destructor runs.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, STATUS_FD + 1, libc::c_uint::MAX, 0) };
    if closed != 0 {
        for fd in STATUS_FD + 1..INHERITED_FD_MAX {
            // SAFETY: as above.
            unsafe { libc::close(fd) };
        }
    }
    Ok(())
}

fn chdir(directory: &CStr) -> Result<(), Errno> {
    // SAFETY: a C string.
    Errno::result(unsafe { libc::chdir(directory.as_ptr()) }).map(drop)
}

/// Default dispositions, but for the signals that children find ignored; then nothing is blocked.
fn reset_signals() {
    for number in 1..SIGNAL_NUMBER_END {
        if IGNORED.iter().any(|&ignored| ignored as i32 == number) {
            continue;
        }
        // SAFETY: the default disposition installs no handler. SIGKILL, SIGSTOP and the C library's own refuse; nothing to do.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
    // SAFETY: `none` is initialised by sigemptyset before it is read.
    unsafe {
        let mut none = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
}

/// Writes what went wrong and why to the stderr log, in one write so that lines of two children do not mix, tells the
/// daemon, and ends.
fn fail(what: &str, why: &str) -> ! {
    write_all(STATUS_FD, &[what, why]);
    write_all(2, &["supervisor: ", what, why, "\nsupervisor: child process was not spawned\n"]);
    exit()
}

fn write_all<const N: usize>(fd: RawFd, parts: &[&str; N]) {
    let ranges = parts.map(|part| libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() });
    // SAFETY: live byte ranges that writev only reads.
    unsafe { libc::writev(fd, ranges.as_ptr(), ranges.len() as libc::c_int) };
}

fn exit() -> ! {
    // SAFETY: ends the child without running destructors or flushing buffers that belong to the daemon.
    unsafe { libc::_exit(NOT_SPAWNED_CODE) }
}

/// The symbolic name of an error number, made without allocating.
struct ErrnoName {
    bytes: [u8; 24],
    len: usize,
}

impl ErrnoName {
    fn last() -> Self {
        let mut name = Self { bytes: [0; 24], len: 0 };
        // A name that does not fit is cut, which the writer below reports and nobody can use here.
        let _ = match Errno::last() {
            Errno::UnknownErrno => write!(name, "{}", Errno::last_raw()),
            errno => write!(name, "{errno:?}"),
        };
        name
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Write for ErrnoName {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..];
        let count = text.len().min(room.len());
        room[..count].copy_from_slice(&text.as_bytes()[..count]);
        self.len += count;
        if count == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}
