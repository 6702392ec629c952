//! The core's asks, answered with system calls.

use std::path::Path;

use super::environment::{Inherited, path_variable};
use super::programs::Programs;
use crate::config::{Level, repr, shlex};
use crate::core::{CommandError, Kernel, Pid, SignalError, SpawnError, SpawnPlan, Target};
use crate::logs::ActivityLog;
use crate::sys::poller::Poller;
use crate::sys::privileges::Identity;
use crate::sys::spawn::{Exec, spawn};
use crate::sys::{command, errno, kill, users};

/// What the asks are answered with.
pub struct SystemKernel<'a> {
    /// Where the pipes of a new child go.
    pub programs: &'a mut Programs,
    /// Watches them.
    pub poller: &'a Poller,
    /// For what the child inherits.
    pub inherited: &'a Inherited,
    /// For what is worth a line and decides nothing.
    pub log: &'a mut ActivityLog,
}

impl Kernel for SystemKernel<'_> {
    fn check_command(&mut self, plan: &SpawnPlan<'_>) -> Result<(), CommandError> {
        resolve(plan).map(drop)
    }

    fn spawn(&mut self, plan: &SpawnPlan<'_>) -> Result<Pid, SpawnError> {
        let name = &plan.config.name;
        let (path, argv) = resolve(plan)?;
        self.programs.open_logs(plan.id).map_err(|error| match error.raw_os_error() {
            Some(libc::EMFILE) => SpawnError::TooManyFiles { name: name.clone() },
            _ => SpawnError::Dispatchers { name: name.clone(), errno: errno::io_error_name(&error) },
        })?;
        let identity = plan.config.user.as_ref().map(|user| Identity {
            uid: user.uid,
            gid: user.gid,
            groups: users::groups_of(&user.name, user.gid),
        });
        let child = spawn(&Exec {
            path: &path,
            argv: &argv,
            env: &self.inherited.of_child(plan),
            directory: plan.config.directory.as_deref().map(Path::new),
            umask: plan.config.umask,
            identity: identity.as_ref(),
            redirect_stderr: plan.config.redirect_stderr,
        })
        .map_err(|failure| failure.into_spawn_error(name))?;
        let pid = child.pid;
        if let Err(error) = self.programs.attach(plan.id, child, self.poller) {
            self.log.write(Level::Critical, &format!("cannot watch the output of '{name}': {error}"));
        }
        Ok(pid)
    }

    fn signal(&mut self, target: Target, signal: i32) -> Result<(), SignalError> {
        kill::send(target, signal)
    }
}

/// The file to execute and the words of the command.
fn resolve(plan: &SpawnPlan<'_>) -> Result<(std::path::PathBuf, Vec<String>), CommandError> {
    let command = &plan.config.command;
    let argv = shlex::split(command)
        .map_err(|reason| CommandError::Unparsable { command: repr::text(command), reason: reason.to_string() })?;
    let first = argv.first().ok_or(CommandError::Empty)?;
    let path = command::find(first, path_variable(plan).as_deref())?;
    Ok((path, argv))
}
