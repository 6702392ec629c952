//! The release set: signed, listed, and the same bytes again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use minisign::KeyPair;
use minisign_verify::{PublicKey, Signature};
use serde_json::Value;
use supervisor_kit::kit::bundle::{Bundle, Signed, Trust};

use super::{EPOCH_SECS, Workshop, X86_64};

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

struct Set {
    workshop: Workshop,
    public: String,
    secret: PathBuf,
}

impl Set {
    fn new() -> Set {
        let workshop = Workshop::new(X86_64);
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let secret = workshop.bin().join("key");
        fs::write(&secret, pair.sk.to_box(None).unwrap().into_string()).unwrap();
        Set { workshop, public: pair.pk.to_box().unwrap().into_string(), secret }
    }

    fn pack_all(&self, out: &Path) {
        let (out, key) = (out.to_str().unwrap(), self.secret.to_str().unwrap());
        self.workshop.packed("tgz", &["--out", out, "--secret-key", key]);
        self.workshop.packed("rpm", &["--out", out]);
        self.workshop.packed("deb", &["--out", out]);
    }

    fn complete(&self, out: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pack"));
        command.args(["release", "--from", PROJECT, "--dir"]).arg(out).args(args);
        command.env("SOURCE_DATE_EPOCH", EPOCH_SECS.to_string()).output().unwrap()
    }

    fn verify(&self, file: &Path) -> Result<(), minisign_verify::Error> {
        let signature = fs::read_to_string(format!("{}.minisig", file.display())).unwrap();
        let signature = Signature::decode(&signature).unwrap();
        PublicKey::decode(&self.public).unwrap().verify(&fs::read(file).unwrap(), &signature, false)
    }
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())).collect()
}

