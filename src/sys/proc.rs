//! Processes that are not our children, as the kernel shows them.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::exec_self::ObjectId;
use crate::core::Pid;

/// When a process was started, in clock ticks since the boot: with its pid it names one process for good. `None` when there is
/// no such process, or it has ended and only waits to be reaped.
pub fn start_time(pid: Pid) -> Option<u64> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(text.get(end + 2..)?).ok()?;
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    // Field 22; the state is field 3.
    fields.nth(18)?.parse().ok()
}

/// Names this boot of the machine: pids and start times mean something in one boot only.
///
/// # Errors
/// There is no `/proc`.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// The processes whose standard output is this pipe or file and that lead a process group: of those that were given it, the
/// one that was started, not what it started.
pub fn leaders_writing_to(object: ObjectId) -> Vec<Pid> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<Pid>().ok());
    let writes = |pid: &Pid| {
        fs::metadata(format!("/proc/{pid}/fd/1"))
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == (object.device, object.inode))
    };
    let leads = |pid: &Pid| {
        nix::unistd::getpgid(Some(nix::unistd::Pid::from_raw(*pid))).is_ok_and(|group| group.as_raw() == *pid)
    };
    pids.filter(leads).filter(writes).collect()
}

/// A pipe that another process has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipeEnd {
    /// Its number there.
    pub number: RawFd,
    /// The pipe.
    pub object: ObjectId,
    /// It is the end that is written to.
    pub is_writer: bool,
}

/// The pipes that a process has open.
///
/// # Errors
/// There is no such process, or we may not look into it.
pub fn pipes_of(pid: Pid) -> io::Result<Vec<PipeEnd>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))?.flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()) else { continue };
        // It may have been closed meanwhile.
        let Ok(metadata) = fs::metadata(entry.path()) else { continue };
        if metadata.file_type().is_fifo() {
            let object = ObjectId { device: metadata.dev(), inode: metadata.ino() };
            found.push(PipeEnd { number, object, is_writer: is_writer(pid, number)? });
        }
    }
    found.sort_unstable_by_key(|end| end.number);
    Ok(found)
}

fn is_writer(pid: Pid, number: RawFd) -> io::Result<bool> {
    let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}"))?;
    let flags = text.lines().find_map(|line| i32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    Ok(flags.is_some_and(|flags| flags & libc::O_ACCMODE != libc::O_RDONLY))
}

/// What is behind a descriptor of another process.
///
/// # Errors
/// It has none of this number, or we may not look.
pub fn object_of(pid: Pid, number: RawFd) -> io::Result<ObjectId> {
    let metadata = fs::metadata(format!("/proc/{pid}/fd/{number}"))?;
    Ok(ObjectId { device: metadata.dev(), inode: metadata.ino() })
}

/// Opens the same end of a pipe that another process has open: a description of our own, which stays when that process ends. Every
/// kernel can do it, where `pidfd_getfd(2)` needs 5.6.
///
/// # Errors
/// It is not the pipe that it was, has nobody at the other end, or may not be opened.
pub fn open_pipe(pid: Pid, number: RawFd, object: ObjectId) -> io::Result<OwnedFd> {
    let is_writer = is_writer(pid, number)?;
    let file = fs::File::options()
        .read(!is_writer)
        .write(is_writer)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(format!("/proc/{pid}/fd/{number}"))?;
    if super::exec_self::object_of(file.as_fd())? != object {
        return Err(io::Error::other("it is another pipe by now"));
    }
    Ok(file.into())
}

/// The system calls in which a program waits for many descriptors at once, and the one that goes on with a wait that a stop has
/// interrupted.
const WAITS: &[libc::c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_select,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_pwait,
    libc::SYS_restart_syscall,
];

/// Whether a process that stands still (SIGSTOP) does so while it waits for something to do: then it has nothing half done in hand.
/// False also where the kernel does not tell.
pub fn is_idle(pid: Pid) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let number = text.split(' ').next().and_then(|word| word.parse().ok());
    number.is_some_and(|number| WAITS.contains(&number))
}

/// A handle of a process that is not our child: it is readable once the process has ended.
#[derive(Debug)]
pub struct PidFd {
    descriptor: OwnedFd,
}

impl PidFd {
    /// Of the process that has this pid now.
    ///
    /// # Errors
    /// There is none, or the kernel has no such handles (before 5.3).
    pub fn open(pid: Pid) -> io::Result<Self> {
        // SAFETY: two integers in, a descriptor or an error out.
        let number = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let number = i32::try_from(Errno::result(number)?).map_err(io::Error::other)?;
        // SAFETY: the call has just made it for us; it is closed on exec.
        Ok(PidFd { descriptor: unsafe { OwnedFd::from_raw_fd(number) } })
    }

    /// Whether the process has ended.
    pub fn has_ended(&self) -> bool {
        let mut wanted = [PollFd::new(self.descriptor.as_fd(), PollFlags::POLLIN)];
        matches!(poll(&mut wanted, PollTimeout::ZERO), Ok(count) if count > 0)
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
