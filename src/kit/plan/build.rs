//! From facts to steps.

use std::collections::BTreeSet;

use super::refuse::refuse;
use super::{Facts, Found, Restart, Service, Step, Wishes};
use crate::kit::apply::place::{Leftover, leftover};
use crate::kit::bundle::{Manifest, MemberKind};
use crate::kit::failure::Failure;
use crate::kit::prefix::Prefix;
use crate::kit::tree::{CONFIG, ENABLE_LINKS, PROGRAMS_UNIT, RUN_DIR, UNIT};

/// Permission bits of a directory above ours that is missing (an empty `--root` tree).
const PARENT_MODE: u32 = 0o755;

/// Decides what to do. A host that is as wished gets a plan without a single change.
///
/// # Errors
/// Why this host cannot be installed to; nothing has been touched.
pub fn plan(facts: &Facts, manifest: &Manifest, wishes: Wishes) -> Result<Vec<Step>, Failure> {
    let steps = in_order(facts, manifest, compare(facts, manifest), wishes);
    let steps = with_parents(facts, steps);
    refuse(facts, manifest, &steps)?;
    Ok(steps)
}

/// What must be done to the tree to make it as the manifest says.
#[derive(Default)]
struct Tree {
    dirs: Vec<Step>,
    kept: Vec<Step>,
    staged: Vec<Step>,
    links: Vec<Step>,
}

impl Tree {
    fn stages(&self, wanted: &str) -> bool {
        self.staged.iter().any(|step| matches!(step, Step::Stage { path, .. } if path == wanted))
    }
}

fn compare(facts: &Facts, manifest: &Manifest) -> Tree {
    let mut tree = Tree::default();
    for member in &manifest.members {
        let found = facts.found.get(&member.path);
        let path = member.path.clone();
        match &member.kind {
            MemberKind::Dir { mode } if found.is_none() => tree.dirs.push(Step::MakeDir { path, mode: mode.0 }),
            MemberKind::Dir { .. } => {}
            MemberKind::File { config: true, .. } if found.is_some() => tree.kept.push(Step::Keep { path }),
            MemberKind::File { mode, sha256, size, .. } if !is_current(facts, found, mode.0, sha256) => {
                tree.staged.push(Step::Stage { path, mode: mode.0, size: *size, replaces: found.is_some() });
            }
            MemberKind::File { .. } => {}
            MemberKind::Link { target } => tree.links.extend(link(found, path, target)),
        }
    }
    tree
}

/// The order of an installation, from top to bottom.
fn in_order(facts: &Facts, manifest: &Manifest, tree: Tree, wishes: Wishes) -> Vec<Step> {
    let live = go_live(&tree.staged);
    let check = check_config(facts, &tree, wishes);
    let label = label(facts, &tree);
    let service = match &facts.service {
        Some(service) => service_steps(service, facts.prefix, &tree, wishes),
        None if wishes.enable => enable_offline(facts),
        None => Vec::new(),
    };
    let trusted_again = trust_again(facts, &tree);
    let (trust_staged, trust_live) = (trust(facts, &live, true), trust(facts, &live, false));
    let (trusted_staged, trusted_live) = trust_file(facts, manifest, &live);
    [
        facts.leftovers.iter().map(|path| Step::Clean { path: path.clone() }).collect(),
        tree.dirs,
        run_dir(facts),
        tree.kept,
        tree.staged,
        trust_staged,
        trusted_staged,
        trusted_again,
        check,
        live,
        trust_live,
        trusted_live,
        tree.links,
        label,
        service,
    ]
    .concat()
}

/// Where systemd runs, it makes this directory itself.
fn run_dir(facts: &Facts) -> Vec<Step> {
    let is_ours = !facts.is_staged && facts.service.is_none() && !facts.found.contains_key(RUN_DIR);
    is_ours.then(|| Step::MakeDir { path: RUN_DIR.to_string(), mode: 0o755 }).into_iter().collect()
}

/// A tree that is not running cannot judge: its paths are not those of the machine that the program would run on.
fn check_config(facts: &Facts, tree: &Tree, wishes: Wishes) -> Vec<Step> {
    let (is_program_staged, is_config_staged) = (tree.stages(facts.prefix.program()), tree.stages(CONFIG));
    let will_start = wishes.start && facts.service.as_ref().is_some_and(|service| !service.is_active);
    let is_needed = !facts.is_staged && (is_program_staged || is_config_staged || will_start);
    is_needed.then_some(Step::CheckConfig { is_program_staged, is_config_staged }).into_iter().collect()
}

/// Hashes decide, not times. The owner counts only when we could change it.
fn is_current(facts: &Facts, found: Option<&Found>, wanted_mode: u32, wanted_sha256: &str) -> bool {
    match found {
        Some(Found::File { mode, is_roots, sha256, .. }) => {
            *mode == wanted_mode && sha256 == wanted_sha256 && (*is_roots || !facts.is_root)
        }
        _ => false,
    }
}

fn link(found: Option<&Found>, path: String, wanted: &str) -> Option<Step> {
    match found {
        Some(Found::Link { target }) if target == wanted => None,
        _ => Some(Step::Link { path, target: wanted.to_string(), replaces: found.is_some() }),
    }
}

fn go_live(staged: &[Step]) -> Vec<Step> {
    let live = staged.iter().filter_map(|step| match step {
        Step::Stage { path, replaces, .. } => Some(Step::GoLive { path: path.clone(), replaces: *replaces }),
        _ => None,
    });
    live.collect()
}

