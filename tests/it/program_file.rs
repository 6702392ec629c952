//! Programs that are executed right after they were written.
//!
//! Another process writes them: a child that a test beside this one has just forked would hold them open for writing, and whoever
//! executes them then is told that they are busy.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A copy that can be executed.
pub fn copy(from: &Path, to: &Path) {
    let status = Command::new("install").args(["-m", "755"]).args([from, to]).status().unwrap();
    assert!(status.success(), "{}: {status}", to.display());
}

/// A file with these bytes that can be executed.
pub fn write(path: &Path, bytes: &[u8]) {
    let mut writing =
        Command::new("install").args(["-m", "755", "/dev/stdin"]).arg(path).stdin(Stdio::piped()).spawn().unwrap();
    writing.stdin.take().unwrap().write_all(bytes).unwrap();
    let status = writing.wait().unwrap();
    assert!(status.success(), "{}: {status}", path.display());
}
