//! What there will be to check and to remove, once a plan has been carried out.

use super::{Facts, Step};
use crate::kit::bundle::{Manifest, MemberKind};
use crate::kit::state::{Installed, Receipt, Verb};
use crate::kit::takeover::Deed;
use crate::kit::tree::TRUST_FILE;

/// The receipt of a change that brings this manifest to a host, after an earlier one if there was any.
/// The time of completion is the caller's to fill in: nothing here reads a clock.
pub fn receipt(verb: Verb, facts: &Facts, manifest: &Manifest, steps: &[Step], before: Option<&Installed>) -> Receipt {
    let mut installed = before.cloned().unwrap_or_default();
    let was_ours = |path: &str| before.is_some_and(|before| before.members.iter().any(|member| member.path == path));
    for member in &manifest.members {
        let is_config = matches!(member.kind, MemberKind::File { config: true, .. });
        if is_config && facts.found.contains_key(&member.path) && !was_ours(&member.path) {
            add(&mut installed.kept, &member.path);
        }
    }
    installed.members.clone_from(&manifest.members);
    installed.prefix = facts.prefix;
    for step in steps {
        match step {
            Step::MakeDir { path, .. } => add(&mut installed.made_dirs, path),
            Step::Link { path, .. } if !manifest.members.iter().any(|member| member.path == *path) => {
                add(&mut installed.enable_links, path);
            }
            Step::Trust { paths, is_staged: false } => paths.iter().for_each(|path| add(&mut installed.kysec, path)),
            Step::TrustFile { text: Some(_) } => installed.fapolicyd = Some(TRUST_FILE.to_owned()),
            Step::Offer { path, .. } => add(&mut installed.offered, &super::offered_name(path)),
            Step::Enable => installed.enabled = true,
            Step::Takeover(Deed::Divert { path }) => add(&mut installed.diverted, path),
            _ => {}
        }
    }
    Receipt {
        format: crate::kit::state::RECEIPT_FORMAT,
        verb,
        version: manifest.version.clone(),
        arch: manifest.arch.clone(),
        completed: 0,
        installed,
    }
}

fn add(list: &mut Vec<String>, path: &str) {
    if !list.iter().any(|known| known == path) {
        list.push(path.to_owned());
    }
}
