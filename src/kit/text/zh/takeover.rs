//! 简体中文：接管已有的 Supervisor。

use crate::daemon::takeover::Obstacle;
use crate::kit::takeover::{Deed, Findings, Layout, Live, Refusal, Told};

pub(super) fn told(told: &Told) -> String {
    match told {
        Told::Found(findings) => format!("本机已有另一个 Supervisor，将被替换：{}", found(findings)),
        Told::Differs { place, message, is_plug_in: true } => format!("警告：将缺少一个插件：{place}：{message}"),
        Told::Differs { place, message, .. } => format!("提示：此处将有所不同：{place}：{message}"),
        Told::Live(live) => plan(live),
        Told::NothingLive => "提示：没有正在运行的旧 supervisord，无需在线接管。".to_string(),
        Told::GoesOn { pid, units } => format!(
            "原来的 supervisord（进程 {pid}）从暂停处继续运行，程序均未受影响。{}",
            if units.is_empty() {
                String::new()
            } else {
                format!("在它重新启动之前，systemctl 显示 {} 为已停止。", units.join(" "))
            }
        ),
        Told::SameProcesses { count } => format!("已比较：{count} 个程序仍是原来的进程。"),
        Told::OtherProcesses { programs } => format!(
            "警告：以下程序已不是原来的进程：{}\n  解决办法：用 supervisorctl maintail 查看经过。",
            programs.join(" ")
        ),
        Told::Same { count } => format!("已比较：此前运行的程序全部重新运行（{count} 个）。"),
        Told::Missing { programs } => {
            let lines: String = programs.iter().map(|(name, state)| format!("\n    {name}：{state}")).collect();
            format!(
                "警告：以下程序此前在运行，现在没有运行：{lines}\n  解决办法：用 supervisorctl tail 程序名 stderr 查看原因；\
                 supervisor-install rollback 可恢复原来的 Supervisor。"
            )
        }
        Told::New { programs } => {
            format!("提示：以下程序此前没有运行，现在已运行（autostart）：{}", programs.join(" "))
        }
    }
}

pub(super) fn deed(deed: &Deed) -> String {
    match deed {
        Deed::Judge { .. } => "检查配置    用 supervisord -t 检查配置，列出差异".to_string(),
        Deed::StopProcess { pid, command, .. } => format!("停止        进程 {pid}（{}）", command.join(" ")),
        Deed::Halt { live, .. } => format!(
            "暂停        进程 {}（{}）；{} 个程序继续运行，交给新的 supervisord",
            live.pid,
            if live.units.is_empty() { live.command.join(" ") } else { live.units.join(" ") },
            live.adopted.len()
        ),
        Deed::CompareProcesses { programs } => format!("比较        进程号（{} 个应保持不变）", programs.len()),
        Deed::Divert { path } => format!("dpkg 转移   {path}（dpkg 自己的文件今后放在 {path}.python）"),
        Deed::Undivert { path } => format!("归还 dpkg   {path}"),
        Deed::Compare { programs } => format!("比较        运行中的程序（此前 {} 个）", programs.len()),
    }
}

pub(super) fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Found(findings) => format!(
            "本机已有另一个 Supervisor：{}\n  没有做任何改动。\n  解决办法：用 ./install --replace 接管：配置和程序保留不变，\
             supervisor-install rollback 可恢复原状（./install --replace --dry-run 只显示计划）。",
            found(findings)
        ),
        Refusal::Several { daemons } => {
            let lines: String = daemons.iter().map(|(pid, config)| format!("\n    进程 {pid}：{config}")).collect();
            format!(
                "本机运行着多个 Supervisor，各有自己的配置：{lines}\n  没有做任何改动。\n  解决办法：只保留要接管的那一个，\
                 停止其余的（kill PID），然后重试。"
            )
        }
        Refusal::NotLive(why) => format!(
            "无法在程序运行中接管原来的 supervisord：{}。\n  没有做任何改动。\n  解决办法：./install --replace 不加 --live，会停止\
             程序并由新的 supervisord 重新启动。",
            obstacle(why)
        ),
        Refusal::NotHalted { pid, reason } => format!(
            "无法在程序运行中接管原来的 supervisord（进程 {pid}）：{reason}\n  它和它的程序继续运行，本次所做的改动已撤销。\n  \
             解决办法：重试，或使用 ./install --replace 而不加 --live，程序会被停止后重新启动。"
        ),
        Refusal::StillRuns { pid } => format!(
            "原来的 supervisord（进程 {pid}）没有结束。\n  本次所做的改动已撤销。\n  解决办法：查看哪个程序停不下来\
             （supervisorctl status），然后重试。"
        ),
    }
}

