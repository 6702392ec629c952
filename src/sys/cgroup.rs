//! Control groups of our own, one for each tree of processes: nothing that a program starts leaves its group.
//!
//! Used where they are ours to make: version 2, or the named hierarchy of systemd in version 1. Under systemd that means `Delegate=`, which it
//! notes in an attribute of the directory (from 237 on); elsewhere that we can write. No controller is enabled: they only hold
//! processes together.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::core::Pid;

/// What the names of our groups begin with.
const PREFIX: &str = "supervisor-tree-";
/// Where systemd says that a group is delegated: for everybody (251), and for root alone (237).
const DELEGATED: [&str; 2] = ["user.delegate", "trusted.delegate"];
/// How deep a program may nest groups of its own before we look no further.
const DEPTH_MAX: usize = 16;

/// Where our groups are.
#[derive(Debug)]
pub struct Cgroups {
    parent: PathBuf,
}

impl Cgroups {
    /// Where this process is, if groups can be made there. Removes those that an earlier run has left empty.
    pub fn find() -> Option<Cgroups> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let parent = candidates(&own, &mounts).into_iter().find(|place| place.is_ours())?.dir();
        for entry in fs::read_dir(&parent).ok()?.flatten() {
            if entry.file_name().as_bytes().starts_with(PREFIX.as_bytes()) {
                // One that is not empty refuses.
                let _ = fs::remove_dir(entry.path());
            }
        }
        Some(Cgroups { parent })
    }

    /// Makes the group of a tree. Who writes `0` to the descriptor joins it.
    ///
    /// # Errors
    /// It cannot be made or joined.
    pub fn make(&self, mark: &str) -> io::Result<OwnedFd> {
        let dir = self.dir_of(mark);
        match fs::create_dir(&dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        File::options().write(true).open(dir.join("cgroup.procs")).map(OwnedFd::from)
    }

    /// Everybody in the group of a tree and in groups inside it; nobody when there is none.
    pub fn members(&self, mark: &str) -> Vec<Pid> {
        let mut pids = Vec::new();
        collect(&self.dir_of(mark), DEPTH_MAX, &mut pids);
        pids
    }

    /// Kills everybody in the group at one blow, if the kernel can (Linux 5.14).
    pub fn kill(&self, mark: &str) -> bool {
        fs::write(self.dir_of(mark).join("cgroup.kill"), "1").is_ok()
    }

    /// Removes the group once it is empty; else it stays.
    pub fn remove(&self, mark: &str) {
        remove(&self.dir_of(mark), DEPTH_MAX);
    }

    /// A mark may hold what a file name cannot, and be longer.
    fn dir_of(&self, mark: &str) -> PathBuf {
        let hash = mark
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        self.parent.join(format!("{PREFIX}{hash:016x}"))
    }
}

/// Moves a process into the control group that this process is in, so that the service manager counts it to the same service. Where
/// that cannot be done it stays where it is.
pub fn join_ours(pid: Pid) {
    let (Ok(own), Ok(mounts)) = (fs::read_to_string("/proc/self/cgroup"), fs::read_to_string("/proc/self/mountinfo"))
    else {
        return;
    };
    for place in candidates(&own, &mounts) {
        let _ = fs::write(place.dir().join("cgroup.procs"), pid.to_string());
    }
}

fn collect(dir: &Path, depth: usize, pids: &mut Vec<Pid>) {
    let Ok(text) = fs::read_to_string(dir.join("cgroup.procs")) else { return };
    pids.extend(text.lines().filter_map(|line| line.parse::<Pid>().ok()));
    if depth > 0 {
        subgroups(dir).for_each(|inner| collect(&inner, depth - 1, pids));
    }
}

fn remove(dir: &Path, depth: usize) {
    if depth > 0 {
        subgroups(dir).for_each(|inner| remove(&inner, depth - 1));
    }
    let _ = fs::remove_dir(dir);
}

