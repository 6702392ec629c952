//! Packages of programs that are none: what is in them, read by tools that are not ours, and by a reader of our own for what
//! rpm 4.11 insists on. Booted machines install the real ones (`tests/host`).

mod bad_input;
mod ci;
mod deb;
mod release;
mod rpm;
mod rpm_reader;
mod same_tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::{elf, own_machine};

/// 2023-11-14
const EPOCH_SECS: u64 = 1_700_000_000;
/// ELF numbers and what `uname -m` calls them.
const X86_64: u16 = 62;
const AARCH64: u16 = 183;

/// A directory with two programs, and one for what is made of them.
struct Workshop {
    dir: TempDir,
}

impl Workshop {
    fn new(e_machine: u16) -> Workshop {
        let workshop = Workshop { dir: TempDir::new().unwrap() };
        fs::create_dir(workshop.bin()).unwrap();
        workshop.program("supervisord", &elf(e_machine, "daemon"));
        workshop.program("install", &elf(e_machine, "installer"));
        fs::write(workshop.bin().join("README.md"), "read me\n").unwrap();
        workshop
    }

    fn bin(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    fn program(&self, name: &str, bytes: &[u8]) {
        fs::write(self.bin().join(name), bytes).unwrap();
    }

    /// Runs `pack FORMAT` with what that format needs, and `args`.
    fn pack(&self, format: &str, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pack"));
        command.arg(format).arg("--bin-dir").arg(self.bin());
        if !args.contains(&"--out") {
            command.arg("--out").arg(self.out());
        }
        if format == "tgz" {
            command.arg("--readme").arg(self.bin().join("README.md"));
            command.arg("--readme-zh").arg(self.bin().join("README.md"));
        }
        command.env("SOURCE_DATE_EPOCH", EPOCH_SECS.to_string()).args(args).output().unwrap()
    }

    /// The path of what was packed.
    #[track_caller]
    fn packed(&self, format: &str, args: &[&str]) -> PathBuf {
        made(&self.pack(format, args))
    }
}

/// The path that `pack` printed.
#[track_caller]
fn made(output: &Output) -> PathBuf {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// What a command prints; it must succeed.
#[track_caller]
fn said(program: &str, args: &[&str], path: &Path) -> String {
    let output = Command::new(program).args(args).arg(path).env("LC_ALL", "C").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The same, when the programs are those of this machine.
fn workshop() -> Workshop {
    Workshop::new(own_machine())
}
