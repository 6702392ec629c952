//! 简体中文：Web 控制台。

use crate::kit::web::{Deed, Refusal, Told};

pub(super) fn told(told: &Told) -> String {
    match told {
        Told::Proven { address, has_password: true } => {
            format!("已验证：Web 控制台 http://{address} 只应答其用户，拒绝其他访问（401）。")
        }
        Told::Proven { address, .. } => format!("已验证：Web 控制台 http://{address} 在本机可访问。"),
        Told::RestartNeeded => {
            "正在运行的 supervisord 尚未启用该设置，重启后生效，而重启会重启所有程序。请在合适的时候执行：\
                                systemctl restart supervisord"
                .to_string()
        }
        Told::FirewallClosed { port } => format!(
            "提示：firewalld 正在运行且未被改动，其他主机可能无法访问端口 {port}。解决办法：加上 --open-firewall 再执行一次，\
             或执行 firewall-cmd --permanent --add-port={port}/tcp 和 firewall-cmd --reload"
        ),
        Told::AsWished => "Web 控制台已符合要求：没有做任何改动。".to_string(),
    }
}

pub(super) fn deed(deed: &Deed) -> String {
    match deed {
        Deed::OpenFirewall { port } => format!("开放端口    firewalld： {port}/tcp，立即生效，重启后保留"),
        Deed::CloseFirewall { port } => format!("关闭端口    firewalld： {port}/tcp"),
        Deed::Prove { console } => format!("验证        http://{}，使用和不使用密码", console.address),
    }
}

pub(super) fn refusal(refusal: &Refusal) -> String {
    let untouched = |what: String, next: &str| format!("{what}\n  没有做任何改动。\n  解决办法：{next}");
    match refusal {
        Refusal::Reexec => untouched(
            "--web-restart=reexec：在线升级的 supervisord 沿用已有的监听端口，不会打开控制台。".to_string(),
            "使用 --web-restart=never 并自行选择时间重启，或使用 --web-restart=always（会重启所有程序）。",
        ),
        Refusal::Address(text) => {
            untouched(format!("--web {text}：不是地址和端口。"), "例如 --web 127.0.0.1:9001，或 --web off。")
        }
        Refusal::Open(address) => untouched(
            format!("--web {address} 可从其他主机访问，且不需要密码。"),
            "加上 --web-user 用户名 和 --web-password-file 文件，或只监听 127.0.0.1。",
        ),
        Refusal::Account(option) => untouched(
            format!("用户名和密码须同时给出，{option} 缺少或不可用。"),
            "给出 --web-user 用户名（字母、数字、. _ @ -）和 --web-password-file 文件，密码在文件第一行（不超过 72 字节）。",
        ),
        Refusal::Existing { path, line } => untouched(
            format!("{path} 第 {line} 行已有 [inet_http_server] 配置段。"),
            "手工修改该配置段，或删除后重试。",
        ),
        Refusal::NotProven { address, answer } => format!(
            "Web 控制台 {address} 的应答不正确：{answer}\n  本次所做的改动已撤销。\n  解决办法：查看端口被谁占用（ss -ltnp），\
             然后重试。"
        ),
    }
}
