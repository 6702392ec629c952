//! The core's asks, answered with system calls.

use std::os::fd::AsFd;
use std::path::Path;

use super::channel_log::Sinks;
use super::environment::{Inherited, path_variable};
use super::fcgi::FcgiSockets;
use super::programs::Programs;
use super::recovery::{Adopted, Record};
use crate::config::{Level, repr, shlex};
use crate::core::{
    Closed, CommandError, Kernel, Outbox, Pid, ProcId, SignalError, SpawnError, SpawnPlan, Target, Tree,
};
use crate::logs::ActivityLog;
use crate::sys::exec_self::object_of;
use crate::sys::poller::Poller;
use crate::sys::privileges::Identity;
use crate::sys::spawn::{Exec, Seats, spawn};
use crate::sys::{command, errno, users};

/// What the asks are answered with.
pub struct SystemKernel<'a> {
    /// Where the pipes of a new child go.
    pub programs: &'a mut Programs,
    /// For starts without a fork, where the kernel knows them.
    pub seats: &'a mut Option<Seats>,
    /// Where FastCGI programs listen.
    pub fcgi: &'a mut FcgiSockets,
    /// Watches them.
    pub poller: &'a Poller,
    /// Programs that are not our children.
    pub adopted: &'a Adopted,
    /// Where starts are noted.
    pub record: &'a mut Record,
    /// For what the child inherits.
    pub inherited: &'a Inherited,
    /// For what is worth a line and decides nothing.
    pub log: &'a mut ActivityLog,
    /// For events that come of it.
    pub out: &'a mut Outbox,
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
        let fcgi = plan.config.fcgi.as_ref();
        let socket = fcgi.map(|socket| self.fcgi.get(socket, self.log)).transpose()?;
        let environment = self.inherited.of_child(plan);
        let cgroup = self.programs.prepare_group(plan.mark, self.log);
        let exec = Exec {
            path: &path,
            argv: &argv,
            env: &environment,
            directory: plan.config.directory.as_deref().map(Path::new),
            umask: plan.config.umask,
            identity: identity.as_ref(),
            redirect_stderr: plan.config.redirect_stderr,
            stdin: socket,
            cgroup: cgroup.as_ref().map(AsFd::as_fd),
        };
        let spawned = spawn(&exec, self.seats.as_mut(), &mut |ours| {
            if let Ok(stdout) = object_of(ours.stdout.as_fd()) {
                self.record.intend(plan.id, stdout);
            }
            self.programs.park(ours);
        })
        .map_err(|failure| failure.into_spawn_error(name));
        let child = match spawned {
            Ok(child) => child,
            Err(error) => {
                self.fcgi.release(None, self.log);
                return Err(error);
            }
        };
        let pid = child.pid;
        if let Some(socket) = fcgi {
            self.fcgi.hold(socket, pid);
        }
        // Pipes of earlier runs may be closed here; what a listener still had to say there comes too late.
        let sinks = &mut Sinks { log: self.log, out: self.out, heard: &mut Vec::new() };
        if let Err(error) = self.programs.attach(plan.id, child, self.poller, sinks) {
            self.log.write(Level::Critical, &format!("cannot watch the output of '{name}': {error}"));
        }
        Ok(pid)
    }

    fn signal(&mut self, target: Target, signal: i32) -> Result<(), SignalError> {
        self.adopted.signal(target, signal)
    }

    fn signal_tree(&mut self, tree: &Tree<'_>, signal: i32) -> usize {
        self.programs.signal_tree(tree, signal)
    }

    fn deliver(&mut self, listener: ProcId, event: &[u8]) -> Result<(), Closed> {
        self.programs.deliver(listener, event, self.poller)
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
