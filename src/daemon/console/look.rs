//! Gathers what a page or the API shows. These run inside the loop, with the core and the shell at hand, and answer plain data.

use std::path::{Path, PathBuf};

use super::{Console, host, usage};
use crate::config::{self, GroupConfig, MainLog};
use crate::core::{Core, Process, State, changed_keys};
use crate::daemon::perform::{Shell, wall_secs};
use crate::rpc::{Channel, LogSource, Surroundings};
use crate::web::metrics::{Measured, Row};
use crate::web::model::{DaemonFacts, Detail, Facts, Feed, Overview, Plan, PlanLine, Program};
use crate::web::program::masked;

/// Every program, sorted by group and name.
pub fn overview(core: &Core, shell: &Shell) -> Overview {
    Overview {
        programs: sorted(core).into_iter().map(|process| program(process, &shell.console)).collect(),
        seq: shell.console.journal.borrow().seq(),
        now_secs: wall_secs(),
        mood: core.mood(),
    }
}

fn sorted(core: &Core) -> Vec<&Process> {
    let mut processes: Vec<&Process> = core.processes().collect();
    processes.sort_by(|a, b| (&a.group, &a.config.name).cmp(&(&b.group, &b.config.name)));
    processes
}

/// One program as the overview shows it.
pub fn program(process: &Process, console: &Console) -> Program {
    let journal = console.journal.borrow();
    let track = journal.track(process.id);
    let trouble = match process.state() {
        State::Fatal | State::Backoff => process.spawn_error().unwrap_or_default(),
        _ => "",
    };
    Program {
        group: process.group.clone(),
        name: process.config.name.clone(),
        namespec: process.namespec(),
        state: process.state(),
        pid: process.pid(),
        start_secs: process.start_wall_secs(),
        stop_secs: process.stop_wall_secs(),
        starts: track.map_or(0, |track| track.starts),
        trouble: trouble.to_owned(),
        last_exit: track.and_then(|track| track.last_exit),
        usage: console.samples.borrow().usage(process.id).filter(|_| process.pid() != 0),
    }
}

/// Everything about one program.
pub fn detail(core: &Core, shell: &Shell, name: &str) -> Option<Detail> {
    let process = core.find_process(name)?;
    let console = &shell.console;
    let on_disk = config::process_settings(&shell.options, &*shell.host, &process.group, &process.config.name);
    let (settings, settings_trouble, differing) = match on_disk {
        Ok(Some(found)) => {
            let keys = changed_keys(&process.config, &found.config);
            (found.settings, None, keys.into_iter().map(|key| key.name).collect())
        }
        Ok(None) => (Vec::new(), None, Vec::new()),
        Err(error) => (Vec::new(), Some(error.located()), Vec::new()),
    };
    let variables = process.config.environment.iter();
    let log = |channel| shell.log_path(process.id, channel);
    Some(Detail {
        program: program(process, console),
        settings: settings.into_iter().filter(|setting| setting.key != "environment").collect(),
        settings_trouble,
        differing,
        environment: variables.map(|(name, value)| (name.clone(), masked(name, value))).collect(),
        tree: if process.pid() == 0 { Vec::new() } else { host::tree(process.pid()) },
        history: console
            .journal
            .borrow()
            .track(process.id)
            .map_or_else(Vec::new, |track| track.history.iter().rev().copied().collect()),
        points: console.samples.borrow().points(process.id).to_vec(),
        logs: [log(Channel::Stdout), log(Channel::Stderr)],
        now_secs: wall_secs(),
    })
}

/// What an update to the files as they are now would do. Nothing is changed by asking.
pub fn plan(core: &Core, shell: &Shell) -> Plan {
    let config = config::load(&shell.options, &*shell.host).map_err(|error| error.located())?;
    Ok(plan_to(core, &config.groups))
}

fn plan_to(core: &Core, groups: &[GroupConfig]) -> Vec<PlanLine> {
    let line = |change: crate::core::Change| PlanLine {
        group: change.group,
        name: change.process,
        action: change.action,
        keys: change.keys,
        is_up: change.is_up,
    };
    core.plan_update_to(groups).into_iter().map(line).collect()
}

/// The feed, newest first.
pub fn feed(shell: &Shell, since: u64) -> Feed {
    let journal = shell.console.journal.borrow();
    Feed { entries: journal.feed_since(since).rev().cloned().collect(), seq: journal.seq() }
}

/// The machine and the daemon.
pub fn facts(shell: &Shell) -> Facts {
    let log_dir = match &shell.config.supervisord.logfile {
        MainLog::File(path) => path.parent().unwrap_or(Path::new("/")).to_owned(),
        MainLog::Syslog => shell.config.supervisord.childlogdir.clone(),
    };
    host::facts(&shell.console.host_name, &log_dir, daemon(shell))
}

fn daemon(shell: &Shell) -> DaemonFacts {
    let identifier = &shell.config.supervisord.identifier;
    host::daemon(identifier, &shell.config.path, shell.log.path(), shell.console.start_secs)
}

/// What `/metrics` tells.
pub fn metrics(core: &Core, shell: &Shell) -> (Vec<Row>, DaemonFacts) {
    let rows = sorted(core).into_iter().map(|process| {
        let stat = if process.pid() == 0 { None } else { usage::stat(process.pid()) };
        let log_bytes = [Channel::Stdout, Channel::Stderr].map(|channel| {
            let path = shell.programs.log_path(process.id, channel)?;
            std::fs::metadata(path).ok().map(|metadata| metadata.len())
        });
        let measured = Measured {
            cpu_millis: stat.map(|stat| stat.cpu_millis),
            rss_kib: stat.map(|stat| stat.rss_kib),
            log_bytes,
        };
        (program(process, &shell.console), measured)
    });
    (rows.collect(), daemon(shell))
}

/// Where a log is: of a program, or without a name the daemon's own. The outer `None`: there is no such program.
pub fn log_path(core: &Core, shell: &Shell, name: Option<&str>, channel: Channel) -> Option<Option<PathBuf>> {
    let source = match name {
        None => LogSource::Main,
        Some(name) => LogSource::Process(core.find_process(name)?.id, channel),
    };
    Some(shell.path_of(source))
}
