//! Processes that are not our children, as the kernel shows them.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

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
