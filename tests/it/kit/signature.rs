//! Signed bundles: only the right signature of the right key counts, and nothing is changed before it was checked.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use minisign::KeyPair;
use supervisor_kit::kit::bundle::SUMS;
use supervisor_kit::kit::failure::ExitCode;

use super::{Scratch, tree};

const SIGNATURE: &str = "SHA256SUMS.minisig";

fn sign(bundle: &Path, keys: &KeyPair) {
    let list = fs::read(bundle.join(SUMS)).unwrap();
    let signature = minisign::sign(None, &keys.sk, Cursor::new(list), None, None).unwrap();
    fs::write(bundle.join(SIGNATURE), signature.to_string()).unwrap();
}

fn keys_in(scratch: &Scratch, name: &str) -> (KeyPair, String) {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let file = scratch.dir.path().join(name);
    fs::write(&file, keys.pk.to_box().unwrap().to_string()).unwrap();
    (keys, file.display().to_string())
}

#[track_caller]
fn refused(scratch: &Scratch, args: &[&str], word: &str) {
    let output = scratch.install(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(ExitCode::Signature as i32), "{said}");
    assert!(said.contains(word) && said.contains("Next:"), "{said}");
    assert_eq!(tree(&scratch.root, false), [""; 0]);
}

#[test]
fn only_the_right_key_opens_a_signed_bundle() {
    let scratch = Scratch::new();
    let (keys, key) = keys_in(&scratch, "right.pub");
    let (other_keys, other) = keys_in(&scratch, "other.pub");
    refused(&scratch, &["--require-signature", "--pubkey", &key], "is missing");
    // Naming a key is wanting its signature: one who strips it must not get through.
    refused(&scratch, &["--pubkey", &key], "is missing");
    sign(&scratch.bundle, &keys);
    refused(&scratch, &["--require-signature"], "no key");
    refused(&scratch, &["--pubkey", &other], "not a signature");
    refused(&scratch, &["--pubkey", "/nowhere.pub"], "/nowhere.pub");
    fs::write(scratch.dir.path().join("rubbish.pub"), "rubbish\n").unwrap();
    let rubbish = scratch.dir.path().join("rubbish.pub").display().to_string();
    refused(&scratch, &["--pubkey", &rubbish], "no minisign public key");

    // Each byte of the list counts, and each line of the signature.
    let list = fs::read(scratch.bundle.join(SUMS)).unwrap();
    fs::write(scratch.bundle.join(SUMS), [&list[..], &b"\n"[..]].concat()).unwrap();
    refused(&scratch, &["--pubkey", &key], "not a signature");
    fs::write(scratch.bundle.join(SUMS), &list).unwrap();
    let good = fs::read_to_string(scratch.bundle.join(SIGNATURE)).unwrap();
    fs::write(scratch.bundle.join(SIGNATURE), good.replace("timestamp:", "timestamp:9")).unwrap();
    refused(&scratch, &["--pubkey", &key], "not a signature");
    for end in [0, good.len() / 2] {
        fs::write(scratch.bundle.join(SIGNATURE), &good[..end]).unwrap();
        refused(&scratch, &["--pubkey", &key], "not a signature");
    }
    sign(&scratch.bundle, &other_keys);
    refused(&scratch, &["--pubkey", &key], "not a signature");
    fs::write(scratch.bundle.join(SIGNATURE), &good).unwrap();
    let output = scratch.install(&["--require-signature", "--pubkey", &key]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Signature: right"));
}

#[test]
fn the_key_of_the_site_counts_without_being_named() {
    let scratch = Scratch::new();
    let (keys, key) = keys_in(&scratch, "site.pub");
    let (other_keys, _) = keys_in(&scratch, "other.pub");
    fs::create_dir(scratch.root.join("etc")).unwrap();
    fs::copy(&key, scratch.root.join("etc/supervisor-install.pub")).unwrap();
    sign(&scratch.bundle, &other_keys);
    assert_eq!(scratch.install(&[]).status.code(), Some(ExitCode::Signature as i32));
    sign(&scratch.bundle, &keys);
    assert!(scratch.install(&["--require-signature"]).status.success());
}
