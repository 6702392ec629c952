//! Where control groups are.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where systemd says that a group is delegated: for everybody (251), and for root alone (237).
const DELEGATED: [&str; 2] = ["user.delegate", "trusted.delegate"];

/// A group in one of the hierarchies in which systemd keeps services apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    mount: PathBuf,
    /// Below the mount.
    path: PathBuf,
}

impl Place {
    /// Those that this process is in: version 2 first.
    pub fn all_of_ours() -> Vec<Place> {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        all(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"))
    }

    /// The group at a path below where its hierarchy is mounted.
    pub(super) fn new(mount: PathBuf, path: PathBuf) -> Place {
        Place { mount, path }
    }

    /// The group at another path of the same hierarchy.
    pub(super) fn at(&self, path: PathBuf) -> Place {
        Place::new(self.mount.clone(), path)
    }

    /// Where it is below the mount of its hierarchy.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The group of the service that it is in; none when it is in no service's. Commands of a unit beside its main one may be in a
    /// group of their own.
    pub fn of_unit(&self) -> Option<Place> {
        let path = match self.path.file_name()?.to_str()? {
            ".control" | "control" => self.path.parent()?,
            _ => &self.path,
        };
        let is_service = path.extension().is_some_and(|extension| extension == "service");
        is_service.then(|| self.at(path.to_owned()))
    }

    /// Its directory.
    pub fn dir(&self) -> PathBuf {
        self.mount.join(&self.path)
    }

    /// Where who writes `0` joins it.
    pub fn procs(&self) -> PathBuf {
        self.dir().join("cgroup.procs")
    }

    /// Groups may be made here.
    pub(super) fn is_ours(&self) -> bool {
        let dir = self.dir();
        let is_writable = nix::unistd::access(&self.procs(), nix::unistd::AccessFlags::W_OK).is_ok();
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

/// The groups of a process by its `/proc/PID/cgroup`, where `/proc/PID/mountinfo` says that they are mounted: version 2 first.
fn all(own: &str, mounts: &str) -> Vec<Place> {
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
            let mut before = before.split(' ');
            let (root, mount) = (before.nth(3)?, before.next()?);
            let below = Path::new(path).strip_prefix(root).ok()?;
            Some(Place::new(mount.into(), below.to_owned()))
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
        Place::new(mount.into(), path.into())
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
        assert_eq!(all(own, mounts), found);
    }

    #[test]
    fn a_mount_of_a_part_is_reckoned_from_there() {
        let mounts = "26 25 0:23 /machine/a /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(all("0::/machine/a/unit\n", mounts), [place("/sys/fs/cgroup", "unit")]);
        assert_eq!(all("0::/elsewhere\n", mounts), []);
        assert_eq!(all("0::/../outside\n", "26 25 0:23 / /c rw - cgroup2 c rw\n").len(), 1);
    }
}
