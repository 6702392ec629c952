//! Bundles that are right, damaged, or evil.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use supervisor_kit::kit::bundle::{Bundle, MANIFEST, PAYLOAD, SUMS, sums};
use supervisor_kit::kit::failure::{Damage, ExitCode, Failure};
use tar::{EntryType, Header};

use super::{Scratch, elf, machine, own_machine, run_pack, tree};

#[test]
fn a_good_bundle_opens_and_fits_this_machine() {
    let scratch = Scratch::new();
    let bundle = Bundle::open(&scratch.bundle).unwrap();
    assert_eq!(bundle.manifest.arch, machine());
    assert_eq!(bundle.manifest.created, 1_700_000_000);
    assert_eq!(bundle.contents["/usr/bin/supervisord"], elf(own_machine(), "daemon"));
    bundle.check_architecture(&machine()).unwrap();
    let other = Failure::WrongArchitecture { bundle: machine(), host: "sw_64".to_string() };
    assert_eq!(bundle.check_architecture("sw_64"), Err(other));
}

#[test]
fn the_stock_tool_verifies_a_bundle() {
    let scratch = Scratch::new();
    let check =
        std::process::Command::new("sha256sum").args(["-c", "--strict", SUMS]).current_dir(&scratch.bundle).output();
    let output = check.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let listed = String::from_utf8(output.stdout).unwrap().lines().count();
    assert_eq!(listed, fs::read_dir(&scratch.bundle).unwrap().count() - 1, "every file but the list itself");
}

#[test]
fn packing_twice_gives_the_same_bytes() {
    let scratch = Scratch::new();
    let bin = scratch.dir.path().join("bin");
    let once = fs::read(run_pack(&bin, &scratch.dir.path().join("once"))).unwrap();
    let later = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(2_000_000_000);
    fs::File::options().append(true).open(bin.join("supervisord")).unwrap().set_modified(later).unwrap();
    let twice = fs::read(run_pack(&bin, &scratch.dir.path().join("twice"))).unwrap();
    assert!(once == twice);
}

/// Every file is damaged in so many places, in four ways.
const REGIONS: usize = 64;
const MUTANTS_MIN: u32 = 1_000;

#[test]
fn damage_anywhere_is_refused_and_nothing_is_changed() {
    let scratch = Scratch::new();
    let mut mutants = 0;
    for name in [PAYLOAD, MANIFEST, SUMS, "install", "README.md"] {
        let path = scratch.bundle.join(name);
        let good = fs::read(&path).unwrap();
        for at in (0..REGIONS).map(|region| region * good.len() / REGIONS) {
            let mut flipped = good.clone();
            flipped[at] ^= 1 << (at % 8);
            let mut swapped = good.clone();
            if let Some(other) = (at + 1..good.len()).find(|other| good[*other] != good[at]) {
                swapped.swap(at, other);
            }
            let appended = [&good[..], &good[at..]].concat();
            let all = [("flipped", &flipped[..]), ("swapped", &swapped), ("cut", &good[..at]), ("appended", &appended)];
            for (what, bytes) in all.into_iter().filter(|(_, bytes)| *bytes != good) {
                refused(&scratch, &path, bytes, &format!("{name}: {what} at byte {at}"));
                mutants += 1;
            }
        }
        fs::write(&path, &good).unwrap();
    }
    assert!(mutants >= MUTANTS_MIN, "only {mutants} mutants");
    Bundle::open(&scratch.bundle).unwrap();
    for name in [PAYLOAD, MANIFEST, SUMS, "install"] {
        let path = scratch.bundle.join(name);
        let good = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let missing = Failure::BundleMissing { path: path.display().to_string() };
        assert_eq!(Bundle::open(&scratch.bundle).unwrap_err(), missing);
        fs::write(&path, good).unwrap();
    }
    let payload = scratch.bundle.join(PAYLOAD);
    fs::write(&payload, "cut").unwrap();
    let output = scratch.install(&[]);
    assert_eq!(output.status.code(), Some(ExitCode::Bundle as i32));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&payload.display().to_string()));
    assert_eq!(tree(&scratch.root, false), [""; 0]);
}

fn refused(scratch: &Scratch, path: &Path, bytes: &[u8], what: &str) {
    fs::write(path, bytes).unwrap();
    match Bundle::open(&scratch.bundle) {
        Err(failure) => assert_eq!(failure.code(), ExitCode::Bundle, "{what}: {failure:?}"),
        Ok(_) => panic!("{what}: accepted"),
    }
}

/// A bundle whose checksums are all right, so that only its contents can be objected to.
struct Forged {
    scratch: Scratch,
    manifest: Value,
    tar: tar::Builder<Vec<u8>>,
}

impl Forged {
    fn new() -> Forged {
        let scratch = Scratch::new();
        let mut manifest: Value = serde_json::from_slice(&fs::read(scratch.bundle.join(MANIFEST)).unwrap()).unwrap();
        manifest["members"] = json!([]);
        Forged { scratch, manifest, tar: tar::Builder::new(Vec::new()) }
    }

    fn member(mut self, member: Value) -> Forged {
        self.manifest["members"].as_array_mut().unwrap().push(member);
        self
    }

    /// A file member that is right.
    fn file(self, path: &str, mode: &str, bytes: &[u8]) -> Forged {
        let member = json!({"path": path, "kind": "file", "mode": mode, "size": bytes.len(),
                            "sha256": sums::sha256(bytes), "config": false});
        self.member(member)
    }

