//! Control groups of our own, one for each tree of processes: nothing that a program starts leaves its group.
//!
//! Used where they are ours to make: version 2, or the named hierarchy of systemd in version 1. Under systemd that means `Delegate=`, which it
//! notes in an attribute of the directory (from 237 on); elsewhere that we can write. No controller is enabled: they only hold
//! processes together.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::members::{DEPTH_MAX, members, subgroups};
use super::place::Place;
use super::programs::ProgramGroup;
use crate::core::Pid;

/// What the names of our groups begin with.
const PREFIX: &str = "supervisor-tree-";

/// Where our groups are.
#[derive(Debug)]
pub struct Cgroups {
    parent: PathBuf,
}

impl Cgroups {
    /// Where programs are, or this process is, if groups can be made there. Removes those that an earlier run has left empty.
    pub fn find(programs: &ProgramGroup) -> Option<Cgroups> {
        let places = programs.place().cloned().into_iter().chain(Place::all_of_ours());
        let parent = places.into_iter().find(Place::is_ours)?.dir();
        for entry in fs::read_dir(&parent).ok()?.flatten() {
            if entry.file_name().as_bytes().starts_with(PREFIX.as_bytes()) {
                // One that is not empty refuses.
                let _ = fs::remove_dir(entry.path());
            }
        }
        Some(Cgroups { parent })
    }

    /// Makes the group of a tree, and answers its directory.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make(&self, mark: &str) -> io::Result<OwnedFd> {
        let dir = self.dir_of(mark);
        match fs::create_dir(&dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        File::open(dir).map(OwnedFd::from)
    }

    /// Everybody in the group of a tree and in groups inside it; nobody when there is none.
    pub fn members(&self, mark: &str) -> Vec<Pid> {
        members(&self.dir_of(mark))
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

fn remove(dir: &Path, depth: usize) {
    if depth > 0 {
        subgroups(dir).for_each(|inner| remove(&inner, depth - 1));
    }
    let _ = fs::remove_dir(dir);
}
