//! Everything that a process has started: found through `/proc`, whoever the parents are by now.
//!
//! While this process adopts orphans ([`adopt_orphans`]), whatever loses its parent becomes its child. A tree is then: the main process;
//! our children that carry the mark of the tree in the environment they began with, or are in the main process's group or session; and all that
//! these have started. A program that becomes a daemon twice over and hides its first environment cannot be told from a stranger.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use crate::core::Pid;

/// The variable that carries the mark.
pub const MARK_VARIABLE: &str = "SUPERVISOR_TREE";

/// A process, so that no other is taken for it when its pid is used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its pid.
    pub pid: Pid,
    /// When it began, in clock ticks since the boot.
    pub start_ticks: u64,
}

/// One line of `/proc/PID/stat`, as far as it matters here.
#[derive(Debug, Clone, Copy)]
struct Seen {
    member: Member,
    parent: Pid,
    group: Pid,
    session: Pid,
    is_dead: bool,
    is_stopped: bool,
}

/// Makes this process the parent of every descendant that loses its own (Linux 3.4). It stays so until it ends, also across `execve`.
///
/// # Errors
/// The kernel does not know it.
pub fn adopt_orphans() -> Result<(), Errno> {
    // SAFETY: prctl with integers only.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }).map(drop)
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Mark of the tree.
    pub mark: &'a str,
    /// Its main process.
    pub main: Pid,
    /// The main process has ended, so its pid may be another's.
    pub is_orphaned: bool,
    /// Who belongs to a tree for other reasons, such as a control group.
    pub known: &'a [Pid],
}

/// The living processes of a tree. `is_other` tells the main processes of other programs, which are never among them.
pub fn members(wanted: &Wanted<'_>, is_other: &dyn Fn(Pid) -> bool) -> Vec<Member> {
    let (me, my_parent) = (std::process::id().cast_signed(), nix::unistd::getppid().as_raw());
    let seen: Vec<Seen> = every_process();
    let is_candidate = |one: &&Seen| one.member.pid != me && one.member.pid > 1 && !is_other(one.member.pid);
    let is_root = |one: &Seen| {
        let Seen { member: Member { pid, .. }, parent, group, session, is_dead, .. } = *one;
        if wanted.known.contains(&pid) || (pid == wanted.main && !wanted.is_orphaned) {
            return true;
        }
        // Its parent has gone: it was handed to us, or before we adopted orphans to who did.
        if is_dead || ![me, my_parent, 1].contains(&parent) {
            return false;
        }
        let is_of_main = (group == wanted.main || session == wanted.main) && parent == me && !is_other(wanted.main);
        match mark_of(pid) {
            Some(mark) => mark == wanted.mark.as_bytes(),
            None => is_of_main,
        }
    };
    let mut found: HashSet<Pid> = HashSet::new();
    let mut open: Vec<Pid> =
        seen.iter().filter(is_candidate).filter(|one| is_root(one)).map(|one| one.member.pid).collect();
    let mut children: HashMap<Pid, Vec<Pid>> = HashMap::new();
    for one in seen.iter().filter(is_candidate) {
        children.entry(one.parent).or_default().push(one.member.pid);
    }
    while let Some(pid) = open.pop() {
        if found.insert(pid) {
            open.extend(children.get(&pid).into_iter().flatten());
        }
    }
    let is_alive = |one: &&Seen| found.contains(&one.member.pid) && !one.is_dead;
    seen.iter().filter(is_alive).map(|one| one.member).collect()
}

/// A process that is there and has not ended, with its start.
pub fn member(pid: Pid) -> Option<Member> {
    see(pid).filter(|seen| !seen.is_dead).map(|seen| seen.member)
}

/// The children of a process, those that have ended but were not waited for included.
pub fn children_of(pid: Pid) -> Vec<Member> {
    every_process().into_iter().filter(|one| one.parent == pid).map(|one| one.member).collect()
}

