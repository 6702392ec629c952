//! From a receipt to the steps that remove what it names, and nothing else.

use super::{Facts, Found, Step};
use crate::kit::bundle::MemberKind;
use crate::kit::failure::Failure;
use crate::kit::state::Installed;
use crate::kit::takeover::Deed;
use crate::kit::tree::{LOG_DIR, PROGRAMS_SERVICE, SERVICE};
use crate::kit::web;

/// Decides what to remove. Without `purge`, configuration stays, and so do directories with something in them.
///
/// # Errors
/// We may not, or a place cannot be written; nothing has been touched.
pub fn uninstall(facts: &Facts, installed: &Installed, purge: bool) -> Result<Vec<Step>, Failure> {
    if !facts.is_root && !facts.is_staged {
        return Err(Failure::NotRoot);
    }
    let there = |path: &str| facts.found.get(path);
    let mut steps = Vec::new();
    if let Some(service) = &facts.service {
        if service.is_active {
            steps.push(Step::Stop { unit: SERVICE.to_owned() });
        }
        // It has started this one, which does not end with it.
        if installed
            .members
            .iter()
            .any(|member| member.path.ends_with(PROGRAMS_SERVICE) && there(&member.path).is_some())
        {
            steps.push(Step::Stop { unit: PROGRAMS_SERVICE.to_owned() });
        }
        if service.is_enabled {
            steps.push(Step::Disable { unit: SERVICE.to_owned() });
        }
    }
    for link in &installed.enable_links {
        if matches!(there(link), Some(Found::Link { .. })) {
            steps.push(Step::Remove { path: link.clone() });
        }
    }
    for member in &installed.members {
        let path = member.path.clone();
        let is_theirs = installed.kept.contains(&path);
        match (&member.kind, there(&path)) {
            (MemberKind::Dir { .. }, _) | (_, None | Some(Found::Dir)) => {}
            (MemberKind::File { config: true, .. }, Some(_)) if is_theirs || !purge => steps.push(Step::Keep { path }),
            (_, Some(_)) => steps.push(Step::Remove { path }),
        }
    }
    if installed.fapolicyd.as_deref().is_some_and(|path| there(path).is_some()) {
        steps.push(Step::TrustFile { text: None });
    }
    for offered in &installed.offered {
        if matches!(there(offered), Some(Found::File { .. } | Found::Link { .. })) {
            steps.push(Step::Remove { path: offered.clone() });
        }
    }
    steps.extend(installed.diverted.iter().map(|path| Step::Takeover(Deed::Undivert { path: path.clone() })));
    steps.extend(installed.opened_ports.iter().map(|port| Step::Web(web::Deed::CloseFirewall { port: *port })));
    for dir in installed.made_dirs.iter().rev() {
        if purge && dir == LOG_DIR && there(dir) == Some(&Found::Dir) {
            steps.push(Step::SetAside { path: dir.clone() });
        } else if there(dir) == Some(&Found::Dir) {
            steps.push(Step::RemoveDir { path: dir.clone() });
        }
    }
    if facts.service.is_some() {
        steps.push(Step::Reload);
    }
    super::refuse::refuse_unwritable(facts, &steps)?;
    Ok(steps)
}
