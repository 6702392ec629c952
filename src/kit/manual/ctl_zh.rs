//! `supervisorctl(1)` in Chinese.

use super::{Page, Words};
use crate::config::Language;
use crate::ctl;

/// `supervisorctl(1)`, in Chinese.
pub fn supervisorctl_zh() -> String {
    let mut page = Page::new("supervisorctl", 1, "管理由 supervisord 运行的程序", &Words::CHINESE);
    page.synopsis("[选项] [操作 [参数]]");
    page.section(Words::CHINESE.description);
    page.text(
        "通过 Unix 套接字或 TCP 查询和控制正在运行的 supervisord。不给出操作时进入交互界面，支持历史记录和命令补全。",
    );
    page.section("选项");
    page.options(&ctl::program_help("supervisorctl", Language::Chinese));
    page.section("操作");
    page.text(
        "名称可写成 name、group:name，或用 group:* 表示整个组；也可使用通配符，例如 web-*、group:web-? 或 *:worker，此时 \
         status、start、stop、restart、signal、clear、pid 作用于所有匹配的进程。all 表示全部进程。",
    );
    for (form, explanation) in ctl::forms(Language::Chinese) {
        match form {
            "" => page.text(explanation),
            _ => page.item(form, explanation),
        }
    }
    page.item(
        "hash-password [--cost N]",
        "生成服务器配置段中的 password 行（bcrypt 散列）；密码从终端或标准输入读取，不连接服务器",
    );
    page.section("退出状态");
    for (status, meaning) in [
        ("0", "成功"),
        ("1", "有操作失败"),
        ("2", "命令行、配置文件或 start 的组名有误"),
        ("3", "status：列出的进程中有未运行的；其他操作：服务器没有 supervisor 接口"),
        ("4", "status：名称不存在或无法连接服务器；其他操作：连接被拒绝"),
        ("5", "服务器的接口版本不同"),
        ("7", "进程未运行或未能启动，或者套接字不存在"),
    ] {
        page.item(status, meaning);
    }
    page.section("环境变量");
    page.item("NO_COLOR", "设置后，在终端上也不用颜色显示状态");
    page.see_also(&["supervisord(8)", "supervisord.conf(5)", "pidproxy(1)", "supervisor-install(8)"])
}
