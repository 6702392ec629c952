//! Textual path rules of Python's `posixpath`: links are not followed, nothing is looked up but `~`.

use super::Host;

/// `os.path.join` of two parts: an absolute second part stands alone.
pub fn join(base: &str, path: &str) -> String {
    if path.starts_with('/') || base.is_empty() {
        path.to_owned()
    } else if base.ends_with('/') {
        format!("{base}{path}")
    } else {
        format!("{base}/{path}")
    }
}

/// `os.path.dirname`.
pub fn dirname(path: &str) -> &str {
    let head = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head } else { trimmed }
}

/// `os.path.normpath`: no `.`, no `..` where it can be resolved, single slashes (but two leading ones stay).
pub fn normal(path: &str) -> String {
    let slashes = path.len() - path.trim_start_matches('/').len();
    let root = match slashes {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if parts.is_empty() && !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let joined = format!("{root}{}", parts.join("/"));
    if joined.is_empty() { ".".to_owned() } else { joined }
}

/// `os.path.abspath`: against the working directory.
pub fn absolute(path: &str, host: &dyn Host) -> String {
    normal(&join(&host.cwd().to_string_lossy(), path))
}

/// `os.path.expanduser`: `~` and `~name` at the start; unknown names stay as they are.
pub fn expand_user(path: &str, host: &dyn Host) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_owned() };
    let (name, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some(home) = host.home(Some(name).filter(|name| !name.is_empty())) else { return path.to_owned() };
    let home = home.to_string_lossy();
    let whole = format!("{}{rest}", home.trim_end_matches('/'));
    if whole.is_empty() { "/".to_owned() } else { whole }
}

/// `~` expanded, absolute, normal (`Supervisor: options.py normalize_path`).
pub fn resolve(path: &str, host: &dyn Host) -> String {
    absolute(&expand_user(path, host), host)
}
