//! `doctor`: why does it not work? Looks at everything between the operator and a running daemon; changes nothing.

use crate::kit::cli::Request;
use crate::kit::commands::Commands;
use crate::kit::failure::{Checked, Failure};
use crate::kit::host::probe;
use crate::kit::listener::Listener;
use crate::kit::preflight::{self, Finding, Probe, Trouble};
use crate::kit::state::{Installed, StateDir};
use crate::kit::text::Note;
use crate::kit::tree::SERVICE;

use super::{check, verify};

/// Looks at a host where Supervisor should be running.
///
/// # Errors
/// [`Failure::NotInstalled`], or what keeps it from working.
pub fn run(request: &Request, commands: &mut dyn Commands, listener: &mut dyn Listener) -> Result<(), Failure> {
    let root = &request.root;
    let receipt = StateDir::receipt_or_package(root)?;
    let Some(receipt) = receipt else { return Err(Failure::NotInstalled) };
    let installed: &Installed = &receipt.installed;
    let facts = probe::gather_for(root, installed, commands)?;
    let mut found = verify::files(root, &receipt);
    if !root.is_staged() {
        found.extend(preflight::examine(root, installed.config(), &facts, commands, &request.choices));
        found.extend(denials(commands));
    }
    let found: Vec<Finding> = found.into_iter().map(|finding| finding.ignored(&request.choices.ignore)).collect();
    check::tell(&found, listener);
    check::refuse(Checked::Doctor, found)?;
    listener.note(Note::Healthy { unit: SERVICE.to_owned() });
    Ok(())
}

/// What SELinux denied lately, if its log can be asked.
fn denials(commands: &mut dyn Commands) -> Vec<Finding> {
    /// Lines of the audit log that are shown.
    const LINES_MAX: usize = 5;
    if !commands.has("ausearch") {
        return Vec::new();
    }
    let args = ["-m", "avc", "-ts", "recent", "-c", "supervisord"];
    let Ok(output) = commands.run("ausearch", &args, probe::QUERY_LIMIT) else { return Vec::new() };
    let lines: Vec<&str> = output.stdout.lines().filter(|line| line.contains("denied")).take(LINES_MAX).collect();
    if lines.is_empty() {
        return Vec::new();
    }
    vec![Finding::warn(Probe::Selinux, Trouble::SelinuxDenied, lines.join("\n"))]
}
