//! The bundle under test, and bundles with one thing wrong.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::Machine;

/// Where tests unpack bundles on a machine.
pub const FOLDER: &str = "/opt/bundle";

/// The release bundle: `SUPERVISOR_KIT_BUNDLE`, or what `make bundle` left in `dist/`.
pub fn path() -> PathBuf {
    let given = std::env::var_os("SUPERVISOR_KIT_BUNDLE").map(PathBuf::from);
    let path = given.unwrap_or_else(|| in_project("dist").join(file_name(std::env::consts::ARCH)));
    assert!(path.is_file(), "{}: no such bundle; `make bundle` makes it", path.display());
    path
}

/// Copies a bundle to the machine and unpacks it as an operator would; then `cd FOLDER/*` and `./install` are there.
pub fn unpack(machine: &Machine, bundle: &Path) {
    machine.copy_in(bundle, FOLDER);
    machine.ok(&format!("cd {FOLDER} && tar -xzf ./*.tgz && rm ./*.tgz && ls -d */ | wc -l | grep -qx 1"));
}

/// Packs the same programs for AArch64, which they are by their ELF headers only; they are never run.
pub fn of_wrong_architecture(scratch: &Path) -> PathBuf {
    const E_MACHINE_OFFSET: usize = 18;
    const EM_AARCH64: u16 = 183;
    let bin_dir = scratch.join("bin");
    let built = in_project("target/dist/bin");
    let copy = Command::new("cp").arg("-a").arg(&built).arg(&bin_dir).status().unwrap();
    assert!(copy.success());
    for program in ["supervisord", "install"].map(|name| bin_dir.join(name)) {
        let mut elf = std::fs::read(&program).unwrap();
        elf[E_MACHINE_OFFSET..E_MACHINE_OFFSET + 2].copy_from_slice(&EM_AARCH64.to_le_bytes());
        std::fs::write(&program, elf).unwrap();
    }
    pack(&bin_dir, scratch, &["--arch", "aarch64"])
}

/// Packs the programs of a folder as a tgz in another one.
pub fn pack(bin_dir: &Path, out: &Path, options: &[&str]) -> PathBuf {
    let pack = Command::new(in_project("target/dist/bin/pack"))
        .args([&["tgz"], options].concat())
        .arg("--readme")
        .arg(in_project("README.md"))
        .arg("--readme-zh")
        .arg(in_project("README.zh-CN.md"))
        .arg("--bin-dir")
        .arg(bin_dir)
        .arg("--out")
        .arg(out)
        .output()
        .unwrap();
    assert!(pack.status.success(), "pack: {}", String::from_utf8_lossy(&pack.stderr));
    PathBuf::from(String::from_utf8(pack.stdout).unwrap().trim())
}

fn file_name(arch: &str) -> String {
    format!("supervisor-kit-{}-linux-{arch}.tgz", env!("CARGO_PKG_VERSION"))
}

pub fn in_project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
