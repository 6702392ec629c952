//! Plans: a golden file for every distribution, and the reasons to refuse.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use supervisor_kit::kit::bundle::manifest::Mode;
use supervisor_kit::kit::bundle::{Bundle, Manifest, Member, MemberKind};
use supervisor_kit::kit::failure::{ExitCode, Failure};
use supervisor_kit::kit::host::detect::{Family, detect};
use supervisor_kit::kit::host::{Root, evidence, os_release, probe};
use supervisor_kit::kit::plan::{Facts, Found, Restart, Step, Wishes, plan, without_stale};
use supervisor_kit::kit::prefix::Prefix;
use supervisor_kit::kit::state::Installed;
use supervisor_kit::kit::takeover::Findings;
use supervisor_kit::kit::text::{Lang, Note};

use super::fake::FakeHost;
use super::{Profile, Scratch, distros};

const ALL: Wishes = Wishes { enable: true, start: true, restart: Restart::Never };

/// What `--dry-run` shows on a fresh machine of each kind. `UPDATE_GOLDEN=1` writes the files anew.
#[test]
fn every_distribution_has_its_plan() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/plan");
    let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for folder in distros() {
        let name = folder.file_name().unwrap().to_str().unwrap().to_string();
        let is_chinese = matches!(Profile::read(&folder).family, Family::Kylin | Family::Uos);
        for (lang, ending) in [(Lang::En, ""), (Lang::Zh, ".zh")].into_iter().take(1 + usize::from(is_chinese)) {
            let path = golden.join(format!("{name}{ending}.txt"));
            let shown = dry_run(&folder, lang);
            if is_update {
                fs::write(&path, &shown).unwrap();
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                shown == expected,
                "{}: is not what is shown now; UPDATE_GOLDEN=1 accepts:\n{shown}",
                path.display()
            );
        }
    }
}

fn dry_run(distro: &Path, lang: Lang) -> String {
    let scratch = Scratch::new();
    scratch.dress(distro);
    for dir in ["run/systemd/system", "usr/bin", "usr/lib/systemd/system", "usr/lib/tmpfiles.d", "var/log"] {
        fs::create_dir_all(scratch.root.join(dir)).unwrap();
    }
    let root = Root::pretend_live(&scratch.root).unwrap();
    let manifest = Bundle::open(&scratch.bundle).unwrap().manifest;
    let system = detect(os_release::read(&root), evidence::gather(&root), None);
    let facts = probe::gather(&root, &manifest, Prefix::Usr, None, &Findings::default(), &mut FakeHost::new()).unwrap();
    let facts = Facts { is_root: true, ..facts };
    let mut shown = lang.note(&Note::System(Box::new(system.clone()))) + "\n";
    for hint in system.hints() {
        writeln!(shown, "{}", lang.note(&Note::Hint(*hint))).unwrap();
    }
    for (index, step) in plan(&facts, &manifest, ALL).unwrap().iter().enumerate() {
        writeln!(shown, "{:3} {}", index + 1, lang.step(step)).unwrap();
    }
    shown
}

fn manifest() -> Manifest {
    Bundle::open(&Scratch::new().bundle).unwrap().manifest
}

fn fresh() -> Facts {
    Facts {
        trust_file: None,
        is_staged: true,
        prefix: Prefix::Usr,
        is_root: true,
        found: BTreeMap::new(),
        leftovers: Vec::new(),
        unwritable: BTreeMap::new(),
        bytes_free: None,
        has_selinux: false,
        has_kysec: false,
        unmarked: Vec::new(),
        service: None,
    }
}

/// A host where nothing is yet, with this prefix.
pub fn fresh_with(prefix: Prefix) -> Facts {
    Facts { prefix, ..fresh() }
}

#[test]
fn what_a_version_no_longer_has_is_removed_with_it() {
    let manifest = manifest();
    let mut before = Installed { members: manifest.members.clone(), ..Installed::default() };
    let gone = |path: &str, is_config| Member {
        path: path.to_owned(),
        kind: MemberKind::File { mode: Mode(0o644), size: 1, sha256: String::new(), config: is_config },
    };
    before.members.extend([gone("/usr/bin/older", false), gone("/etc/older", true), gone("/usr/bin/missing", false)]);
    let file = || Found::File { mode: 0o644, is_roots: true, sha256: String::new(), is_script: false };
    let found = ["/usr/bin/older", "/etc/older"].map(|path| (path.to_owned(), file())).into();
    let facts = Facts { found, ..fresh() };
    let steps = vec![Step::Clean { path: "/x".to_owned() }, Step::Reload];
    let removal = Step::Remove { path: "/usr/bin/older".to_owned() };
    let complete = without_stale(steps.clone(), &facts, &manifest, Some(&before));
    assert_eq!(complete, [steps[0].clone(), removal, steps[1].clone()]);
    assert_eq!(without_stale(steps.clone(), &facts, &manifest, None), steps);
}