fn subgroups(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

/// A group that this process is in.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    mount: PathBuf,
    /// Below the mount.
    path: PathBuf,
}

impl Place {
    fn dir(&self) -> PathBuf {
        self.mount.join(&self.path)
    }

    /// Groups may be made here.
    fn is_ours(&self) -> bool {
        let dir = self.dir();
        let is_writable = nix::unistd::access(&dir.join("cgroup.procs"), nix::unistd::AccessFlags::W_OK).is_ok();
        // The top of what we see is a container's own, unless this is the machine's.
        let is_top = self.path.as_os_str().is_empty();
        let has_systemd = Path::new("/run/systemd/system").exists();
        is_writable && if has_systemd { is_delegated(&self.mount, &dir) } else { !is_top || std::process::id() != 1 }
    }
}

/// A group, or one that it is in, was given to us.
fn is_delegated(mount: &Path, dir: &Path) -> bool {
    let is_marked = |dir: &Path| DELEGATED.iter().any(|name| attribute(dir, name).as_deref() == Some(b"1"));
    dir.ancestors().take_while(|dir| dir.starts_with(mount) && *dir != mount).any(is_marked)
}

/// A short extended attribute.
fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let (path, name) = (CString::new(path.as_os_str().as_bytes()).ok()?, CString::new(name).ok()?);
    let mut value = [0_u8; 16];
    // SAFETY: two C strings that live, and a buffer of the length that is passed.
    let length = unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    value.get(..usize::try_from(length).ok()?).map(<[u8]>::to_vec)
}

/// The groups of this process by `/proc/self/cgroup`, where `/proc/self/mountinfo` says that they are mounted: version 2 first.
fn candidates(own: &str, mounts: &str) -> Vec<Place> {
    let find = |prefix: &str, is_type: &dyn Fn(&str, &str) -> bool| {
        let path = own.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            rest.strip_prefix(prefix)?.strip_prefix(':')
        })?;
        mounts.lines().find_map(|line| {
            let (before, after) = line.split_once(" - ")?;
            let mut after = after.split(' ');
            let (kind, options) = (after.next()?, after.nth(1).unwrap_or_default());
            if !is_type(kind, options) {
                return None;
            }
            let mut before = before.split(' ').skip(3);
            let (root, mount) = (before.next()?, before.next()?);
            let below = Path::new(path).strip_prefix(root).ok()?;
            Some(Place { mount: mount.into(), path: below.to_owned() })
        })
    };
    let unified = find("", &|kind, _| kind == "cgroup2");
    let named = find("name=systemd", &|kind, options| {
        kind == "cgroup" && options.split(',').any(|option| option == "name=systemd")
    });
    unified.into_iter().chain(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(mount: &str, path: &str) -> Place {
        Place { mount: mount.into(), path: path.into() }
    }

    #[test]
    fn both_versions_are_found_and_the_second_comes_first() {
        let own = "12:pids:/system.slice/supervisord.service\n1:name=systemd:/system.slice/supervisord.service\n0::/system.slice/supervisord.service\n";
        let mounts = "\
            25 24 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n\
            26 25 0:23 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n\
            27 25 0:24 / /sys/fs/cgroup/systemd rw,nosuid - cgroup cgroup rw,xattr,name=systemd\n\
            28 25 0:25 / /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids\n";
        let path = "system.slice/supervisord.service";
        let found = [place("/sys/fs/cgroup/unified", path), place("/sys/fs/cgroup/systemd", path)];
        assert_eq!(candidates(own, mounts), found);
    }

    #[test]
    fn a_mount_of_a_part_is_reckoned_from_there() {
        let mounts = "26 25 0:23 /machine/a /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(candidates("0::/machine/a/unit\n", mounts), [place("/sys/fs/cgroup", "unit")]);
        assert_eq!(candidates("0::/elsewhere\n", mounts), []);
        assert_eq!(candidates("0::/../outside\n", "26 25 0:23 / /c rw - cgroup2 c rw\n").len(), 1);
    }
}