fn plan(live: &Live) -> String {
    let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<Vec<_>>().join(" ");
    let mut lines = vec![
        format!(
            "{} 个程序继续运行，进程不变：{}",
            live.adopted.len(),
            names(&mut live.adopted.iter().map(|(name, _)| name))
        ),
        "它们的输出继续写入原来的日志，不丢失、不重复；标准输入保持打开".to_string(),
        "客户端连接（tail -f）会断开；这些程序以后退出时无法得知退出码（exit status not known）".to_string(),
    ];
    if !live.anew.is_empty() {
        lines.push(format!("事件监听器会重新启动，途中的事件会丢失：{}", names(&mut live.anew.iter())));
    }
    if !live.capturing.is_empty() {
        lines.push(format!("正处于 capture 标记之间的消息按普通文本记录：{}", names(&mut live.capturing.iter())));
    }
    lines.push("若未能完成，原来的 supervisord 继续运行；不加 --live 则停止程序后重新启动".to_string());
    let lines: String = lines.iter().map(|line| format!("\n    {line}")).collect();
    format!("在程序运行中接管进程 {}：{lines}", live.pid)
}

fn obstacle(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Unanswered { pid, reason } => format!("supervisord（进程 {pid}）没有给出它运行的程序：{reason}"),
        Obstacle::ConfigChanged { programs } => {
            format!("它读取配置之后，配置中以下程序有改动：{}（supervisorctl update 可使其读取）", programs.join(" "))
        }
        Obstacle::SharedSocket { programs } => format!("FastCGI 程序共用的套接字会随它关闭：{}", programs.join(" ")),
        Obstacle::Pipes { program, reason } => format!("无法取得 {program} 的管道：{reason}"),
        Obstacle::Busy { pid } => format!("进程 {pid} 始终没有空闲的时刻，或内核不提供此信息"),
        Obstacle::NotAdopted(value) => format!("配置中 on_crash={value}，不接管任何程序"),
    }
}

fn found(findings: &Findings) -> String {
    let mut lines = Vec::new();
    for old in &findings.olds {
        let how = match &old.layout {
            Layout::Deb(package) => format!("deb 软件包 {package}"),
            Layout::Rpm(package) => format!(
                "rpm 软件包 {package}，其程序将被替换。请禁止 yum 更新它（exclude={package}），并用 rpm -e --justdb --nodeps \
                 {package} 从数据库中去掉"
            ),
            Layout::Pip => "由 pip 安装".to_string(),
            Layout::Copied => "手工复制".to_string(),
        };
        lines.push(format!("{}：{how}", old.program));
    }
    for unit in &findings.units {
        let active = if unit.is_active { "运行中" } else { "未运行" };
        let enabled = if unit.is_enabled { "开机自启" } else { "不开机自启" };
        lines.push(format!("{}（{}）：{active}，{enabled}", unit.name, unit.path));
        lines.extend(
            unit.lost.iter().map(|line| {
                format!("  其设置 {line} 不在新的 unit 中；如有需要，请用 systemctl edit supervisord 加上")
            }),
        );
    }
    for daemon in &findings.daemons {
        let by = daemon.unit.as_deref().unwrap_or("手工或由脚本启动：请去掉该启动命令，例如 rc.local 中的");
        let programs = match &daemon.programs {
            Some(programs) => format!("{} 个程序在运行：{}", programs.len(), programs.join(" ")),
            None => "它的 supervisorctl 没有应答，无法比较程序".to_string(),
        };
        lines.push(format!("进程 {}（{by}），配置 {}；{programs}", daemon.pid, daemon.config));
    }
    lines.iter().map(|line| format!("\n    {line}")).collect()
}
