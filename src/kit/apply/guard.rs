//! The guard against a power cut: while a change is under way, a unit waits for the next boot and takes the change back
//! before any service starts. A host that lost its power half-way therefore comes up with the old version, whole.

use std::fs;
use std::path::Path;

use super::place;
use super::service;
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;
use crate::kit::host::Root;
use crate::kit::host::probe::has_kysec;
use crate::kit::host::probe::has_selinux;
use crate::kit::prefix::Prefix;

/// The unit.
const GUARD_UNIT: &str = "/etc/systemd/system/supervisor-install-guard.service";
/// What enabling the unit would make. systemd reads it at the boot, so it is not asked to now.
const GUARD_WANTED: &str = "/etc/systemd/system/multi-user.target.wants/supervisor-install-guard.service";

fn unit_text(program: &str) -> String {
    format!(
        "\
[Unit]
Description=Take back an interrupted change of supervisor-kit
RequiresMountsFor={program} /var/lib/supervisor-install
Before=supervisord.service supervisor.service

[Service]
Type=oneshot
ExecStart={program} recover --boot
"
    )
}

/// Sets the guard, unless this tree does not run under systemd.
///
/// # Errors
/// A file cannot be written: then nothing has been changed yet.
pub fn set(root: &Root, prefix: Prefix, commands: &mut dyn Commands) -> Result<(), Failure> {
    if root.is_staged() || !root.exists("/run/systemd/system") {
        return Ok(());
    }
    let program = root.at(prefix.guard_program());
    let own = fs::read("/proc/self/exe").map_err(|error| Failure::Step {
        action: "read",
        path: "/proc/self/exe".to_owned(),
        reason: error.to_string(),
    })?;
    for dir in ["/opt"].iter().filter(|_| prefix == Prefix::Opt).chain(prefix.guard_dirs()) {
        place::make_dir(&root.at(dir), 0o755)?;
    }
    replace(&program, &own, 0o700)?;
    if prefix == Prefix::Opt && has_selinux(root, commands) {
        // The label of a program is that of its place only when it is asked for: nothing below /opt has one to inherit.
        let paths: Vec<String> =
            prefix.guard_dirs().iter().chain([&prefix.guard_program()]).map(|&path| path.to_owned()).collect();
        service::label(root, commands, &paths)?;
    }
    if has_kysec(root, commands) {
        service::trust(commands, &program);
    }
    replace(&root.at(GUARD_UNIT), unit_text(prefix.guard_program()).as_bytes(), 0o644)?;
    let wanted = root.at(GUARD_WANTED);
    if let Some(dir) = wanted.parent() {
        place::make_dir(dir, 0o755)?;
    }
    place::remove(&wanted)?;
    place::make_link(&wanted, "../supervisor-install-guard.service")
}

/// The change is complete, or taken back.
///
/// # Errors
/// A file cannot be removed.
pub fn lift(root: &Root) -> Result<(), Failure> {
    let programs = Prefix::ALL.map(Prefix::guard_program);
    [GUARD_WANTED, GUARD_UNIT].iter().chain(&programs).try_for_each(|path| place::remove(&root.at(path)))?;
    for dir in Prefix::ALL.iter().flat_map(|prefix| prefix.guard_dirs().iter().rev()) {
        if root.exists(dir) {
            place::remove_dir(&root.at(dir))?;
        }
    }
    Ok(())
}

fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    place::remove(path)?;
    place::write(path, bytes, mode)
}
