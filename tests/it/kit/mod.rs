//! The installer and the packer, as far as they run without a machine of their own.

mod bundle;
mod commands;
mod detect;
mod fake;
mod install;
mod live;
mod manual;
mod messages;
mod os_release;
mod packages;
mod plan;
mod prefix;
mod preflight;
mod refusal;
mod restart;
mod signature;
mod take_back;
mod takeover;
mod text;
mod troubles;
mod upgrade;
mod verbs;
mod web;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use supervisor_kit::kit::bundle::MANIFEST;
use supervisor_kit::kit::tree::STATE_DIR;
use tempfile::TempDir;

/// What `uname -m` says here.
fn machine() -> String {
    nix::sys::utsname::uname().unwrap().machine().to_str().unwrap().to_string()
}

/// A file that looks like a program for the processor with this ELF number.
fn elf(e_machine: u16, filling: &str) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(18, 0);
    bytes.extend(e_machine.to_le_bytes());
    bytes.extend(filling.as_bytes().repeat(300));
    bytes
}

/// The ELF number of this machine.
fn own_machine() -> u16 {
    let own = fs::read("/proc/self/exe").unwrap();
    u16::from_le_bytes([own[18], own[19]])
}

/// A scratch directory with an unpacked bundle and a tree to install into.
struct Scratch {
    dir: TempDir,
    bundle: PathBuf,
    root: PathBuf,
}

impl Scratch {
    /// With programs for this machine that cannot be run.
    fn new() -> Scratch {
        Scratch::with_program(&elf(own_machine(), "daemon"))
    }

    fn with_program(program: &[u8]) -> Scratch {
        let dir = TempDir::new().unwrap();
        let (bundle, root) = (dir.path().join("bundle"), dir.path().join("root"));
        fs::create_dir(&root).unwrap();
        let scratch = Scratch { dir, bundle, root };
        scratch.pack(program, "bundle");
        scratch
    }

    /// Packs a bundle around `program` and unpacks it into the directory `name`.
    fn pack(&self, program: &[u8], name: &str) -> PathBuf {
        let bin = self.dir.path().join("bin");
        let out = self.dir.path().join("dist");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("supervisord"), program).unwrap();
        // The installer is of the same processor as the program.
        let e_machine = program.get(18..20).map_or_else(own_machine, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
        fs::write(bin.join("install"), elf(e_machine, "installer")).unwrap();
        fs::write(bin.join("README.md"), "read me\n").unwrap();
        let tgz = run_pack(&bin, &out);
        let unpacked = self.dir.path().join(name);
        fs::create_dir_all(&unpacked).unwrap();
        let tar = Command::new("tar").args(["--strip-components=1", "-xzf"]).arg(tgz).arg("-C").arg(&unpacked).status();
        assert!(tar.unwrap().success());
        unpacked
    }

    /// Runs the real installer on the tree.
    fn install(&self, args: &[&str]) -> Output {
        self.installer().args(args).output().unwrap()
    }

    fn installer(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_install"));
        command.arg("--bundle").arg(&self.bundle).arg("--root").arg(&self.root).args(["--lang", "en"]);
        command
    }

    /// Makes the tree look like a system of `distros/`.
    fn dress(&self, distro: &Path) -> Profile {
        let profile = Profile::read(distro);
        let put = |path: &str, bytes: &[u8]| {
            let path = self.root.join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        put("/etc/os-release", &fs::read(distro.join("os-release")).unwrap());
        put(&profile.database, b"not empty");
        for (path, text) in &profile.files {
            put(path, text.as_bytes());
        }
        profile
    }
}

fn run_pack(bin: &Path, out: &Path) -> PathBuf {
    let readme = bin.join("README.md");
    let output = Command::new(env!("CARGO_BIN_EXE_pack"))
        .args(["tgz", "--bin-dir"])
        .arg(bin)
        .arg("--out")
        .arg(out)
        .arg("--readme")
        .arg(&readme)
        .arg("--readme-zh")
        .arg(&readme)
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// `profile.toml` of a distribution.
#[derive(serde::Deserialize)]
struct Profile {
    family: supervisor_kit::kit::host::detect::Family,
    class: supervisor_kit::kit::host::detect::Class,
    hints: Vec<supervisor_kit::kit::host::detect::Hint>,
    evidence: String,
    database: String,
    files: Vec<(String, String)>,
}

impl Profile {
    fn read(distro: &Path) -> Profile {
        toml::from_str(&fs::read_to_string(distro.join("profile.toml")).unwrap()).unwrap()
    }
}

/// Every folder of `distros/`, sorted.
fn distros() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("distros");
    let mut folders: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// One line for each thing below `dir`: path, type and mode, owner, link target, hash of the contents.
/// What the installer remembers is left out. With `is_exact` also inode and time of change, which tell a file from an equal new one.
fn tree(dir: &Path, is_exact: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut todo = vec![dir.to_path_buf()];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let contents = match () {
                () if meta.is_symlink() => fs::read_link(&path).unwrap().display().to_string(),
                () if meta.is_file() => supervisor_kit::kit::bundle::sums::sha256(&fs::read(&path).unwrap()),
                () => String::new(),
            };
            let exact = if is_exact { format!(" {} {}", meta.ino(), meta.ctime_nsec()) } else { String::new() };
            let mode = meta.permissions().mode();
            let shown = path.strip_prefix(dir).unwrap().display();
            if shown.to_string() == STATE_DIR.trim_start_matches('/') {
                continue;
            }
            lines.push(format!("/{shown} {mode:o} {}:{} {contents}{exact}", meta.uid(), meta.gid()));
            if meta.is_dir() {
                todo.push(path);
            }
        }
    }
    lines.sort();
    lines
}

/// Writes `SHA256SUMS` anew, so that only deeper checks can object.
fn seal(bundle: &Path, manifest: &serde_json::Value) {
    use supervisor_kit::kit::bundle::{INSTALL_SCRIPT, INSTALLER, PAYLOAD, SUMS, sums};
    fs::write(bundle.join(MANIFEST), serde_json::to_vec_pretty(manifest).unwrap()).unwrap();
    let files = [INSTALLER, INSTALL_SCRIPT, MANIFEST, PAYLOAD].map(|name| (name, fs::read(bundle.join(name)).unwrap()));
    fs::write(bundle.join(SUMS), sums::format(files.iter().map(|(name, bytes)| (*name, bytes.as_slice())))).unwrap();
}
