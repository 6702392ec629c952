//! 简体中文：问题、位置与解决办法。

use super::{answers, change, takeover, web};
use crate::kit::failure::{Damage, Failure};
use crate::kit::state::PackageManager;
use crate::kit::text::{Lang, indented, size};

pub(in crate::kit::text) fn failure(failure: &Failure) -> String {
    match failure {
        Failure::NotRoot => {
            advice("只有 root 用户可以安装。", "以 root 身份运行（sudo ./install），或用 --root DIR 安装到指定目录。")
        }
        Failure::Busy => advice("另一个安装程序正在本机运行。", "等待其结束。"),
        Failure::NotInstalled => not_installed(),
        Failure::Packaged { manager } => packaged(*manager),
        Failure::NoSuchGeneration { wanted, known } => no_such_generation(*wanted, known),
        Failure::StateDamaged { path, reason } => state_damaged(path, reason),
        Failure::Findings { checked, findings } => Lang::Zh.checked(*checked, findings),
        Failure::Interrupted => taken_back("安装被中断。", "方便时重新运行同一命令。"),
        Failure::Takeover(refusal) => takeover::refusal(refusal),
        Failure::Web(refusal) => web::refusal(refusal),
        Failure::Answers(problem) => answers::problem(problem),
        Failure::Cancelled => "已取消，没有做任何改动。".to_string(),
        Failure::BundleMissing { path } => {
            untouched(&format!("缺少文件 {path}。"), "重新解压完整的安装包，或用 --bundle DIR 指定安装包目录。")
        }
        Failure::BundleUnreadable { path, reason } => {
            untouched(&format!("无法读取 {path}：{reason}"), "检查磁盘或介质后，重新解压安装包。")
        }
        Failure::BundleDamaged { path, damage } => {
            let next = "以二进制方式重新拷贝安装包，并与原始文件核对 SHA-256。";
            untouched(&format!("{path} 已损坏：{}", damaged(damage)), next)
        }
        Failure::WrongArchitecture { bundle, host } => {
            let next = format!("使用文件名以 linux-{host}.tgz 结尾的安装包。");
            untouched(&format!("此安装包适用于 {bundle}，而本机是 {host}。"), &next)
        }
        Failure::NotWritable { path, reason } => not_writable(path, reason),
        Failure::NoSpace { path, bytes_needed, bytes_free } => {
            let (needed, free) = (size(*bytes_needed), size(*bytes_free));
            untouched(&format!("{path} 空间不足：需要 {needed}，可用 {free}。"), "清理出空间后重试。")
        }
        Failure::InTheWay { path } => {
            let next = format!("查看（ls -ld {path}）并移走后重试。");
            untouched(&format!("{path} 已被其他内容占用。"), &next)
        }
        Failure::LeavesRoot { path, target } => {
            untouched(&format!("{path} 指向 --root 目录之外：{target}。"), "将该链接改为相对路径。")
        }
        Failure::RootUnusable { path, reason } => {
            untouched(&format!("{path} 无法用作根目录：{reason}"), "先创建该目录。")
        }
        Failure::OtherSupervisor { path } => other_supervisor(path),
        Failure::ConfigInvalid { path, output } => {
            taken_back(&format!("配置文件 {path} 有错误：{}", indented(output)), "修正后重试。")
        }
        Failure::ProgramRefused { path, reason } => program_refused(path, reason),
        Failure::Step { action, path, reason } => {
            taken_back(&format!("{action} {path} 失败：{reason}"), "排除原因后重试。")
        }
        Failure::Command { command, reason } => {
            taken_back(&format!("命令 \"{command}\" 失败：{}", indented(reason)), "排除原因后重试。")
        }
        Failure::ServiceDown(down) => change::service_down(down),
        Failure::HalfTakenBack { paths } => change::half_taken_back(paths),
        Failure::Signature(fault) => change::signature(fault),
        Failure::RestartPolicy { path, line, value } => change::restart_policy(path, *line, value),
        Failure::ReexecRefused { pid, reason } => change::reexec_refused(*pid, reason),
        Failure::WrongProcess { pid, program } => {
            let what = format!("服务正在以进程 {pid} 运行，但运行的不是 {program}。");
            taken_back(&what, "检查是否存在其他服务文件或附加配置（systemctl cat supervisord），然后重试。")
        }
        Failure::WrongPid { main_pid, answer } => wrong_pid(*main_pid, answer),
    }
}

