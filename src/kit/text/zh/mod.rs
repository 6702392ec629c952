//! 简体中文。

mod answers;
mod change;
mod checks;
mod failure;
mod takeover;
mod web;

pub(super) use answers::ask;
pub(super) use checks::trouble;
pub(super) use failure::failure;

use super::{Lang, Note, family_name, indented, os_line, size};
use crate::kit::host::detect::{Class, Hint, Reason, System};
use crate::kit::host::evidence::Packages;
use crate::kit::plan::Step;
use crate::kit::prefix::{LINK_DIR, PROFILE};
use crate::kit::tree::{CONFIG, TRUST_FILE};

pub(super) fn note(note: &Note) -> String {
    match note {
        Note::Change(said) => change::note(said),
        Note::Bundle { version, arch } => format!("安装包：{version}（{arch}），全部校验和正确"),
        Note::System(system) => saw(system),
        Note::Contradiction => {
            "警告：软件包数据库与 os-release 的内容不一致，将按上面的判断继续；如判断有误，请用 --distro 指定系统类型。"
                .to_string()
        }
        Note::Hint(Hint::Kysec) => {
            "提示：系统装有 KySec 时，新程序会被标记为可信（kysec_set）。三权分立模式下需要安全管理员（secadm）操作。"
                .to_string()
        }
        Note::Hint(Hint::ElfVerify) => {
            "提示：UOS 桌面版可能拒绝运行未经统信签名的程序，此时请开启开发者模式。".to_string()
        }
        Note::NotOwnedByRoot => "提示：当前不是 root 用户，安装的文件将属于当前用户。".to_string(),
        Note::PlanBegins => "执行计划：".to_string(),
        Note::PlanEnds => "仅为预演，没有做任何改动。".to_string(),
        Note::UpToDate { version } => format!("supervisor-kit {version} 已是最新，没有做任何改动。"),
        Note::TakingBack => "正在撤销已执行的步骤……".to_string(),
        Note::Interrupted => "提示：上一次运行被中断，下次运行时会先撤销其改动。".to_string(),
        Note::TakingBackInterrupted { verb, version } => {
            format!("上一次运行（{verb}，{version}）被中断，正在撤销其已执行的步骤……")
        }
        Note::RollingBack { number, verb, version } => format!("正在撤销第 {number} 次变更（{verb}，{version}）……"),
        Note::RolledBack => "已回退，主机恢复到变更之前的状态。".to_string(),
        Note::Uninstalled { version } => format!("supervisor-kit {version} 已卸载。"),
        Note::DirKept { path } => format!("提示：{path} 中仍有内容，予以保留。"),
        Note::NotTakenBack { path, reason } => format!("警告：无法撤销 {path}：{reason}"),
        Note::Verified { pid } => format!("验证通过：supervisord 正在运行（进程 {pid}），运行的就是刚安装的文件。"),
        Note::ClientUnreachable { pid, reason } => format!(
            "警告：supervisord 正在运行（进程 {pid}），但使用保留的配置文件时 supervisorctl 无法连接：{}",
            indented(reason)
        ),
        Note::Reexecuted(done) => change::reexecuted(done),
        Note::RestartNeeded { pid } => format!(
            "正在运行的 supervisord（进程 {pid}）仍是旧程序。重启会使所有程序一并重启，因此未自动重启。\
             请在合适的时间执行：systemctl restart supervisord"
        ),
        Note::Finding(finding) => Lang::Zh.finding(finding),
        Note::Ready { version } => format!("本机可以安装 supervisor-kit {version}。未做任何改动。"),
        Note::AsInstalled { version } => format!("一切与 supervisor-kit {version} 安装时相同。"),
        Note::Healthy { unit } => format!("未发现问题：{unit} 正在运行，supervisorctl 可以连接。"),
        Note::Status(status) => Lang::Zh.status(status),
        Note::Installed { version } => format!("supervisor-kit {version} 已安装。"),
        Note::Elsewhere { dir, has_links } => elsewhere(dir, *has_links),
        Note::Takeover(told) => takeover::told(told),
        Note::Web(told) => web::told(told),
        Note::NextPrograms => {
            "下一步：将程序配置放入 /etc/supervisord.d/*.ini，然后执行：supervisorctl update".to_string()
        }
        Note::NextStart => "下一步：启动服务：systemctl start supervisord".to_string(),
        Note::NextWithoutSystemd => {
            "当前环境没有运行 systemd，因此没有启动服务。下一步：/etc/init.d/supervisord start；没有该脚本时：supervisord -c /etc/supervisord.conf".to_string()
        }
        Note::NextStaged { root } => format!("文件已安装到 {root}。若已设为开机启动，该系统启动时服务会自动启动。"),
    }
}

fn elsewhere(dir: &str, has_links: bool) -> String {
    if has_links {
        return format!("程序在 {dir}，并在 {LINK_DIR} 建有链接。sudo 找不到命令时请写完整路径。");
    }
    format!("程序在 {dir}。下次登录后可直接使用命令名（由 {PROFILE} 设置）；其他情况以及使用 sudo 时请写完整路径。")
}

