//! The directory itself: beginning, completing and finding changes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::journal::Writer;
use super::{Journal, PackageReceipt, Receipt, Undoing, Verb, receipt};
use crate::kit::bundle::sums;
use crate::kit::failure::Failure;
use crate::kit::host::Root;
use crate::kit::tree::STATE_DIR;

/// Completed changes that are kept, and so can be rolled back; older ones are forgotten.
pub const GENERATIONS_MAX: usize = 5;

/// No file that we keep is larger: a limit against filling `/var` with somebody's file of the same name.
const KEPT_BYTES_MAX: u64 = 256 << 20;

/// What is about to be deleted is renamed to this first: a half-deleted directory must not look like one that counts.
const STATE_GONE: &str = "/var/lib/.supervisor-install.gone";

/// `/var/lib/supervisor-install` of a tree.
#[derive(Debug, Clone)]
pub struct StateDir {
    dir: PathBuf,
    gone: PathBuf,
}

impl StateDir {
    /// Of this tree; it need not be there yet.
    pub fn of(root: &Root) -> StateDir {
        StateDir { dir: root.at(STATE_DIR), gone: root.at(STATE_GONE) }
    }

    /// Where a change under way is.
    pub fn active(&self) -> PathBuf {
        self.dir.join("active")
    }

    /// Where one completed change is.
    pub fn generation(&self, number: u32) -> PathBuf {
        self.dir.join("generations").join(number.to_string())
    }

    /// The numbers of the completed changes, oldest first.
    pub fn generations(&self) -> Vec<u32> {
        let Ok(entries) = fs::read_dir(self.dir.join("generations")) else { return Vec::new() };
        let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut numbers: Vec<u32> = numbers.collect();
        numbers.sort_unstable();
        numbers
    }

    /// The receipt of the last completed change; `None` when we installed nothing.
    ///
    /// # Errors
    /// It cannot be read or understood.
    pub fn receipt(&self) -> Result<Option<Receipt>, Failure> {
        self.generations().last().map(|number| self.receipt_of(*number)).transpose()
    }

    /// The receipt of what is here, whoever brought it: the last completed change, or a package.
    ///
    /// # Errors
    /// It cannot be read or understood.
    pub fn receipt_or_package(root: &Root) -> Result<Option<Receipt>, Failure> {
        match StateDir::of(root).receipt()? {
            Some(receipt) => Ok(Some(receipt)),
            None => Ok(PackageReceipt::of(root)?.map(Receipt::from)),
        }
    }

    /// The receipt of one completed change.
    ///
    /// # Errors
    /// It cannot be read or understood.
    pub fn receipt_of(&self, number: u32) -> Result<Receipt, Failure> {
        let path = self.generation(number).join("receipt.json");
        let read = fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice::<Receipt>(&bytes)?));
        match read {
            Ok(found) if found.format == receipt::FORMAT => Ok(found),
            Ok(found) => Err(damaged(&path, format!("its format is number {}", found.format))),
            Err(error) => Err(damaged(&path, error.to_string())),
        }
    }

    /// The change under way, or the one whose taking back is, if there is one.
    ///
    /// # Errors
    /// Its journal cannot be read or understood: nothing may be done on this host before a person has looked.
    pub fn unfinished(&self) -> Result<Option<Journal>, Failure> {
        if !self.active().exists() {
            return Ok(None);
        }
        let path = self.active().join("journal");
        let journal = Journal::read(&path).map_err(|error| damaged(&path, error.to_string()))?;
        if journal.is_none() {
            self.forget_active()?;
        }
        Ok(journal)
    }

    /// Begins a change.
    ///
    /// # Errors
    /// The state directory cannot be written.
    pub fn begin(&self, verb: Verb, version: &str) -> Result<Transaction, Failure> {
        let active = self.active();
        let begin = || -> io::Result<Writer> {
            private_dirs(&self.dir, "generations")?;
            private_dirs(&self.dir, "active/files")?;
            let writer = Writer::begin(&active.join("journal"), verb, version, wall_secs())?;
            sync_dir(&active)?;
            sync_dir(&self.dir)?;
            self.dir.parent().map_or(Ok(()), sync_dir)?;
            Ok(writer)
        };
        match begin() {
            Ok(writer) => Ok(Transaction { state: self.clone(), writer, kept: 0 }),
            Err(error) => {
                // Nothing has been done yet, so there is nothing to take back; half a beginning helps nobody.
                let _ = self.forget_active();
                Err(failed("write", &self.dir)(error))
            }
        }
    }

    /// Makes a completed change the one under way: from now on it is being taken back.
    ///
    /// # Errors
    /// The rename fails.
    pub fn reopen(&self, number: u32) -> Result<(), Failure> {
        let generation = self.generation(number);
        self.rename(&generation, &self.active()).map_err(failed("rename", &generation))
    }

    /// Everything has been taken back. From the one rename on, the change is forgotten.
    ///
    /// # Errors
    /// The directory cannot be removed.
    pub fn forget_active(&self) -> Result<(), Failure> {
        let discarded = if self.generations().is_empty() { self.dir.clone() } else { self.active() };
        self.discard(&discarded)
    }

    /// Removes what a run that was killed had given up already.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn sweep(&self) -> Result<(), Failure> {
        remove_tree(&self.gone).map_err(failed("remove", &self.gone))
    }

    fn discard(&self, dir: &Path) -> Result<(), Failure> {
        self.sweep()?;
        match self.rename(dir, &self.gone) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.map_err(failed("rename", dir)),
        }?;
        self.sweep()
    }

    /// Renames, down to the disk: both directories that it changes.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        to.parent().map_or(Ok(()), sync_dir)?;
        from.parent().map_or(Ok(()), sync_dir)
    }

    /// The bytes of a kept file of the change under way.
    ///
    /// # Errors
    /// It cannot be read, or is not what was kept.
    pub fn kept(&self, number: u32, sha256: &str) -> Result<Vec<u8>, Failure> {
        let path = self.active().join("files").join(number.to_string());
        let bytes = fs::read(&path).map_err(failed("read", &path))?;
        if sums::sha256(&bytes) == sha256 { Ok(bytes) } else { Err(damaged(&path, "its SHA-256 differs".to_owned())) }
    }

    fn complete(&self) -> Result<u32, Failure> {
        let number = self.generations().last().map_or(1, |last| last + 1);
        let generation = self.generation(number);
        self.rename(&self.active(), &generation).map_err(failed("rename", &generation))?;
        let numbers = self.generations();
        for old in &numbers[..numbers.len().saturating_sub(GENERATIONS_MAX)] {
            // One that stays is removed after the next change.
            let _ = self.discard(&self.generation(*old));
        }
        Ok(number)
    }
}