pub(super) fn advice(what: &str, next: &str) -> String {
    format!("{what}\n  解决办法：{next}")
}

/// 改动之前发现的问题。
pub(super) fn untouched(what: &str, next: &str) -> String {
    advice(&format!("{what}\n  没有做任何改动。"), next)
}

/// 执行过程中发现的问题。
pub(super) fn taken_back(what: &str, next: &str) -> String {
    advice(&format!("{what}\n  本次已执行的步骤已撤销。"), next)
}

fn not_installed() -> String {
    advice(
        "本机没有安装 supervisor-kit（/var/lib/supervisor-install 中没有安装记录）。",
        "在安装包目录中运行 ./install。",
    )
}

fn packaged(manager: PackageManager) -> String {
    let (upgrade, remove) = manager.commands();
    let what = format!("本机的 supervisor-kit 由软件包（{}）安装，文件归软件包管理。", manager.name());
    untouched(&what, &format!("升级请用“{upgrade}”，卸载请用“{remove}”。"))
}

fn no_such_generation(wanted: u32, known: &[u32]) -> String {
    let known: Vec<String> = known.iter().map(u32::to_string).collect();
    let what = format!("没有编号为 {wanted} 的变更可以撤销；现有编号：{}", known.join(" "));
    advice(&what, "指定其中一个编号，或不指定编号以撤销最近一次变更。")
}

fn state_damaged(path: &str, reason: &str) -> String {
    untouched(
        &format!("{path} 已损坏：{reason}"),
        "检查并修复该文件；如无法修复，将 /var/lib/supervisor-install 移走后重新运行 ./install。",
    )
}

fn not_writable(path: &str, reason: &str) -> String {
    let next = "以读写方式重新挂载（mount -o remount,rw），或去除不可修改属性（lsattr、chattr -i），然后重试。";
    untouched(&format!("{path} 不可写：{reason}"), next)
}

fn other_supervisor(path: &str) -> String {
    let next = "停止其服务并卸载（rpm -e supervisor、apt-get remove supervisor、pip uninstall supervisor，\
                或删除手工拷贝的文件；配置文件可以保留），然后重试。";
    untouched(&format!("{path} 属于另一个 Supervisor（脚本程序）。"), next)
}

fn program_refused(path: &str, reason: &str) -> String {
    let next = format!(
        "检查 noexec 挂载（findmnt -T {path}）、KySec（getstatus）、fapolicyd（systemctl status fapolicyd）\
         以及 UOS 签名校验，然后重试。"
    );
    taken_back(&format!("系统拒绝运行新程序 {path}：{reason}"), &next)
}

fn wrong_pid(main_pid: u32, answer: &str) -> String {
    let what =
        format!("systemd 显示 supervisord 是进程 {main_pid}，与 supervisorctl 的结果不一致：{}", indented(answer));
    let next =
        "检查是否有第二个 supervisord（pgrep -a supervisord）以及 /etc/supervisord.conf 中的套接字设置，然后重试。";
    taken_back(&what, next)
}

fn damaged(damage: &Damage) -> String {
    match damage {
        Damage::Checksum { expected, found } => format!("其 SHA-256 为 {found}，应为 {expected}"),
        Damage::NotListed => "SHA256SUMS 中没有列出它".to_string(),
        Damage::TooLarge { bytes_max } => format!("超过 {}", size(*bytes_max)),
        Damage::Format { found } => format!("其格式编号为 {found}，本安装程序无法识别"),
        Damage::Content(what) => what.clone(),
    }
}
