//! Which keys each section knows, and which known word an unknown one was probably meant to be.

/// Keys of `[program:x]`, `[fcgi-program:x]` and `[eventlistener:x]`.
const PROGRAM: &[&str] = &[
    "command",
    "process_name",
    "numprocs",
    "numprocs_start",
    "priority",
    "autostart",
    "autorestart",
    "startsecs",
    "startretries",
    "exitcodes",
    "stopsignal",
    "stopwaitsecs",
    "stopasgroup",
    "killasgroup",
    "killmode",
    "user",
    "umask",
    "directory",
    "environment",
    "serverurl",
    "redirect_stderr",
    "stdout_logfile",
    "stdout_logfile_maxbytes",
    "stdout_logfile_backups",
    "stdout_capture_maxbytes",
    "stdout_events_enabled",
    "stdout_syslog",
    "stderr_logfile",
    "stderr_logfile_maxbytes",
    "stderr_logfile_backups",
    "stderr_capture_maxbytes",
    "stderr_events_enabled",
    "stderr_syslog",
];

const FCGI: &[&str] = &["socket", "socket_backlog", "socket_owner", "socket_mode"];
const LISTENER: &[&str] = &["events", "buffer_size", "result_handler", "payload_length_unit"];
const GROUP: &[&str] = &["programs", "priority"];
const INCLUDE: &[&str] = &["files"];
const UNIX: &[&str] = &["file", "chmod", "chown", "username", "password", "metrics_auth", "session_idle_secs"];
const INET: &[&str] = &["port", "username", "password", "metrics_auth", "session_idle_secs"];
const USER: &[&str] = &["password", "role"];
const CTL: &[&str] = &["serverurl", "username", "password", "prompt", "history_file"];
const SUPERVISORD: &[&str] = &[
    "logfile",
    "logfile_maxbytes",
    "logfile_backups",
    "loglevel",
    "pidfile",
    "umask",
    "nodaemon",
    "silent",
    "minfds",
    "minprocs",
    "nocleanup",
    "childlogdir",
    "user",
    "directory",
    "strip_ansi",
    "environment",
    "identifier",
    "on_crash",
];

/// What a section name says about its keys.
pub(super) enum Keys {
    /// These and no others.
    Closed(Vec<&'static str>),
    /// Anything: they are arguments of a plug-in.
    Open,
    /// Nobody reads the section.
    Unknown,
}

/// The keys that a section may have.
pub(super) fn of_section(name: &str) -> Keys {
    let sets: &[&[&str]] = match name.split_once(':').map_or((name, false), |(kind, _)| (kind, true)) {
        ("supervisord", false) => &[SUPERVISORD],
        ("supervisorctl", false) => &[CTL],
        ("include", false) => &[INCLUDE],
        ("program", true) => &[PROGRAM],
        ("fcgi-program", true) => &[PROGRAM, FCGI],
        ("eventlistener", true) => &[PROGRAM, LISTENER],
        ("group", true) => &[GROUP],
        ("user", true) => &[USER],
        ("rpcinterface" | "ctlplugin", true) => return Keys::Open,
        _ if name.starts_with("unix_http_server") => &[UNIX],
        _ if name.starts_with("inet_http_server") => &[INET],
        _ => return Keys::Unknown,
    };
    Keys::Closed(sets.concat())
}

/// The section that an unknown one was probably meant to be.
pub(super) fn nearest_section(name: &str) -> Option<String> {
    const BARE: &[&str] = &["supervisord", "supervisorctl", "include", "unix_http_server", "inet_http_server"];
    const NAMED: &[&str] = &["program", "group", "eventlistener", "fcgi-program", "rpcinterface", "ctlplugin", "user"];
    match name.split_once(':') {
        None => nearest(name.trim(), BARE).map(str::to_owned),
        Some((kind, rest)) => {
            let kind = kind.trim();
            // A program written in capitals is still nearest to the program, not a typing error to guess at.
            nearest(&kind.to_lowercase(), NAMED).map(|kind| format!("{kind}:{}", rest.trim()))
        }
    }
}

/// The known word that takes the fewest edits, if that is at most a third of its letters.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let by_distance = known.iter().map(|candidate| (distance(word, candidate), *candidate));
    let (edits, candidate) = by_distance.min()?;
    (edits <= (candidate.len() / 3).min(3)).then_some(candidate)
}

/// Letters to insert, drop, replace, or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
