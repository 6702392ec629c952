//! The probe that decides: the new program runs its own test (`supervisord --self-test`) in the directory where it will
//! be. How that fails tells noexec, KySec, signing, fapolicyd, SELinux, a wrong architecture and an unfit kernel apart.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;

use super::security::kysec_value;
use super::{Finding, Look, Probe, Trouble, config, needs_change};
use crate::kit::apply::place::{Leftover, leftover};
use crate::kit::commands::{Commands, Output, SIGNAL_BASE};
use crate::kit::host::Root;
use crate::kit::host::probe::has_kysec;
use crate::kit::plan::Found;
use crate::kit::prefix::Prefix;

/// KySec in its mode "warning" asks a desktop user and refuses after 30 s without an answer.
const SELF_TEST_LIMIT: Duration = Duration::from_secs(45);

/// What there is on a host that may keep a program from running.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Barriers {
    /// The programs' place is mounted noexec.
    pub is_noexec: bool,
    /// Whether SELinux is enforcing; `None` when it is off.
    pub selinux: Option<bool>,
    /// What `getstatus` says; `None` without KySec.
    pub kysec: Option<String>,
    /// UOS checks signatures of programs.
    pub has_elf_verify: bool,
    /// fapolicyd runs.
    pub has_fapolicyd: bool,
}

impl Barriers {
    /// Whether KySec may refuse a program.
    pub fn kysec_stops(&self) -> bool {
        let status = self.kysec.as_deref().unwrap_or_default();
        !matches!(kysec_value(status, "exec control"), None | Some("off"))
    }
}

/// What became of a self-test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfTest {
    /// The kernel refused to run the program.
    Refused(Errno),
    /// It ran: its exit code, 128 and the number of the signal that ended it, or `None` when it took too long.
    Ended(Option<i32>),
}

impl SelfTest {
    fn of(outcome: &io::Result<Output>) -> SelfTest {
        match outcome {
            Ok(output) => SelfTest::Ended(output.code),
            Err(error) => SelfTest::Refused(Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EACCES as i32))),
        }
    }
}

/// From what happened and what the host has to the cause. Pure.
pub fn judge(test: SelfTest, barriers: &Barriers) -> Option<Trouble> {
    const SIGSYS: i32 = SIGNAL_BASE + libc::SIGSYS;
    const SIGILL: i32 = SIGNAL_BASE + libc::SIGILL;
    const SIGKILL: i32 = SIGNAL_BASE + libc::SIGKILL;
    /// What a shell answers for a program that may not be run.
    const NOT_EXECUTABLE: i32 = 126;
    match test {
        SelfTest::Ended(Some(0)) => None,
        SelfTest::Refused(Errno::ENOEXEC) => Some(Trouble::WrongFormat),
        SelfTest::Refused(Errno::ENOENT) => Some(Trouble::ProgramMissing),
        SelfTest::Refused(Errno::EPERM) => Some(refused(barriers, true)),
        SelfTest::Refused(_) | SelfTest::Ended(Some(NOT_EXECUTABLE)) => Some(refused(barriers, false)),
        SelfTest::Ended(Some(SIGSYS)) => Some(Trouble::SystemCallFilter),
        SelfTest::Ended(Some(SIGILL)) => Some(Trouble::IllegalInstruction),
        SelfTest::Ended(Some(SIGKILL) | None) if barriers.kysec_stops() => Some(Trouble::KysecDenied),
        SelfTest::Ended(Some(SIGKILL) | None) if barriers.has_elf_verify => Some(Trouble::ElfDenied),
        SelfTest::Ended(_) => Some(Trouble::KernelUnfit),
    }
}

/// fapolicyd answers EPERM, the others EACCES; so does a mount. The surest cause first.
fn refused(barriers: &Barriers, is_eperm: bool) -> Trouble {
    let enforcing = barriers.selinux == Some(true);
    match () {
        () if barriers.is_noexec => Trouble::Noexec,
        () if is_eperm && barriers.has_fapolicyd => Trouble::FapolicydDenied,
        () if is_eperm && barriers.has_elf_verify => Trouble::ElfDenied,
        () if barriers.kysec_stops() => Trouble::KysecDenied,
        () if enforcing => Trouble::SelinuxDenied,
        () if barriers.has_elf_verify => Trouble::ElfDenied,
        () if barriers.has_fapolicyd => Trouble::FapolicydDenied,
        () => Trouble::Denied,
    }
}