#[test]
fn a_set_is_signed_listed_and_the_same_again() {
    let set = Set::new();
    let (once, twice) = (set.workshop.dir.path().join("once"), set.workshop.dir.path().join("twice"));
    let key = set.secret.to_str().unwrap().to_owned();
    for out in [&once, &twice] {
        set.pack_all(out);
        let output = set.complete(out, &["--secret-key", &key, "--skipped", "sw_64=there is no Rust for it"]);
        assert!(output.status.success(), "{output:?}");
    }
    let found = files(&once);
    assert!(found == files(&twice), "two runs differ");

    let sums = Command::new("sha256sum").args(["-c", "--strict", "--quiet", "SHA256SUMS"]).current_dir(&once).output();
    assert!(sums.unwrap().status.success());
    let listed = String::from_utf8(found["SHA256SUMS"].clone()).unwrap();
    let unsigned: Vec<&String> = found.keys().filter(|name| !name.ends_with(".minisig")).collect();
    assert_eq!(listed.lines().count(), unsigned.len() - 1, "every file but the list itself");
    for name in unsigned {
        set.verify(&once.join(name)).unwrap();
    }
    let contents: Value = serde_json::from_slice(&found["supervisor-kit-0.1.0.json"]).unwrap();
    let kinds: Vec<&str> =
        contents["files"].as_array().unwrap().iter().map(|file| file["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["rpm", "tgz", "deb"], "{contents:#}");
    assert_eq!(contents["skipped"][0]["arch"], "sw_64");

    // What does not match its signature is told.
    fs::write(once.join("SHA256SUMS"), "other bytes").unwrap();
    assert!(set.verify(&once.join("SHA256SUMS")).is_err());
    // Without a key, no signature of other bytes stays.
    assert!(set.complete(&once, &[]).status.success());
    assert!(!once.join("SHA256SUMS.minisig").exists());
}

/// What the key of the release signed, the installer takes.
#[test]
fn the_signature_in_the_bundle_is_one_the_installer_takes() {
    let set = Set::new();
    let out = set.workshop.out();
    set.pack_all(&out);
    let unpacked = set.workshop.dir.path().join("bundle");
    fs::create_dir(&unpacked).unwrap();
    let tgz = files(&out).into_keys().find(|name| name.ends_with(".tgz")).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--strip-components=1", "-xzf"]).arg(out.join(tgz)).arg("-C").arg(&unpacked);
    assert!(tar.status().unwrap().success());
    let key = set.workshop.dir.path().join("key.pub");
    fs::write(&key, &set.public).unwrap();
    let trust = Trust { key: Some(key.clone()), site_key: None, is_required: true };
    assert_eq!(Bundle::open_signed(&unpacked, &trust).unwrap().1, Signed::Yes);
    fs::write(&key, KeyPair::generate_unencrypted_keypair().unwrap().pk.to_box().unwrap().into_string()).unwrap();
    assert!(Bundle::open_signed(&unpacked, &trust).is_err());
}

#[test]
fn a_key_with_a_password() {
    let set = Set::new();
    let pair = KeyPair::generate_encrypted_keypair(Some("secret".to_owned())).unwrap();
    let text = pair.sk.to_box(None).unwrap().into_string();
    let run = |password: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pack"));
        command.args(["release", "--from", PROJECT, "--dir"]).arg(set.workshop.out()).env("MINISIGN_SECRET_KEY", &text);
        password.map(|password| command.env("MINISIGN_PASSWORD", password));
        command.stdin(std::process::Stdio::null()).output().unwrap()
    };
    set.workshop.packed("deb", &[]);
    let before = files(&set.workshop.out());
    for (password, words) in [(None, "needs MINISIGN_PASSWORD"), (Some("wrong"), "cannot be used")] {
        let output = run(password);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{said}");
        assert!(files(&set.workshop.out()) == before, "something was left");
    }
    assert!(run(Some("secret")).status.success());
}

#[test]
fn only_what_belongs_to_this_release_is_released() {
    let set = Set::new();
    let out = set.workshop.out();
    fs::create_dir_all(&out).unwrap();
    let said = |output: Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said(set.complete(&out, &[])).contains("nothing to release"));
    for foreign in ["supervisor-kit-0.0.9-linux-x86_64.tgz", "notes.txt", "supervisor-kit_0.1.0-1_sparc.deb"] {
        fs::write(out.join(foreign), "").unwrap();
        assert!(said(set.complete(&out, &[])).contains(&format!("{foreign} does not belong to release")));
        fs::remove_file(out.join(foreign)).unwrap();
    }
    set.workshop.packed("rpm", &[]);
    assert!(said(set.complete(&out, &["--skipped", "aarch64"])).contains("ARCH=REASON"));
}

/// CycloneDX: every crate of the lock file, with a package URL and its hash, and which ones can reach a host.
#[test]
fn the_list_of_components_is_the_lock_file() {
    let set = Set::new();
    set.workshop.packed("rpm", &[]);
    assert!(set.complete(&set.workshop.out(), &[]).status.success());
    let document: Value = serde_json::from_slice(&files(&set.workshop.out())["supervisor-kit-0.1.0.cdx.json"]).unwrap();
    assert_eq!((&document["bomFormat"], &document["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    let components = document["components"].as_array().unwrap();
    let lock = fs::read_to_string(Path::new(PROJECT).join("Cargo.lock")).unwrap();
    assert_eq!(components.len() + 1, lock.matches("[[package]]").count());
    let of = |name: &str| components.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    for (name, scope) in [("tokio", "required"), ("clap", "required"), ("rpm", "excluded"), ("proptest", "excluded")] {
        assert_eq!(of(name)["scope"], scope, "{name}");
    }
    let known: BTreeSet<&str> = components.iter().map(|one| one["bom-ref"].as_str().unwrap()).collect();
    let own = document["metadata"]["component"]["bom-ref"].as_str().unwrap();
    assert_eq!(known.len(), components.len(), "a reference is there twice");
    for component in components {
        assert_eq!(component["hashes"][0]["content"].as_str().unwrap().len(), 64);
        assert!(component["purl"].as_str().unwrap().starts_with("pkg:cargo/"));
    }
    for entry in document["dependencies"].as_array().unwrap() {
        for used in entry["dependsOn"].as_array().unwrap() {
            assert!(known.contains(used.as_str().unwrap()), "{used} is no component");
        }
        assert!(entry["ref"] == own || known.contains(entry["ref"].as_str().unwrap()));
    }
    let serial = document["serialNumber"].as_str().unwrap();
    assert!(serial.starts_with("urn:uuid:") && serial.len() == 45, "{serial}");
}
