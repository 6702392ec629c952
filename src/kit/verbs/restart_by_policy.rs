//! `restart-by-policy`: what the scriptlets of packages call once the new files are in place. There is no transaction of
//! ours around it: the package manager has the files, so a daemon that cannot be renewed runs on and that is told.

use crate::kit::apply::{self, Target, Verified};
use crate::kit::cli::Request;
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;
use crate::kit::host::{Root, probe};
use crate::kit::listener::Listener;
use crate::kit::plan::{Restart, Step};
use crate::kit::prefix::Prefix;
use crate::kit::restart_policy;
use crate::kit::state::StateDir;
use crate::kit::takeover::config_option;
use crate::kit::text::Note;
use crate::kit::tree::{CONFIG, SERVICE, SERVICE_ALIAS};

/// Leaves the running daemon alone, restarts it, or lets it become the new program, as the host's policy says. A service
/// that does not run, or runs the new program already, needs nothing.
///
/// # Errors
/// The policy cannot be read, or the daemon did not become the new one.
pub fn run(request: &Request, commands: &mut dyn Commands, listener: &mut dyn Listener) -> Result<(), Failure> {
    let root = &request.root;
    if !nix::unistd::geteuid().is_root() && !root.is_staged() {
        return Err(Failure::NotRoot);
    }
    let policy = restart_policy::of(root)?.unwrap_or_default();
    // Packages are always below /usr.
    let prefix = Prefix::Usr;
    let Some((unit, pid)) = running(root, commands) else { return Ok(()) };
    if commands.runs(pid, &root.at(prefix.program())) {
        listener.note(Note::Verified { pid });
        return Ok(());
    }
    match policy {
        Restart::Never => {
            listener.note(Note::RestartNeeded { pid });
            Ok(())
        }
        Restart::Always | Restart::Reexec if request.dry_run => {
            let step = if policy == Restart::Always { Step::Restart } else { Step::Reexec { pid } };
            listener.planned(1, &step);
            Ok(())
        }
        Restart::Reexec => {
            let config = config(root, pid)?;
            listener.step(&Step::Reexec { pid });
            let done = apply::reexec(root, commands, &Target { unit, prefix, config: &config }, pid)?;
            listener.note(Note::Reexecuted(done));
            Ok(())
        }
        Restart::Always => {
            let config = config(root, pid)?;
            let target = Target { unit, prefix, config: &config };
            listener.step(&Step::Restart);
            apply::restart(root, commands, &target)?;
            match apply::verify(root, commands, &target, true, true)? {
                Verified::Completely { pid } => listener.note(Note::Verified { pid }),
                Verified::WithoutClient { pid, reason } => listener.note(Note::ClientUnreachable { pid, reason }),
            }
            Ok(())
        }
    }
}

/// The unit that is active and its main process. Debian's name for it counts too, when it is no alias of ours.
fn running(root: &Root, commands: &mut dyn Commands) -> Option<(&'static str, u32)> {
    if root.is_staged() || !root.exists("/run/systemd/system") || !commands.has("systemctl") {
        return None;
    }
    [SERVICE, SERVICE_ALIAS].into_iter().find_map(|unit| {
        let pid = probe::main_pid(commands, unit);
        (pid != 0).then_some((unit, pid))
    })
}

/// The configuration that the running daemon was given; else that of the receipt, else the usual one.
fn config(root: &Root, pid: u32) -> Result<String, Failure> {
    let line = std::fs::read(root.at(&format!("/proc/{pid}/cmdline"))).unwrap_or_default();
    let words: Vec<String> = String::from_utf8_lossy(&line).split('\0').map(str::to_owned).collect();
    let given = config_option(&words).filter(|path| path.starts_with('/'));
    let receipt = || StateDir::of(root).receipt();
    Ok(match given {
        Some(path) => path,
        None => receipt()?.map_or_else(|| CONFIG.to_owned(), |receipt| receipt.installed.config().to_owned()),
    })
}
