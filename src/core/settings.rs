//! Which settings of a process differ, and what a difference asks for: some take effect while it runs, some need a restart.

use crate::config::{ChannelConfig, KillMode, LogFile, ProcessConfig};

/// A key whose value differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As it stands in the configuration file.
    pub name: &'static str,
    /// It takes effect without a restart.
    pub is_live: bool,
}

/// The new settings, but for those that are AUTO on either side, which stay as they are: clients of Supervisor expect them
/// not to be compared (`Supervisor: options.py ProcessConfig.__eq__`).
pub fn adopted(old: &ProcessConfig, new: &ProcessConfig) -> ProcessConfig {
    let mut new = new.clone();
    if new.serverurl.is_none() || old.serverurl.is_none() {
        new.serverurl.clone_from(&old.serverurl);
    }
    for (old, new) in [(&old.stdout, &mut new.stdout), (&old.stderr, &mut new.stderr)] {
        if old.file == LogFile::Auto || new.file == LogFile::Auto {
            new.file.clone_from(&old.file);
        }
    }
    new
}

/// Whether two processes are set up alike, AUTO being like anything.
pub fn same_settings(old: &ProcessConfig, new: &ProcessConfig) -> bool {
    // Mostly they are the same to the letter: then nothing is copied.
    old == new || *old == adopted(old, new)
}

/// The keys that differ, none if [`same_settings`].
pub fn changed_keys(old: &ProcessConfig, new: &ProcessConfig) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut compare = |name, is_live, is_same: bool| {
        if !is_same {
            keys.push(Key { name, is_live });
        }
    };
    // Every field is named here, so that a new one cannot be forgotten.
    let ProcessConfig {
        name,
        command,
        directory,
        umask,
        priority,
        autostart,
        autorestart,
        startsecs,
        startretries,
        exitcodes,
        stopsignal,
        stopwaitsecs,
        stopasgroup,
        killasgroup,
        killmode,
        user,
        environment,
        serverurl,
        fcgi,
        redirect_stderr,
        stdout,
        stderr,
    } = &adopted(old, new);
    compare("process_name", false, *name == old.name);
    compare("command", false, *command == old.command);
    compare("directory", false, *directory == old.directory);
    compare("umask", false, *umask == old.umask);
    compare("user", false, *user == old.user);
    compare("environment", false, *environment == old.environment);
    compare("serverurl", false, *serverurl == old.serverurl);
    compare("socket", false, *fcgi == old.fcgi);
    compare("redirect_stderr", false, *redirect_stderr == old.redirect_stderr);
    compare("priority", true, *priority == old.priority);
    compare("autostart", true, *autostart == old.autostart);
    compare("autorestart", true, *autorestart == old.autorestart);
    compare("startsecs", true, *startsecs == old.startsecs);
    compare("startretries", true, *startretries == old.startretries);
    compare("exitcodes", true, *exitcodes == old.exitcodes);
    compare("stopsignal", true, *stopsignal == old.stopsignal);
    compare("stopwaitsecs", true, *stopwaitsecs == old.stopwaitsecs);
    compare("stopasgroup", true, *stopasgroup == old.stopasgroup);
    compare("killasgroup", true, *killasgroup == old.killasgroup);
    // What was started before its tree was watched cannot all be found any more.
    compare("killmode", *killmode == KillMode::Default, *killmode == old.killmode);
    compare_channel(&old.stdout, stdout, STDOUT_KEYS, &mut compare);
    compare_channel(&old.stderr, stderr, STDERR_KEYS, &mut compare);
    keys
}

/// In the order of the fields of [`ChannelConfig`].
type ChannelKeys = [&'static str; 6];

const STDOUT_KEYS: ChannelKeys = [
    "stdout_logfile",
    "stdout_logfile_maxbytes",
    "stdout_logfile_backups",
    "stdout_capture_maxbytes",
    "stdout_events_enabled",
    "stdout_syslog",
];

const STDERR_KEYS: ChannelKeys = [
    "stderr_logfile",
    "stderr_logfile_maxbytes",
    "stderr_logfile_backups",
    "stderr_capture_maxbytes",
    "stderr_events_enabled",
    "stderr_syslog",
];

fn compare_channel(
    old: &ChannelConfig,
    new: &ChannelConfig,
    names: ChannelKeys,
    compare: &mut dyn FnMut(&'static str, bool, bool),
) {
    let ChannelConfig { file, maxbytes, backups, capture_maxbytes, events_enabled, syslog } = new;
    let [file_key, maxbytes_key, backups_key, capture_key, events_key, syslog_key] = names;
    compare(file_key, false, *file == old.file);
    compare(maxbytes_key, true, *maxbytes == old.maxbytes);
    compare(backups_key, true, *backups == old.backups);
    compare(capture_key, true, *capture_maxbytes == old.capture_maxbytes);
    compare(events_key, true, *events_enabled == old.events_enabled);
    compare(syslog_key, true, *syslog == old.syslog);
}
