//! `getAllConfigInfo`: the configuration last read, one struct for each process.

use std::borrow::Cow;

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
        processes.extend(group.processes.iter().map(|process| (group, active, process.as_ref())));
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
    let mut members = Vec::with_capacity(30);
    let mut put = |name: Cow<'static, str>, value: Value| members.push((name, value));
    put("autostart".into(), process.autostart.into());
    put("autorestart".into(), autorestart(process.autorestart));
    put("directory".into(), process.directory.as_deref().unwrap_or("none").into());
    put("uid".into(), process.user.as_ref().map_or_else(|| "none".into(), |user| i64::from(user.uid).into()));
    put("command".into(), process.command.as_str().into());
    put("exitcodes".into(), Value::Array(process.exitcodes.iter().map(|code| i64::from(*code).into()).collect()));
    put("group".into(), group.name.as_str().into());
    put("group_prio".into(), group.priority.into());
    put("inuse".into(), active.is_some().into());
    put("killasgroup".into(), process.killasgroup.into());
    put("name".into(), process.name.as_str().into());
    put("process_prio".into(), process.priority.into());
    put("redirect_stderr".into(), process.redirect_stderr.into());
    put("startretries".into(), process.startretries.into());
    put("startsecs".into(), process.startsecs.into());
    for (prefix, channel, logfile) in
        [("stdout", &process.stdout, stdout_logfile), ("stderr", &process.stderr, stderr_logfile)]
    {
        put(format!("{prefix}_capture_maxbytes").into(), channel.capture_maxbytes.into());
        put(format!("{prefix}_events_enabled").into(), channel.events_enabled.into());
        put(format!("{prefix}_logfile").into(), logfile.into());
        put(format!("{prefix}_logfile_backups").into(), channel.backups.into());
        put(format!("{prefix}_logfile_maxbytes").into(), channel.maxbytes.into());
        put(format!("{prefix}_syslog").into(), channel.syslog.into());
    }
    put("stopsignal".into(), i64::from(process.stopsignal).into());
    put("stopwaitsecs".into(), process.stopwaitsecs.into());
    put("serverurl".into(), process.serverurl.as_deref().unwrap_or("none").into());
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