/// Runs the program of the bundle at its place, and lets it judge a configuration that is there.
pub(super) fn tried(look: &mut Look<'_>, barriers: &Barriers) -> Vec<Finding> {
    let prefix = look.facts.prefix;
    let place = prefix.program();
    let is_current = match look.facts.found.get(place) {
        Some(Found::File { sha256, mode, .. }) => {
            let wanted = look.contents.get(place).map(|bytes| crate::kit::bundle::sums::sha256(bytes));
            mode & 0o111 != 0 && wanted.as_ref() == Some(sha256)
        }
        _ => false,
    };
    // What fapolicyd does not know yet it refuses: the plan makes the program known first, and then lets it run.
    let is_unknown = barriers.has_fapolicyd && !look.choices.no_fapolicyd;
    let is_idle = is_current && !needs_change(look.facts, look.manifest);
    if !look.facts.is_root || look.contents.is_empty() || is_idle || (is_unknown && !is_current) {
        return Vec::new();
    }
    if is_current {
        return run_and_check(look, &look.root.at(place), barriers);
    }
    let bytes = look.contents.get(place).map_or(&[][..], Vec::as_slice);
    match put_on_trial(look.root, prefix, bytes, look.commands) {
        // The destination has its own probe.
        Err(_) => Vec::new(),
        Ok(trial) => run_and_check(look, &trial.path, barriers),
    }
}

/// The program of the bundle where it may be run, before it is installed; removed when dropped.
pub struct Trial {
    /// The file.
    pub path: PathBuf,
}

impl Drop for Trial {
    fn drop(&mut self) {
        // One that stays is cleaned away by the next run.
        let _ = fs::remove_file(&self.path);
    }
}

/// Puts it there.
///
/// # Errors
/// It cannot be written.
pub fn put_on_trial(root: &Root, prefix: Prefix, bytes: &[u8], commands: &mut dyn Commands) -> io::Result<Trial> {
    let has_dir = |place: &&&str| root.at(place).parent().is_some_and(Path::is_dir);
    let place = prefix.trial_places().iter().find(has_dir).copied().unwrap_or(prefix.program());
    let trial = Trial { path: root.at(&leftover(place, Leftover::Trial)) };
    write(&trial.path, bytes)?;
    if has_kysec(root, commands) {
        crate::kit::apply::mark_for_kysec(commands, &trial.path);
    }
    Ok(trial)
}

/// Runs the program that is installed.
pub(super) fn installed(root: &Root, prefix: Prefix, commands: &mut dyn Commands, barriers: &Barriers) -> Vec<Finding> {
    vec![run(prefix, commands, &root.at(prefix.program()), barriers)]
}

/// The configuration of another Supervisor is judged by the takeover: plug-ins of it are no reason to stop.
fn run_and_check(look: &mut Look<'_>, program: &Path, barriers: &Barriers) -> Vec<Finding> {
    let finding = run(look.facts.prefix, look.commands, program, barriers);
    if finding.is_fail() || !look.root.exists(look.config) || !look.olds.is_empty() {
        return vec![finding];
    }
    [vec![finding], config::valid(look.root, look.config, look.commands, program)].concat()
}

fn run(prefix: Prefix, commands: &mut dyn Commands, program: &Path, barriers: &Barriers) -> Finding {
    let shown = format!("{} --self-test", prefix.program());
    let (trouble, words) = try_out(commands, program, barriers);
    match trouble {
        None => Finding::pass(Probe::Program, shown),
        Some(Trouble::Denied) if !is_executable(program) => {
            Finding::fail(Probe::Program, Trouble::ProgramMode, format!("{shown}: {words}"))
        }
        Some(trouble) => Finding::fail(Probe::Program, trouble, format!("{shown}: {words}")),
    }
}

/// Lets a program test itself: what is wrong, and the words it or the system said.
pub(super) fn try_out(commands: &mut dyn Commands, program: &Path, barriers: &Barriers) -> (Option<Trouble>, String) {
    let outcome = commands.run(&program.display().to_string(), &["--self-test"], SELF_TEST_LIMIT);
    let words = match &outcome {
        Ok(output) => output.words(),
        Err(error) => error.to_string(),
    };
    (judge(SelfTest::of(&outcome), barriers), words)
}

fn is_executable(program: &Path) -> bool {
    fs::metadata(program).is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0)
}

/// Not synced: it lives for a moment.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o700).open(path)?;
    file.write_all(bytes)?;
    file.set_permissions(Permissions::from_mode(0o755))
}
