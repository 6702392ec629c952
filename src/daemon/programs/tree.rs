//! Where programs are, and what those with `killmode=tree` have started.

use std::os::fd::OwnedFd;

use super::Programs;
use crate::core::Tree;
use crate::logs::ActivityLog;

impl Programs {
    /// A program is about to start, with a mark if its tree is watched. Answers the directory of its control group.
    pub fn prepare_group(&mut self, mark: Option<&str>, log: &mut ActivityLog) -> Option<OwnedFd> {
        self.trees.prepare(mark, log)
    }

    /// The unit that the service manager counts programs to, if it is not the daemon's own.
    pub fn unit(&self) -> Option<String> {
        self.trees.unit()
    }

    /// Signals every process of a tree, 0 to none, and answers how many there were.
    pub fn signal_tree(&mut self, tree: &Tree<'_>, signal: i32) -> usize {
        let Programs { trees, running, .. } = self;
        trees.signal(tree, signal, &|pid| running.contains_key(&pid))
    }
}
