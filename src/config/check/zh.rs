//! What errors and notices mean, in Chinese. The sentence of Supervisor stays behind it in brackets: it is what manuals
//! and search engines know.

use super::Sentence;

/// Part of an English sentence, and its meaning; the first that fits is taken.
const MEANINGS: &[(&str, &str)] = &[
    ("invalid literal for int()", "应为整数"),
    ("not a valid boolean value", "应为 true 或 false"),
    ("invalid 'autorestart' value", "autorestart 应为 true、false 或 unexpected"),
    ("bad logging level name", "日志级别应为 critical、error、warn、info、debug、trace 或 blather"),
    ("can not be converted to an octal type", "应为八进制数，例如 022"),
    ("is not an existing directory", "目录不存在"),
    ("The directory named as part of the path", "路径中的目录不存在"),
    ("is not a valid signal", "无效的信号"),
    ("not a valid list of exit codes", "退出码应为 0 至 255 的整数，以逗号分隔"),
    ("Invalid user name", "用户不存在"),
    ("Invalid user id", "用户 ID 不存在"),
    ("Invalid sockchown value", "chown 应为“用户”或“用户:组”，且必须存在"),
    ("Invalid chmod value", "chmod 应为八进制数，例如 0700"),
    ("Invalid socket_backlog value", "socket_backlog 应为 1 至 65535"),
    ("Invalid socket_owner value", "socket_owner 应为“用户”或“用户:组”，且必须存在"),
    ("Invalid socket_mode value", "socket_mode 应为八进制数，例如 0700"),
    ("Invalid name:", "名称不能包含空格、冒号或斜杠"),
    ("names unknown program", "组中的程序不存在"),
    ("is ambiguous", "同名的 program 与 fcgi-program 同时存在"),
    ("has an empty name in programs", "programs 中有空名称"),
    ("two groups have the name", "两个组重名"),
    ("two processes of group", "组内两个进程重名"),
    ("%(process_num) must be present", "numprocs 大于 1 时，process_name 必须包含 %(process_num)"),
    ("is above the limit of", "超过上限"),
    ("Cannot set stopasgroup=true and killasgroup=false", "stopasgroup=true 时不能设置 killasgroup=false"),
    ("does not specify a command", "缺少 command"),
    ("does not specify a supervisor.", "缺少插件入口（factory）"),
    ("section requires an \"events\" line", "缺少 events"),
    ("section requires a \"socket\" line", "缺少 socket"),
    ("Unknown event type", "未知的事件类型"),
    ("sets invalid buffer_size", "buffer_size 应为 1 或以上"),
    ("sets redirect_stderr=true but", "事件监听器不能设置 redirect_stderr=true，否则会干扰事件协议"),
    ("Bad socket format", "socket 应为 unix:///路径 或 tcp://主机:端口"),
    ("is not an absolute path", "套接字路径必须是绝对路径"),
    ("should only be used with a Unix domain socket", "socket_owner 和 socket_mode 只能用于 Unix 套接字"),
    ("has no port value", "缺少 port"),
    ("has no file value", "缺少 file"),
    ("contains incomplete authentication", "username 和 password 必须同时设置"),
    ("not a valid port number", "端口应为 1 至 65535 的整数"),
    ("no port number specified", "缺少端口"),
    ("upper bound (65535)", "端口应为 1 至 65535"),
    ("lower bound (1)", "端口应为 1 至 65535"),
    ("contains names (", "值中引用了不存在的名称"),
    ("is badly formatted", "值中的 % 格式错误"),
    ("Unexpected end of key/value pairs", "environment 应为 KEY=\"值\",KEY2=\"值\""),
    ("No closing quotation", "引号没有闭合"),
    ("No escaped character", "反斜杠后没有字符"),
    ("Source contains parsing errors", "这一行不是“键=值”"),
    ("File contains no section headers", "第一个配置段之前有内容"),
    ("does not include supervisord section", "缺少 [supervisord] 配置段"),
    ("but no files setting", "[include] 缺少 files"),
    ("could not find config file", "配置文件不存在"),
    ("could not read config file", "配置文件无法读取"),
    ("could not read included file", "被包含的文件无法读取"),
    ("No config file found at default paths", "在默认位置没有找到配置文件"),
    ("codec can't decode byte", "文件编码既不是 UTF-8 也不是 GB18030"),
    ("not UTF-8, read as GB18030", "文件不是 UTF-8，已按 GB18030 读取，建议另存为 UTF-8"),
    ("No file matches via include", "[include] 没有匹配到文件"),
    ("Included extra file", "已读取被包含的文件"),
    ("which runs no Python plug-ins", "本程序不支持 Python 插件，此项被跳过"),
    ("takes no further keys", "此配置段不接受其他配置项，以下各项不起作用"),
    ("=syslog but this is deprecated", "logfile=syslog 已弃用，请改用 stdout_syslog=true 或 stderr_syslog=true"),
    ("AUTO logging used for", "使用自动日志且不轮转，可能占满磁盘"),
    ("redirect_stderr=true but stderr_logfile", "redirect_stderr=true 时 stderr_logfile 不起作用"),
];

const ADVICE: &[(&str, &str)] = &[
    ("write %% for a percent sign", "百分号写作 %%，环境变量写作 %(ENV_名称)s"),
    ("write KEY=\"value\"", "写作 KEY=\"值\",KEY2=\"值\"，每个值都加引号"),
    ("create the directory", "创建该目录，或改用其他路径"),
    ("for example process_name", "例如 process_name=%(program_name)s_%(process_num)02d"),
    ("for example events", "例如 events=PROCESS_STATE,TICK_60"),
    ("rename one", "修改其中一个的名称"),
    ("remove the comma", "删除多余的逗号"),
    ("give each program of the group", "为组内每个程序设置不同的 process_name"),
    ("put a section header", "在这一行之前加上配置段，例如 [supervisord]"),
    ("write key=value", "写作“键=值”；注释以分号开头；续行需要缩进"),
    ("write three slashes", "写三个斜杠：unix:///run/x.sock"),
    ("write unix:///path", "写作 unix:///路径 或 tcp://主机:端口"),
    ("write 1 or more", "设为 1 或以上"),
    ("check the path after -c", "检查 -c 之后的路径"),
    ("remove the line", "删除这一行"),
];

/// The sentence with its meaning.
pub(super) fn sentence(english: &str) -> Sentence {
    let known = MEANINGS.iter().find(|(part, _)| english.contains(part));
    let chinese = known.map_or_else(|| english.to_owned(), |(_, meaning)| format!("{meaning}（{english}）"));
    Sentence { english: english.to_owned(), chinese }
}

/// The advice; words that are to be typed stay as they are.
pub(super) fn advice(english: &str) -> Sentence {
    let known = ADVICE.iter().find(|(start, _)| english.starts_with(start));
    let chinese = match (known, english.strip_prefix("add ")) {
        (Some((_, meaning)), _) => (*meaning).to_owned(),
        (None, Some(what)) => format!("添加 {what}"),
        (None, None) => english.to_owned(),
    };
    Sentence { english: english.to_owned(), chinese }
}
