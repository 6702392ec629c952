//! 简体中文：提问，以及无法识别的回答。

use crate::kit::answers::Problem;
use crate::kit::text::Question;

pub(in crate::kit::text) fn ask(question: Question) -> &'static str {
    match question {
        Question::Replace => "本机已有另一个 Supervisor，是否接管？（rollback 可恢复）",
        Question::StartNow => "现在启动服务？",
        Question::StartAtBoot => "开机自动启动服务？",
        Question::Web => "开启 Web 控制台？（生产环境不建议）",
        Question::WebAddress => "Web 控制台的地址和端口",
        Question::WebUser => "用户名",
        Question::WebPasswordFile => "密码文件（密码在第一行）",
    }
}

pub(super) fn problem(problem: &Problem) -> String {
    match problem {
        Problem::UnknownKey { place, key, known } => {
            format!("{place}：没有名为 {key} 的选项。\n  没有做任何改动。\n  解决办法：可用的有：{known}")
        }
        Problem::Value { place, key, wanted } => {
            let wanted = if wanted.starts_with("true") { "true 或 false" } else { "带引号的文本" };
            format!("{place}：{key} 的值应为 {wanted}。\n  没有做任何改动。\n  解决办法：改正后重试。")
        }
        Problem::File { path, reason } => {
            format!("应答文件 {path} 不可用：{reason}\n  没有做任何改动。\n  解决办法：改正后重试。")
        }
    }
}
