//! Traces of stock Supervisor, recorded once and kept until the recorder changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use supervisor_kit::SUPERVISOR_VERSION;

/// Environment variable that names another virtual environment with stock Supervisor.
const STOCK_VARIABLE: &str = "SUPERVISOR_STOCK";

/// Returns the file with at least `steps` recorded steps for `seed`, recording them first if need be.
pub fn trace(seed: u32, steps: u32) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/oracle");
    let wanted = folder.join(format!("{}-{steps}-{seed}.trace", recorder_hash(&root.join("tests/oracle"))));
    if !wanted.exists() {
        fs::create_dir_all(&folder).unwrap();
        forget_old_traces(&folder, seed);
        // Recorded beside and renamed: a run that is interrupted leaves no half trace under the real name.
        let unfinished = folder.join(format!("unfinished-{}-{seed}", std::process::id()));
        record(root, seed, steps, &unfinished);
        fs::rename(&unfinished, &wanted).unwrap();
    }
    wanted
}

/// Hash of everything that decides what a trace says.
fn recorder_hash(folder: &Path) -> String {
    let mut hash = Sha256::new();
    hash.update(SUPERVISOR_VERSION);
    for name in ["doubles.py", "record.py"] {
        hash.update(fs::read(folder.join(name)).unwrap());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Removes traces of earlier recorders for the same seed: each is tens of megabytes.
fn forget_old_traces(folder: &Path, seed: u32) {
    let suffix = format!("-{seed}.trace");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(&suffix) {
            fs::remove_file(path).unwrap();
        }
    }
}

fn record(root: &Path, seed: u32, steps: u32, output: &Path) {
    let stock = std::env::var_os(STOCK_VARIABLE).map_or_else(|| root.join("target/stock"), PathBuf::from);
    let python = stock.join("bin/python");
    assert!(
        python.exists(),
        "{} is missing: run `make setup`, or set {STOCK_VARIABLE} to a virtual environment that has supervisor=={SUPERVISOR_VERSION}",
        python.display()
    );
    let done = Command::new(&python)
        .arg("-B")
        .arg(root.join("tests/oracle/record.py"))
        .args([seed.to_string(), steps.to_string()])
        .arg(output)
        .output()
        .unwrap();
    assert!(done.status.success(), "the recorder failed: {}", String::from_utf8_lossy(&done.stderr));
}
