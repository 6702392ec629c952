//! What an earlier version had and this one has not goes; what is the administrator's stays.

use super::{Facts, Found, Step};
use crate::kit::bundle::{Manifest, Member, MemberKind};
use crate::kit::state::Installed;

/// The same steps, and at their end, before the service is looked at, the removal of files and links of `before` that
/// the manifest does not have.
pub fn without_stale(steps: Vec<Step>, facts: &Facts, manifest: &Manifest, before: Option<&Installed>) -> Vec<Step> {
    let Some(before) = before else { return steps };
    let is_wanted = |member: &Member| manifest.members.iter().any(|wanted| wanted.path == member.path);
    let is_removable = |member: &&Member| match (&member.kind, facts.found.get(&member.path)) {
        (MemberKind::Dir { .. } | MemberKind::File { config: true, .. }, _) => false,
        (_, Some(Found::File { .. } | Found::Link { .. })) => !is_wanted(member),
        _ => false,
    };
    let stale = before.members.iter().filter(is_removable).map(|member| Step::Remove { path: member.path.clone() });
    let is_about_service = |step: &Step| {
        matches!(
            step,
            Step::Label { .. }
                | Step::Reload
                | Step::Enable
                | Step::Start
                | Step::Restart
                | Step::Reexec { .. }
                | Step::Verify { .. }
        ) || matches!(step, Step::TellRestart { .. })
    };
    let cut = steps.iter().position(is_about_service).unwrap_or(steps.len());
    let mut complete = steps;
    complete.splice(cut..cut, stale);
    complete
}
