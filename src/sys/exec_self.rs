//! Becoming another image of the same program: same pid, same children, and the descriptors that are named, no others.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::pipe2;

use crate::core::Pid;

/// Names the descriptor of the document that an image goes on from. Children never see it.
pub const DOCUMENT_VARIABLE: &str = "SUPERVISORD_RESUME";

/// What `/proc/self/exe` says behind the path of a file that is gone.
const DELETED: &[u8] = b" (deleted)";

/// Where this program is installed: the path that a newer one gets. Ask at the start, because `/proc/self/exe` follows the
/// file that runs, not the path.
///
/// # Errors
/// There is no `/proc`.
pub fn installed_path() -> io::Result<PathBuf> {
    let path = std::fs::read_link("/proc/self/exe")?;
    let bytes = path.as_os_str().as_bytes();
    Ok(PathBuf::from(OsStr::from_bytes(bytes.strip_suffix(DELETED).unwrap_or(bytes))))
}

/// A descriptor as another image knows it again: its number may be somebody else's by then, the object behind it not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectId {
    /// `st_dev`
    pub device: u64,
    /// `st_ino`
    pub inode: u64,
}

/// What is behind an open descriptor.
///
/// # Errors
/// `fstat(2)`: it is not open.
pub fn object_of(fd: BorrowedFd<'_>) -> io::Result<ObjectId> {
    let stat = nix::sys::stat::fstat(fd)?;
    Ok(ObjectId { device: stat.st_dev, inode: stat.st_ino })
}

/// The same by number.
///
/// # Errors
/// It is not open.
pub fn object_of_number(number: RawFd) -> io::Result<ObjectId> {
    if number < 0 {
        return Err(Errno::EBADF.into());
    }
    // SAFETY: only looked at; a number that is not open gives an error.
    object_of(unsafe { BorrowedFd::borrow_raw(number) })
}

