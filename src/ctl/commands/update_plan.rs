//! `update --dry-run`: what would be done with each process, and why.

use serde_json::json;

use crate::config::Language;
use crate::ctl::answer::{rows, text, whole_text};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

/// Least width of the name column, in characters; that of the action column.
const NAME_WIDTH_MIN: usize = 30;
const ACTION_WIDTH: usize = 9;

/// One process of the plan.
struct Row {
    group: String,
    process: String,
    action: String,
    keys: Vec<String>,
    is_up: bool,
}

impl Row {
    fn read(row: &Value) -> Result<Row, CallError> {
        Ok(Row {
            group: text(row, "group")?,
            process: text(row, "process")?,
            action: text(row, "action")?,
            keys: rows(row.get("keys").ok_or_else(|| CallError::misunderstood("keys"))?, whole_text)?,
            is_up: row.get("up") == Some(&Value::Bool(true)),
        })
    }

    fn namespec(&self) -> String {
        if self.group == self.process { self.group.clone() } else { format!("{}:{}", self.group, self.process) }
    }

    /// It comes or goes because its group was scaled.
    fn is_scaled(&self) -> bool {
        self.keys.iter().any(|key| key == "numprocs")
    }

    fn reason(&self, lang: Language) -> String {
        let keys = self.keys.join(", ");
        let reason = match self.action.as_str() {
            "keep" => lang.pick("nothing differs", "没有差异").to_owned(),
            "apply" => lang.pick("takes effect without a restart: {}", "无需重启即可生效：{}").replace("{}", &keys),
            "restart" => lang.pick("needs a restart: {}", "需要重启：{}").replace("{}", &keys),
            "start" if self.is_scaled() => lang
                .pick(
                    "the file has a higher numprocs than it was scaled to",
                    "配置文件中的 numprocs 大于 scale 设定的数量",
                )
                .to_owned(),
            "stop" if self.is_scaled() => lang
                .pick(
                    "the file has a lower numprocs than it was scaled to",
                    "配置文件中的 numprocs 小于 scale 设定的数量",
                )
                .to_owned(),
            "start" => lang.pick("new in the configuration", "配置中新增").to_owned(),
            _ => lang.pick("no longer in the configuration", "配置中已不存在").to_owned(),
        };
        let stays_down = match self.action.as_str() {
            "restart" => lang.pick("; it is not up and stays so", "；当前未运行，更新后仍不启动"),
            "start" => lang.pick("; autostart=false", "；autostart=false，不启动"),
            _ => "",
        };
        if self.is_up { reason } else { reason + stays_down }
    }
}

/// Prints the plan for the groups that are wanted, as lines or as a document.
pub(super) fn show(session: &mut Session, is_wanted: &dyn Fn(&String) -> bool) -> Result<(), CallError> {
    let answer = match session.call("planUpdate", &[]) {
        Err(error) if error.fault_code() == Some(code::UNKNOWN_METHOD) => {
            session.fail(exit::GENERIC, "ERROR: this server cannot tell: it has no planUpdate");
            return Ok(());
        }
        answer => answer?,
    };
    let mut plan = rows(&answer, Row::read)?;
    plan.retain(|row| is_wanted(&row.group));
    let lang = session.settings.lang;
    let document = plan.iter().map(|row| {
        let Row { group, process, action, keys, is_up } = row;
        json!({ "namespec": row.namespec(), "group": group, "process": process, "action": action, "keys": keys,
            "up": is_up, "reason": row.reason(lang) })
    });
    session.output.member("plan", document.collect());
    let width = plan.iter().map(|row| row.namespec().chars().count()).max().unwrap_or(0).max(NAME_WIDTH_MIN);
    for row in &plan {
        session.line(format_args!("{:width$}  {:ACTION_WIDTH$}{}", row.namespec(), row.action, row.reason(lang)));
    }
    Ok(())
}
