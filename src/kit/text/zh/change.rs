//! 简体中文：版本变更、签名、服务启动失败。

use super::failure::{advice, taken_back, untouched};
use crate::kit::apply::Reexecuted;
use crate::kit::bundle::Signed;
use crate::kit::failure::{ServiceDown, SignatureFault};
use crate::kit::text::{Change, Lang, indented};

pub(super) fn note(said: &Change) -> String {
    match said {
        Change::Signed(Signed::Yes) => "签名：正确，与指定的公钥一致。".to_owned(),
        Change::Signed(Signed::No) => "签名：无（如需强制校验：--require-signature --pubkey FILE）".to_owned(),
        Change::Signed(Signed::Unchecked) => "签名：有，但没有可用于校验的公钥（--pubkey FILE）。".to_owned(),
        Change::Downgrade { from, to } => {
            format!("提示：这是降级安装，从 {from} 降到 {to}。撤销命令：supervisor-install rollback")
        }
        Change::Offered { path, diff } => format!(
            "提示：默认配置有变化。现有配置予以保留，新版默认配置另存为 {path}.new。与现有配置的差异：{}",
            indented(diff)
        ),
    }
}

pub(super) fn service_down(down: &ServiceDown) -> String {
    let journal = if down.journal.is_empty() { "（日志为空）" } else { &down.journal };
    let (cause, next) = match &down.refusal {
        None => (String::new(), "排除原因后重试。".to_owned()),
        Some(refusal) => {
            let (cause, next) = Lang::Zh.cause(refusal);
            (format!("\n  系统没有运行该程序：{cause}"), next)
        }
    };
    let state = &down.state;
    let what = format!("服务未能启动或未能保持运行：{state}{cause}\n  最后的日志：{}", indented(journal));
    taken_back(&what, &next)
}

pub(super) fn half_taken_back(paths: &[String]) -> String {
    let what = format!(
        "以下内容未能恢复原状：{}\n  恢复所需的内容保存在 /var/lib/supervisor-install/active，在此之前不能做其他变更。",
        indented(&paths.join("\n"))
    );
    advice(&what, "排除原因（见上面的警告）后再次运行任一命令，或执行：supervisor-install recover")
}

pub(super) fn signature(fault: &SignatureFault) -> String {
    match fault {
        SignatureFault::Missing { path } => {
            untouched(&format!("要求安装包带有签名，但缺少 {path}。"), "使用带签名的安装包，并完整拷贝其中的文件。")
        }
        SignatureFault::NoKey => untouched(
            "要求安装包带有签名，但没有可用于校验的公钥。",
            "用 --pubkey FILE 指定公钥，或将公钥放到 /etc/supervisor-install.pub。",
        ),
        SignatureFault::BadKey { path, reason } => {
            untouched(&format!("{path} 不是 minisign 公钥：{reason}"), "用 --pubkey FILE 指定正确的文件。")
        }
        SignatureFault::Wrong { path, reason } => untouched(
            &format!("{path} 不是该公钥对此安装包的签名：{reason}"),
            "不要安装此安装包。请重新获取安装包，并通过其他途径获取公钥。",
        ),
    }
}

pub(super) fn reexec_refused(pid: u32, reason: &str) -> String {
    let what = format!(
        "正在运行的 supervisord（进程 {pid}）没有切换到新程序，仍按旧版本运行，所有程序不受影响：{}",
        indented(reason)
    );
    taken_back(&what, "使用 --restart=never 并自行选择时间重启，或使用 --restart=always（会重启所有程序）。")
}

pub(super) fn reexecuted(done: &Reexecuted) -> String {
    let (pid, kept) = (done.pid, done.kept);
    let said = format!("已在线升级：进程 {pid} 运行的是新程序；{kept} 个程序的进程保持不变。");
    if done.changed.is_empty() {
        return said;
    }
    let changed = done.changed.join(" ");
    format!("{said}\n提示：以下程序在此期间退出或重新启动：{changed}。原因见其日志：supervisorctl tail 程序名")
}

pub(super) fn restart_policy(path: &str, line: usize, value: &str) -> String {
    untouched(
        &format!("{path}:{line}：RESTART_ON_UPGRADE={value} 不是有效的策略。"),
        "写成 RESTART_ON_UPGRADE=never（不动正在运行的守护进程）、reexec（原地更新，程序继续运行）或 always（重启守护进程和所有程序）。",
    )
}
