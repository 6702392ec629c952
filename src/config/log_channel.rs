//! The log keys of one output channel of a program: `stdout_logfile`, `stderr_logfile_maxbytes` and so on.

use super::error::ConfigError;
use super::expand::{Names, expand};
use super::load::Context;
use super::model::{ChannelConfig, LogFile, Notice};
use super::section::Reader;
use super::values;

/// The key names of a channel.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    file: &'static str,
    backups: &'static str,
    maxbytes: &'static str,
    syslog: &'static str,
}

/// Standard output.
pub(super) const STDOUT: Keys = Keys {
    file: "stdout_logfile",
    backups: "stdout_logfile_backups",
    maxbytes: "stdout_logfile_maxbytes",
    syslog: "stdout_syslog",
};

/// Standard error.
pub(super) const STDERR: Keys = Keys {
    file: "stderr_logfile",
    backups: "stderr_logfile_backups",
    maxbytes: "stderr_logfile_maxbytes",
    syslog: "stderr_syslog",
};

/// Reads the keys into `channel`. The file name is expanded twice, so a literal percent sign there is `%%%%`:
/// existing files are written that way.
pub(super) fn read(
    reader: Reader<'_>,
    keys: Keys,
    names: &Names,
    channel: &mut ChannelConfig,
    context: &Context<'_>,
    notices: &mut Vec<Notice>,
) -> Result<(), ConfigError> {
    let section = &reader.section.name;
    let target = match reader.text(keys.file, names)? {
        None => Target::File(LogFile::Auto),
        Some(once) => expand(&once, names, keys.file)
            .and_then(|path| target(&path, context))
            .map_err(|text| reader.error(keys.file, text).advise("create the directory, or choose another path"))?,
    };
    channel.backups = reader.or(keys.backups, names, 10, values::integer)?;
    channel.maxbytes = reader.or(keys.maxbytes, names, 50 << 20, values::byte_size)?;
    channel.syslog = reader.or(keys.syslog, names, false, values::boolean)?;
    channel.file = match target {
        Target::File(file) => file,
        Target::Syslog => {
            let notice = Notice::warn(format!(
                "For [{section}], {}=syslog but this is deprecated and will be removed.  \
                 Use {}=true to enable syslog instead.",
                keys.file, keys.syslog
            ));
            notices.push(notice.at(reader.place(keys.file)));
            channel.syslog = true;
            LogFile::None
        }
    };
    if channel.file == LogFile::Auto && channel.maxbytes == 0 {
        let notice = Notice::warn(format!(
            "For [{section}], AUTO logging used for {} without rollover, \
             set maxbytes > 0 to avoid filling up filesystem unintentionally",
            keys.file
        ));
        notices.push(notice.at(reader.place(keys.maxbytes)));
    }
    Ok(())
}

/// A file, or the deprecated word for the system log.
enum Target {
    File(LogFile),
    Syslog,
}

fn target(text: &str, context: &Context<'_>) -> Result<Target, String> {
    Ok(Target::File(match text.to_lowercase().as_str() {
        "none" | "off" => LogFile::None,
        "auto" => LogFile::Auto,
        "syslog" => return Ok(Target::Syslog),
        _ => LogFile::Path(values::file_path(text, context.host)?.into()),
    }))
}