    /// An archive entry with its name written as it is, which the tar crate itself would refuse.
    fn entry(mut self, name: &str, kind: EntryType, mode: u32, link: &str, bytes: &[u8]) -> Forged {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        self.tar.append(&header, bytes).unwrap();
        self
    }

    fn open(self) -> Result<Bundle, Failure> {
        self.open_spoiled(|_| ())
    }

    /// Opens it with the compressed archive changed by `spoil`; its checksums are made afterwards.
    fn open_spoiled(mut self, spoil: impl FnOnce(&mut Vec<u8>)) -> Result<Bundle, Failure> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&self.tar.into_inner().unwrap()).unwrap();
        let mut payload = gzip.finish().unwrap();
        spoil(&mut payload);
        self.manifest["payload"] = json!({"size": payload.len(), "sha256": sums::sha256(&payload)});
        fs::write(self.scratch.bundle.join(PAYLOAD), &payload).unwrap();
        super::seal(&self.scratch.bundle, &self.manifest);
        Bundle::open(&self.scratch.bundle)
    }

    #[track_caller]
    fn refused(self, file: &str, word: &str) {
        said(self.open(), file, word);
    }
}

#[track_caller]
fn said(outcome: Result<Bundle, Failure>, file: &str, word: &str) {
    match outcome {
        Err(Failure::BundleDamaged { path, damage: Damage::Content(what) }) => {
            assert!(path.ends_with(file) && what.contains(word), "{path}: {what}");
        }
        other => panic!("{other:?}"),
    }
}

const FILE: EntryType = EntryType::Regular;

#[test]
fn the_forger_can_also_make_a_good_one() {
    let good = Forged::new().file("/usr/bin/x", "0755", b"x").entry("usr/bin/x", FILE, 0o755, "", b"x");
    assert_eq!(good.open().unwrap().contents["/usr/bin/x"], b"x");
}

#[test]
fn paths_that_leave_the_tree_are_refused() {
    for path in ["/usr/../etc/x", "usr/x", "/usr//x", "/usr/./x", "/..", "/", ""] {
        Forged::new().file(path, "0755", b"x").refused(MANIFEST, "plain absolute path");
    }
    for name in ["../x", "usr/bin/../../x"] {
        Forged::new()
            .file("/x", "0755", b"x")
            .entry(name, FILE, 0o755, "", b"x")
            .refused(PAYLOAD, "where the manifest has");
    }
    for target in ["/etc/shadow", "../../etc/shadow", "a/../../x", ""] {
        let link = json!({"path": "/usr/bin/x", "kind": "link", "target": target});
        Forged::new().member(link).refused(MANIFEST, "out of the tree");
    }
    let link = json!({"path": "/usr/bin/x", "kind": "link", "target": "y"});
    let other = Forged::new().member(link.clone()).entry("usr/bin/x", EntryType::Symlink, 0o777, "/etc/shadow", b"");
    other.refused(PAYLOAD, "another target");
    Forged::new().member(link).file("/usr/bin/x/y", "0755", b"").refused(MANIFEST, "no directory");
}

#[test]
fn entries_that_are_no_plain_files_are_refused() {
    for kind in
        [EntryType::Link, EntryType::Symlink, EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::Continuous]
    {
        let forged = Forged::new().file("/usr/bin/x", "0755", b"").entry("usr/bin/x", kind, 0o755, "usr/bin/y", b"");
        forged.refused(PAYLOAD, "not as in the manifest");
    }
}

#[test]
fn modes_are_the_manifests_and_never_set_uid() {
    for mode in ["4755", "2755", "1777"] {
        Forged::new().file("/usr/bin/x", mode, b"x").refused(MANIFEST, "not allowed");
    }
    let raised = Forged::new().file("/usr/bin/x", "0755", b"x").entry("usr/bin/x", FILE, 0o4755, "", b"x");
    raised.refused(PAYLOAD, "mode 4755");
}

#[test]
fn the_archive_is_the_manifest_no_more_and_no_less() {
    let one = || Forged::new().file("/usr/bin/x", "0755", b"x");
    one().refused(PAYLOAD, "missing");
    let more = one().entry("usr/bin/x", FILE, 0o755, "", b"x").entry("usr/bin/y", FILE, 0o755, "", b"y");
    more.refused(PAYLOAD, "not in the manifest");
    one().entry("usr/bin/x", FILE, 0o755, "", b"z").refused(PAYLOAD, "other contents");
    one().file("/usr/bin/x", "0755", b"x").refused(MANIFEST, "twice");
}

#[test]
fn the_gzip_trailer_is_checked() {
    let good = || Forged::new().file("/usr/bin/x", "0755", b"x").entry("usr/bin/x", FILE, 0o755, "", b"x");
    said(good().open_spoiled(|payload| *payload.last_mut().unwrap() ^= 1), PAYLOAD, "");
    said(good().open_spoiled(|payload| payload.truncate(payload.len() - 8)), PAYLOAD, "");
    said(good().open_spoiled(|payload| payload.extend(b"more")), PAYLOAD, "follows");
}

#[test]
fn a_later_format_is_named() {
    let mut forged = Forged::new();
    forged.manifest["format"] = json!(2);
    forged.manifest["members"] = json!("a new idea");
    let Err(Failure::BundleDamaged { damage, .. }) = forged.open() else { panic!("accepted") };
    assert_eq!(damage, Damage::Format { found: 2 });
}
