//! What programs with `killmode=tree` have started.

use std::os::fd::OwnedFd;

use super::Programs;
use crate::core::Tree;
use crate::logs::ActivityLog;

impl Programs {
    /// A program whose tree is watched is about to start. Answers where its child joins the control group of the tree.
    pub fn prepare_tree(&mut self, mark: &str, log: &mut ActivityLog) -> Option<OwnedFd> {
        self.trees.prepare(mark, log)
    }

    /// Signals every process of a tree, 0 to none, and answers how many there were.
    pub fn signal_tree(&mut self, tree: &Tree<'_>, signal: i32) -> usize {
        let Programs { trees, running, .. } = self;
        trees.signal(tree, signal, &|pid| running.contains_key(&pid))
    }
}
