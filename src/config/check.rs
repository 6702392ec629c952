//! `supervisord -t`: reads a configuration and says what is wrong with it.

use super::load::load;
use super::model::{Config, Level};
use super::{Host, Options};

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What to print, with a final newline.
    pub text: String,
    /// 0 when the configuration can be used as it is, else 2.
    pub exit_code: i32,
}

/// Reads the configuration as a start would, and changes nothing.
pub fn check(options: &Options, host: &dyn Host) -> Check {
    match load(options, host) {
        Ok(config) => report(&config),
        Err(error) => {
            let mut text = format!("{}\n", error.located());
            if let Some(next_step) = &error.next_step {
                text.push_str(&format!("  next step: {next_step}\n"));
            }
            Check { text, exit_code: 2 }
        }
    }
}

/// The notices, then a summary. Something left out is an error here: the daemon would start without it.
fn report(config: &Config) -> Check {
    let mut text = String::new();
    for notice in &config.notices {
        let kind = match notice.level {
            Level::Critical | Level::Error => "error",
            Level::Warn => "warning",
            _ => "info",
        };
        text.push_str(&format!("{kind}: {}\n", notice.text));
    }
    for key in ignored_in_foreground(config) {
        text.push_str(&format!("info: [supervisord] {key} has no effect in the foreground (nodaemon=true)\n"));
    }
    let path = config.path.display();
    if config.notices.iter().any(|notice| notice.level >= Level::Error) {
        text.push_str(&format!("{path}: not usable as it is, see the errors above\n"));
        return Check { text, exit_code: 2 };
    }
    let processes: usize = config.groups.iter().map(|group| group.processes.len()).sum();
    let groups = plural(config.groups.len(), "group", "groups");
    text.push_str(&format!("OK: {path}: {groups}, {}\n", plural(processes, "process", "processes")));
    Check { text, exit_code: 0 }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Keys that only count when daemonising, as in Supervisor, and are set all the same.
fn ignored_in_foreground(config: &Config) -> impl Iterator<Item = &'static str> {
    let supervisord = &config.supervisord;
    let keys = [("directory", supervisord.directory.is_some()), ("umask", supervisord.umask != 0o022)];
    keys.into_iter().filter(|(_, set)| *set && supervisord.nodaemon).map(|(key, _)| key)
}
