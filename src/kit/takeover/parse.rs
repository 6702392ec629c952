//! Reading what old Supervisors say and what their units hold. Pure.

/// States in which a program counts as running.
const RUNNING: [&str; 2] = ["RUNNING", "STARTING"];
/// Keys of `[Service]` whose loss changes how programs run.
const KEYS_THAT_MATTER: [&str; 14] = [
    "Environment",
    "EnvironmentFile",
    "ExecStartPre",
    "ExecStartPost",
    "User",
    "Group",
    "WorkingDirectory",
    "UMask",
    "LimitNOFILE",
    "LimitNPROC",
    "LimitCORE",
    "Nice",
    "CPUQuota",
    "MemoryLimit",
];

/// Name and state of each program in the output of `supervisorctl status`.
pub fn states(output: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, state) = (words.next()?, words.next()?);
        let is_state = state.len() > 3 && state.bytes().all(|byte| byte.is_ascii_uppercase());
        is_state.then(|| (name.to_owned(), state.to_owned()))
    };
    output.lines().filter_map(line).collect()
}

/// The programs that run, from the output of `supervisorctl status`.
pub fn running_programs(output: &str) -> Vec<String> {
    let running = states(output).into_iter().filter(|(_, state)| RUNNING.contains(&state.as_str()));
    running.map(|(name, _)| name).collect()
}

/// Name and process of each program that runs, from the output of `supervisorctl status`.
pub fn processes(output: &str) -> Vec<(String, u32)> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, "RUNNING" | "STARTING", "pid", pid, ..] = words[..] else { return None };
        Some((name.to_owned(), pid.trim_end_matches(',').parse().ok()?))
    };
    output.lines().filter_map(line).collect()
}

/// The lines of a unit that say how programs run and that our unit does not have.
pub fn lost_settings(unit: &str) -> Vec<String> {
    let matters = |line: &&str| {
        line.split_once('=').is_some_and(|(key, value)| {
            KEYS_THAT_MATTER.contains(&key.trim()) && !value.trim().is_empty() && value.trim() != "root"
        })
    };
    unit.lines().map(str::trim).filter(matters).map(str::to_owned).collect()
}

/// The command of a unit, from its last `ExecStart`.
pub fn exec_start(unit: &str) -> Vec<String> {
    let mut lines =
        unit.lines().filter_map(|line| line.trim().strip_prefix("ExecStart=")).filter(|text| !text.is_empty());
    let Some(last) = lines.next_back() else { return Vec::new() };
    last.trim_start_matches(['-', '@', '+', '!', ':']).split_whitespace().map(str::to_owned).collect()
}

/// The script of a daemon's command line: `python3 -s /usr/bin/supervisord -c FILE`.
pub fn script(command: &[String]) -> Option<&str> {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let first = command.first()?;
    if name(first) == "supervisord" {
        return Some(first);
    }
    let is_python = name(first).starts_with("python");
    let script = command.iter().skip(1).find(|word| !word.starts_with('-'))?;
    (is_python && name(script) == "supervisord").then_some(script)
}

/// What `-c` or `--configuration` of a command line names.
pub fn config_option(command: &[String]) -> Option<String> {
    let mut words = command.iter().skip_while(|word| !word.ends_with("supervisord")).skip(1);
    while let Some(word) = words.next() {
        let value = match word.as_str() {
            "-c" | "--configuration" => words.next().cloned(),
            other => other
                .strip_prefix("--configuration=")
                .or_else(|| other.strip_prefix("-c").filter(|_| !other.starts_with("--")))
                .map(str::to_owned),
        };
        if value.is_some() {
            return value;
        }
    }
    None
}

/// The unit that a process belongs to, from `/proc/PID/cgroup`.
pub fn unit_of(cgroup: &str) -> Option<String> {
    let last = cgroup.lines().filter_map(|line| line.rsplit('/').next()).find(|name| name.ends_with(".service"));
    last.map(str::to_owned)
}