/// Takes over a descriptor that an earlier image has left open, if it still is what it was. It is closed on exec, as everything is
/// that was inherited: [`close_inherited_on_exec`].
///
/// # Errors
/// It is not open, or something else by now.
pub fn take_over(number: RawFd, object: ObjectId) -> io::Result<OwnedFd> {
    if object_of_number(number)? != object {
        return Err(io::Error::other(format!("descriptor {number} is something else")));
    }
    // SAFETY: the image before us left it open for us, and each is named once in its document.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// A document in memory, or where the kernel has no `memfd_create` (before 3.17) in a file in `directory` that has no name.
///
/// # Errors
/// No memory, no descriptor, or no file can be made.
pub fn document(text: &str, directory: &Path) -> io::Result<File> {
    let mut file = match memfd_create("supervisord-resume", MFdFlags::MFD_CLOEXEC) {
        Ok(fd) => File::from(fd),
        Err(Errno::ENOSYS) => nameless(directory)?,
        Err(errno) => return Err(errno.into()),
    };
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

fn nameless(directory: &Path) -> io::Result<File> {
    let path = directory.join(format!(".supervisord-resume.{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Has whatever this image was given beyond 0, 1 and 2 closed on exec: children get their three descriptors and no more
/// (`Supervisor: process.py _spawn_as_child()` closes the others).
pub fn close_inherited_on_exec() {
    // One call where the kernel has it (5.11): an upgrade holds everything up meanwhile, and there may be thousands.
    // SAFETY: no memory is passed; only flags are set.
    let at_once = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if at_once == 0 {
        return;
    }
    let listed = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    for number in
        listed.filter_map(|entry| entry.file_name().to_str()?.parse::<RawFd>().ok()).filter(|number| *number > 2)
    {
        // SAFETY: only its flags are set; one that is not open any more, like that of the listing, gives an error.
        let _ = fcntl(unsafe { BorrowedFd::borrow_raw(number) }, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    }
}

/// The document that the image before this one left, if there was one. Call it before the first thread is made.
///
/// # Errors
/// The variable is there, but what it names is no document.
pub fn inherited_document() -> io::Result<Option<String>> {
    let Some(value) = std::env::var_os(DOCUMENT_VARIABLE) else { return Ok(None) };
    // Nobody else is to see it: neither what a configuration may name, nor a child.
    // SAFETY: called before the first thread is made.
    unsafe { std::env::remove_var(DOCUMENT_VARIABLE) };
    let number: RawFd =
        value.to_str().and_then(|text| text.parse().ok()).filter(|number| *number > 2).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{DOCUMENT_VARIABLE} is set, but not by a supervisord"))
        })?;
    let mut text = String::new();
    File::from(take_over(number, object_of_number(number)?)?).read_to_string(&mut text)?;
    Ok(Some(text))
}

/// Replaces this image by the one at `path`, with the same command line and environment. Only `document` and `kept` stay open
/// beside 0, 1 and 2. Comes back only with an error, and then everything is as it was.
pub fn exec(path: &Path, document: &File, kept: &[RawFd]) -> io::Error {
    let numbers = kept.iter().copied().chain([document.as_raw_fd()]);
    let set = |flags: FdFlag| {
        for number in numbers.clone() {
            // SAFETY: the registry holds them open; a number that is not open gives an error, and loses nothing but itself.
            let _ = fcntl(unsafe { BorrowedFd::borrow_raw(number) }, FcntlArg::F_SETFD(flags));
        }
    };
    set(FdFlag::empty());
    let error = match (words(), environment(document.as_raw_fd()), CString::new(path.as_os_str().as_bytes())) {
        (Ok(argv), Ok(env), Ok(path)) => match nix::unistd::execve(&path, &argv, &env) {
            Err(errno) => errno.into(),
            Ok(never) => match never {},
        },
        _ => io::Error::from(Errno::EINVAL),
    };
    set(FdFlag::FD_CLOEXEC);
    error
}

fn words() -> Result<Vec<CString>, std::ffi::NulError> {
    std::env::args_os().map(|word| CString::new(word.as_bytes())).collect()
}

fn environment(document: RawFd) -> Result<Vec<CString>, std::ffi::NulError> {
    let others = std::env::vars_os().filter(|(name, _)| name != DOCUMENT_VARIABLE);
    let assign = |name: &[u8], value: &[u8]| CString::new([name, b"=", value].concat());
    others
        .map(|(name, value)| assign(name.as_bytes(), value.as_bytes()))
        .chain([assign(DOCUMENT_VARIABLE.as_bytes(), document.to_string().as_bytes())])
        .collect()
}

/// A run of another image that looks at a document and says whether it could go on from it.
#[derive(Debug)]
pub struct Trial {
    /// Its pid. It is reaped like every child, see [`super::reap`].
    pub pid: Pid,
    said: File,
}

/// Most bytes that are read of what the other image says.
const SAID_BYTES_MAX: u64 = 4096;

impl Trial {
    /// Runs `path argument` with the document as its standard input.
    ///
    /// # Errors
    /// It cannot be run: no such file, another architecture, not permitted.
    pub fn begin(path: &Path, argument: &str, document: File) -> io::Result<Self> {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let copy = writer.try_clone()?;
        let child = Command::new(path)
            .arg(argument)
            .stdin(Stdio::from(document))
            .stdout(Stdio::from(writer))
            .stderr(Stdio::from(copy))
            .spawn()?;
        Ok(Trial { pid: child.id().cast_signed(), said: reader.into() })
    }

    /// What it said; ask when it has ended.
    pub fn said(self) -> String {
        let mut bytes = Vec::new();
        // Whatever came before an error is what there is.
        let _ = self.said.take(SAID_BYTES_MAX).read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}

/// Device and inode of a file, for comparing it with [`object_of`].
pub fn object_of_file(metadata: &std::fs::Metadata) -> ObjectId {
    ObjectId { device: metadata.dev(), inode: metadata.ino() }
}

/// The number of a descriptor, for a document; whoever holds it keeps it open.
pub fn number_of(fd: impl AsFd) -> RawFd {
    fd.as_fd().as_raw_fd()
}
