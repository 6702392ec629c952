//! Why there is no connection, and what to do about it: only what can be seen from here, for stderr.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use nix::unistd::Uid;

use super::client::CallError;
use super::endpoint::Endpoint;
use crate::config::Language;
use crate::sys::users::user_by_uid;

/// One line: the cause and the next step. `None` when nothing can be known beyond the error itself.
pub fn of(error: &CallError, url: &str, lang: Language) -> Option<String> {
    let endpoint = Endpoint::parse(url).ok()?;
    let text = match (error, &endpoint) {
        (CallError::NoSocket(_), Endpoint::Unix(path)) => missing(Path::new(path), lang),
        (CallError::Refused(_), Endpoint::Unix(path)) => lang
            .pick(
                "nobody listens on the socket {}: supervisord has ended without removing it. Start supervisord",
                "套接字 {} 无人监听：supervisord 已退出，但没有删除它。请启动 supervisord",
            )
            .replace("{}", path),
        (CallError::Refused(_), Endpoint::Tcp { .. }) => lang
            .pick(
                "nothing listens on {}: supervisord is not running, or its [inet_http_server] has another port. \
                 Start it, or give the right URL with -s or as serverurl in [supervisorctl]",
                "{} 无人监听：supervisord 未运行，或 [inet_http_server] 使用了其他端口。请启动它，或用 -s 或 \
                 [supervisorctl] 的 serverurl 指定正确的地址",
            )
            .replace("{}", &endpoint.host_header()),
        (CallError::Denied(_), Endpoint::Unix(path)) => denied(Path::new(path), lang),
        (CallError::NoAnswer(_), _) => lang
            .pick(
                "something listens on {} but does not answer as supervisord does: check the address, or see the log \
                 of supervisord",
                "{} 有程序监听，但应答不像 supervisord：请检查地址，或查看 supervisord 的日志",
            )
            .replace("{}", url),
        (CallError::Unauthorized, _) => lang
            .pick(
                "give -u and -p, or username and password in [supervisorctl], as the server's section in the \
                 configuration of supervisord has them",
                "请用 -u 和 -p，或在 [supervisorctl] 中设置 username 和 password，与 supervisord 配置中该服务器一节相同",
            )
            .to_owned(),
        _ => return None,
    };
    Some(text)
}

/// The path leads nowhere: is it the file, or a directory before it?
fn missing(path: &Path, lang: Language) -> String {
    let ancestor = path.ancestors().skip(1).find(|directory| directory.is_dir()).unwrap_or(Path::new("/"));
    let shown = path.display().to_string();
    match path.parent() {
        Some(parent) if parent != ancestor && !parent.as_os_str().is_empty() => lang
            .pick(
                "the directory {dir} does not exist: the path of the socket is wrong, or supervisord has never run. \
                 Compare serverurl in [supervisorctl] with file in [unix_http_server]",
                "目录 {dir} 不存在：套接字路径有误，或 supervisord 从未运行。请比较 [supervisorctl] 的 serverurl 与 \
                 [unix_http_server] 的 file",
            )
            .replace("{dir}", &parent.display().to_string()),
        _ => lang
            .pick(
                "there is no socket {}: supervisord is not running, or uses another path. Start it, or compare \
                 serverurl in [supervisorctl] with file in [unix_http_server]",
                "套接字 {} 不存在：supervisord 未运行，或使用了其他路径。请启动它，或比较 [supervisorctl] 的 serverurl \
                 与 [unix_http_server] 的 file",
            )
            .replace("{}", &shown),
    }
}

/// The socket, or a directory on the way to it, is closed to this user.
fn denied(path: &Path, lang: Language) -> String {
    let closed = path.ancestors().skip(1).filter(|directory| fs::metadata(directory).is_ok()).find(|directory| {
        fs::metadata(directory).is_ok_and(|found| found.mode() & 0o001 == 0 && !found.file_type().is_socket())
    });
    let place = match fs::metadata(path) {
        Ok(_) => path,
        Err(_) => closed.unwrap_or(path),
    };
    let me = name_of(Uid::effective());
    let owner = fs::metadata(place).map(|found| name_of(Uid::from_raw(found.uid()))).unwrap_or_else(|_| "root".into());
    lang.pick(
        "{place} belongs to {owner} and is closed to {me}. Run this as root or {owner}, or set chown and chmod in \
         [unix_http_server]",
        "{place} 属于 {owner}，不允许 {me} 访问。请以 root 或 {owner} 身份运行，或设置 [unix_http_server] 的 chown 和 chmod",
    )
    .replace("{place}", &place.display().to_string())
    .replace("{owner}", &owner)
    .replace("{me}", &me)
}

fn name_of(uid: Uid) -> String {
    user_by_uid(uid.as_raw()).map_or_else(|| uid.to_string(), |user| user.name)
}