fn saw(system: &System) -> String {
    let packages = match (system.evidence.packages, system.evidence.database) {
        (Packages::Rpm, Some(path)) => format!("rpm（{path}）"),
        (Packages::Dpkg, Some(path)) => format!("dpkg（{path}）"),
        _ => "未找到".to_string(),
    };
    let detail = system.evidence.detail.iter().map(|text| format!("\n  厂商文件：{text}")).collect::<String>();
    format!(
        "系统：{}\n  软件包数据库：{packages}{detail}\n  系统类型：{}（{}）",
        os_line(system),
        family_name(system.family),
        decided(system.class, &system.reason),
    )
}

fn decided(class: Class, reason: &Reason) -> String {
    let class = match class {
        Class::Redhat => "Red Hat 系",
        Class::Neokylin => "中标麒麟",
        Class::UosServerE => "统信 UOS 服务器版 20 e",
        Class::UosServerA => "统信 UOS 服务器版 20 a",
        Class::UosServerD => "统信 UOS 服务器版 20 d",
        Class::UosServer => "统信 UOS 服务器版",
        Class::UosDesktop => "统信 UOS 桌面版",
        Class::KylinServer => "银河麒麟服务器版",
        Class::KylinDesktop => "银河麒麟桌面版",
        Class::Debian => "Debian 系",
        Class::Suse => "SUSE 系",
        Class::Generic => "未知系统，按使用 systemd 的通用 Linux 处理",
    };
    let reason = match reason {
        Reason::Asked => "由 --distro 指定".to_string(),
        Reason::PlatformId(id) => format!("依据 ID 和 PLATFORM_ID={id}"),
        Reason::NameSays(word) => format!("依据 ID 和名称中的 \"{word}\""),
        Reason::Mark(key) => format!("依据 ID 和 {key}"),
        Reason::IdAndPackages => "依据 ID 和软件包类型".to_string(),
        Reason::Id => "依据 ID".to_string(),
        Reason::IdLike(word) => format!("依据 ID_LIKE 中的 {word}"),
        Reason::Unknown => "ID 和 ID_LIKE 均无法识别；如您了解该系统，可用 --distro 指定类型".to_string(),
    };
    format!("{class}；{reason}")
}

pub(super) fn step(step: &Step) -> String {
    let new = |replaces: bool| if replaces { "替换旧文件" } else { "新文件" };
    match step {
        Step::Clean { path } => format!("清理残留    {path}"),
        Step::MakeDir { path, mode } => format!("创建目录    {path}（{mode:04o}）"),
        Step::Stage { path, mode, size: bytes, replaces } => {
            format!("写入暂存    {path}（{mode:04o}，{}，{}）", size(*bytes), new(*replaces))
        }
        Step::Trust { paths, .. } => format!("KySec 标记  {}", paths.join(" ")),
        Step::TrustFile { text: Some(_) } => format!("登记到 fapolicyd    {TRUST_FILE}; fapolicyd-cli --update"),
        Step::TrustFile { text: None } => format!("删除                {TRUST_FILE}; fapolicyd-cli --update"),
        Step::Takeover(deed) => takeover::deed(deed),
        Step::Web(deed) => web::deed(deed),
        Step::Sysv(register) => format!("执行        {}", register.command()),
        Step::Keep { path } => format!("保留        {path}（您的配置）"),
        Step::CheckConfig { .. } => format!("检查配置    supervisord -t：{CONFIG}"),
        Step::GoLive { path, .. } => format!("正式就位    {path}"),
        Step::Link { path, target, replaces } => format!("创建链接    {path} -> {target}（{}）", new(*replaces)),
        Step::Label { paths } => format!("设置标签    {}", paths.join(" ")),
        Step::Reload => "执行        systemctl daemon-reload".to_string(),
        Step::Enable => "执行        systemctl enable supervisord.service".to_string(),
        Step::Start => "执行        systemctl start supervisord.service".to_string(),
        Step::Restart => "执行        systemctl restart supervisord.service（会重启所有程序）".to_string(),
        Step::Reexec { pid } => {
            format!("执行        supervisorctl upgrade（进程 {pid} 切换到新程序，其管理的程序继续运行）")
        }
        Step::Stop { unit } => format!("执行        systemctl stop {unit}"),
        Step::Disable { unit } => format!("执行        systemctl disable {unit}"),
        Step::Remove { path } => format!("删除        {path}"),
        Step::SetAside { path } => format!("删除        {path} 及其全部内容"),
        Step::Offer { path, .. } => format!("写入        {path}.new（新版默认配置）"),
        Step::RemoveDir { path } => format!("删除空目录  {path}"),
        Step::Verify { is_fresh: true } => "验证        进程、文件与 supervisorctl；3 秒后再次确认".to_string(),
        Step::Verify { is_fresh: false } => "验证        进程、文件与 supervisorctl".to_string(),
        Step::TellRestart { pid } => format!("保持运行    旧的 supervisord（进程 {pid}），请自行安排重启"),
    }
}
