//! The mount table: where a path is, and what may be done there.

use crate::kit::host::Root;

const TABLE: &str = "/proc/self/mountinfo";

/// One mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub point: String,
    /// Such as `ext4`.
    pub kind: String,
    /// No program runs from it.
    pub is_noexec: bool,
    /// Nothing is written to it.
    pub is_read_only: bool,
}

impl Mount {
    /// Whether what is on it is gone after a boot.
    pub fn is_volatile(&self) -> bool {
        matches!(self.kind.as_str(), "tmpfs" | "ramfs")
    }

    /// For people: point, kind and what is forbidden.
    pub fn shown(&self) -> String {
        let forbidden = [(self.is_noexec, "noexec"), (self.is_read_only, "ro")];
        let words = forbidden.iter().filter(|(is, _)| *is).map(|(_, word)| format!(",{word}")).collect::<String>();
        format!("{} ({}{words})", self.point, self.kind)
    }
}

/// All of them, in the order of mounting.
#[derive(Debug, Clone, Default)]
pub struct Mounts(Vec<Mount>);

impl Mounts {
    /// Those of a running host; none when the kernel does not tell.
    pub fn read(root: &Root) -> Mounts {
        Mounts::parse(&String::from_utf8_lossy(&root.read(TABLE).unwrap_or_default()))
    }

    /// From the text of `/proc/self/mountinfo`.
    pub fn parse(text: &str) -> Mounts {
        Mounts(text.lines().filter_map(line).collect())
    }

    /// The file system that holds an absolute path: the longest point above it, the last one mounted there.
    pub fn of(&self, path: &str) -> Option<&Mount> {
        let holds = |mount: &&Mount| {
            mount.point == "/"
                || path.strip_prefix(&mount.point).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.iter().filter(holds).max_by_key(|mount| mount.point.len())
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`, see proc(5).
fn line(text: &str) -> Option<Mount> {
    let (before, after) = text.split_once(" - ")?;
    let before: Vec<&str> = before.split(' ').collect();
    let (point, options) = (before.get(4)?, before.get(5)?);
    let mut after = after.split(' ');
    let kind = after.next()?;
    let of_the_device = after.nth(1).unwrap_or_default();
    let has = |options: &str, wanted: &str| options.split(',').any(|option| option == wanted);
    Some(Mount {
        point: point.replace("\\040", " "),
        kind: kind.to_owned(),
        is_noexec: has(options, "noexec"),
        is_read_only: has(options, "ro") || has(of_the_device, "ro"),
    })
}