#[test]
fn files_are_complete_before_the_first_one_goes_live() {
    let facts = Facts { is_staged: false, leftovers: vec!["/usr/bin/.x".to_string()], ..fresh() };
    let steps = plan(&facts, &manifest(), ALL).unwrap();
    let rank = |step: &Step| match step {
        Step::Clean { .. } => 0,
        Step::MakeDir { .. } | Step::Keep { .. } | Step::Stage { .. } => 1,
        Step::CheckConfig { .. } => 2,
        Step::GoLive { .. } => 3,
        _ => 4,
    };
    let files = steps.iter().take_while(|step| !matches!(step, Step::Link { .. }));
    let ranks: Vec<i32> = files.map(rank).collect();
    assert!(ranks.is_sorted() && ranks.contains(&0) && ranks.contains(&3), "{steps:?}");
}

#[test]
fn every_directory_is_made_before_it_is_needed() {
    let steps = plan(&fresh(), &manifest(), ALL).unwrap();
    let mut made = vec![""];
    for step in &steps {
        if let Step::MakeDir { path, .. } | Step::Stage { path, .. } | Step::Link { path, .. } = step {
            let (parent, _) = path.rsplit_once('/').unwrap();
            assert!(made.contains(&parent), "{path} comes before its directory");
        }
        if let Step::MakeDir { path, .. } = step {
            assert!(!made.contains(&path.as_str()), "{path} is made twice");
            made.push(path);
        }
    }
}

#[test]
fn selinux_labels_are_set_on_what_is_new() {
    let facts = Facts { is_staged: false, has_selinux: true, ..fresh() };
    let steps = plan(&facts, &manifest(), ALL).unwrap();
    let labels = steps.iter().find_map(|step| if let Step::Label { paths } = step { Some(paths) } else { None });
    assert!(labels.unwrap().contains(&"/usr/bin/supervisord".to_string()));
}

#[test]
fn programs_are_marked_for_kysec_before_they_run_and_where_they_stay() {
    let facts = Facts { is_staged: false, has_kysec: true, ..fresh() };
    let steps = plan(&facts, &manifest(), ALL).unwrap();
    let at = |wanted: &dyn Fn(&Step) -> bool| steps.iter().position(wanted).unwrap();
    let trusted = |staged| at(&move |step| matches!(step, Step::Trust { is_staged, .. } if *is_staged == staged));
    let check = at(&|step| matches!(step, Step::CheckConfig { .. }));
    let live = at(&|step| matches!(step, Step::GoLive { .. }));
    assert!(trusted(true) < check && live < trusted(false), "{steps:?}");
}

#[test]
fn a_place_that_cannot_be_written_is_refused() {
    let unwritable = |dir: &str| BTreeMap::from([(dir.to_string(), "Read-only file system".to_string())]);
    for dir in ["/usr/bin", "/etc", "/var/log/supervisor"] {
        let failure = plan(&Facts { unwritable: unwritable(dir), ..fresh() }, &manifest(), ALL).unwrap_err();
        assert_eq!(failure.code(), ExitCode::Destination);
        assert!(matches!(&failure, Failure::NotWritable { path, .. } if path == dir), "{failure:?}");
    }
    plan(&Facts { unwritable: unwritable("/opt"), ..fresh() }, &manifest(), ALL).unwrap();
}

#[test]
fn a_full_disk_is_refused() {
    let failure = plan(&Facts { bytes_free: Some(1000), ..fresh() }, &manifest(), ALL).unwrap_err();
    assert!(matches!(failure, Failure::NoSpace { bytes_free: 1000, .. }), "{failure:?}");
}

#[test]
fn a_device_in_the_way_is_refused() {
    let found = BTreeMap::from([("/usr/bin/supervisorctl".to_string(), Found::Other)]);
    let failure = plan(&Facts { found, ..fresh() }, &manifest(), ALL).unwrap_err();
    assert_eq!(failure, Failure::InTheWay { path: "/usr/bin/supervisorctl".to_string() });
}
