//! Why the service is not up. The journal tells, unless systemd could not even run the program: it says 203/EXEC for many
//! causes that look alike, and each leaves its own evidence.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::utsname::uname;

use super::mounts::Mounts;
use super::program::{self, Barriers};
use super::{Finding, Probe, Trouble, security};
use crate::kit::bundle::elf;
use crate::kit::commands::Commands;
use crate::kit::failure::ServiceDown;
use crate::kit::host::Root;
use crate::kit::host::probe::QUERY_LIMIT;
use crate::kit::prefix::Prefix;

/// systemd's exit status for a program that could not be run.
const EXEC_STATUS: &str = "ExecMainStatus=203";
/// How much of the journal is shown.
const JOURNAL_LINES: &str = "20";

/// What systemd, the journal and the host tell of a service that is not up.
pub fn service_down(root: &Root, unit: &str, prefix: Prefix, commands: &mut dyn Commands) -> ServiceDown {
    let properties = "ActiveState,SubState,Result,ExecMainCode,ExecMainStatus";
    let state = ask(commands, "systemctl", &["show", "-p", properties, unit]);
    let state = state.lines().collect::<Vec<_>>().join(" ");
    let journal = ask(commands, "journalctl", &["-u", unit, "-n", JOURNAL_LINES, "--no-pager", "-o", "cat"]);
    let is_not_run = state.split_whitespace().any(|word| word == EXEC_STATUS);
    let refusal = is_not_run.then(|| {
        let (trouble, evidence) = refusal(root, prefix, commands);
        Finding::fail(Probe::Service, trouble, format!("{}: {evidence}", prefix.program()))
    });
    ServiceDown { state, journal, refusal }
}

/// Looks for the cause, the plainest first. At last the program is run by hand: how that fails tells the rest.
fn refusal(root: &Root, prefix: Prefix, commands: &mut dyn Commands) -> (Trouble, String) {
    let program = root.at(prefix.program());
    let mounts = Mounts::read(root);
    if let Some(told) = of_the_file(&program, &root.real(prefix.program()), &mounts) {
        return told;
    }
    let barriers = security::barriers(root, prefix, commands, &mounts);
    if let Some(told) = of_the_policy(&program, commands, &barriers) {
        return told;
    }
    let (trouble, words) = program::try_out(commands, &program, &barriers);
    match trouble {
        Some(trouble) => (trouble, words),
        // Administrators are rarely confined; services are.
        None if barriers.selinux == Some(true) => (Trouble::SelinuxDenied, words),
        None => (Trouble::UnitSetting, words),
    }
}

/// What the file and its file system tell.
fn of_the_file(program: &Path, real: &str, mounts: &Mounts) -> Option<(Trouble, String)> {
    let meta = match fs::metadata(program) {
        Ok(meta) => meta,
        Err(error) => return Some((Trouble::ProgramMissing, error.to_string())),
    };
    let mode = meta.mode() & 0o7777;
    if mode & 0o111 == 0 {
        return Some((Trouble::ProgramMode, format!("{mode:04o}")));
    }
    let host = uname().map(|name| name.machine().to_string_lossy().into_owned()).unwrap_or_default();
    let built_for = fs::read(program).ok().map(|bytes| elf::architecture(&bytes).unwrap_or_else(|| "-".to_owned()));
    match built_for {
        Some(built_for) if built_for != host => {
            return Some((Trouble::WrongFormat, format!("{built_for}, uname -m: {host}")));
        }
        _ => {}
    }
    let mount = mounts.of(real).filter(|mount| mount.is_noexec)?;
    Some((Trouble::Noexec, mount.shown()))
}

/// What SELinux and KySec say of this file.
fn of_the_policy(program: &Path, commands: &mut dyn Commands, barriers: &Barriers) -> Option<(Trouble, String)> {
    let shown = program.display().to_string();
    if barriers.selinux == Some(true) {
        let wanted = ask(commands, "restorecon", &["-n", "-v", "-F", &shown]);
        if !wanted.is_empty() {
            return Some((Trouble::SelinuxLabel, wanted));
        }
    }
    if barriers.kysec_stops() {
        let (may_run, mark) = security::kysec_mark(commands, &shown);
        if !may_run {
            let status = barriers.kysec.as_deref().unwrap_or_default();
            return Some((Trouble::KysecDenied, format!("kysec_get: {mark}; getstatus: {status}")));
        }
    }
    None
}

fn ask(commands: &mut dyn Commands, program: &str, args: &[&str]) -> String {
    let answer = commands.run(program, args, QUERY_LIMIT);
    answer.map(|output| output.stdout.trim().to_owned()).unwrap_or_default()
}