/// KySec keeps its mark with the file. Whether a rename keeps it is not documented, so it is set before and after.
fn trust(facts: &Facts, live: &[Step], is_staged: bool) -> Vec<Step> {
    let programs = live.iter().filter_map(|step| match step {
        Step::GoLive { path, .. } if path.starts_with(facts.prefix.program_dir()) => Some(path.clone()),
        _ => None,
    });
    mark(facts, programs.collect(), is_staged)
}

/// Programs that stay as they are and have lost their mark: they get it before one of them reads the configuration.
fn trust_again(facts: &Facts, tree: &Tree) -> Vec<Step> {
    mark(facts, facts.unmarked.iter().filter(|path| !tree.stages(path)).cloned().collect(), false)
}

fn mark(facts: &Facts, paths: Vec<String>, is_staged: bool) -> Vec<Step> {
    (facts.has_kysec && !paths.is_empty()).then_some(Step::Trust { paths, is_staged }).into_iter().collect()
}

/// fapolicyd knows programs by path, size and hash: both places while the new ones are still beside theirs, and the
/// guard's, then only where they stay.
fn trust_file(facts: &Facts, manifest: &Manifest, live: &[Step]) -> (Vec<Step>, Vec<Step>) {
    let Some(current) = &facts.trust_file else { return (Vec::new(), Vec::new()) };
    let (mut stays, mut passes) = (String::new(), String::new());
    let program_dir = facts.prefix.program_dir();
    for member in &manifest.members {
        let MemberKind::File { size, sha256, .. } = &member.kind else { continue };
        if member.path.starts_with(program_dir) {
            stays += &format!("{} {size} {sha256}\n", member.path);
            passes += &format!("{} {size} {sha256}\n", leftover(&member.path, Leftover::New));
        }
        if member.path == facts.prefix.installer() {
            passes += &format!("{} {size} {sha256}\n", facts.prefix.guard_program());
        }
    }
    let is_live = |step: &Step| matches!(step, Step::GoLive { path, .. } if path.starts_with(program_dir));
    if live.iter().any(is_live) {
        let both = Step::TrustFile { text: Some(format!("{stays}{passes}")) };
        return (vec![both], vec![Step::TrustFile { text: Some(stays) }]);
    }
    let is_current = *current == stays;
    (Vec::new(), if is_current { Vec::new() } else { vec![Step::TrustFile { text: Some(stays) }] })
}

fn label(facts: &Facts, tree: &Tree) -> Vec<Step> {
    let paths = tree.staged.iter().chain(&tree.links).filter_map(|step| match step {
        Step::Stage { path, .. } | Step::Link { path, .. } => Some(path.clone()),
        _ => None,
    });
    let paths: Vec<String> = paths.collect();
    (facts.has_selinux && !paths.is_empty()).then_some(Step::Label { paths }).into_iter().collect()
}

fn service_steps(service: &Service, prefix: Prefix, tree: &Tree, wishes: Wishes) -> Vec<Step> {
    let mut steps = Vec::new();
    let program = prefix.program();
    let is_unit_staged = [UNIT, PROGRAMS_UNIT].iter().any(|unit| tree.stages(&prefix.place(unit)));
    if is_unit_staged || service.needs_reload {
        steps.push(Step::Reload);
    }
    if wishes.enable && !service.is_enabled {
        steps.push(Step::Enable);
    }
    let is_old = tree.stages(program) || !service.runs_installed;
    // A restart would restart every program: that moment is the operator's to choose.
    if service.is_active && (is_old || is_unit_staged) {
        match wishes.restart {
            Restart::Never => steps.push(Step::TellRestart { pid: service.main_pid }),
            Restart::Reexec if is_old => {
                steps.extend([Step::Reexec { pid: service.main_pid }, Step::Verify { is_fresh: true }]);
            }
            // What a unit says counts from the next start on.
            Restart::Reexec => steps.push(Step::Verify { is_fresh: false }),
            Restart::Always => steps.extend([Step::Restart, Step::Verify { is_fresh: true }]),
        }
    } else if service.is_active {
        steps.push(Step::Verify { is_fresh: false });
    } else if wishes.start {
        steps.push(Step::Start);
        steps.push(Step::Verify { is_fresh: true });
    }
    steps
}

/// What `systemctl enable` would do, for a tree whose systemd does not run. Whatever is there already stays: a link
/// that systemctl made, or a unit of the administrator's own.
fn enable_offline(facts: &Facts) -> Vec<Step> {
    let missing = ENABLE_LINKS.iter().filter(|path| !facts.found.contains_key(**path));
    missing.filter_map(|path| link(None, path.to_string(), facts.prefix.unit())).collect()
}

/// Puts the making of missing directories before the first step that needs them.
fn with_parents(facts: &Facts, steps: Vec<Step>) -> Vec<Step> {
    let mut made = BTreeSet::new();
    let mut complete = Vec::new();
    for step in steps {
        if let Step::MakeDir { path, .. } | Step::Stage { path, .. } | Step::Link { path, .. } = &step {
            for dir in parents(path).filter(|dir| !facts.found.contains_key(*dir)) {
                if made.insert(dir.to_string()) {
                    complete.push(Step::MakeDir { path: dir.to_string(), mode: PARENT_MODE });
                }
            }
        }
        complete.push(step);
    }
    complete
}

/// The directories above an absolute path, the topmost first, without the root itself.
pub fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end]).filter(|dir| !dir.is_empty())
}
