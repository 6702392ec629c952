//! A new default configuration is never put over the administrator's file: it is offered beside it.

use super::{Facts, Found, Step};
use crate::kit::bundle::{Manifest, MemberKind};
use crate::kit::state::Installed;

/// The name under which a new default of `path` is offered.
pub fn offered_name(path: &str) -> String {
    format!("{path}.new")
}

/// The same steps, with an offer after each file that is kept although its default changed since the version that
/// `before` tells of.
pub fn with_offers(steps: Vec<Step>, facts: &Facts, manifest: &Manifest, before: Option<&Installed>) -> Vec<Step> {
    let Some(before) = before else { return steps };
    let offer = |path: &str| {
        let wanted = manifest.members.iter().find(|member| member.path == path)?;
        let MemberKind::File { mode, sha256, .. } = &wanted.kind else { return None };
        let is_same_default = before.members.iter().any(|shipped| {
            shipped.path == path
                && matches!(&shipped.kind, MemberKind::File { sha256: shipped, .. } if shipped == sha256)
        });
        let is_taken_over = matches!(facts.found.get(path), Some(Found::File { sha256: found, .. }) if found == sha256);
        (!is_same_default && !is_taken_over).then(|| Step::Offer { path: path.to_owned(), mode: mode.0 })
    };
    let mut complete = Vec::with_capacity(steps.len());
    for step in steps {
        let offered = if let Step::Keep { path } = &step { offer(path) } else { None };
        complete.push(step);
        complete.extend(offered);
    }
    complete
}
