//! 简体中文。

mod failure;

pub(super) use failure::failure;

use super::{Note, family_name, indented, os_line, size};
use crate::kit::host::detect::{Class, Hint, Reason, System};
use crate::kit::host::evidence::Packages;
use crate::kit::plan::Step;
use crate::kit::tree::CONFIG;

pub(super) fn note(note: &Note) -> String {
    match note {
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
        Note::UnitShadowed { path } => format!("警告：{path} 已存在，它会覆盖本次安装的服务文件。"),
        Note::NotOwnedByRoot => "提示：当前不是 root 用户，安装的文件将属于当前用户。".to_string(),
        Note::PlanBegins => "执行计划：".to_string(),
        Note::PlanEnds => "仅为预演，没有做任何改动。".to_string(),
        Note::UpToDate { version } => format!("supervisor-kit {version} 已是最新，没有做任何改动。"),
        Note::TakingBack => "正在撤销已执行的步骤……".to_string(),
        Note::NotTakenBack { path, reason } => format!("警告：无法撤销 {path}：{reason}"),
        Note::Verified { pid } => format!("验证通过：supervisord 正在运行（进程 {pid}），运行的就是刚安装的文件。"),
        Note::ClientUnreachable { pid, reason } => format!(
            "警告：supervisord 正在运行（进程 {pid}），但使用保留的配置文件时 supervisorctl 无法连接：{}",
            indented(reason)
        ),
        Note::RestartNeeded { pid } => format!(
            "正在运行的 supervisord（进程 {pid}）仍是旧程序。重启会使所有程序一并重启，因此未自动重启。\
             请在合适的时间执行：systemctl restart supervisord"
        ),
        Note::Installed { version } => format!("supervisor-kit {version} 已安装。"),
        Note::NextPrograms => {
            "下一步：将程序配置放入 /etc/supervisord.d/*.ini，然后执行：supervisorctl update".to_string()
        }
        Note::NextStart => "下一步：启动服务：systemctl start supervisord".to_string(),
        Note::NextWithoutSystemd => {
            "当前环境没有运行 systemd，因此没有启动服务。下一步：supervisord -c /etc/supervisord.conf".to_string()
        }
        Note::NextStaged { root } => format!("文件已安装到 {root}。若已设为开机启动，该系统启动时服务会自动启动。"),
    }
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
        Step::Keep { path } => format!("保留        {path}（您的配置）"),
        Step::CheckConfig { .. } => format!("检查配置    supervisord -t：{CONFIG}"),
        Step::GoLive { path, .. } => format!("正式就位    {path}"),
        Step::Link { path, target, replaces } => format!("创建链接    {path} -> {target}（{}）", new(*replaces)),
        Step::Label { paths } => format!("设置标签    {}", paths.join(" ")),
        Step::Reload => "执行        systemctl daemon-reload".to_string(),
        Step::Enable => "执行        systemctl enable supervisord.service".to_string(),
        Step::Start => "执行        systemctl start supervisord.service".to_string(),
        Step::Verify { is_fresh: true } => "验证        进程、文件与 supervisorctl；3 秒后再次确认".to_string(),
        Step::Verify { is_fresh: false } => "验证        进程、文件与 supervisorctl".to_string(),
        Step::TellRestart { pid } => format!("保持运行    旧的 supervisord（进程 {pid}），请自行安排重启"),
    }
}
