//! What to do to take a run back.

use std::fs;
use std::path::PathBuf;

use super::place;
use super::service;
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;

/// The reverse of one thing that was done.
#[derive(Debug)]
pub(super) enum Undoing {
    /// Remove a file or link, if it is there.
    RemoveFile(PathBuf),
    /// Remove a directory, unless something is in it by now.
    RemoveDir(PathBuf),
    /// Rename the old file back to its place.
    Restore { place: PathBuf, old: PathBuf },
    /// Make systemd forget the unit.
    Reload,
    /// Take the service out of the boot.
    Disable,
    /// Stop the service.
    Stop,
}

/// The list of them. An on-disk journal can take its place without a change for its users.
#[derive(Debug, Default)]
pub(super) struct Undo {
    done: Vec<Undoing>,
}

impl Undo {
    pub(super) fn push(&mut self, undoing: Undoing) {
        self.done.push(undoing);
    }

    /// Whether nothing has been done.
    pub(super) fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    /// The run succeeded: the old files are not needed any more.
    pub(super) fn forget(self) {
        for undoing in self.done {
            if let Undoing::Restore { old, .. } = undoing {
                // One that stays is removed by the next run.
                let _ = place::remove(&old);
            }
        }
    }

    /// Takes everything back, the last thing first. Goes on after an error; returns what could not be taken back.
    pub(super) fn take_back(self, commands: &mut dyn Commands) -> Vec<(String, String)> {
        let mut failed = Vec::new();
        // systemd looks at the unit again when all files are as they were.
        let has_reload = self.done.iter().any(|undoing| matches!(undoing, Undoing::Reload));
        for undoing in self.done.into_iter().rev() {
            if let Err(Failure::Step { path, reason, .. } | Failure::Command { command: path, reason }) =
                take_back(undoing, commands)
            {
                failed.push((path, reason));
            }
        }
        if has_reload {
            let _ = service::systemctl(commands, &["daemon-reload"]);
        }
        failed
    }
}

fn take_back(undoing: Undoing, commands: &mut dyn Commands) -> Result<(), Failure> {
    match undoing {
        Undoing::RemoveFile(path) => place::remove(&path),
        Undoing::RemoveDir(path) => {
            // Not empty: somebody's files, or the log that tells why the service did not start.
            let _ = fs::remove_dir(path);
            Ok(())
        }
        Undoing::Restore { place, old } => place::rename(&old, &place),
        Undoing::Reload => Ok(()),
        Undoing::Disable => service::disable(commands),
        Undoing::Stop => service::stop(commands),
    }
}
