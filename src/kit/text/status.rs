//! `status` as text.

use super::Lang;
use crate::kit::verbs::status::Status;
use crate::sys::local_time::local_time;

impl Lang {
    pub(super) fn status(self, status: &Status) -> String {
        let mut lines = vec![format!("supervisor-kit {} ({}), {}", status.version, status.arch, status.program_dir)];
        if let Some(manager) = status.package {
            lines.push(match self {
                Lang::En => format!("  from a package ({manager})"),
                Lang::Zh => format!("  由软件包安装（{manager}）"),
            });
        }
        for change in &status.generations {
            let (number, verb, version) = (change.number, change.verb, &change.version);
            let time = wall_time(change.completed);
            lines.push(match self {
                Lang::En => format!("  change {number}: {time} {verb} {version}"),
                Lang::Zh => format!("  第 {number} 次改动：{time} {verb} {version}"),
            });
        }
        if status.is_interrupted {
            lines.push(match self {
                Lang::En => "  a change was interrupted; the next run takes it back".to_owned(),
                Lang::Zh => "  有一次改动中断；下次运行会先撤销它".to_owned(),
            });
        }
        if let Some(service) = &status.service {
            let word = |yes: bool, en: (&'static str, &'static str), zh: (&'static str, &'static str)| {
                let (is, is_not) = if self == Lang::En { en } else { zh };
                if yes { is } else { is_not }
            };
            let enabled = word(service.is_enabled, ("enabled", "not enabled"), ("随系统启动", "不随系统启动"));
            let active = word(service.is_active, ("running", "not running"), ("运行中", "未运行"));
            let image = word(
                service.runs_installed || !service.is_active,
                ("", ", not the installed program"),
                ("", "，不是已安装的程序"),
            );
            lines.push(format!("  supervisord.service: {active} ({}), {enabled}{image}", service.main_pid));
        }
        lines.join("\n")
    }
}

/// In the machine's time zone, to the second.
pub fn wall_time(unix_secs: u64) -> String {
    let time = local_time(i64::try_from(unix_secs).unwrap_or(0));
    let (date, clock) = ((time.year, time.month, time.day), (time.hour, time.minute, time.second));
    format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", date.0, date.1, date.2, clock.0, clock.1, clock.2)
}
