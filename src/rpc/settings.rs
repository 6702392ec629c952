//! `getAllConfigInfo`: the configuration last read, one struct for each process.

use super::params::Params;
use super::{Outcome, Surroundings, log_setting};
use crate::config::{Autorestart, ChannelConfig, GroupConfig, ProcessConfig};
use crate::core::{Core, Group};
use crate::xmlrpc::{Fault, Value};

/// Sorted by process name (`Supervisor: rpcinterface.py getAllConfigInfo`).
pub(super) fn all_config_info(params: &Params, core: &Core, around: &dyn Surroundings) -> Result<Outcome, Fault> {
    params.count(0, 0)?;
    let mut processes: Vec<(&GroupConfig, Option<&Group>, &ProcessConfig)> = Vec::new();
    for group in core.configured() {
        let active = core.groups().iter().find(|active| active.name == group.name);
        processes.extend(group.processes.iter().map(|process| (group, active, process)));
    }
    processes.sort_by(|a, b| a.2.name.cmp(&b.2.name));
    let structs = processes.into_iter().map(|(group, active, process)| describe(group, active, process, core, around));
    Ok(Outcome::Value(Value::Array(structs.collect())))
}

fn describe(
    group: &GroupConfig,
    active: Option<&Group>,
    process: &ProcessConfig,
    core: &Core,
    around: &dyn Surroundings,
) -> Value {
    let running = active.and_then(|active| {
        active.members.iter().copied().find(|id| core.process(*id).is_some_and(|p| p.config.name == process.name))
    });
    let log = |channel, config: &ChannelConfig| {
        running.and_then(|id| around.log_path(id, channel)).unwrap_or_else(|| log_setting(&config.file))
    };
    let stdout_logfile = log(super::Channel::Stdout, &process.stdout);
    let stderr_logfile = log(super::Channel::Stderr, &process.stderr);
    let mut members: Vec<(String, Value)> = Vec::with_capacity(30);
    let mut put = |name: &str, value: Value| members.push((name.to_owned(), value));
    put("autostart", process.autostart.into());
    put("autorestart", autorestart(process.autorestart));
    put("directory", process.directory.as_deref().unwrap_or("none").into());
    put("uid", process.user.as_ref().map_or_else(|| "none".into(), |user| i64::from(user.uid).into()));
    put("command", process.command.as_str().into());
    put("exitcodes", Value::Array(process.exitcodes.iter().map(|code| i64::from(*code).into()).collect()));
    put("group", group.name.as_str().into());
    put("group_prio", group.priority.into());
    put("inuse", active.is_some().into());
    put("killasgroup", process.killasgroup.into());
    put("name", process.name.as_str().into());
    put("process_prio", process.priority.into());
    put("redirect_stderr", process.redirect_stderr.into());
    put("startretries", process.startretries.into());
    put("startsecs", process.startsecs.into());
    for (prefix, channel, logfile) in
        [("stdout", &process.stdout, stdout_logfile), ("stderr", &process.stderr, stderr_logfile)]
    {
        put(&format!("{prefix}_capture_maxbytes"), channel.capture_maxbytes.into());
        put(&format!("{prefix}_events_enabled"), channel.events_enabled.into());
        put(&format!("{prefix}_logfile"), logfile.into());
        put(&format!("{prefix}_logfile_backups"), channel.backups.into());
        put(&format!("{prefix}_logfile_maxbytes"), channel.maxbytes.into());
        put(&format!("{prefix}_syslog"), channel.syslog.into());
    }
    put("stopsignal", i64::from(process.stopsignal).into());
    put("stopwaitsecs", process.stopwaitsecs.into());
    put("serverurl", process.serverurl.as_deref().unwrap_or("none").into());
    Value::Struct(members)
}

/// A boolean, or the word for the default (divergence 0.2: the original cannot send `true`).
fn autorestart(value: Autorestart) -> Value {
    match value {
        Autorestart::Never => false.into(),
        Autorestart::Always => true.into(),
        Autorestart::Unexpected => "unexpected".into(),
    }
}
