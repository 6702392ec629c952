//! Where programs are, and the trees of those with `killmode=tree`: held together by control groups where those can be had, and found
//! through `/proc` besides.

use std::collections::HashSet;
use std::os::fd::OwnedFd;

use crate::config::{Level, signal};
use crate::core::{Pid, Tree};
use crate::logs::ActivityLog;
use crate::sys::cgroup::programs::ProgramGroup;
use crate::sys::cgroup::trees::Cgroups;
use crate::sys::tree::{self, Member, Wanted};

/// Most times that a tree is looked through to signal it once: each finds what was forked since the last.
const ROUNDS_MAX: usize = 32;

/// Keeps programs apart from the daemon, and finds trees.
#[derive(Debug)]
pub struct Trees {
    programs: ProgramGroup,
    /// Looked for when it is first needed.
    cgroups: Option<Option<Cgroups>>,
    is_said: bool,
}

impl Trees {
    /// None yet. Does nothing about trees before the first program asks for it.
    pub fn new() -> Self {
        Trees { programs: ProgramGroup::find(), cgroups: None, is_said: false }
    }

    /// The unit that the service manager counts programs to, if it is not the daemon's own.
    pub fn unit(&self) -> Option<String> {
        self.programs.unit()
    }

    /// A program is about to start. Answers the directory of its control group, if it is not to be where the daemon is.
    pub fn prepare(&mut self, mark: Option<&str>, log: &mut ActivityLog) -> Option<OwnedFd> {
        mark.and_then(|mark| self.prepare_tree(mark, log)).or_else(|| self.programs.open())
    }

    /// It has a tree: from now on orphans are ours.
    fn prepare_tree(&mut self, mark: &str, log: &mut ActivityLog) -> Option<OwnedFd> {
        let adopted = tree::adopt_orphans();
        let cgroups = self.cgroups();
        let joined = cgroups.map(|cgroups| cgroups.make(mark));
        if !std::mem::replace(&mut self.is_said, true) {
            let how = match &joined {
                Some(Ok(_)) => "in control groups".to_owned(),
                Some(Err(error)) => format!("through /proc: no control group can be made: {error}"),
                None => "through /proc: no control group is delegated to us".to_owned(),
            };
            log.write(Level::Info, &format!("killmode=tree: what programs start is followed {how}"));
            if let Err(error) = adopted {
                log.write(Level::Warn, &format!("killmode=tree: orphans cannot be adopted: {error}"));
            }
        }
        joined.and_then(Result::ok)
    }

    /// Signals every process of a tree, 0 to none, and answers how many there were. `is_running` tells the processes of programs.
    pub fn signal(&mut self, tree: &Tree<'_>, number: i32, is_running: &dyn Fn(Pid) -> bool) -> usize {
        let Tree { mark, main, is_orphaned } = *tree;
        let is_other = |pid| is_running(pid) && (is_orphaned || pid != main);
        let mut signalled: HashSet<Member> = HashSet::new();
        let cgroups = self.cgroups();
        for _ in 0..ROUNDS_MAX {
            let known = cgroups.map(|cgroups| cgroups.members(mark)).unwrap_or_default();
            let members = tree::members(&Wanted { mark, main, is_orphaned, known: &known }, &is_other);
            if number == signal::KILL && !known.is_empty() {
                cgroups.map(|cgroups| cgroups.kill(mark));
            }
            let fresh: Vec<Member> = members.into_iter().filter(|member| signalled.insert(*member)).collect();
            if fresh.is_empty() || number == 0 {
                break;
            }
            fresh.into_iter().for_each(|member| tree::signal(member, number));
        }
        if signalled.is_empty()
            && let Some(cgroups) = cgroups
        {
            cgroups.remove(mark);
        }
        signalled.len()
    }

    fn cgroups(&mut self) -> Option<&Cgroups> {
        self.cgroups.get_or_insert_with(|| Cgroups::find(&self.programs)).as_ref()
    }
}