/// A change under way. Dropped without [`Transaction::complete`], it is taken back by whoever comes next.
#[derive(Debug)]
pub struct Transaction {
    state: StateDir,
    writer: Writer,
    kept: u32,
}

impl Transaction {
    /// Notes the way back of something that is about to be done.
    ///
    /// # Errors
    /// The journal cannot be written: then it must not be done.
    pub fn record(&mut self, undoing: &Undoing) -> Result<(), Failure> {
        self.writer.line(undoing).map_err(failed("write", &self.state.active().join("journal")))
    }

    /// Keeps what is at `path` and notes how to put it back: before it is replaced or removed.
    ///
    /// # Errors
    /// It cannot be read or kept.
    pub fn keep(&mut self, root: &Root, path: &str) -> Result<(), Failure> {
        let place = root.at(path);
        let meta = fs::symlink_metadata(&place).map_err(failed("read", &place))?;
        let mode = meta.mode() & 0o7777;
        let undoing = if meta.is_symlink() {
            let target = fs::read_link(&place).map_err(failed("read", &place))?;
            Undoing::RestoreLink { path: path.to_owned(), target: target.to_string_lossy().into_owned() }
        } else if meta.is_dir() {
            Undoing::RestoreDir { path: path.to_owned(), mode, uid: meta.uid(), gid: meta.gid() }
        } else {
            let (kept, sha256) = self.copy(&place)?;
            let (path, modified_wall_secs) = (path.to_owned(), meta.mtime());
            Undoing::RestoreFile { path, kept, sha256, modified_wall_secs, mode, uid: meta.uid(), gid: meta.gid() }
        };
        self.record(&undoing)
    }

    fn copy(&mut self, place: &Path) -> Result<(u32, String), Failure> {
        self.kept += 1;
        let kept = self.state.active().join("files").join(self.kept.to_string());
        let copy = || -> io::Result<String> {
            let mut bytes = Vec::new();
            File::open(place)?.take(KEPT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > KEPT_BYTES_MAX {
                return Err(io::Error::other("it is too large to be kept"));
            }
            write_synced(&kept, &bytes)?;
            Ok(sums::sha256(&bytes))
        };
        Ok((self.kept, copy().map_err(failed("keep", place))?))
    }

    /// The change is complete: the one rename that makes it so. Answers the number of the generation.
    ///
    /// # Errors
    /// The receipt cannot be written, or the rename fails: then the change is still to be taken back.
    pub fn complete(self, verb: Verb, receipt: &Receipt) -> Result<u32, Failure> {
        debug_assert_eq!(verb, receipt.verb);
        let path = self.state.active().join("receipt.json");
        let write = || write_synced(&path, &[serde_json::to_vec_pretty(receipt)?, b"\n".to_vec()].concat());
        write().map_err(failed("write", &path))?;
        self.state.complete()
    }

    /// The removal of everything is complete: nothing is remembered any more.
    ///
    /// # Errors
    /// The rename fails: then the removal is still to be taken back.
    pub fn complete_removal(self) -> Result<(), Failure> {
        self.state.discard(&self.state.dir)
    }
}

/// Seconds since 1970.
pub(super) fn wall_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Kept files may be secret: only root may look. Directories above ours are everybody's.
fn private_dirs(state: &Path, below: &str) -> io::Result<()> {
    if let Some(parent) = state.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
    }
    DirBuilder::new().recursive(true).mode(0o700).create(state.join(below))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), sync_dir)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn remove_tree(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::Step { action, path, reason: error.to_string() }
}

fn damaged(path: &Path, reason: String) -> Failure {
    Failure::StateDamaged { path: path.display().to_string(), reason }
}