/// What a process has started, and what that has started, as far as nobody has lost its parent.
pub fn descendants_of(pid: Pid) -> Vec<Member> {
    let seen = every_process();
    let (mut open, mut found) = (vec![pid], Vec::new());
    while let Some(parent) = open.pop() {
        let children = seen.iter().filter(|one| one.parent == parent && !one.is_dead).map(|one| one.member);
        let children: Vec<Member> = children.collect();
        open.extend(children.iter().map(|child| child.pid));
        found.extend(children);
    }
    found
}

/// Whether a process stands still after SIGSTOP.
pub fn is_stopped(pid: Pid) -> bool {
    see(pid).is_some_and(|seen| seen.is_stopped)
}

/// Sends a signal to a process unless another has its pid by now. What cannot be signalled is passed over: it has gone, or is not ours.
pub fn signal(member: Member, number: i32) {
    // SAFETY: plain integers; the result is a new descriptor or -1.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, member.pid, 0) };
    // SAFETY: the kernel just gave us this descriptor and nobody else has it.
    let pidfd = i32::try_from(raw).ok().filter(|fd| *fd >= 0).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    if see(member.pid).is_none_or(|seen| seen.member != member) {
        return;
    }
    match pidfd {
        // SAFETY: a descriptor that lives, integers, and a null pointer that asks for the usual information.
        Some(pidfd) => drop(unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                pidfd.as_raw_fd(),
                number,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        }),
        // Before Linux 5.3 there is a moment in which the pid could become another's; our own children keep theirs until reaped.
        // SAFETY: plain integers; the pid is more than 1.
        None => drop(unsafe { libc::kill(member.pid, number) }),
    }
}

fn every_process() -> Vec<Seen> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<Pid>().ok());
    pids.filter_map(see).collect()
}

/// A process that is there.
fn see(pid: Pid) -> Option<Seen> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything, brackets too.
    let behind = text.iter().rposition(|byte| *byte == b')')? + 1;
    let text = std::str::from_utf8(&text[behind..]).ok()?;
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<Pid>().ok();
    Some(Seen {
        member: Member { pid, start_ticks: fields.get(19)?.parse().ok()? },
        is_dead: matches!(*fields.first()?, "Z" | "X" | "x"),
        is_stopped: matches!(*fields.first()?, "T" | "t"),
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
    })
}

/// The mark that a process began with; `None` when it has none, hides it, or is not ours to look at.
fn mark_of(pid: Pid) -> Option<Vec<u8>> {
    let environment = environment_of(pid)?;
    let mut variables = environment.split(|byte| *byte == 0);
    variables
        .find_map(|variable| variable.strip_prefix(MARK_VARIABLE.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec))
}

/// Bytes of an environment that are asked for first, and at most: more than the kernel lets one be.
const ENVIRONMENT_BYTES: usize = 16 * 1024;
const ENVIRONMENT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// So many looks find a process without an environment, but with arguments, before it has none.
const BARE_LOOKS: usize = 3;
/// Most looks at a process that has neither.
const EXECVE_LOOKS_MAX: usize = 10_000;

/// In the middle of an `execve` a process shows neither environment nor arguments for a moment: it is let through, and looked at
/// again.
fn environment_of(pid: Pid) -> Option<Vec<u8>> {
    let mut bare_looks = 0;
    for _ in 0..EXECVE_LOOKS_MAX {
        let environment = read_at_once(&format!("/proc/{pid}/environ"))?;
        if !environment.is_empty() {
            return Some(environment);
        }
        if fs::read(format!("/proc/{pid}/cmdline")).ok()?.is_empty() {
            std::thread::yield_now();
            continue;
        }
        bare_looks += 1;
        if bare_looks == BARE_LOOKS {
            break;
        }
    }
    None
}

/// An environment that is read piece by piece ends where an `execve` meets it; one call gets the whole of the old or the new one.
fn read_at_once(path: &str) -> Option<Vec<u8>> {
    let mut buffer = vec![0; ENVIRONMENT_BYTES];
    loop {
        let count = File::open(path).and_then(|mut file| file.read(&mut buffer)).ok()?;
        if count < buffer.len() || count == ENVIRONMENT_BYTES_MAX {
            buffer.truncate(count);
            return Some(buffer);
        }
        buffer.resize(buffer.len() * 2, 0);
    }
}
